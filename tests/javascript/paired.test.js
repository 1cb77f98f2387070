import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { firstAt, secondAt } from "../../twin/views/shared/alignment.js";
import { clockFrom } from "../../twin/views/shared/clock.js";
import { verbsOf } from "../../twin/views/shared/verbs.js";
import { modelOf, vectors, wall } from "./support.js";

beforeEach(() => {
  wall.now = 0;
});

const near = (a, b, said) => assert.ok(Math.abs(a - b) < 2e-3, `${said ?? ""} ${a} is not ${b}`);

/** Two views, each of one side: the second range is 1000 s earlier, and stands still from 500 on. */
function pair(anchor = {}) {
  const sent = { t0: 0, speed: 10, playing: false, start: 0, end: 900, loop: false, epoch: 4, age: 0, ...anchor };
  const first = modelOf({ anchor: sent });
  const follows = { clock: first.clock, since: [0, 500], shown: [-1000, -500], moves: [1, 0], end: 900 };
  const second = modelOf({ anchor: { ...sent, t0: -1000, start: -1000, end: -500, follows } });
  return { first, second, one: clockFrom(first), other: clockFrom(second) };
}

test("a second range lies on the first as Python laid it", () => {
  assert.ok(vectors.alignments.length >= 50);
  for (const { sent, second, first } of vectors.alignments) {
    for (const [t, at] of second) near(secondAt(sent, t), at);
    for (const [t, close, at] of first) near(firstAt(sent, t, close), at);
  }
});

test("the second is where the first is, at every instant and after every command of either", () => {
  const { first, second, one, other } = pair();
  const acts = [
    () => verbsOf(first, one).play(),
    () => verbsOf(second, other).speed(60),
    () => verbsOf(second, other).seek(-800),
    () => verbsOf(first, one).step(2),
    () => verbsOf(second, other).toggle(),
    () => verbsOf(second, other).hold(-900),
    () => verbsOf(first, one).loop(true),
    () => verbsOf(second, other).visit(-600),
    () => verbsOf(second, other).stop(),
  ];
  for (const act of acts) {
    act();
    for (let i = 0; i < 20; i++) {
      wall.now += 0.37;
      const t = one.now();
      assert.equal(other.now(), t < 500 ? t - 1000 : -500);
      assert.equal(other.moving, one.moving);
      assert.equal(other.anchor.epoch, one.anchor.epoch);
    }
  }
});

test("what is done on the second side moves the first, and says so in the second side's time", () => {
  const { second, one, other } = pair();
  verbsOf(second, other).hold(-700);
  near(one.now(), 300);
  near(other.now(), -700);
  assert.deepEqual(second.sent, [{ verb: "pause", at: -700, epoch: 5 }]);
});

test("listeners of both hear of what is done on either", async () => {
  const { first, second, one, other } = pair();
  const heard = [];
  one.on(() => heard.push("first"));
  other.on(() => heard.push("second"));
  verbsOf(second, other).seek(-700);
  await null;
  verbsOf(first, one).seek(10);
  await null;
  assert.deepEqual(heard, ["first", "second", "first", "second"]);
});

test("where the second has nothing to show it waits and the first goes on", () => {
  const { first, one, other } = pair({ t0: 499, playing: true, speed: 1 });
  assert.equal(other.waits, false);
  wall.now = 3;
  assert.equal(one.now(), 502);
  assert.equal(other.now(), -500);
  assert.equal(other.waits, true);
  verbsOf(first, one).seek(20);
  assert.equal(other.waits, false);
});

test("both stand while the server is lost, and go on together", () => {
  const { one, other } = pair({ playing: true });
  wall.now = 2;
  one.halt();
  wall.now = 30;
  assert.deepEqual([one.now(), other.now()], [20, -980]);
  assert.deepEqual(other.halted, { t: -980, playing: true });
  assert.equal(other.moving, false);
  one.release();
  assert.equal(other.halted, null);
});

test("a second side that is alone plays by itself", () => {
  const { second, one, other } = pair({ playing: true });
  const { follows, ...alone } = second.anchor;
  second.anchor = { ...alone, playing: true, epoch: 9, t0: -900 };
  second.say("anchor");
  wall.now = 5;
  assert.equal(other.now(), -850);
  verbsOf(second, other).seek(-950);
  assert.equal(one.now(), 50);
  assert.ok(follows);
});

test("another range of the second side is taken whatever the epochs are", () => {
  const { second, other } = pair();
  const follows = { ...second.anchor.follows, shown: [5000, 5500] };
  second.anchor = { ...second.anchor, t0: 5000, start: 5000, end: 5900, epoch: 0, follows };
  second.say("anchor");
  assert.equal(other.now(), 5000);
});
