// Where one looks: home, what the user chose by hand, the whole of what is on the road (fit), or one driver (follow).
// A move of the figure repaints its tiles, which is dear: the camera moves seldom, and then glides for a third of a
// second.

import { guarded } from "../shared/registry.js";
import { Fit, insetsOf } from "./fit.js";

const WORLD = 20037508.342789244;
const TILE_M = 156543.03392804097; // Web Mercator: half its width; metres per pixel at zoom 0
const NEAREST_M = 0.3;
const FARTHEST_M = 400; // zoom stops at these metres per pixel
const SETTLED_MS = 500; // a moved view is told to the server when it rests
const BY_HAND_MS = 1000; // a range that changes this soon after an input was moved by the user
const GLIDE_MS = 320;
const FIT_EVERY_MS = 250; // whether the view still fits is looked at so often
const FIT_GLIDE_MS = 700; // a view that moves by itself takes its time
const NO_PADS = [0, 0, 0, 0];
const NEAR_PADS = [80, 80, 80, 80];
const FIT_EXACT = 60; // with more drivers the outermost 2 % on each side may be out of view
const STREET_M = 2.5; // metres per pixel at which a driver is followed: streets can be told apart
const CHASED_MS = 6000; // a driver who leaves the middle again so soon is followed without a stop ...
const CHASE_MS = 450; // ... and the view comes nearer to him by two thirds in so long
const CAUGHT_PX = 0.5;
const ARRIVED_MS = 3000; // so long the place is shown where a driver who was followed has delivered
const FOLLOWED_FARTHEST_M = 20; // ... but who outruns that is seen from farther away, up to these metres per pixel
const FOLLOW_INNER = 0.3; // a followed driver may go this far from the middle, as a share of the view

/** Degrees of a Web Mercator x, also of one beyond the antimeridian. */
const toLon = (x) => {
  const lon = (x / WORLD) * 180;
  return Math.abs(lon) > 180 ? lon - 360 * Math.sign(lon) : lon;
};
const toLat = (y) => (Math.atan(Math.sinh((y / WORLD) * Math.PI)) * 180) / Math.PI;
/** The Web Mercator x of a longitude, in the copy of the world that is nearest to another x. */
const toX = (lon, near) => {
  const x = (lon / 180) * WORLD;
  return Math.abs(x - near) > WORLD ? x - 2 * WORLD * Math.sign(x - near) : x;
};
const toY = (lat) => (Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) * WORLD;
const zoomable = (metres) => Math.min(FARTHEST_M, Math.max(NEAREST_M, metres));
/** @type {MediaQueryList | undefined} asked once: each frame looks at it */
let stillness;
const calm = () => {
  stillness ??= matchMedia("(prefers-reduced-motion: reduce)");
  return stillness.matches;
};

/**
 * A view of the map: its middle in Web Mercator metres, and metres per pixel. `home`: the first view, which a resized
 * figure returns to.
 * @typedef {{x: number, y: number, metres: number, home?: boolean}} View
 */

class Camera {
  /**
   * `changed()` is called when the mode changes, `wake()` when a frame is wanted; `over()` returns the rectangles that
   * lie over the map, pixels.
   */
  constructor(model, changed, wake, over = () => []) {
    this.model = model;
    this.over = over;
    this.fit = new Fit();
    this.changed = changed;
    this.wake = wake;
    this.pv = null;
    /** @type {View | null} the view that is kept */
    this.view = null;
    this.fitting = true; // fit to what is on the road
    this.following = false; // ... or keep one driver in view
    this.size = null;
    this.told = [];
    this.timer = 0;
    this.glide = null;
    this.touched = this.lookedAt = -Infinity;
    this.arriving = false; // a driver has just been chosen to be followed
    /** @type {{view: View | null, fitting: boolean}} what the view kept to before */
    this.before = { view: null, fitting: true };
    this.met = false; // the driver followed has been on the road
    this.arrivedAt = Infinity; // since when he is no more
    this.room = { key: "", insets: NO_PADS }; // what lies over the map, and what that leaves
    this.centred = -Infinity; // when a followed driver was last brought back to the middle
    /** @type {{x: number, y: number} | null} where the driver followed was last */
    this.seen = null;
    this.chased = 0; // since when, if the view goes with the driver in every frame
  }
  remove() {
    clearTimeout(this.timer);
  }
  get box() {
    return this.pv.frame.bbox;
  }
  touch() {
    this.touched = performance.now();
  }

  /** Bokeh's tiles snap the ranges and its resizing stretches them: what the user did not do is undone. */
  keep() {
    const { width, height } = this.box;
    const { x_range: xr, y_range: yr } = this.pv.model;
    const { view } = this;
    if (!(width > 0 && height > 0) || !view) return;
    if (!this.size || this.size.width !== width || this.size.height !== height) {
      const was = this.size;
      this.size = { width, height };
      if ((!was && !this.told.length) || view.home) return this.go(this.homeView(), false);
      this.fit.begin();
      this.wake();
      return this.apply();
    }
    const metres = (xr.end - xr.start) / width;
    const x = (xr.start + xr.end) / 2;
    const y = (yr.start + yr.end) / 2;
    const off = Math.hypot(x - view.x, y - view.y) / metres + Math.abs(metres / view.metres - 1) * width;
    const skewed = Math.abs((yr.end - yr.start) / height / metres - 1) * height > 0.5;
    if (off < 0.2 && !skewed) return;
    if (performance.now() - this.touched < BY_HAND_MS) {
      this.glide = null;
      this.view = { x, y, metres: zoomable(metres) };
      this.byHand();
      if (skewed || this.view.metres !== metres) this.apply();
    } else this.apply();
  }
  byHand() {
    const was = this.fitting || this.following;
    this.fitting = this.following = false;
    if (was) this.changed();
    this.settle();
  }
  apply() {
    const { width, height } = this.box;
    const { x, y, metres } = this.view;
    this.pv.model.x_range.setv({ start: x - (metres * width) / 2, end: x + (metres * width) / 2 }, { sync: false });
    this.pv.model.y_range.setv({ start: y - (metres * height) / 2, end: y + (metres * height) / 2 }, { sync: false });
  }
  /**
   * Go to a view, gliding if asked to and if the user does not mind motion.
   * @param {View | null} view
   * @param {boolean} gently
   * @param {number} lasts milliseconds
   */
  go(view, gently = true, lasts = GLIDE_MS) {
    if (!view) return;
    if (!gently || !this.view || calm()) {
      this.glide = null;
      this.view = view;
      this.apply();
    } else {
      this.glide = { from: this.view, to: view, began: performance.now(), lasts };
      this.wake();
    }
    this.settle();
  }
  /** Take the next step of a glide; whether there is one. */
  step() {
    if (!this.glide) return false;
    const { from, to, began, lasts } = this.glide;
    const f = Math.min(1, (performance.now() - began) / lasts);
    const e = f * f * (3 - 2 * f);
    this.view =
      f === 1
        ? to
        : {
            x: from.x + e * (to.x - from.x),
            y: from.y + e * (to.y - from.y),
            metres: from.metres * (to.metres / from.metres) ** e,
          };
    if (f === 1) this.glide = null;
    this.apply();
    return true;
  }
  homeView() {
    if (!this.pv || !this.model.scene.home) return null;
    return { ...this.around(this.model.scene.home, NO_PADS), home: true };
  }
  /**
   * The view that shows a box, as close as `least` allows.
   * @param {number[]} box [x0, y0, x1, y1], Web Mercator metres
   * @param {number[]} pads pixels that stay free at its left, top, right and bottom edge
   * @param {number} spare by how much larger than the box the view is at least
   * @param {number} least metres per pixel
   * @returns {View}
   */
  around([x0, y0, x1, y1], [left, top, right, bottom], spare = 1, least = 0) {
    const { width, height } = this.box;
    const metres = zoomable(
      Math.max(
        (spare * (x1 - x0)) / Math.max(width - left - right, width / 2),
        (spare * (y1 - y0)) / Math.max(height - top - bottom, height / 2),
        least,
      ),
    );
    return {
      x: (x0 + x1) / 2 + ((right - left) / 2) * metres,
      y: (y0 + y1) / 2 + ((top - bottom) / 2) * metres,
      metres,
    };
  }
  /** Return to the first view, for good. */
  home() {
    this.fitting = this.following = false;
    this.changed();
    this.go(this.homeView());
  }
  /** Take what is at one place of the map to another, at `factor` times the metres per pixel: two fingers do. */
  carry(from, to, factor) {
    if (!this.view) return;
    const { width, height } = this.box;
    const { x, y, metres: was } = this.view;
    const metres = zoomable(was * factor);
    this.glide = null;
    this.view = {
      x: x + (from[0] - width / 2) * was - (to[0] - width / 2) * metres,
      y: y - (from[1] - height / 2) * was + (to[1] - height / 2) * metres,
      metres,
    };
    this.touch();
    this.byHand();
    this.apply();
  }
  zoom(factor) {
    if (!this.view) return;
    const { x, y, metres } = this.glide?.to ?? this.view;
    this.byHand();
    this.go({ x, y, metres: zoomable(metres * factor) });
  }
  /**
   * Look at a box because the user asked to.
   * @param {number[]} box [x0, y0, x1, y1], Web Mercator metres
   */
  lookAt(box) {
    this.byHand();
    const near = this.around(box, NEAR_PADS);
    this.go({ ...near, metres: Math.min(near.metres, this.view.metres / 1.6) });
  }
  toggleFit() {
    this.fitting = !this.fitting;
    this.following = false;
    this.fit.begin();
    this.changed();
    this.settle();
    this.wake();
  }
  toggleFollow() {
    this.following = this.arriving = !this.following;
    this.centred = -Infinity;
    this.seen = null;
    this.chased = 0;
    this.met = false;
    this.arrivedAt = Infinity;
    if (this.following) {
      this.before = { view: this.glide?.to ?? this.view, fitting: this.fitting };
      this.fitting = false;
    }
    this.changed();
    this.wake();
  }
  /** The driver followed has delivered: after a moment the view goes back. Returns milliseconds until then, 0 for never. */
  leave(moving) {
    const now = performance.now();
    this.arrivedAt = moving ? Math.min(this.arrivedAt, now) : Infinity; // a replay that stands may go back to him
    if (!this.met || !moving) return 0;
    const wait = this.arrivedAt + ARRIVED_MS - now;
    if (wait > 0) return wait;
    const { view, fitting } = this.before;
    this.following = false;
    this.fitting = fitting;
    this.fit.begin();
    this.changed();
    if (!fitting) this.go(view);
    this.settle();
    this.wake();
    return 0;
  }
  /**
   * Keep to what is on the road, or to the driver followed (null: none). `moving`: whether the replay plays. Returns
   * milliseconds until it should be asked again, 0 for never.
   */
  consider(active, driver, moving = true) {
    if (!this.view) return 0;
    const [kx, ky] = this.model.scene.kitchen;
    const was = this.seen;
    this.seen = driver ? { x: kx + driver.px, y: ky + driver.py } : null;
    if (this.glide) return 0;
    if (this.following) {
      if (!driver) return this.leave(moving);
      this.met = true;
      this.arrivedAt = Infinity;
      const { width, height } = this.box;
      const { x, y } = this.seen;
      let metres = Math.min(this.view.metres, this.arriving ? STREET_M : Infinity);
      const now = performance.now();
      const out =
        Math.abs(x - this.view.x) > FOLLOW_INNER * width * metres ||
        Math.abs(y - this.view.y) > FOLLOW_INNER * height * metres;
      const far = Math.abs(x - this.view.x) > (width / 2) * metres || Math.abs(y - this.view.y) > (height / 2) * metres;
      const near = !far && !this.arriving; // who is out of sight after a seek is gone to
      if (near && this.chased) this.chase(x, y, now);
      else if (near && out && now - this.centred < CHASED_MS && !calm()) this.chase(x, y, (this.chased = now));
      else if (this.arriving || out) {
        const drove = was && Math.hypot(x - was.x, y - was.y) < FOLLOW_INNER * Math.min(width, height) * metres;
        if (drove && !this.arriving && now - Math.max(this.centred, this.chased || -Infinity) < CHASED_MS)
          metres = Math.max(metres, Math.min(2 * metres, FOLLOWED_FARTHEST_M)); // or he would be fetched again at once
        if (!this.arriving) this.centred = now;
        this.chased = 0;
        this.go({ x, y, metres });
      }
      this.arriving = false;
      return 0;
    }
    if (!this.fitting || !active.length) return 0;
    const early = this.lookedAt + FIT_EVERY_MS - performance.now();
    if (early > 0 && !this.fit.fresh) return early;
    this.lookedAt = performance.now();
    const box = boundsOf(active).map((m, i) => m + (i % 2 ? ky : kx));
    const { width, height } = this.box;
    const size = { width, height };
    const insets = this.insetsFor(box);
    const around = this.around.bind(this);
    const { home } = this.model.scene;
    const { view, wait } = this.fit.decide(box, this.view, size, insets, performance.now(), around, home);
    this.go(view, true, FIT_GLIDE_MS);
    return wait;
  }
  /** What lies over the map takes, on sides that are chosen anew only if it changes: or the view would hop. */
  insetsFor(box) {
    const [x0, y0, x1, y1] = box;
    const { width, height } = this.box;
    const over = this.over();
    const key = [width, height, ...over.flat()].map(Math.round).join(" ");
    if (key !== this.room.key || this.fit.fresh)
      this.room = { key, insets: insetsOf(width, height, over, Math.max(1, x1 - x0) / Math.max(1, y1 - y0)) };
    return this.room.insets;
  }
  /** Go with a driver who would have to be brought back to the middle all the time, until he stands. */
  chase(x, y, now) {
    const share = 1 - Math.exp(-(now - this.chased) / CHASE_MS);
    const { metres } = this.view;
    const [dx, dy] = [share * (x - this.view.x), share * (y - this.view.y)];
    this.chased = Math.hypot(x - this.view.x, y - this.view.y) < CAUGHT_PX * metres ? 0 : now;
    if (!this.chased) return;
    this.wake();
    this.view = { x: this.view.x + dx, y: this.view.y + dy, metres };
    this.apply();
  }
  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      guarded(() => {
        const view = this.glide?.to ?? this.view;
        this.told =
          view.home || this.fitting || this.following
            ? []
            : [toLon(view.x), toLat(view.y), Math.log2(TILE_M / view.metres)].map((n) => Number(n.toFixed(5)));
        if (String(this.told) !== String(this.model.viewport)) this.model.viewport = this.told;
      }),
      SETTLED_MS,
    );
  }
  /**
   * Go to the view that was asked for, if it shows this kitchen's region at all; else home, from where fitting goes
   * on.
   */
  begin() {
    const [lon, lat, level] = this.model.viewport ?? [];
    const [kx, ky] = this.model.scene.kitchen;
    const given = level !== undefined && Math.hypot(toX(lon, kx) - kx, toY(lat) - ky) <= 200_000;
    this.fitting = !given;
    this.following = false;
    this.fit.begin();
    this.told = given ? [...this.model.viewport] : [];
    this.changed();
    if (!given) return this.go(this.homeView(), false);
    this.glide = null;
    this.view = { x: toX(lon, kx), y: toY(lat), metres: zoomable(TILE_M / 2 ** level) };
    this.apply();
  }
}
/** The box [x0, y0, x1, y1] of the kitchen, the drivers and their customers, metres from the kitchen. */
function boundsOf(active) {
  const share = active.length > FIT_EXACT ? 0.02 : 0;
  const box = [0, 0, 0, 0];
  for (const { axis, now, goal } of [
    { axis: 0, now: "px", goal: "cx" },
    { axis: 1, now: "py", goal: "cy" },
  ]) {
    const all = [];
    for (const trip of active) for (const at of [trip[now], trip[goal]]) if (Number.isFinite(at)) all.push(at);
    if (!all.length) continue;
    all.sort((a, b) => a - b);
    const cut = Math.floor(share * all.length);
    box[axis] = Math.min(0, all[cut]);
    box[axis + 2] = Math.max(0, all[all.length - 1 - cut]);
  }
  return box;
}

export { Camera, calm, toLat, toLon, WORLD };
