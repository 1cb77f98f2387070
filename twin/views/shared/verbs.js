// What the user does: the verbs of the clock and the selection. Applied in the browser at once, then told to the
// server.

import { LAG_S } from "#python/replay/clock";
import { clockOf } from "./clock.js";
import { guarded, isCut, refuse, twin } from "./registry.js";

/** At most ten messages a second while something is dragged; the browser itself follows every movement. */
const SEND_EVERY = 100;

/**
 * The clock's verbs: applied here at once, told to the server with the playhead and epoch it led to.
 * @param {import("./clock.js").Model} model
 * @param {import("./clock.js").ReplayClock} clock
 */
function verbsOf(model, clock = clockOf(model.clock)) {
  let due = null;
  let timer = 0;
  let sent = -Infinity;
  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!due) return;
    model.send_msg({ ...due, epoch: clock.anchor.epoch });
    due = null;
    sent = performance.now();
  };
  const tell = (message, soon = false) => {
    due = message; // the latest state wins
    const wait = sent + SEND_EVERY - performance.now();
    if (!soon || wait <= 0) flush();
    else if (!timer) timer = setTimeout(flush, wait);
  };
  const within = (t) => Math.min(Math.max(t, clock.anchor.start), clock.anchor.end);
  const stepLength = () => clock.anchor.step ?? 60;
  /** A change of the range and of the loop: two verbs, the second of which tells the playhead that both led to. */
  const confine = (start, end, loop) => {
    const t = clock.now();
    const t0 = t >= start && t <= end ? t : start;
    clock.predict({ start, end, t0 });
    tell({ verb: "set_range", start, end });
    tell({ verb: "set_loop", loop, at: clock.predict({ loop, t0 }) });
  };
  const verbs = {
    play(t = clock.now()) {
      const { start, end, edge } = clock.anchor;
      if (t >= end && edge !== undefined && end >= edge) {
        verbs.follow();
        return;
      }
      clock.predict({ t0: t >= end ? start : t, playing: end > start });
      tell({ verb: "play", at: t });
    },
    /** Go to the latest events and follow them; nothing where none come. */
    follow() {
      const { edge } = clock.anchor;
      if (edge === undefined) return;
      const { start } = clock.window ?? clock.anchor;
      const t0 = Math.min(Math.max(clock.now(), edge - LAG_S, start), edge);
      clock.predict({ t0, playing: true, loop: false, start, end: edge, live: true, pace: 1 });
      tell({ verb: "follow" });
    },
    pause() {
      tell({ verb: "pause", at: clock.predict({ playing: false }) });
    },
    toggle() {
      if (clock.moving) this.pause();
      else this.play();
    },
    stop() {
      clock.predict({ t0: clock.anchor.start, playing: false });
      tell({ verb: "stop" });
    },
    step(n) {
      const at = clock.now();
      clock.predict({ t0: within(at + n * stepLength()), playing: false });
      tell({ verb: "step", n, at });
    },
    speed(speed) {
      tell({ verb: "set_speed", speed, at: clock.predict({ speed }) });
    },
    loop(loop) {
      tell({ verb: "set_loop", loop, at: clock.predict({ loop }) });
    },
    hindsight(hindsight) {
      const live = !!clock.anchor.live;
      tell({ verb: "set_hindsight", hindsight, at: clock.predict({ hindsight, live }) });
    },
    seek(t) {
      clock.predict({ t0: within(t) });
      tell({ verb: "seek", t: clock.anchor.t0 });
    },
    /**
     * Go to a moment and stay there, as a click on something that happened then asks for; a section that it lies
     * outside is left.
     */
    visit(t) {
      const { start, end } = clock.anchor;
      const whole = clock.window;
      if ((t < start || t > end) && whole && t >= whole.start && t <= whole.end) this.wholeRange();
      clock.predict({ t0: within(t), playing: false });
      tell({ verb: "pause", at: clock.anchor.t0 });
    },
    /** Play only [start, end], again and again: from where the playhead is, or from the start if that is elsewhere. */
    section(start, end) {
      confine(start, end, true);
    },
    /** Play all that is loaded, once. The transport tells the clock what that is (`clock.window`). */
    wholeRange() {
      const { start, end } = clock.window ?? clock.anchor;
      confine(start, end, false);
    },
    /** Hold the playhead at t, as under a finger: the server hears of it now and then, and of the last one surely. */
    hold(t) {
      clock.predict({ t0: within(t), playing: false });
      tell({ verb: "pause", at: clock.anchor.t0 }, true);
    },
  };
  for (const [name, act] of Object.entries(verbs)) {
    verbs[name] = (...given) => {
      if (clock.halted) refuse();
      else act.apply(verbs, given);
    };
  }
  return { ...verbs, flush };
}

/**
 * Orders picked out together, in words and by how many; the server has them, by their number.
 * @typedef {{number: number, label: string, orders: number}} Group
 */
/**
 * A selection as it is told: `version` counts the changes.
 * @typedef {{row: number, stage: string, away?: boolean, loads?: number, version?: number,
 *   group?: Group | null}} Selection
 */

/**
 * What is selected on one clock: an order (row number, -1: none), what all is narrowed to, which is a stage ("": all)
 * or a group of orders (null: all), and the order under the pointer.
 * `away`: an order is selected that the loaded range does not hold. `loads` names the timeline that rows count in.
 */
class Selected {
  constructor() {
    this.row = -1;
    this.stage = "";
    /** @type {Group | null} */
    this.group = null;
    this.away = false;
    this.hovered = -1;
    this.loads = -1;
    this.version = 0;
    /** @type {Set<(message: {selection: object}) => void>} the group goes as its number */
    this.senders = new Set();
    /** @type {Set<(selected: Selected) => void>} */
    this.listeners = new Set();
  }
  /**
   * Take the server's word, unless it is older than what the user did meanwhile; rows of a new timeline overrule that.
   * @param {Selection} selection
   */
  take({ row, stage, away = false, loads = 0, version, group = null }) {
    if (version === undefined) return;
    const reloaded = loads > this.loads;
    if (version < this.version && !reloaded) return;
    const changed =
      row !== this.row ||
      stage !== this.stage ||
      away !== this.away ||
      group?.number !== this.group?.number ||
      (reloaded && this.hovered >= 0);
    this.row = row;
    this.stage = stage;
    this.group = group;
    this.away = away;
    this.loads = loads;
    this.version = Math.max(version, this.version);
    if (reloaded) this.hovered = -1;
    if (changed) this.tell();
  }
  select(row) {
    this.change({ row: row === this.row ? -1 : row, away: false });
  }
  /** Select without the toggle of `select`. */
  show(row) {
    if (row !== this.row || this.away) this.change({ row, away: false });
  }
  filter(stage) {
    this.change({ stage: stage === this.stage ? "" : stage, group: null });
  }
  /** Show the orders of all stages and groups. */
  showAll() {
    if (this.stage || this.group) this.change({ stage: "", group: null });
  }
  /** Take back the last thing chosen: the order, then the stage or the group. Whether there was any. */
  back() {
    if (this.row >= 0 || this.away) this.change({ row: -1, away: false });
    else if (this.stage || this.group) this.showAll();
    else return false;
    return true;
  }
  clear() {
    if (this.row >= 0 || this.away || this.stage || this.group)
      this.change({ row: -1, away: false, stage: "", group: null });
  }
  /** Point at an order (-1: at none): the browser's own affair, the server is not told. */
  hover(row) {
    if (row !== this.hovered) {
      this.hovered = row;
      this.tell();
    }
  }
  /** @param {Partial<Selection>} changes */
  change(changes) {
    if (isCut()) {
      refuse();
      return;
    }
    Object.assign(this, changes, { version: this.version + 1 });
    const { row, stage, away, loads, version, group } = this;
    const [send] = this.senders;
    send?.({ selection: { row, stage, away, loads, version, ...(group && { group: group.number }) } });
    this.tell();
  }
  tell() {
    for (const listener of [...this.listeners]) listener(this);
  }
  on(listener) {
    const mine = guarded(listener);
    this.listeners.add(mine);
    return () => this.listeners.delete(mine);
  }
}

/**
 * The selection of a view's clock, kept in step with the server through this view until it is removed.
 * @param {import("./clock.js").Model} model
 * @returns {Selected}
 */
function selectionOf(model) {
  const all = (twin.selections ??= new Map());
  if (!all.has(model.clock)) all.set(model.clock, new Selected());
  const selected = all.get(model.clock);
  const send = (message) => model.send_msg(message);
  selected.senders.add(send);
  model.on("selection", () => selected.take(model.selection));
  model.on("remove", () => selected.senders.delete(send));
  selected.take(model.selection);
  return selected;
}

export { selectionOf, verbsOf };
