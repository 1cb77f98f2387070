// The server's epoch time in the browser, and whether the server still answers. Screens on one show agree through it.
//
// The heartbeat asks for the time about every second; of the last answers the one with the shortest way tells by how
// much the two clocks differ, to half of that way. What is measured is the page's monotonic clock: the computer's own
// may be wrong, and may jump.

import { Heartbeat, LOST_AFTER_MS } from "../../views/shared/heartbeat.js";

const FIRST_ASKS = 4;
const FIRST_ASK_MS = 150; // a few in a row at first: the first way is seldom a short one
const SAMPLES = 30; // half a minute of answers

class WallTime {
  /** `changed()` is called at each answer, and when answers cease. */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.samples = [];
    this.asked = 0;
    this.heartbeat = new Heartbeat({
      ask: () => this.ask(),
      changed: (lost) => {
        if (lost) this.samples = []; // they are of a clock that may have slept since
        this.changed();
      },
    });
    model.on("msg:custom", (event) => this.receive(event?.data ?? event));
    this.begin();
  }
  begin() {
    this.ask();
    if (++this.asked < FIRST_ASKS) this.timer = setTimeout(() => this.begin(), FIRST_ASK_MS);
  }
  remove() {
    clearTimeout(this.timer);
  }
  get known() {
    return this.samples.length > 0;
  }
  get lost() {
    return this.heartbeat.lost;
  }
  /** Whether the connection has been closed. */
  get closed() {
    return this.heartbeat.closed;
  }
  /** The epoch second now; NaN before the first answer. */
  epoch() {
    return performance.now() / 1000 + (this.lead ?? NaN);
  }
  /** The connection has been closed: nothing will be heard any more. */
  close() {
    clearTimeout(this.timer);
    this.heartbeat.close();
  }
  ask() {
    this.model.send_msg({ ask: "time", sent: performance.now() });
  }
  receive(m) {
    if (m.tell !== "time") return;
    this.heartbeat.heard();
    const now = performance.now();
    const way = now - m.sent;
    if (way > LOST_AFTER_MS) return; // it waited in a line that was cut: what it says of the time is worthless
    this.samples.push({ way, lead: m.epoch - (m.sent + now) / 2000 });
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.lead = this.samples.reduce((best, sample) => (sample.way < best.way ? sample : best)).lead;
    this.changed();
  }
  /** Find out whether the server is lost; call this every `TICK_MS`. */
  judge() {
    this.heartbeat.tick();
  }
}

export { WallTime };
