// Keeping what is on the road in view without unrest: the view grows when something would be hidden, and comes closer
// only when it has been clearly too wide for a while. In between it stands still.

/** Pixels that stay free beyond what lies over the map, at left, top, right and bottom: pins stand up. */
const MARGINS = [26, 40, 26, 24];
/** Nearer than this to an edge, or to what lies over the map, something counts as hidden. */
const LEAST_MARGINS = [12, 28, 12, 12];
const SPARE = 1.08; // by how much larger than what it shows a fitted view is
const GROWN_SPARE = 1.2; // ... and one that had to grow, so that it need not grow again at once
const TOO_WIDE = 0.6; // a view is too wide when this share of it would do ...
const TOO_WIDE_MS = 5000; // ... for so long
/** How long after the last growth a view may grow again, by how often it has moved within `UNREST_MS`. */
const GROW_EVERY_MS = [1500, 6000];
const LEAST_M = 1800; // a fitted view is never closer than this many metres
const MOSTLY = 0.5; // what hides more of the map than this share is not looked around
const LARGEST_INSET = 0.3; // what lies over the map is given at most this share of a side ...
const LARGEST_CHOICE = 0.6; // ... unless looking around it there leaves more room than anywhere else
const UNREST_MS = 15000; // who had to move twice within so long sees the whole region, and comes no closer for so long
const MOST_MOVES = 2; // within that: at 100 times something is always just out of view

/**
 * Pixels at the left, top, right and bottom that what lies over the map takes from it: of each thing at one side, and
 * of all ways to choose them the one in which a box of that shape is drawn largest.
 * @param {number} width @param {number} height of the map
 * @param {number[][]} over rectangles [left, top, right, bottom] in pixels of the map
 * @param {number} aspect the width of what is to be shown, by its height
 */
function insetsOf(width, height, over, aspect = width / height) {
  let ways = [[0, 0, 0, 0]];
  for (const [left, top, right, bottom] of over) {
    if (right <= 0 || bottom <= 0 || left >= width || top >= height || right <= left || bottom <= top) continue;
    const seen = (Math.min(right, width) - Math.max(left, 0)) * (Math.min(bottom, height) - Math.max(top, 0));
    if (seen > MOSTLY * width * height) continue; // nothing is to be seen beside it
    const takes = [right, bottom, width - left, height - top];
    const shares = takes.map((pixels, side) => pixels / (side % 2 ? height : width));
    const least = shares.indexOf(Math.min(...shares));
    const choices = takes
      .map((pixels, side) => ({ pixels, side, share: shares[side] }))
      .filter(({ side, share }) => side === least || share <= LARGEST_CHOICE)
      .map(({ pixels, side, share }) => {
        const most = share <= LARGEST_CHOICE && side !== least ? LARGEST_CHOICE : LARGEST_INSET;
        return { side, pixels: Math.min(pixels, most * (side % 2 ? height : width)) };
      });
    ways = ways.flatMap((insets) =>
      choices.map(({ side, pixels }) => insets.map((inset, i) => (i === side ? Math.max(inset, pixels) : inset))),
    );
  }
  const room = (way) => Math.min((width - way[0] - way[2]) / aspect, height - way[1] - way[3]);
  return ways.reduce((best, way) => (room(way) > room(best) + 1 ? way : best));
}

const union = (a, b) =>
  a ? [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])] : b;
const added = (a, b) => a.map((pixels, side) => pixels + b[side]);

/** The metres at each side of a view's middle that are free of `pads`: [left, bottom, right, top]. */
function reach({ metres }, { width, height }, [left, top, right, bottom]) {
  return [
    (width / 2 - left) * metres,
    (height / 2 - bottom) * metres,
    (width / 2 - right) * metres,
    (height / 2 - top) * metres,
  ];
}

class Fit {
  constructor() {
    this.begin();
  }
  /** Fit anew: the next view is taken at once. */
  begin() {
    this.fresh = true;
    this.grown = -Infinity;
    /** @type {number[]} when it last moved by itself, after the first view; the last `MOST_MOVES` */
    this.moves = [];
    this.forget();
  }
  /** It moves by itself. */
  note(now) {
    this.moves = [...this.moves, now].slice(-MOST_MOVES);
  }
  /** The view is not too wide, or no longer. */
  forget() {
    this.wide = Infinity; // since when it has been too wide
    /** @type {number[] | null} what had to be shown meanwhile */
    this.shown = null;
  }
  /**
   * Where to look so that a box is in view: {view, wait}; a view if the present one has to change, and milliseconds
   * until it should be asked again (0: at the next frame that changes something).
   * @param {number[]} box [x0, y0, x1, y1], Web Mercator metres
   * @param {import("./camera.js").View} view the present one
   * @param {{width: number, height: number}} size pixels
   * @param {number[]} insets pixels that are covered at left, top, right and bottom
   * @param {number} now milliseconds
   * @param {(box: number[], pads: number[], spare: number, least: number) => import("./camera.js").View} around
   * @param {number[] | null} region what a view shows that would have to move again and again
   */
  decide(box, view, size, insets, now, around, region = null) {
    const recent = this.moves.filter((at) => now - at < UNREST_MS).length;
    const restless = recent > 0;
    const pads = added(insets, MARGINS);
    const least = LEAST_M / Math.min(size.width, size.height);
    const close = (shown, spare) => around(shown, pads, spare, least);
    if (this.fresh) {
      this.fresh = false;
      this.grown = now;
      this.forget();
      return { view: close(box, SPARE), wait: 0 };
    }
    if (isHidden(box, view, size, added(insets, LEAST_MARGINS))) {
      this.forget();
      const rested = recent < MOST_MOVES ? this.grown + GROW_EVERY_MS[recent] : this.moves[0] + UNREST_MS;
      const wait = rested - now;
      if (wait > 0) return { view: null, wait };
      this.grown = now;
      this.note(now);
      const wider = restless && region ? close(union(region, box), SPARE) : close(box, GROWN_SPARE);
      const enough = close(box, 1).metres <= view.metres;
      return { view: enough ? moved(box, view, size, pads) : wider, wait: 0 };
    }
    if (close(box, SPARE).metres >= TOO_WIDE * view.metres) {
      this.forget();
      return { view: null, wait: 0 };
    }
    this.wide = Math.min(this.wide, now);
    this.shown = union(this.shown, box);
    const wait = Math.max(this.wide + TOO_WIDE_MS, (this.moves.at(-1) ?? -Infinity) + UNREST_MS) - now;
    if (wait > 0) return { view: null, wait };
    const closer = close(this.shown, GROWN_SPARE);
    this.forget();
    if (closer.metres < view.metres) this.note(now);
    return { view: closer.metres < view.metres ? closer : null, wait: 0 };
  }
}

/** Whether a part of a box is not in what a view has free of `pads`. */
function isHidden(box, view, size, pads) {
  const [x0, y0, x1, y1] = box;
  const [left, bottom, right, top] = reach(view, size, pads);
  return x0 < view.x - left || x1 > view.x + right || y0 < view.y - bottom || y1 > view.y + top;
}

/** The view at the same scale, moved no farther than needed to have a box in what is free of `pads`. */
function moved(box, view, size, pads) {
  const [x0, y0, x1, y1] = box;
  const [left, bottom, right, top] = reach(view, size, pads);
  const within = (at, low, high) => Math.min(Math.max(at, low), high);
  return {
    x: within(view.x, x1 - right, x0 + left),
    y: within(view.y, y1 - top, y0 + bottom),
    metres: view.metres,
  };
}

export { Fit, insetsOf, isHidden };
