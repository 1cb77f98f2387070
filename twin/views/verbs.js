// What the user does: the verbs of the clock and the selection. Applied in the browser at once, then told to the server.

/** At most ten messages a second while something is dragged; the browser itself follows every movement. */
const SEND_EVERY = 100;

/** The clock's verbs: applied here at once, told to the server with the playhead and epoch it led to. */
function verbsOf(model, clock = clockOf(model.clock)) {
  let due = null, timer = 0, sent = -Infinity;
  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!due) return;
    model.send_msg({ ...due, epoch: clock.anchor.epoch });
    due = null;
    sent = performance.now();
  };
  const tell = (message, soon = false) => {
    due = message;  // the latest state wins
    const wait = sent + SEND_EVERY - performance.now();
    if (!soon || wait <= 0) flush();
    else if (!timer) timer = setTimeout(flush, wait);
  };
  const within = (t) => Math.min(Math.max(t, clock.anchor.start), clock.anchor.end);
  const stepLength = () => clock.anchor.step ?? 60;
  return {
    flush,
    play(t = clock.now()) {
      const { start, end } = clock.anchor;
      clock.predict({ t0: t >= end ? start : t, playing: end > start });
      tell({ verb: "play", at: t });
    },
    pause() { tell({ verb: "pause", at: clock.predict({ playing: false }) }); },
    toggle() { if (clock.moving) this.pause(); else this.play(); },
    stop() {
      clock.predict({ t0: clock.anchor.start, playing: false });
      tell({ verb: "stop" });
    },
    step(n) {
      const at = clock.now();
      clock.predict({ t0: within(at + n * stepLength()), playing: false });
      tell({ verb: "step", n, at });
    },
    speed(speed) { tell({ verb: "set_speed", speed, at: clock.predict({ speed }) }); },
    loop(loop) { tell({ verb: "set_loop", loop, at: clock.predict({ loop }) }); },
    seek(t) {
      clock.predict({ t0: within(t) });
      tell({ verb: "seek", t: clock.anchor.t0 });
    },
    /** Go to a moment and stay there, as a click on something that happened then asks for. */
    visit(t) {
      clock.predict({ t0: within(t), playing: false });
      tell({ verb: "pause", at: clock.anchor.t0 });
    },
    /** Hold the playhead at t, as under a finger: the server hears of it now and then, and of the last one surely. */
    hold(t) {
      clock.predict({ t0: within(t), playing: false });
      tell({ verb: "pause", at: clock.anchor.t0 }, true);
    },
  };
}

/** What is selected on one clock: an order (row number, -1: none), a stage ("": all), and the order under the pointer. */
class Selected {
  constructor() {
    this.row = -1;
    this.stage = "";
    this.hovered = -1;
    this.version = 0;
    this.senders = new Set();
    this.listeners = new Set();
  }
  /** Take the server's word, unless it is older than what the user did meanwhile. */
  take({ row, stage, version }) {
    if (version === undefined || version < this.version) return;
    const changed = row !== this.row || stage !== this.stage;
    Object.assign(this, { row, stage, version });
    if (changed) this.tell();
  }
  select(row) { this.change({ row: row === this.row ? -1 : row }); }
  /** Select without the toggle of `select`. */
  show(row) { if (row !== this.row) this.change({ row }); }
  filter(stage) { this.change({ stage: stage === this.stage ? "" : stage }); }
  clear() { if (this.row >= 0 || this.stage) this.change({ row: -1, stage: "" }); }
  /** Point at an order (-1: at none): the browser's own affair, the server is not told. */
  hover(row) { if (row !== this.hovered) { this.hovered = row; this.tell(); } }
  change(changes) {
    Object.assign(this, changes, { version: this.version + 1 });
    const [send] = this.senders;
    send?.({ selection: { row: this.row, stage: this.stage, version: this.version } });
    this.tell();
  }
  tell() { for (const listener of [...this.listeners]) listener(this); }
  on(listener) { this.listeners.add(listener); return () => this.listeners.delete(listener); }
}

/** The selection of a view's clock, kept in step with the server through this view until it is removed. */
function selectionOf(model) {
  const all = (twin.selections ??= new Map());
  if (!all.has(model.clock)) all.set(model.clock, new Selected());
  const selected = all.get(model.clock), send = (message) => model.send_msg(message);
  selected.senders.add(send);
  model.on("selection", () => selected.take(model.selection));
  model.on("remove", () => selected.senders.delete(send));
  selected.take(model.selection);
  return selected;
}
