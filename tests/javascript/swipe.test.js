import assert from "node:assert/strict";
import { test } from "node:test";
import { swipeOf } from "../../twin/pages/operations/swipe.js";

const from = { x: 200, y: 400, at: 1000 };
const to = (x, y, ms) => ({ x: from.x + x, y: from.y + y, at: from.at + ms });

test("a finger that goes left leads to the next, right to the one before", () => {
  assert.equal(swipeOf(from, to(-120, 10, 200)), 1);
  assert.equal(swipeOf(from, to(120, -30, 200)), -1);
});

test("a tap, a scroll and a slow finger lead nowhere", () => {
  for (const [x, y, ms] of [
    [0, 0, 50],
    [-59, 0, 100],
    [-100, 90, 200],
    [20, -300, 200],
    [-200, 0, 801],
  ])
    assert.equal(swipeOf(from, to(x, y, ms)), 0, `${x}, ${y} in ${ms} ms`);
});
