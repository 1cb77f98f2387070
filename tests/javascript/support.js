// What the tests in Node have instead of a page: a wall clock that stands still, a model that notes what is sent, vectors.

import { readFileSync } from "node:fs";
import { mock } from "node:test";
import { ReplayClock } from "../../twin/views/shared/clock.js";

const vectors = JSON.parse(readFileSync(new URL("../../build/javascript/vectors.json", import.meta.url), "utf8"));

/** The wall clock of all clocks, seconds; set by the tests. */
const wall = { now: 0 };
ReplayClock.wall = () => wall.now;
ReplayClock.frame = () => wall.now;

/** A view's model: parameters, what was sent, and `say` to give it a message or a change. */
function modelOf(parameters = {}) {
  const listeners = new Map();
  return {
    clock: `clock ${Math.random()}`,
    sent: [],
    ...parameters,
    send_msg(message) {
      this.sent.push(message);
    },
    on(name, listener) {
      listeners.set(name, [...(listeners.get(name) ?? []), listener]);
    },
    say(name, event) {
      for (const listener of listeners.get(name) ?? []) listener(event);
    },
  };
}

/** A clock at an anchor, whose wall clock is at 0. */
function clockAt(anchor) {
  const clock = new ReplayClock();
  clock.set({ t0: 0, speed: 1, playing: false, start: 0, end: 86_400, loop: false, epoch: 1, age: 0, ...anchor });
  return clock;
}

/** A message with columns as Bokeh hands it over: its bytes within a larger buffer. */
function received({ packed, ...rest }) {
  const bytes = Buffer.from(packed, "base64");
  const within = new Uint8Array(bytes.length + 3);
  within.set(bytes, 3);
  return { ...rest, packed: within.subarray(3) };
}

/**
 * Let the browser's time stand still until `pass(ms)`: `performance.now()` and timeouts. `mock.restoreAll()` ends it.
 * (mock.timers of Node would do, but is another in each version.)
 */
function stillTime() {
  let now = 10_000;
  let due = [];
  mock.method(performance, "now", () => now);
  mock.method(globalThis, "setTimeout", (act, ms) => {
    const timer = { act, at: now + ms };
    due.push(timer);
    return timer;
  });
  mock.method(globalThis, "clearTimeout", (timer) => {
    due = due.filter((one) => one !== timer);
  });
  return {
    pass(ms) {
      now += ms;
      const over = due.filter(({ at }) => at <= now);
      due = due.filter(({ at }) => at > now);
      for (const { act } of over) act();
    },
  };
}

export { clockAt, modelOf, received, stillTime, vectors, wall };
