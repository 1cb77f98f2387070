// Drivers that overlap stand together as one bubble with their number. Who belongs together is decided a few times a
// second, with a memory: it takes more distance to leave a bubble than to join it, so that nothing flickers; where a
// bubble is, every frame.

import { HEAD_PX } from "./marks.js";

const CLUSTERS_FROM = 50;
const CLUSTERS_TO = 44; // on the road: merge above, stop merging below
const REGROUP = 0.35; // seconds of the viewer's time between two decisions
const JOIN_PX = 14;
const LEAVE_PX = 23; // nearer than a head is wide they overlap
const GLIDE = 0.16; // seconds in which a bubble follows its drivers when one comes or goes
const KITCHEN_PX = 19; // half the kitchen's sign, which hides what is under it

class Clusters {
  constructor() {
    this.list = [];
    this.at = -Infinity;
    this.frameAt = 0;
    this.t = NaN;
  }
  /** Bring the bubbles to the moment drawn. `alone` are the trips that never merge; `now` is wall time. */
  update(active, picture, on, alone, now, t, moved) {
    const many = active.length > (this.list.length ? CLUSTERS_TO : CLUSTERS_FROM);
    if (!on || !many) {
      if (this.list.length) {
        this.list = [];
        for (const trip of active) trip.cluster = null;
      }
      return;
    }
    const dt = now - this.frameAt;
    const jumped = !(Math.abs(t - this.t) < 600);
    this.frameAt = now;
    this.t = t;
    if (jumped || moved || now - this.at >= REGROUP) {
      this.at = now;
      this.regroup(active, picture, alone);
    }
    for (const c of this.list) {
      c.n = 0;
      c.mx = c.my = 0;
      c.shares = [0, 0, 0];
    }
    for (const trip of active) {
      const c = trip.cluster;
      if (!c) continue;
      if (alone.includes(trip)) {
        trip.cluster = null;
        continue;
      }
      c.n++;
      c.mx += trip.px;
      c.my += trip.py;
      c.shares[trip.tone]++;
    }
    const glide = jumped ? 1 : Math.min(1, dt / GLIDE);
    if (this.list.some((c) => c.n < 2)) {
      // the others have arrived
      for (const trip of active) if (trip.cluster?.n < 2) trip.cluster = null;
      this.list = this.list.filter((c) => c.n > 1);
    }
    for (const c of this.list) {
      c.mx /= c.n;
      c.my /= c.n;
      c.x = c.x === undefined ? c.mx : c.x + glide * (c.mx - c.x);
      c.y = c.y === undefined ? c.my : c.y + glide * (c.my - c.y);
      c.r += glide * (bubble(c.n) - c.r);
      [c.sx, c.sy] = beside(picture, picture.X(c.x), picture.Y(c.y), c.r);
    }
  }
  /** Decide anew who stands together: the far leave, bubbles that touch become one, those who overlap join. */
  regroup(active, picture, alone) {
    const { ox, oy, sx, sy, width, height } = picture.view;
    const known = new Set(this.list);
    const free = [];
    for (const c of known) {
      c.n = 0;
      c.cx = c.cy = 0;
      c.into = null;
    }
    for (const trip of active) {
      trip.sx = ox + trip.px * sx;
      trip.sy = oy - trip.py * sy;
      trip.out =
        !(trip.sx > -40 && trip.sy > -40 && trip.sx < width + 40 && trip.sy < height + 40) || alone.includes(trip);
      const c = (trip.cluster = !trip.out && known.has(trip.cluster) ? trip.cluster : null);
      if (c) {
        c.n++;
        c.cx += trip.sx;
        c.cy += trip.sy;
      }
    }
    for (const c of known) {
      c.cx /= c.n;
      c.cy /= c.n;
    }
    for (const trip of active) {
      const c = trip.cluster;
      if (c && Math.hypot(trip.sx - c.cx, trip.sy - c.cy) > LEAVE_PX + 0.4 * bubble(c.n)) {
        trip.cluster = null;
        c.n--;
      }
      if (!trip.cluster && !trip.out) free.push(trip);
    }
    const bubbles = new Grid(52);
    const loners = new Grid(JOIN_PX + 1);
    for (const c of [...known].filter((c) => c.n > 0).sort((a, b) => b.n - a.n)) {
      [c.cx, c.cy] = beside(picture, c.cx, c.cy, bubble(c.n));
      c.into = bubbles.nearest(c.cx, c.cy, (d) => 0.92 * (bubble(c.n) + bubble(d.n)));
      if (!c.into) bubbles.add(c, c.cx, c.cy);
    }
    for (const trip of active) if (trip.cluster?.into) trip.cluster = trip.cluster.into;
    for (const trip of free) {
      const c = bubbles.nearest(trip.sx, trip.sy, (d) => JOIN_PX + 0.4 * bubble(d.n));
      if (c) {
        trip.cluster = c;
        c.n++;
        continue;
      }
      const other = loners.nearest(trip.sx, trip.sy, (d) => (d.cluster ? 0 : JOIN_PX));
      if (!other) {
        loners.add(trip, trip.sx, trip.sy);
        continue;
      }
      const made = { n: 2, r: HEAD_PX, cx: (trip.sx + other.sx) / 2, cy: (trip.sy + other.sy) / 2, shares: [0, 0, 0] };
      trip.cluster = other.cluster = made;
      bubbles.add(made, made.cx, made.cy);
    }
    const sizes = new Map();
    for (const { cluster } of active) if (cluster) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
    for (const trip of active) if (trip.cluster && sizes.get(trip.cluster) < 2) trip.cluster = null;
    this.list = [...sizes.keys()].filter((c) => sizes.get(c) > 1);
  }
  /**
   * The bubble under a point of the screen.
   * @param {number[]} at pixels of the map
   */
  under([x, y]) {
    return this.list.find((c) => Math.hypot(c.sx - x, c.sy - y) < c.r + 2) ?? null;
  }
}
/** A bubble's radius, CSS pixels: room for its number, and more for more. */
const bubble = (n) => Math.min(28, 9.5 + 2.2 * Math.log2(n));

/** Where to draw a bubble of radius r that would lie under the kitchen's sign: beside it. */
function beside(picture, x, y, r) {
  const kx = picture.X(0);
  const ky = picture.Y(0);
  if (picture.known === false) return [x, y];
  const away = Math.hypot(x - kx, y - ky);
  const free = KITCHEN_PX + r;
  if (away >= free) return [x, y];
  return away < 1 ? [kx, ky - free] : [kx + ((x - kx) / away) * free, ky + ((y - ky) / away) * free];
}

/**
 * Things by place, to find the nearest without looking at all. Cells must be as wide as the farthest reach asked for.
 */
class Grid {
  constructor(cell) {
    this.cell = cell;
    this.cells = new Map();
  }
  key(i, j) {
    return i * 65536 + j;
  }
  add(thing, x, y) {
    const key = this.key(Math.floor(x / this.cell), Math.floor(y / this.cell));
    const here = this.cells.get(key);
    if (here) here.push([thing, x, y]);
    else this.cells.set(key, [[thing, x, y]]);
  }
  /** The nearest thing within its own `reach(thing)`. */
  nearest(x, y, reach) {
    const i = Math.floor(x / this.cell);
    const j = Math.floor(y / this.cell);
    let best = null;
    let least = Infinity;
    for (let a = i - 1; a <= i + 1; a++)
      for (let b = j - 1; b <= j + 1; b++)
        for (const [thing, tx, ty] of this.cells.get(this.key(a, b)) ?? []) {
          const d = Math.hypot(tx - x, ty - y);
          if (d < least && d < reach(thing)) {
            least = d;
            best = thing;
          }
        }
    return best;
  }
}

export { Clusters };
