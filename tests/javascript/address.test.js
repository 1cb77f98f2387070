import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameView, queryAt, resume, stateOf } from "../../twin/views/session/address.js";
import { NAIVE, Zone } from "../../twin/views/shared/times.js";
import { verbsOf } from "../../twin/views/shared/verbs.js";
import { clockAt, modelOf, wall } from "./support.js";

test("a time in an address has as many digits as it needs", () => {
  assert.equal(NAIVE.addressText(1760725800), "2025-10-17T18:30:00");
  assert.equal(NAIVE.addressText(1760725800.25), "2025-10-17T18:30:00.25");
  assert.equal(NAIVE.addressText(1760725800.0004), "2025-10-17T18:30:00");
  assert.equal(NAIVE.addressText(1760725809.9996), "2025-10-17T18:30:10");
});

test("only the moment of a query is replaced", () => {
  assert.equal(
    queryAt("?location=a&t=2025-10-17T18:30:00&view=-87.6,41.9,13&events=text=a%26b", 1760725801.5, NAIVE),
    "?location=a&t=2025-10-17T18:30:01.5&view=-87.6,41.9,13&events=text%3Da%26b",
  );
});

test("another kitchen or another range is another view; a moment, a speed or a range not named is not", () => {
  const here = "?location=a&start=2025-10-16T00:00:00&end=2025-10-17T00:00:00&t=2025-10-16T10:00:00";
  assert.ok(isSameView(here, here.replace("10:00:00", "11:00:00")));
  assert.ok(isSameView(here, "?location=a"));
  assert.ok(!isSameView(here, here.replace("location=a", "location=b")));
  assert.ok(!isSameView(here, here.replace("start=2025-10-16", "start=2025-10-15")));
  assert.ok(!isSameView(here, ""));
});

const DAY = { start: 0, end: 86_400, t0: 1000, speed: 60 };

test("a clock that was stopped is resumed where it was, in its section and loop, playing", () => {
  wall.now = 0;
  const clock = clockAt({ ...DAY, start: 900, end: 4000, playing: true, loop: true, speed: 100 });
  wall.now = 5;
  clock.halt();
  wall.now = 50;
  const state = stateOf(clock);
  assert.deepEqual(state, { t: 1500, playing: true, speed: 100, loop: true, start: 900, end: 4000 });
  const other = clockAt(DAY);
  resume(other, verbsOf(modelOf(), other), state);
  assert.deepEqual(stateOf(other), state);
  wall.now = 51;
  assert.equal(other.now(), 1600);
});

test("what followed the latest events follows them again, wherever it was", () => {
  wall.now = 0;
  const growing = { start: 0, end: 5000, t0: 1000, edge: 5000, playing: true };
  const state = stateOf(clockAt({ ...growing, live: true, pace: 1 }));
  assert.equal(state.live, true);
  const other = clockAt({ ...growing, end: 9000, edge: 9000, playing: false });
  resume(other, verbsOf(modelOf(), other), state);
  assert.equal(other.state, "live");
  assert.ok(other.now() > 8990);
  const still = clockAt({ ...DAY, start: 0 });
  resume(still, verbsOf(modelOf(), still), state);
  assert.equal(still.now(), 1000, "a range that does not grow goes on from where it was");
});

test("what was paused stays paused, and nothing is sent that is so already", () => {
  wall.now = 0;
  const clock = clockAt(DAY);
  const model = modelOf();
  resume(clock, verbsOf(model, clock), stateOf(clock));
  assert.deepEqual(model.sent, []);
  resume(clock, verbsOf(model, clock), { ...stateOf(clock), t: 2000.5 });
  assert.deepEqual(
    model.sent.map(({ verb, t }) => [verb, t]),
    [["seek", 2000.5]],
  );
  assert.equal(stateOf(clock).playing, false);
});

test("a state of another range is left out", () => {
  const clock = clockAt(DAY);
  const model = modelOf();
  resume(clock, verbsOf(model, clock), { ...stateOf(clock), t: 90_000, playing: true });
  assert.deepEqual(model.sent, []);
});

test("a stopped clock stands and refuses every command, and goes on when it is released", () => {
  wall.now = 0;
  const clock = clockAt({ ...DAY, playing: true });
  const model = modelOf();
  const verbs = verbsOf(model, clock);
  const heard = [];
  clock.on(() => heard.push(clock.moving));
  wall.now = 1;
  clock.halt();
  clock.halt();
  wall.now = 9;
  assert.equal(clock.now(), 1060);
  assert.equal(clock.moving, false);
  for (const act of Object.keys(verbs)) verbs[act](1);
  assert.deepEqual(model.sent, []);
  assert.equal(clock.now(), 1060);
  assert.deepEqual(clock.release(), { t: 1060, playing: true });
  assert.equal(clock.release(), null);
  assert.deepEqual(heard, [false, true]);
});

test("the address of an instant says which of a doubled hour it is", () => {
  const changes = /** @type {[number, number, string][]} */ ([
    [1741514400, -25200, "PDT"],
    [1762074000, -28800, "PST"],
  ]);
  const zone = new Zone({ name: "America/Los_Angeles", changes });
  const of = (t) => new URLSearchParams(queryAt("?location=a", t, zone)).get("t");
  assert.equal(of(1762072200), "2025-11-02T01:30:00-07:00");
  assert.equal(of(1762075800.25), "2025-11-02T01:30:00.25-08:00");
  const kathmandu = new Zone({ name: "Asia/Kathmandu", changes: [[0, 20700, "UTC+5:45"]] });
  assert.equal(queryAt("?t=x", 1762072200, kathmandu), "?t=2025-11-02T14:15:00%2B05:45");
});
