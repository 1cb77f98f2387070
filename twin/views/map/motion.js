// Where every driver is, from whole trips that the server sends once each. Pure: no drawing, no page; see map.js.
//
// Trips come in windows of data time. While the clock runs, the next window is asked for before the playhead reaches
// the end of what is held; a playhead outside of it asks at once, and until the answer is here the last moment stays.
// One question at a time: that is the flow control.

import { FADE_S, FADE_WALL_S, KEPT_S, LEAD_WALL_S, WINDOW_MIN_S, WINDOW_WALL_S } from "#python/views/map/wire";
import { ReplayClock } from "../shared/clock.js";
import { movedRow } from "../shared/rows.js";
import { unpack } from "./wire.js";

const READY = 900;
const READY_MOST = 100; // a quarter of an hour is held ready for a sudden 1000x, while no more than 100 are on the road
const REST = 0.4; // ... and got when the playhead has rested so long: who drags it wants the next moment, not the hour
const ASK_GAP = 1;
const ASK_LOST = 5; // seconds between two windows in a row; after which an answer counts as lost
const MARGIN = 0.25; // of a view's size, on each side: so far it is moved before others are asked for
const AGAIN = 0.25; // seconds between two questions for another part of a crowd
const GLIDE = 1.5; // seconds of the viewer's in which a driver goes to where a ping says that he is
const LEAST_GLIDE = 2; // metres that nobody sees
const OWN_PACE_S = 60;
const OWN_PACE_SHARE = 0.1; // from when on a driver's own pace says more than the promise, as in locate.py
const ON_TIME = 0;
const AT_RISK = 1;
const LATE = 2;

/** The data seconds for which a delivery stays visible at a speed. */
const fadeSpan = (speed) => Math.max(FADE_S, FADE_WALL_S * speed);

/**
 * One driver's way: t seconds since `start`, x and y metres east and north of the kitchen, straight between the knots.
 */
class Trip {
  /**
   * @param {Record<string, any>} m a window's columns
   * @param {number} i the trip's number among them
   */
  constructor(m, i) {
    const a = m.offsets[i];
    const b = m.offsets[i + 1];
    this.order = m.order[i];
    this.start = m.start[i];
    this.end = m.end[i];
    this.t = m.t.subarray(a, b);
    this.x = m.x.subarray(a, b);
    this.y = m.y.subarray(a, b);
    const last = b - a - 1;
    this.cx = Number.isNaN(m.cx[i]) && last >= 0 ? this.x[last] : m.cx[i];
    this.cy = Number.isNaN(m.cy[i]) && last >= 0 ? this.y[last] : m.cy[i];
    this.created = this.start - m.age[i]; // NaN: unknown, and so is whether it is late
    this.promised = this.start + m.promise[i];
    this.stalls = null; // [from, to, …] data seconds between which the order had stalled: nobody is on the road
    this.gaps = null; // [from, to, …] seconds since the start between which positions are inferred
    this.knot = 0; // the one before the driver
    /** @type {{x: number, y: number, wall: number} | null} how far from it the driver was drawn when it was corrected */
    this.glide = null;
    this.px = this.py = NaN; // where place() found the driver
    this.tone = ON_TIME;
    this.inferred = false;
    this.label = ""; // what is written beside the driver
    this.cluster = null; // the bubble that stands for this driver, see clusters.js
    /** @type {Float64Array | null} metres along the way to each knot, once they are wanted */
    this.way = null;
  }
  /** Whether the driver is on the road at t. */
  drives(t) {
    if (t < this.start || t >= this.end) return false;
    const { stalls } = this;
    if (stalls) for (let i = 0; i < stalls.length; i += 2) if (t >= stalls[i] && t < stalls[i + 1]) return false;
    return true;
  }
  /**
   * Judge the moment t: late when the order is older than `target` seconds, at risk when its promised arrival will be.
   */
  judge(t, target) {
    const due = this.created + target;
    const { gaps } = this;
    this.tone = t > due ? LATE : this.promised > due ? AT_RISK : ON_TIME;
    this.inferred = false;
    if (gaps)
      for (let i = 0, s = t - this.start; i < gaps.length; i += 2)
        if (s >= gaps[i] && s < gaps[i + 1]) this.inferred = true;
  }
  /**
   * Move px and py on along the planned route where no later position has come in yet, `s` seconds after the start: at
   * the driver's own pace so far, or, while that says little, at the one that was promised. It is a guess, and said so.
   */
  foresee(s) {
    const { t, x, y } = this;
    const last = t.length - 1;
    let i = this.knot;
    if (i >= last || t[i + 1] !== Infinity || s <= t[i]) return;
    this.way ??= wayOf(x, y);
    const { way } = this;
    const promised = this.promised - this.start;
    const own = t[i] >= OWN_PACE_S && way[i] >= OWN_PACE_SHARE * way[last];
    const pace = own ? way[i] / t[i] : way[last] / promised;
    if (!(pace > 0 && pace < Infinity)) return;
    const there = Math.min(way[i] + pace * (s - t[i]), way[last]);
    while (i < last - 1 && way[i + 1] <= there) i++;
    const f = way[i + 1] > way[i] ? (there - way[i]) / (way[i + 1] - way[i]) : 0;
    this.knot = i;
    this.px = x[i] + f * (x[i + 1] - x[i]);
    this.py = y[i] + f * (y[i + 1] - y[i]);
    this.inferred = true;
  }
  /** Go on from where the driver was drawn: what has come in since says that it was elsewhere. */
  glideFrom(px, py, wall) {
    const [x, y] = [px - this.px, py - this.py];
    this.glide = Math.hypot(x, y) > LEAST_GLIDE ? { x, y, wall } : null;
  }
  /**
   * Move px and py towards where place() found the driver, all the way within GLIDE seconds of the viewer's; what is
   * drawn meanwhile is inferred.
   */
  slide(wall) {
    const { glide } = this;
    if (!glide) return;
    const left = 1 - (wall - glide.wall) / GLIDE;
    if (left <= 0) {
      this.glide = null;
      return;
    }
    const ease = left * left * (3 - 2 * left);
    this.px += ease * glide.x;
    this.py += ease * glide.y;
    this.inferred = true;
  }
  /** Find the driver `s` seconds after the start, into px and py. */
  place(s) {
    const { t, x, y } = this;
    const last = t.length - 1;
    if (last < 0) return;
    let i = this.knot;
    if (i > last || t[i] > s) i = 0;
    while (i < last && t[i + 1] <= s) i++;
    this.knot = i;
    const f = i < last ? share(t[i], t[i + 1], s) : 0;
    this.px = x[i] + (f && f * (x[i + 1] - x[i]));
    this.py = y[i] + (f && f * (y[i + 1] - y[i]));
  }
  /**
   * Visit the way from `from` to `to` seconds after the start as points (x, y, first).
   * @param {number} from
   * @param {number} to
   * @param {(x: number, y: number, first: boolean) => void} visit
   */
  along(from, to, visit) {
    const { t, x, y } = this;
    const last = t.length - 1;
    if (last < 0) return;
    let i = 0;
    while (i < last && t[i + 1] <= from) i++;
    let f = i < last ? share(t[i], t[i + 1], from) : 0;
    visit(x[i] + (f && f * (x[i + 1] - x[i])), y[i] + (f && f * (y[i + 1] - y[i])), true);
    for (i++; i <= last && t[i] < to; i++) visit(x[i], y[i], false);
    if (i > last) {
      if (to === Infinity) for (; i <= last; i++) visit(x[i], y[i], false);
      return;
    }
    f = share(t[i - 1], t[i], to);
    if (to === Infinity) visit(x[i], y[i], false);
    else visit(x[i - 1] + (f && f * (x[i] - x[i - 1])), y[i - 1] + (f && f * (y[i] - y[i - 1])), false);
  }
  /**
   * The direction of travel as [east, north], not normalised; [0, 0] when standing.
   * @returns {number[]}
   */
  heading() {
    const i = Math.min(this.knot, this.t.length - 2);
    return i < 0 ? [0, 0] : [this.x[i + 1] - this.x[i], this.y[i + 1] - this.y[i]];
  }
}
/** The metres along a way to each of its knots. */
function wayOf(x, y) {
  const way = new Float64Array(x.length);
  for (let i = 1; i < x.length; i++) way[i] = way[i - 1] + Math.hypot(x[i] - x[i - 1], y[i] - y[i - 1]);
  return way;
}
/** A view with room to move it before others are asked for. */
const widened = (box) => {
  if (!box) return null;
  const [x0, y0, x1, y1] = box;
  const east = MARGIN * (x1 - x0);
  const north = MARGIN * (y1 - y0);
  return [x0 - east, y0 - north, x1 + east, y1 + north];
};
/** How far s is from a to b, 0 to 1; a knot at infinity (a place that was never reached) is not approached. */
const share = (a, b, s) => (b > a && b < Infinity && s > a ? Math.min(1, (s - a) / (b - a)) : 0);

/**
 * The trips on the road at some time in [from, to], as the server sends them (wire.py, fleet.py).
 * @typedef {import("./wire.js").Packed & {from: number, to: number, crowd?: number, within?: number[] | null,
 *   version?: number, number?: number, pushed?: boolean, grown?: boolean}} Window
 */

/** The trips of a window, and of those that came after it. */
class Held {
  /** @param {Window} window */
  constructor(window) {
    this.from = window.from;
    this.to = window.to;
    /** @type {Trip[]} */
    this.trips = [];
    /** @type {Map<number, Trip>} */
    this.orders = new Map();
    this.within = window.within ?? null; // in a crowd: where everybody is held; null: nobody but who is picked out
    this.add(window);
  }
  covers(t) {
    return t >= this.from && t <= this.to;
  }
  renumber(inserted) {
    for (const trip of this.trips) trip.order = movedRow(trip.order, inserted);
    this.orders = new Map(this.trips.map((trip) => [trip.order, trip]));
  }
  /** @param {Window} window */
  add(window) {
    const m = unpack(window);
    const fresh = new Map();
    for (let i = 0; i < m.order.length; i++) {
      if (this.orders.has(m.order[i])) continue;
      const trip = new Trip(m, i);
      this.orders.set(m.order[i], trip);
      this.trips.push(trip);
      fresh.set(i, trip);
    }
    m.gap_trip.forEach((i, k) => {
      const trip = fresh.get(i);
      if (trip) (trip.gaps ??= []).push(m.gap_from[k], m.gap_to[k]);
    });
    m.stall_trip.forEach((i, k) => {
      const trip = fresh.get(i);
      if (trip) (trip.stalls ??= []).push(m.stall_from[k], m.stall_to[k]);
    });
    this.to = Math.max(this.to, window.to);
    this.crowd = window.crowd ?? 0; // how many are on the road, where not all of them are held
  }
  /**
   * Whether an answer goes on with what is held: a crowd may have come or gone, or so many be in view that none is
   * told.
   */
  continues(window) {
    return !!window.crowd === !!this.crowd && !!window.within === !!this.within;
  }
  /** Forget what ended before t. */
  prune(t) {
    if (t <= this.from) return;
    this.from = t;
    this.trips = this.trips.filter((trip) => trip.end >= t || void this.orders.delete(trip.order));
  }
}

class Motion {
  /**
   * `send(question)` passes a question to the server, whose answer comes to `receive`.
   * @param {import("../shared/clock.js").ReplayClock} clock
   * @param {(question: object) => void} send
   */
  constructor(clock, send) {
    this.clock = clock;
    this.send = send;
    this.asks = 0;
    this.target = Infinity; // seconds from order to door that were promised
    this.look = () => ({}); // what a question tells besides: {box, order}
    this.forget(0);
  }
  /** Start over with another timeline, which `version` names in questions and answers. */
  forget(version) {
    this.version = version;
    this.held = this.next = this.asked = null; // `next`: the start of the range, held ready for the loop's return
    this.t = NaN; // the moment that is drawn
    this.asked_at = -Infinity;
    this.pushes = 0; // windows that came unasked, with a seek
    this.stale = false; // whether others are wanted than those held, though of the same moment
    /** @type {Trip[]} on the road at t */
    this.active = [];
    /** @type {Trip[]} delivered shortly before */
    this.faded = [];
  }
  /**
   * Go on with an extended timeline: orders were inserted, so that those held have other rows.
   * @param {number} version
   * @param {number[]} inserted
   */
  renew(version, inserted) {
    this.version = version;
    this.asked = this.next = null;
    this.held?.renumber(inserted);
  }
  get speed() {
    return this.clock.rate;
  }
  get waiting() {
    return !!this.asked;
  }
  /** How many are on the road: all that there are, also those of a crowd. */
  get onRoad() {
    return this.held?.crowd || this.active.length;
  }
  /** Whether the drivers are in frames, none of them told but who is picked out. */
  get crowded() {
    return !!this.held?.crowd && !this.held.within;
  }
  /**
   * See whether a crowd's view has left where everybody is held.
   * @param {number[]} box [x0, y0, x1, y1], metres from the kitchen
   */
  outgrown([x0, y0, x1, y1]) {
    const { held } = this;
    if (!held?.within) return false;
    const [ax, ay, bx, by] = held.within;
    return x0 < ax || y0 < ay || x1 > bx || y1 > by;
  }
  /** Ask anew for the moment held: another view, another order picked out. */
  again() {
    this.stale = true;
  }
  /** Whether there will be something to ask for when the paused playhead has rested for REST seconds. */
  get later() {
    return !this.asked && !this.clock.moving && !!this.held && this.held.to < this.ahead(this.t);
  }
  /** Until when trips should be held. */
  ahead(now) {
    const a = this.clock.anchor;
    const ready = !this.held?.crowd && this.active.length <= READY_MOST ? READY : WINDOW_MIN_S / 3;
    return Math.min(now + Math.max(LEAD_WALL_S * this.speed, ready), a.end + 1); // the end itself is shown too
  }

  /** Bring active and faded to the playhead; false if it is not held yet and the last moment stays. */
  advance() {
    const now = this.clock.now();
    if (!this.version || !this.clock.anchor) return false;
    if (this.next?.covers(now) && !this.held?.covers(now)) {
      this.held = this.next;
      this.next = null;
    }
    this.want(now);
    // just past the end a late window lacks only the drivers that start in it; to draw the others beats standing still
    const { held } = this;
    const late = held && this.clock.moving && now > held.to && now < held.to + 5 * WINDOW_WALL_S * this.speed;
    if (!held || !(held.covers(now) || late)) return false;
    this.t = now;
    const fade = fadeSpan(this.speed);
    const wall = ReplayClock.wall();
    const growing = this.clock.state !== "replay";
    const active = [];
    const faded = [];
    for (const trip of held.trips) {
      if (trip.start > now) continue;
      if (trip.drives(now)) {
        trip.place(now - trip.start);
        trip.judge(now, this.target);
        if (growing) trip.foresee(now - trip.start);
        trip.slide(wall);
        active.push(trip);
      } else if (now >= trip.end && now < trip.end + fade) {
        trip.place(trip.end - trip.start);
        faded.push(trip);
      }
    }
    this.active = active;
    this.faded = faded;
    return true;
  }
  /**
   * The trip of an order, if it is on the road at the moment drawn.
   * @param {number} order
   * @returns {Trip | null}
   */
  trip(order) {
    const trip = this.held?.orders.get(order);
    return trip?.drives(this.t) ? trip : null;
  }
  want(now) {
    const wall = ReplayClock.wall();
    if (this.asked && wall - this.asked.wall < ASK_LOST) return;
    const { held } = this;
    const a = this.clock.anchor;
    const { moving } = this.clock;
    const length = Math.max(WINDOW_MIN_S, WINDOW_WALL_S * this.speed);
    const ahead = this.ahead(now);
    const behind = held && moving && now > held.to && now < held.to + length;
    if (!held || !(held.covers(now) || behind) || (this.stale && wall - this.asked_at > AGAIN))
      this.ask("new", now - fadeSpan(this.speed), now + length, now);
    else if (wall - this.asked_at < (moving ? ASK_GAP : REST)) return;
    else if (held.to < ahead) this.ask("more", held.to, Math.min(ahead + length, Math.max(ahead, a.end + 1)));
    else if (
      moving &&
      a.loop &&
      !this.next &&
      now + LEAD_WALL_S * this.speed + WINDOW_MIN_S / 3 > a.end &&
      !held.covers(a.start)
    )
      this.ask("loop", a.start, a.start + length);
  }
  ask(kind, from, to, at = null) {
    const wall = ReplayClock.wall();
    this.asked = { kind, number: ++this.asks, wall };
    this.asked_at = wall;
    const { box, order } = this.look();
    if (kind === "new") this.stale = false;
    const wide = kind === "more" && this.held?.within ? this.held.within : widened(box);
    this.send({
      t: this.clock.now(),
      box: wide,
      order,
      crowd: !!this.held?.crowd,
      ask: "motion",
      version: this.version,
      number: this.asks,
      from,
      to,
      at,
      pushes: this.pushes,
      after: kind === "more" ? from : null,
    });
  }
  /**
   * Have drivers whose way was corrected by what came in go on from where they are drawn.
   * @param {Trip[]} before those drawn
   */
  correct(before) {
    const wall = ReplayClock.wall();
    for (const { order, px, py } of before) {
      const trip = this.held?.orders.get(order);
      if (!trip?.drives(this.t) || Number.isNaN(px)) continue;
      trip.place(this.t - trip.start);
      trip.foresee(this.t - trip.start);
      trip.glideFrom(px, py, wall);
    }
  }
  /**
   * Take an answer, or a window that the server sends with a seek before it is asked; false if it is not waited for.
   * @param {Window} m
   * @returns {boolean}
   */
  receive(m) {
    const { asked } = this;
    if (m.pushed && m.version === this.version) {
      this.pushes++;
      const before = m.grown ? this.active : [];
      this.held = new Held(m);
      this.correct(before);
      if (asked?.kind !== "loop") this.asked = null; // of another moment, or this very window, which is not sent twice
      return true;
    }
    if (!asked || m.version !== this.version || m.number !== asked.number) return false;
    this.asked = null;
    if (asked.kind === "more" && this.held && !this.held.continues(m)) this.stale = true;
    else if (asked.kind === "more" && this.held) {
      this.held.prune(this.t - Math.max(KEPT_S, WINDOW_WALL_S * this.speed));
      this.held.add(m);
    } else if (asked.kind === "loop") this.next = new Held(m);
    else this.held = new Held(m);
    return true;
  }
}

export { AT_RISK, fadeSpan, LATE, Motion, ON_TIME, REST };
