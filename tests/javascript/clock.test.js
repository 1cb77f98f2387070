import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { verbsOf } from "../../twin/views/shared/verbs.js";
import { clockAt, modelOf, vectors, wall } from "./support.js";

beforeEach(() => {
  wall.now = 0;
});

test("commands lead to the playheads that Python worked out", () => {
  assert.ok(vectors.clocks.length >= 50);
  for (const { first, steps } of vectors.clocks) {
    wall.now = 0;
    const clock = clockAt({ ...first, epoch: 1 });
    const verbs = verbsOf(modelOf(), clock);
    for (const { wall: now, verb, arguments: given, anchor, later, at, moving } of steps) {
      wall.now = now;
      clock.window = { start: first.start, end: clock.anchor.edge ?? first.end };
      if (verb === "grow") clock.grow(...given);
      else verbs[verb](...given);
      for (const name of ["t0", "speed", "start", "end", "pace"])
        assert.ok(Math.abs(clock.anchor[name] - anchor[name]) < 1e-3, `${verb}(${given}): ${name}`);
      for (const name of ["playing", "loop", "live"])
        assert.equal(!!clock.anchor[name], anchor[name], `${verb}(${given}): ${name}`);
      wall.now = later;
      assert.ok(Math.abs(clock.now() - at) < 1e-3, `${verb}(${given}): ${clock.now()} is not ${at}`);
      assert.equal(clock.moving, moving, `${verb}(${given}): moving`);
    }
  }
});

test("an older anchor is ignored, a newer one taken, and its age counts", () => {
  const clock = clockAt({ t0: 100, playing: true, speed: 10, epoch: 5 });
  clock.set({ ...clock.anchor, t0: 7, epoch: 4 });
  assert.equal(clock.now(), 100);
  clock.set({ ...clock.anchor, t0: 7, epoch: 6, age: 2 });
  assert.equal(clock.now(), 27);
});

test("the server's word on the browser's own prediction changes nothing, unless the clock is set right", () => {
  const clock = clockAt({ t0: 0, playing: false, epoch: 1 });
  clock.predict({ t0: 50, playing: true, speed: 1 });
  const confirmed = { ...clock.anchor, age: 3 };
  clock.set(confirmed);
  assert.equal(clock.now(), 50);
  clock.set(confirmed, true);
  assert.equal(clock.now(), 53);
});

test("a clock that follows goes on from where it is when the server says how far things have come", () => {
  const clock = clockAt({ t0: 98.5, playing: true, end: 100, edge: 100, live: true, pace: 1, epoch: 3 });
  wall.now = 1;
  clock.set({ ...clock.anchor, t0: 99.9, end: 103, edge: 103, pace: 2, age: 0.2 });
  assert.equal(clock.now(), 99.5);
  assert.equal(clock.state, "live");
  wall.now = 2.5;
  assert.equal(clock.now(), 103);
  wall.now = 9;
  assert.equal(clock.now(), 103);
  assert.ok(clock.moving);
});

test("a view that is drawn later, with the edge of when its page opened, does not set the clock back", () => {
  const clock = clockAt({ t0: 50, playing: false, end: 100, edge: 100, live: false, pace: 1, epoch: 3, step: 5 });
  const old = { ...clock.anchor };
  clock.set({ ...old, end: 103, edge: 103, step: 10 });
  assert.deepEqual([clock.anchor.end, clock.anchor.step], [103, 10]);
  clock.set(old);
  assert.deepEqual([clock.anchor.end, clock.anchor.edge, clock.now()], [103, 103, 50]);
});

test("what the user does while a later edge is under way stays, and the range grows all the same", () => {
  const clock = clockAt({ t0: 98.5, playing: true, end: 100, edge: 100, live: true, pace: 1, epoch: 3 });
  clock.predict({ playing: false });
  clock.set({ ...clock.anchor, t0: 99.5, playing: true, end: 103, edge: 103, live: true, epoch: 3 });
  assert.equal(clock.state, "behind");
  assert.equal(clock.now(), 98.5);
  assert.equal(clock.anchor.end, 103);
  assert.equal(clock.moving, false);
});

test("listeners hear of a prediction once, when who made it is done, and no more when they left", async () => {
  const clock = clockAt({});
  const heard = [];
  const off = clock.on((anchor) => heard.push(anchor.t0));
  clock.predict({ t0: 1 });
  clock.predict({ t0: 2 });
  assert.deepEqual(heard, []);
  await null;
  assert.deepEqual(heard, [2]);
  off();
  clock.predict({ t0: 3 });
  await null;
  assert.deepEqual(heard, [2]);
});

test("a clock without an anchor stands at nothing and does not move", async () => {
  const { ReplayClock } = await import("../../twin/views/shared/clock.js");
  const clock = new ReplayClock();
  assert.equal(clock.now(), 0);
  assert.equal(clock.moving, false);
  assert.equal(clock.predict({ playing: true }), null);
});
