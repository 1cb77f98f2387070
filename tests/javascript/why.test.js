import assert from "node:assert/strict";
import { test } from "node:test";
import { waterfall } from "../../twin/views/why/why.js";

test("each step begins where the one before ended, and the last ends at what it took", () => {
  const steps = [{ beyond: 4 }, { beyond: -1.5 }, { beyond: 9 }];
  const { spans, place } = waterfall({ target: 30, usual: -2, mean: 39.5, steps });
  assert.deepEqual(spans, [
    [30, 28],
    [28, 32],
    [32, 30.5],
    [30.5, 39.5],
  ]);
  const places = [28, 30, 39.5].map(place);
  assert.ok(places[0] > 0 && places[0] < places[1] && places[1] < places[2] && places[2] < 100, String(places));
});

test("where nothing differs there is a scale all the same", () => {
  const { spans, place } = waterfall({ target: 30, usual: 0, mean: 30, steps: [{ beyond: 0 }] });
  assert.deepEqual(spans, [
    [30, 30],
    [30, 30],
  ]);
  assert.ok(Number.isFinite(place(30)));
});
