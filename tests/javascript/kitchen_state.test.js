import assert from "node:assert/strict";
import { test } from "node:test";
import { stateAt } from "../../twin/views/shared/kitchen_state.js";

const STATES = {
  t: [0, 60, 120, 180, 240],
  state: ["calm", "building", "trouble", "recovering", "calm"],
  head: [0, 1, 2, 3, 4],
  heads: [
    "",
    "Building up: meals wait",
    "Trouble: meals wait long",
    "Recovering: meals wait",
    "Near the usual: meals wait",
  ],
};

test("a state lasts from its begin to the next one's", () => {
  const told = [-5, 0, 59, 60, 150, 180, 1e9].map((t) => stateAt(STATES, t).state);
  assert.deepEqual(told, ["calm", "calm", "calm", "building", "trouble", "recovering", "calm"]);
});

test("only a kitchen with nothing over its limits is green", () => {
  assert.deepEqual(
    [0, 60, 120, 180, 240].map((t) => stateAt(STATES, t).tone),
    ["good", "warn", "bad", "warn", "warn"],
  );
});

test("without states nothing is said", () => {
  for (const none of [{}, undefined, { t: [] }]) assert.deepEqual(stateAt(none, 0), { state: "", head: "", tone: "" });
});
