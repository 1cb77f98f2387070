// What the feed knows of its rows. Rows are counted from the oldest that matches the filter (0), as the server counts
// them.

import { movedRow, rowsOf, upperBound } from "../shared/rows.js";

/** Rows of a page, as the server sends them. */
const PAGE = 200;
/** Rows beyond the visible ones that are fetched before they are scrolled to. */
const MARGIN = 40;
/** Rows kept at most; beyond, those far from the ones that came last are forgotten. */
const KEPT = 4000;
/** Seconds of play for which rows should be at hand. */
const AHEAD = 4;
/** Milliseconds between two asks: while playing at most one in two seconds, whatever the speed. */
const EVERY = { playing: 2000, still: 100 };
/** Milliseconds after which an answer is given up, as after a lost connection. */
const PATIENCE = 5000;

/**
 * A row of the list (`ROW` in feed.py): data time, the order's row number, sign and words.
 * @typedef {{t: number, order: number, icon: string, colour: string, problem: boolean, title: string,
 *   detail: string}} Row
 */

/**
 * What is listed: the filter as text, a stage ("": all), the order picked out (-1: none), and the number of the group
 * of orders (0: all).
 * @typedef {{query: string, stage: string, row: number, group?: number}} Listed
 */

/** The pages of one filter at a time; asks for what is missing, one ask at a time, and calls `changed` when it came. */
class FeedPages {
  /**
   * @param {import("../shared/clock.js").Model} model
   * @param {() => void} changed
   */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    /** @type {Listed | null} */
    this.filter = null;
    this.key = "";
    this.version = 0;
    this.list = null;
    this.flying = null;
    this.serial = 0;
    this.asked = -Infinity;
    this.hurried = false;
    model.on("msg:custom", (message) => {
      if (message.tell === "feed") this.take(message);
    });
  }
  /**
   * Choose what is listed: {query, stage, row, group}. Returns whether that is another list than before.
   * @param {Listed} filter
   * @returns {boolean}
   */
  choose(filter) {
    const key = JSON.stringify([this.model.version, filter.query, filter.stage, filter.row, filter.group ?? 0]);
    if (key === this.key) return false;
    if (this.version !== this.model.version) this.list = null; // rows of another timeline mean other orders
    this.filter = filter;
    this.key = key;
    this.version = this.model.version;
    this.flying = null;
    this.hurried = true;
    return true;
  }
  /** Whether the list at hand is the chosen one. */
  get ready() {
    return this.list?.key === this.key;
  }
  get total() {
    return this.list?.total ?? 0;
  }
  /**
   * The row of a number, counted from the oldest; undefined: not at hand.
   * @param {number} number
   * @returns {Row | undefined}
   */
  row(number) {
    return this.list?.rows.get(number);
  }
  /**
   * How many rows lie at or before t; null where that is not known.
   * @param {number} t
   * @returns {number | null}
   */
  topAt(t) {
    if (!this.ready || this.list.outdated) return null;
    const { first, times, until, at, total } = this.list;
    if (this.filter.stage) return t === at ? total : null; // who is in a stage changes with every moment
    if (t !== at && (t >= until || (first > 0 && !(t >= times[0])))) return null;
    return first + upperBound(times, t);
  }
  /**
   * The end of the rows that are at hand in a row, as the best guess while the answer for a later moment is under way.
   */
  get reach() {
    return this.list ? this.list.first + this.list.times.length : 0;
  }
  /**
   * Rows have come that lie after `since`: those before are as they were. The rows at hand stay in sight until the
   * answer to the next question is here; they are of orders that may have other rows now, as `inserted` says.
   * @param {number} since
   * @param {number[]} inserted
   */
  grow(since, inserted = []) {
    if (!this.list) return;
    if (inserted.length) for (const row of this.list.rows.values()) row.order = movedRow(row.order, inserted);
    if (since > this.list.at) this.list.until = Math.min(this.list.until, since);
    else Object.assign(this.list, { outdated: true, replaced: this.list.replaced || since < this.list.times.at(-1) });
  }
  /** The user has gone elsewhere: the next ask need not wait. */
  hurry() {
    this.hurried = true;
  }
  /**
   * Ask for what is needed next: `now` the playhead, `speed` its data seconds per second (0: still), `following`
   * whether the newest rows are looked at, `low` to `high` the numbers in sight. Returns milliseconds after which to
   * try again, 0: nothing is needed.
   * @param {{now: number, speed: number, following: boolean, low: number, high: number}} sight
   * @returns {number}
   */
  need({ now, speed, following, low, high }) {
    if (!this.filter || !this.model.version) return 0;
    const wall = performance.now();
    const ask = this.next(now, speed, following, low, high);
    if (!ask) return 0;
    if (this.flying && wall - this.flying.wall < PATIENCE) return EVERY.still;
    const slow = speed > 0 && ask.first === undefined && !this.hurried;
    const wait = this.asked + (slow ? EVERY.playing : EVERY.still) - wall;
    if (wait > 0 && this.ready) return wait;
    this.hurried = false;
    this.asked = wall;
    this.flying = { ...ask, key: this.key, serial: ++this.serial, wall };
    this.model.send_msg({ ask: "feed", serial: this.serial, version: this.model.version, ...this.filter, ...ask });
    return 0;
  }
  next(now, speed, following, low, high) {
    if (!this.ready) return { t: now };
    if (following && this.topAt(now) === null) return { t: now };
    const t = this.list.at;
    const missing = this.missing(low, high);
    if (missing !== null) return { t, first: missing };
    if (following && speed > 0 && !this.filter.stage && this.list.until - now < speed * AHEAD) return { t: now };
    const near = this.missing(low - MARGIN, high + MARGIN);
    return near === null ? null : { t, first: near };
  }
  /** The beginning of the page of the first row missing between two numbers; null if none is. */
  missing(low, high) {
    for (let number = Math.min(high, this.total) - 1; number >= Math.max(0, low); number--)
      if (!this.list.rows.has(number)) return Math.floor(number / PAGE) * PAGE;
    return null;
  }
  take({ serial, version, total, top, first, until, oldest, rows }) {
    const asked = this.flying;
    if (!asked || asked.serial !== serial || asked.key !== this.key || version !== this.model.version) return;
    this.flying = null;
    const whole = asked.first === undefined;
    if (!this.ready || (whole && (this.filter.stage || this.list.replaced)))
      this.list = { key: this.key, rows: new Map(), first: 0, times: [], at: asked.t, until: -Infinity };
    const kept = this.list.rows; // a row stays the same object, and so its node and the focus on it
    const columns = JSON.parse(rows);
    const { t: times } = columns;
    const fresh = rowsOf(columns);
    fresh.forEach((row, i) => {
      if (!kept.has(first + i)) kept.set(first + i, row);
    });
    if (kept.size > KEPT)
      for (const number of [...kept.keys()]) if (Math.abs(number - first) > KEPT / 4) kept.delete(number);
    if (whole) Object.assign(this.list, { outdated: false, first, times, at: asked.t, until: until ?? Infinity, top });
    Object.assign(this.list, { total, oldest });
    this.changed();
  }
}

export { FeedPages };
