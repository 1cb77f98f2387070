import assert from "node:assert/strict";
import { test } from "node:test";
import { knownAt, lastKnown } from "../../twin/views/moments/known.js";
import { nowText } from "../../twin/views/moments/now.js";

const SHORT = { title: "Drivers are short", stage: "ready", start: 3900, end: 4200, going_on: true };
const BLOCKS = [
  { start: 0, end: 3600, changes: [[0, [], false]] },
  {
    start: 3600,
    end: 7200,
    changes: [
      [3600, [], false],
      [4200, [SHORT], true],
    ],
  },
  { start: 10800, end: 14400, changes: [[10800, [], false]] },
];

test("at any time the last look is used, never a later one", () => {
  for (let t = 3600; t < 7200; t += 13) {
    const known = knownAt(BLOCKS, t);
    assert.equal(known.t, t < 4200 ? 3600 : 4200);
    assert.deepEqual(known.troubles, t < 4200 ? [] : [SHORT]);
    assert.equal(known.partly, t >= 4200);
  }
});

test("where nobody has looked yet nothing is known, not even that all is well", () => {
  assert.equal(knownAt(BLOCKS, 8000), null);
  assert.equal(knownAt(BLOCKS, -1), null);
  assert.equal(knownAt([], 0), null);
});

test("the last trouble is one that was known by then", () => {
  assert.equal(lastKnown(BLOCKS, 4199), null);
  assert.equal(lastKnown(BLOCKS, 4200), SHORT);
  assert.equal(lastKnown(BLOCKS, 12000), SHORT);
});

test("how big a trouble is now is said in the figures of its stage, where there are any", () => {
  const stages = { ready: { count: 31, age: 910, usual: 490 }, created: { count: 1, age: null, usual: 60 } };
  assert.equal(nowText({ stage: "ready" }, stages), "Now 31 meals waiting, 7 min over usual");
  assert.equal(nowText({ stage: "created" }, stages), "Now 1 order waiting to be started");
  assert.equal(nowText({ stage: "ready" }, { ready: { count: 2, age: 60, usual: 490 } }), "Now 2 meals waiting");
  assert.equal(nowText({ stage: "" }, stages), "");
  assert.equal(nowText({ stage: "cooking" }, stages), "");
  assert.equal(nowText({ stage: "ready" }, null), "");
});
