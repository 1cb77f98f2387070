// A rule becomes a sentence's fields and the same rule again; what the sentence says is what the rule means.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seenText, titled, whenText } from "../../twin/views/bell/alarms.js";
import {
  draftOf,
  lastingOf,
  missingIn,
  newDraft,
  recoveryFor,
  ruleOf,
  unitOf,
  WAYS,
} from "../../twin/views/bell/drafts.js";
import { coverageText, firedText, precisionText } from "../../twin/views/bell/tried.js";
import { Zone } from "../../twin/views/shared/times.js";

const FIGURES = [
  { name: "delivery_time", label: "Delivery time", unit: "min", usual: true },
  { name: "late_share", label: "Late deliveries", unit: "%", usual: true },
  { name: "meals_waiting", label: "Meals waiting", unit: "meals", usual: false },
];
const stored = (watched, more = {}) => ({
  id: "a1",
  name: "Late",
  enabled: true,
  for_s: 600,
  keep_s: 300,
  quiet: { begin: 22 * 3600, end: 8 * 3600 + 1800 },
  locations: ["chicago"],
  ...watched,
  ...more,
});
const figure = (name, limit, recovery, under = false, of_usual = false, from_usual = false) => ({
  figure: { figure: name, limit, recovery, under, of_usual, from_usual },
});

for (const watched of [
  figure("delivery_time", 2700, 2400),
  figure("delivery_time", 600, 300, false, false, true),
  figure("delivery_time", 1.5, 1.25, false, true),
  figure("late_share", 0.2, 0.1),
  figure("late_share", 0.05, 0.1, true),
  figure("meals_waiting", 7, 7),
  { trouble: { kind: "outage", least_orders: 4 } },
]) {
  test(`a rule comes back as it was: ${JSON.stringify(watched)}`, () => {
    const { id, ...rule } = stored(watched);
    assert.deepEqual(ruleOf(draftOf({ id, ...rule }, FIGURES), FIGURES), rule);
    assert.equal(missingIn(draftOf({ id, ...rule }, FIGURES), FIGURES), "");
  });
}

test("the sentence has minutes and percents", () => {
  const draft = draftOf(stored(figure("delivery_time", 600, 300, false, false, true)), FIGURES);
  assert.deepEqual([draft.way, draft.limit, draft.recovery, draft.forMin], ["over_usual", 10, 5, 10]);
  assert.equal(unitOf(FIGURES[0], "over_usual"), "min");
  assert.equal(unitOf(FIGURES[0], "over_share"), "% of usual");
  assert.deepEqual([draft.from, draft.to], ["22:00", "08:30"]);
});

test("a trouble has waited for its evidence: it fires at once unless somebody says otherwise", () => {
  assert.deepEqual([lastingOf("figure/late_share"), lastingOf("trouble/outage")], [10, 0]);
  assert.equal(newDraft("").forMin, 10);
});

test("a limit that nobody has chosen lies on the right side", () => {
  for (const way of Object.keys(WAYS)) {
    for (const limit of [0, 1, 7, 45, 150]) {
      const recovery = recoveryFor(way, limit);
      const falls = WAYS[way].under && WAYS[way].against !== "from";
      if (WAYS[way].against === "of" && (WAYS[way].under ? limit > 100 : limit < 100)) continue;
      assert.ok(falls ? recovery >= limit : recovery <= limit, `${way} ${limit} ${recovery}`);
    }
  }
});

test("what is missing is said", () => {
  const draft = newDraft("chicago");
  assert.deepEqual(draft.where, ["chicago"]);
  assert.equal(missingIn(draft, FIGURES), "");
  assert.match(missingIn({ ...draft, limit: Number.NaN }, FIGURES), /number/);
  assert.match(missingIn({ ...draft, quiet: true, to: "" }, FIGURES), /time/);
});

test("the past comes with how much of it is known", () => {
  const result = { days: 27.6, coverage: 0.93, fired: [{ moment: "x" }, { moment: "" }], precision: 0.5 };
  assert.equal(coverageText(result), "28 days of record; it is known whether the condition held in 93 % of it.");
  assert.match(coverageText({ days: 3, coverage: 0.9 }), /little to judge by/);
  assert.equal(firedText(result, "Chicago"), "Would have fired 2 times in the last 28 days at Chicago");
  assert.equal(firedText({ ...result, days: 1, fired: [] }, "x"), "Would not have fired in the last day at x");
  assert.equal(precisionText(result), "Precision 50 %: hindsight finds trouble at 1 of 2.");
  assert.equal(precisionText({ fired: [], precision: null }), "");
});

test("the title counts, and forgets", () => {
  assert.equal(titled("Kitchens", 2), "(2) Kitchens");
  assert.equal(titled("(2) Kitchens", 1), "(1) Kitchens");
  assert.equal(titled("(2) Kitchens", 0), "Kitchens");
});

test("an alert says since when, for how long, and who has seen it", () => {
  const zone = new Zone();
  const alert = { since: 3600, began: 3660, ended: null, seen_by: "Ada", note: "" };
  assert.equal(whenText(alert, zone, 4320), "Since 01:00, 12 min so far");
  assert.equal(whenText(alert, zone, undefined), "Since Thu 1 Jan, 01:00");
  assert.equal(whenText({ ...alert, ended: 4260 }, zone, 9000), "Thu 1 Jan, 01:00; fired for 10 min");
  assert.equal(seenText(alert), "Acknowledged by Ada");
  assert.equal(seenText({ seen_by: "", note: "so" }), "Acknowledged: “so”");
});
