// The replay clock of the browser: where the playhead is, without a message for every frame.

import { LAG_S, MAX_SPEED } from "#python/replay/clock";
import { firstAt, movesAt, secondAt } from "./alignment.js";
import { guarded, twin } from "./registry.js";
import { NAIVE, Zone } from "./times.js";

/**
 * Where the playhead is, and how it goes on from there (`Anchor` in twin/replay/clock.py): times are seconds of data
 * time since 1970, `speed` data seconds per second, `hindsight` whether what lies after the playhead may be shown,
 * `age` the seconds that had passed since t0 was true when the anchor was sent, `step` the length of one step, `zone`
 * the kitchen's, absent where times are naive. `edge` is the time of the latest event where more will come, `live`
 * whether the playhead follows it at `pace` (twin/replay/following.py). The anchor with the higher epoch is the newer
 * one. `follows` names another clock that this one is beside, with how their times lie on each other
 * (twin/replay/paired.py).
 * @typedef {{t0: number, speed: number, playing: boolean, start: number, end: number, loop: boolean, epoch: number,
 *   hindsight?: boolean, age?: number, step?: number, zone?: import("./times.js").SentZone, edge?: number,
 *   live?: boolean, pace?: number, follows?: {clock: string} & import("./alignment.js").Alignment}} Anchor
 */

/**
 * A view's model, as Panel hands it to `render`: its parameters, and how it and the server speak.
 * @typedef {{clock: string, anchor?: Anchor, send_msg: (message: object) => void,
 *   on: (name: string, listener: (event?: any) => void) => void} & Record<string, any>} Model
 */

/** @type {number | null} See `ReplayClock.frame`. */
let frameAt = null;

/** A clock with the affine formula of twin/replay/clock.py. */
class ReplayClock {
  constructor() {
    /** @type {Anchor | null} */
    this.anchor = null;
    /** @type {{start: number, end: number} | null} All that is loaded, where a transport tells of it. */
    this.window = null;
    /** The clock of the kitchen that is played. */
    this.zone = NAIVE;
    this.wall0 = 0;
    this.telling = false; // a prediction that the listeners have not heard of yet
    /** @type {{t: number, playing: boolean} | null} Where it was stopped, and whether it played; null: it is not. */
    this.stopped = null;
    /** @type {ReplayClock | null} The clock that this one is beside: it then has no playhead of its own. */
    this.lead = null;
    /** @type {Set<ReplayClock>} Those that are beside this one. */
    this.beside = new Set();
    /** @type {Set<(anchor: Anchor) => void>} */
    this.listeners = new Set();
  }
  static wall() {
    return performance.now() / 1000;
  }
  /**
   * The same, but one time for all that runs without a pause, as the drawings of one frame do: clocks that are beside
   * each other then say one instant in a frame, whoever asks first.
   */
  static frame() {
    if (frameAt === null) {
      frameAt = ReplayClock.wall();
      setTimeout(() => {
        frameAt = null;
      });
    }
    return frameAt;
  }
  /**
   * Take an anchor from the server. An older one (lower epoch, or an earlier edge) is ignored, and of the same change
   * the browser's own prediction is kept: it was there first, and the answer's age leaves out the time it took to come.
   * `resync` takes the age all the same.
   * @param {Anchor} anchor
   * @param {boolean} resync
   */
  set(anchor, resync = false) {
    this.pair(anchor.follows);
    if (this.lead) {
      this.take(anchor);
      this.tell();
      return;
    }
    const grown = this.grow(anchor.edge);
    const known = this.anchor;
    if (
      known &&
      (anchor.epoch < known.epoch ||
        (anchor.epoch === known.epoch && (anchor.edge ?? 0) < (known.edge ?? 0)) ||
        (!resync && anchor.epoch === known.epoch && !!anchor.live && !!known.live && anchor.start === known.start) ||
        (!resync &&
          anchor.epoch === known.epoch &&
          !anchor.live &&
          !known.live &&
          anchor.edge === known.edge &&
          anchor.speed === known.speed &&
          anchor.playing === known.playing &&
          anchor.t0 === known.t0 &&
          anchor.loop === known.loop &&
          !!anchor.hindsight === !!known.hindsight &&
          anchor.start === known.start &&
          anchor.end === known.end))
    ) {
      if (grown) {
        this.anchor.step = anchor.step ?? this.anchor.step;
        this.tell();
      }
      return;
    }
    this.take(anchor);
    this.tell();
  }
  /**
   * Let the range end at a later edge, as `Anchor.grow` in twin/replay/clock.py does, from where the playhead is here:
   * what the way of a message takes differs from one to the next, and must not be seen. Whether it grew.
   * @param {number} [edge]
   */
  grow(edge) {
    const known = this.anchor;
    if (edge === undefined || known?.edge === undefined || !(edge > known.edge)) return false;
    const t = this.now();
    const grown = { ...known, edge, end: known.end >= known.edge ? Math.max(edge, known.end) : known.end };
    const pace = (edge - t) / LAG_S;
    if (known.live && pace > MAX_SPEED) this.take({ ...grown, t0: edge - LAG_S, pace: 1, age: 0 });
    else if (known.live) this.take({ ...grown, t0: t, pace, age: 0 });
    else if (known.loop || (known.playing && t >= known.end)) this.take({ ...grown, t0: t, age: 0 });
    else this.anchor = grown;
    return true;
  }
  take(anchor) {
    this.anchor = anchor;
    if (anchor.zone !== this.zone.sent) this.zone = anchor.zone ? new Zone(anchor.zone) : NAIVE;
    this.wall0 = this.wall() - (anchor.age ?? 0);
    if (this.lead) this.keepBeside();
    for (const other of this.beside) other.keepBeside();
  }
  /**
   * Go beside another clock, or by itself again.
   * @param {Anchor["follows"]} follows
   */
  pair(follows) {
    const lead = follows ? clockOf(follows.clock) : null;
    if (lead === this.lead) return;
    this.lead?.beside.delete(this);
    this.lead = lead;
    lead?.beside.add(this);
  }
  /** Take from the clock that this one is beside what an anchor says of playing. */
  keepBeside() {
    const [own, led] = [this.anchor, this.lead?.anchor];
    if (!own?.follows || !led) return;
    const { speed, playing, loop, hindsight, epoch } = led;
    this.anchor = { ...own, t0: secondAt(own.follows, led.t0), speed, playing, loop, hindsight, epoch };
  }
  /** Seconds of the browser's clock, as this one counts them. */
  wall() {
    return this.lead || this.beside.size ? ReplayClock.frame() : ReplayClock.wall();
  }
  tell() {
    this.telling = false;
    for (const listener of [...this.listeners]) listener(this.anchor);
    for (const other of this.beside) other.tell();
  }
  /**
   * Apply a change at once, from the playhead unless it has a t0; the server is told the epoch and confirms with it.
   * Returns the new t0. The views hear of it when the caller is done, so that what the user did is on its way before
   * anything is drawn.
   * @param {Partial<Anchor>} change
   * @returns {number | null}
   */
  predict(change) {
    if (!this.anchor) return null;
    if (this.lead) return this.predictThere(change);
    const t0 = change.t0 ?? this.now();
    // what the user does leaves the edge, unless it is to follow it: `Anchor._moved` in twin/replay/clock.py
    this.take({ ...this.anchor, live: false, ...change, t0, age: 0, epoch: this.anchor.epoch + 1 });
    if (!this.telling) {
      this.telling = true;
      queueMicrotask(() => {
        if (this.telling) this.tell();
      });
    }
    return t0;
  }
  /** Apply a change to the clock that this one is beside, whose times are others. */
  predictThere(change) {
    const { lead, anchor } = this;
    if (!lead.anchor) return null;
    const there = { ...change };
    for (const name of ["t0", "start", "end"])
      if (name in change) there[name] = firstAt(anchor.follows, change[name], lead.now());
    if ("t0" in there) there.t0 = Math.min(Math.max(there.t0, lead.anchor.start), lead.anchor.end);
    lead.predict(there);
    return this.anchor.t0;
  }
  /**
   * Stop where the playhead is, whatever the anchor says: nothing is known of what is shown (the server is lost). What
   * the user does then is refused by the verbs.
   */
  halt() {
    if (this.stopped) return;
    this.stopped = { t: this.now(), playing: this.moving };
    this.tell();
  }
  /** Go on from where it was stopped; returns that place, null if it was not. */
  release() {
    const { stopped } = this;
    if (!stopped) return null;
    this.stopped = null;
    this.tell();
    return stopped;
  }
  /** Where it was stopped, and whether it played then; null: it is not. */
  get halted() {
    const { lead, anchor } = this;
    if (!lead) return this.stopped;
    return lead.halted && { ...lead.halted, t: secondAt(anchor.follows, lead.halted.t) };
  }
  /**
   * The playhead: seconds of data time.
   * @returns {number}
   */
  now() {
    const a = this.anchor;
    if (this.lead?.anchor && a?.follows) return secondAt(a.follows, this.lead.now());
    if (this.stopped) return this.stopped.t;
    if (!a) return 0;
    if (!a.playing) return a.t0;
    const t = a.t0 + this.rate * Math.max(0, this.wall() - this.wall0);
    if (t < a.end) return t;
    const span = a.end - a.start;
    return a.loop && span > 0 ? a.start + ((t - a.start) % span) : a.end;
  }
  /** Whether the playhead is moving at this instant. */
  get moving() {
    if (this.lead?.anchor) return this.lead.moving;
    const a = this.anchor;
    return !this.halted && !!a && a.playing && (a.loop || !!a.live || this.now() < a.end);
  }
  /** Data seconds per second while it moves. */
  get rate() {
    const a = this.anchor;
    return (a?.live ? a.pace : a?.speed) ?? 1;
  }
  /** Whether it stands still while the clock that it is beside goes on: its range has nothing there. */
  get waits() {
    const { lead, anchor } = this;
    return !!lead?.anchor && !!anchor?.follows && !movesAt(anchor.follows, lead.now());
  }
  /**
   * Whether the playhead follows the latest events, is behind them, or is in a range that does not grow
   * (twin/replay/following.py).
   */
  get state() {
    const a = this.anchor;
    if (a?.edge === undefined) return "replay";
    return a.live ? "live" : "behind";
  }
  /** Whether what lies after the playhead may be shown, marked as such; else only what was known at it. */
  get hindsight() {
    return !!this.anchor?.hindsight;
  }
  on(listener) {
    const mine = guarded(listener);
    this.listeners.add(mine);
    return () => this.listeners.delete(mine);
  }
}

/**
 * The clock of one controller, shared by all views on it.
 * @param {string} id
 * @returns {ReplayClock}
 */
function clockOf(id) {
  if (!twin.clocks.has(id)) twin.clocks.set(id, new ReplayClock());
  return twin.clocks.get(id);
}

/**
 * The clock of a view that has joined a controller, following the anchors that the server sends.
 * @param {Model} model
 * @returns {ReplayClock}
 */
function clockFrom(model) {
  const clock = clockOf(model.clock);
  const take = () => {
    if (model.anchor.epoch !== undefined) clock.set(model.anchor);
  };
  model.on("anchor", take);
  take();
  return clock;
}

export { clockFrom, clockOf, ReplayClock };
