// The names on the base map. The browser writes them, not the server: a tile is stretched to a zoom between two levels,
// and letters in it would be soft, slanted by the theme or too small. They are written into the figure's own canvas,
// over the tiles and under whatever moves, whenever the figure paints it; no frame of the drivers costs more for them.

import { NAMES } from "#python/render/ground";
import { guarded } from "../shared/registry.js";

/** Letters by kind: CSS pixels (never under 12), weight, slant, and whether the name follows a line. */
const LETTERS = {
  city: { size: 15, weight: 600 },
  district: { size: 12.5, weight: 600 },
  land: { size: 12.5, weight: 500 },
  water: { size: 13, weight: 500, slant: "italic " },
  park: { size: 12, weight: 500, slant: "italic " },
  river: { size: 12, weight: 500, slant: "italic ", along: true },
  street: { size: 12, weight: 500, along: true },
};

/** The farthest view, metres per pixel, that has a name, by kind for the ranks from 1 on; the last is for all after. */
const FARTHEST = {
  city: [400, 130, 55, 55, 55, 55, 400],
  water: [400, 400, 60, 30, 30, 12],
  land: [400, 130, 60, 30],
  district: [90, 90, 75, 35, 20, 12],
  street: [40, 40, 26, 16, 10, 8, 4],
  river: [60, 30, 24, 24, 24, 12],
  park: [40, 30, 20, 14, 14, 8],
};
const NEAREST_CITY = 6; // metres per pixel: nearer than this one is inside of it
const NEAREST_WHOLE = 70; // the same of a city that is the whole map's (rank 7 and after)
const STEPS = 4; // layouts per doubling of the zoom; between two of them names only move apart
const STRAIGHT = Math.cos((14 * Math.PI) / 180); // a line's pieces lie this close to the direction of its name
const ROOM = 14; // pixels of a street beyond both ends of its name
const AGAIN = 560; // pixels between two names of one street
const PAD = 5; // pixels between names
const HALO = 3.2;
const KITCHEN = 26; // pixels around the kitchen without names

/**
 * A name: `at` is a point [x, y] or a line [x0, y0, x1, y1, …], Web Mercator metres; rank 1 is written first.
 * @typedef {{text: string, kind: string, rank: number, at: number[]}} Name
 * A name in its place: its middle in Web Mercator metres, its angle (radians, clockwise on the screen) and its width.
 * @typedef {{text: string, kind: string, x: number, y: number, angle: number, width: number}} Placed
 */

const fontOf = (kind, family) => {
  const { size, weight, slant = "" } = LETTERS[kind];
  return `${slant}${weight} ${size}px ${family}`;
};

/** The zoom, metres per pixel, for which names are laid out: the farthest of a step, where they are closest. */
const stepOf = (metres) => 2 ** (Math.ceil(Math.log2(metres) * STEPS - 1e-9) / STEPS);

function isSeen({ kind, rank }, metres) {
  const farthest = FARTHEST[kind];
  if (kind === "city" && metres < (rank < 7 ? NEAREST_CITY : NEAREST_WHOLE)) return false;
  return metres <= farthest[Math.min(rank, farthest.length) - 1];
}

/**
 * The pieces of a line that are straight enough and long enough for a name, each as its ends.
 * @param {number[]} at @param {number} length metres
 */
function straights(at, length) {
  const found = [];
  const points = at.length / 2;
  for (let from = 0; from < points - 1; ) {
    let to = from + 1;
    for (; to + 1 < points; to++) if (!isStraight(at, from, to + 1)) break;
    const [x0, y0, x1, y1] = [at[2 * from], at[2 * from + 1], at[2 * to], at[2 * to + 1]];
    if (Math.hypot(x1 - x0, y1 - y0) >= length) found.push([x0, y0, x1, y1]);
    from = to;
  }
  return found;
}
function isStraight(at, from, to) {
  const dx = at[2 * to] - at[2 * from];
  const dy = at[2 * to + 1] - at[2 * from + 1];
  const whole = Math.hypot(dx, dy);
  for (let i = from; i < to; i++) {
    const px = at[2 * i + 2] - at[2 * i];
    const py = at[2 * i + 3] - at[2 * i + 1];
    if (px * dx + py * dy < STRAIGHT * whole * Math.hypot(px, py)) return false;
  }
  return true;
}

/** Where a name may stand: its point, or places along its line that are long enough for it. */
function candidates({ kind, at }, width, metres) {
  if (at.length === 2) return [{ x: at[0], y: at[1], angle: 0 }];
  if (!LETTERS[kind].along) return [];
  return straights(at, (width + 2 * ROOM) * metres).flatMap(([x0, y0, x1, y1]) => {
    const many = Math.max(1, Math.floor(Math.hypot(x1 - x0, y1 - y0) / metres / AGAIN));
    let angle = Math.atan2(y0 - y1, x1 - x0);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle <= -Math.PI / 2) angle += Math.PI;
    return Array.from({ length: many }, (_, i) => {
      const f = (i + 0.5) / many;
      return { x: x0 + f * (x1 - x0), y: y0 + f * (y1 - y0), angle };
    });
  });
}

/** The names that are placed, as circles along their letters in a grid: each is compared with its neighbours alone. */
class Taken {
  constructor() {
    this.cells = new Map();
  }
  static CELL = 32;
  static circles(x, y, angle, width, height) {
    const r = height / 2 + PAD;
    const reach = Math.max(0, width / 2 - height / 2);
    const many = 1 + Math.ceil((2 * reach) / height);
    return Array.from({ length: many }, (_, i) => {
      const along = many === 1 ? 0 : -reach + (2 * reach * i) / (many - 1);
      return { x: x + along * Math.cos(angle), y: y + along * Math.sin(angle), r };
    });
  }
  isFree(circles) {
    return circles.every(({ x, y, r }) => {
      const [column, row] = [Math.floor(x / Taken.CELL), Math.floor(y / Taken.CELL)];
      for (let i = -1; i <= 1; i++)
        for (let j = -1; j <= 1; j++)
          for (const other of this.cells.get(`${column + i},${row + j}`) ?? [])
            if (Math.hypot(other.x - x, other.y - y) < r + other.r - PAD) return false;
      return true;
    });
  }
  take(circles) {
    for (const circle of circles) {
      const key = `${Math.floor(circle.x / Taken.CELL)},${Math.floor(circle.y / Taken.CELL)}`;
      const cell = this.cells.get(key);
      if (cell) cell.push(circle);
      else this.cells.set(key, [circle]);
    }
  }
}

/**
 * Place names so that none covers another, by rank. It depends on the zoom alone: a map that is moved keeps its names.
 * @param {Name[]} names
 * @param {number} metres per pixel
 * @param {(text: string, kind: string) => number} measure the width of a text, pixels
 * @param {number[] | null} kitchen Web Mercator metres
 * @returns {Placed[]}
 */
function layOut(names, metres, measure, kitchen = null) {
  const taken = new Taken();
  if (kitchen) taken.take([{ x: kitchen[0] / metres, y: -kitchen[1] / metres, r: KITCHEN }]);
  const placed = [];
  const wanted = names.filter((name) => LETTERS[name.kind] && isSeen(name, metres));
  for (const name of wanted.sort((a, b) => a.rank - b.rank)) {
    const width = measure(name.text, name.kind);
    for (const place of candidates(name, width, metres)) {
      const { size } = LETTERS[name.kind];
      const circles = Taken.circles(place.x / metres, -place.y / metres, place.angle, width, size);
      if (!taken.isFree(circles)) continue;
      taken.take(circles);
      placed.push({ text: name.text, kind: name.kind, width, ...place });
    }
  }
  return placed;
}

/** Writes the names of the base map that is shown. */
class Names {
  constructor(model) {
    this.model = model;
    /** @type {Name[]} */
    this.names = [];
    this.family = "sans-serif";
    this.layouts = new Map();
    /** @type {any[]} what was written last: text, kind, x, y (pixels), angle, width, size */
    this.written = [];
    this.pen = null;
    this.remeasure = () => this.layouts.clear();
    this.detach = () => {};
    this.onPaint = guarded((pv) => this.write(pv.canvas_view.primary.ctx, pv));
  }
  /** Write whenever the figure paints its canvas, until `remove`: the figure outlives a drawing of the panel. */
  attach(pv) {
    const { primary } = pv.canvas_view;
    this.remeasure = () => {
      this.layouts.clear();
      pv.request_repaint();
    };
    document.fonts.addEventListener("loadingdone", this.remeasure); // the page's type may come later than the map
    const { finish } = primary;
    primary.finish = () => {
      this.onPaint(pv);
      finish.call(primary);
    };
    this.detach = () => {
      primary.finish = finish;
    };
  }
  remove() {
    document.fonts.removeEventListener("loadingdone", this.remeasure);
    this.detach();
  }
  /** Take the names of a base map, and the type of `node`. */
  show(names = [], node = null) {
    const family = (node && getComputedStyle(node).fontFamily) || this.family;
    if (names === this.names && family === this.family) return;
    this.names = names;
    this.family = family;
    this.layouts.clear();
  }
  /** @returns {Placed[]} */
  at(step) {
    let placed = this.layouts.get(step);
    if (!placed) {
      this.pen ??= new OffscreenCanvas(1, 1).getContext("2d");
      const measure = (text, kind) => {
        this.pen.font = fontOf(kind, this.family);
        return this.pen.measureText(text).width;
      };
      placed = layOut(this.names, step, measure, this.model.scene.known === false ? null : this.model.scene.kitchen);
      this.layouts.set(step, placed);
    }
    return placed;
  }
  write(ink, pv) {
    this.written = [];
    const { x_range: xr, y_range: yr } = pv.model;
    const { left, top, width, height } = pv.frame.bbox;
    const metres = (xr.end - xr.start) / width;
    if (!this.names.length || !(metres > 0) || !Number.isFinite(metres)) return;
    const colours = NAMES[this.model.dark ? "dark" : "light"];
    const ratio = devicePixelRatio || 1;
    const snap = (at) => Math.round(at * ratio) / ratio;
    ink.save();
    ink.beginPath();
    ink.rect(left, top, width, height);
    ink.clip();
    ink.translate(-0.5, -0.5); // letters begin at whole pixels
    ink.textAlign = "center";
    ink.textBaseline = "middle";
    ink.lineJoin = "round";
    ink.lineWidth = HALO;
    for (const name of this.at(stepOf(metres))) {
      const x = left + (name.x - xr.start) / metres;
      const y = top + ((yr.end - name.y) / (yr.end - yr.start)) * height;
      const reach = name.width / 2 + HALO;
      if (x < left - reach || x > left + width + reach || y < top - reach || y > top + height + reach) continue;
      ink.save();
      if (name.angle) {
        ink.translate(x, y);
        ink.rotate(name.angle);
      } else ink.translate(snap(x - name.width / 2) + name.width / 2, snap(y));
      ink.font = fontOf(name.kind, this.family);
      ink.strokeStyle = colours[name.kind === "water" ? "shore" : "halo"];
      ink.strokeText(name.text, 0, 0);
      ink.fillStyle = colours[name.kind];
      ink.fillText(name.text, 0, 0);
      ink.restore();
      const { size } = LETTERS[name.kind];
      this.written.push({ text: name.text, kind: name.kind, x, y, angle: name.angle, width: name.width, size });
    }
    ink.restore();
  }
}

export { LETTERS, layOut, Names, stepOf };
