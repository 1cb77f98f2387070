import assert from "node:assert/strict";
import { test } from "node:test";
import { withUnits } from "../../twin/views/shared/elements.js";

const together = (text) => withUnits(text).filter((_, i) => i % 2);

test("a number and its unit stay together in a sentence, and the sentence stays as it is", () => {
  const why = "1,427 late minutes in 32 of 43 deliveries: 98 % cooking, 10.5 % driving; 8 min made up elsewhere";
  assert.deepEqual(together(why), ["98 %", "10.5 %", "8 min"]);
  assert.equal(withUnits(why).join(""), why);
  assert.deepEqual(together("20 min 13 s so far, 1 h 05 in all, 3 km away"), ["20 min 13 s", "1 h 05", "3 km"]);
  assert.deepEqual(together("14 meals, 3 mistakes in 2 hours, A7 min, 88 orders"), [], "words are no units");
});
