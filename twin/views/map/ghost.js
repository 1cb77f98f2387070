// The second fleet: the drivers of another day at the same time of day, hollow and paler, sent as the first fleet is.

import { movesAt, secondAt } from "../shared/alignment.js";
import { Motion } from "./motion.js";

/** @typedef {import("../shared/alignment.js").Alignment} Alignment */

/** The clock of the other day, which stands where this day is drawn; NaN where no moment stands beside that. */
class GhostClock {
  /** @param {import("../shared/clock.js").ReplayClock} clock */
  constructor(clock) {
    this.clock = clock;
    this.state = "replay"; // the other day is over
    /** @type {Alignment | null} how the other day lies on this one */
    this.beside = null;
    this.t = NaN; // the moment of this day that is drawn: both days are of one instant in every frame
  }
  now() {
    const { t, beside } = this;
    const within = beside && t >= beside.since[0] && t < beside.end;
    return within && movesAt(beside, t) ? secondAt(beside, t) : NaN;
  }
  /** The range of the other day; it is left where this day's ends, and so is never looped. */
  get anchor() {
    const { beside } = this;
    if (!beside) return null;
    return { start: secondAt(beside, beside.since[0]), end: secondAt(beside, beside.end), loop: false };
  }
  get rate() {
    return this.clock.rate;
  }
  get moving() {
    return this.clock.moving;
  }
}

class Ghost {
  /**
   * @param {import("../shared/clock.js").ReplayClock} clock
   * @param {(question: object) => void} send
   */
  constructor(clock, send) {
    this.clock = new GhostClock(clock);
    this.label = "";
    // the version of a question is the map's own; which ghost it is of stands beside it
    this.motion = new Motion(/** @type {any} */ (this.clock), (question) =>
      send({ ...question, ghost: this.motion.version }),
    );
  }
  /**
   * Show another one: {number, label, beside}; {}: none.
   * @param {{number?: number, label?: string, beside?: Alignment}} ghost
   * @param {number} target seconds from order to door that were promised
   */
  take({ number = 0, label = "", beside = null }, target) {
    this.clock.beside = beside;
    this.label = label;
    this.motion.forget(number);
    this.motion.target = target;
  }
  /**
   * Bring the drivers to what is drawn of this day; whether others are to be drawn.
   * @param {number} t data seconds
   */
  advance(t) {
    if (!this.motion.version) return false;
    this.clock.t = t;
    if (!Number.isNaN(this.clock.now())) return this.motion.advance();
    const had = this.motion.active.length > 0;
    this.motion.active = [];
    this.motion.t = NaN;
    return had;
  }
  get drivers() {
    return this.motion.active;
  }
  get waiting() {
    return this.motion.waiting;
  }
  /** Take an answer: of this ghost, and waited for. */
  receive(m) {
    return m.ghost === this.motion.version && this.motion.receive({ ...m, version: m.ghost });
  }
}

export { Ghost };
