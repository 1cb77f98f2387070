// The server's epoch time in the browser, and whether the server still answers. Screens on one show agree through it.
//
// A question goes out every two seconds; of the last answers the one with the shortest way tells by how much the two
// clocks differ, to half of that way. What is measured is the page's monotonic clock: the computer's own may be wrong,
// and may jump.

const ASK_MS = 2000;
const FIRST_ASKS = 4;
const FIRST_ASK_MS = 150; // a few in a row at first: the first way is seldom a short one
const SAMPLES = 15; // half a minute of answers
const LOST_MS = 6000; // three questions without an answer

class WallTime {
  /** `changed()` is called at each answer, and when answers cease. */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.samples = [];
    this.asked = 0;
    this.heard = performance.now();
    this.lost = false;
    this.closed = false;
    model.on("msg:custom", (event) => this.receive(event?.data ?? event));
    this.ask();
  }
  remove() {
    clearTimeout(this.timer);
  }
  get known() {
    return this.samples.length > 0;
  }
  /** The epoch second now; NaN before the first answer. */
  epoch() {
    return performance.now() / 1000 + (this.lead ?? NaN);
  }
  /** The connection has been closed: nothing will be heard any more. */
  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.judge();
  }
  ask() {
    this.model.send_msg({ ask: "time", sent: performance.now() });
    this.judge();
    this.timer = setTimeout(() => this.ask(), ++this.asked < FIRST_ASKS ? FIRST_ASK_MS : ASK_MS);
  }
  receive(m) {
    if (m.tell !== "time") return;
    const now = performance.now();
    const way = now - m.sent;
    if (way > LOST_MS) return; // it waited in a line that was cut: what it says of the time is worthless
    this.heard = now;
    this.samples.push({ way, lead: m.epoch - (m.sent + now) / 2000 });
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.lead = this.samples.reduce((best, sample) => (sample.way < best.way ? sample : best)).lead;
    this.judge();
    this.changed();
  }
  /** Find out whether the server is lost; samples from before a gap are of a clock that may have slept since. */
  judge() {
    const lost = this.closed || performance.now() - this.heard > LOST_MS;
    if (lost && !this.lost) this.samples = [];
    if (lost === this.lost) return;
    this.lost = lost;
    this.changed();
  }
}

export { WallTime };
