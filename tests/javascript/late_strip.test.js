import assert from "node:assert/strict";
import { test } from "node:test";
import { causeAt, stackPaths } from "../../twin/views/transport/late_strip.js";

globalThis.devicePixelRatio = 1;
const late = {
  edges: [0, 3600, 7200, 10_800],
  minutes: [75, 0, 100],
  causes: [
    ["food_waits", "Food waits", [60, 0, 30]],
    ["cook", "Cook", [20, 0, 60]],
    ["pack", "Pack", [-5, 0, 10]],
  ],
  rule: "",
};

test("an hour is a stack of its causes, and the worst hour is as high as the strip", () => {
  const { paths, most } = stackPaths(late, (t) => t / 36, 50);
  assert.equal(most, 100);
  assert.equal(paths[0], "M0 50V20H99V50ZM200 50V35H299V50Z");
  assert.equal(paths[1], "M0 20V10H99V20ZM200 35V5H299V35Z");
  assert.equal(paths[2], "M200 5V0H299V5Z"); // minutes made up take nothing off a stack
});

test("a height of a stack is the cause that is drawn there, above it the largest", () => {
  assert.deepEqual(
    [0.1, 0.59, 0.61, 0.79, 0.95].map((share) => causeAt(late, 0, share, 100)),
    [0, 0, 1, 1, 0],
  );
  assert.deepEqual(
    [0.2, 0.5, 0.95, 1].map((share) => causeAt(late, 2, share, 100)),
    [0, 1, 2, 2],
  );
});
