import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { filterText, parseFilter } from "../../twin/views/feed/filter.js";
import { FeedPages } from "../../twin/views/feed/pages.js";
import { modelOf, stillTime, vectors } from "./support.js";

let time;
beforeEach(() => {
  time = stillTime();
});
afterEach(() => mock.restoreAll());

/** A feed of `total` rows, one each ten seconds, that answers as the server does. */
function feedOf(total) {
  const model = modelOf({ version: 1 });
  let changes = 0;
  const pages = new FeedPages(model, () => changes++);
  const answer = () => {
    const asked = model.sent.at(-1);
    const top = Math.min(total, Math.floor(asked.t / 10) + 1);
    const first = asked.first ?? Math.floor(Math.max(0, top - 1) / 200) * 200;
    const until = asked.first === undefined ? (top < total ? top * 10 : null) : undefined;
    const numbers = Array.from({ length: Math.min(200, total - first) }, (_, i) => first + i);
    const rows = JSON.stringify({ t: numbers.map((n) => 10 * n), order: numbers });
    const { serial, version } = asked;
    model.say("msg:custom", { tell: "feed", serial, version, total, top, first, until, oldest: 0, rows });
  };
  return { model, pages, answer, changes: () => changes };
}
const filter = { query: "", stage: "", row: -1 };
const sight = { speed: 0, following: true, low: 0, high: 20 };

test("one question at a time, and what is at hand is not asked for again", () => {
  const { model, pages, answer, changes } = feedOf(150);
  assert.equal(pages.need({ now: 500, ...sight }), 0, "nothing is chosen yet");
  assert.ok(pages.choose(filter));
  assert.equal(pages.choose({ ...filter }), false, "the same list");
  pages.need({ now: 500, ...sight });
  assert.equal(model.sent.length, 1);
  assert.ok(pages.need({ now: 500, ...sight }) > 0, "it waits for the answer");
  answer();
  assert.equal(changes(), 1);
  assert.equal(pages.need({ now: 500, ...sight }), 0);
  assert.equal(model.sent.length, 1);
  assert.deepEqual([pages.total, pages.row(3)], [150, { t: 30, order: 3 }]);
});

test("how many rows lie at or before a moment is known within what is at hand, else not", () => {
  const { pages, answer } = feedOf(1000);
  pages.choose(filter);
  pages.need({ now: 4500, ...sight });
  answer();
  assert.equal(pages.topAt(4500), 451);
  assert.equal(pages.topAt(4009), 401);
  assert.equal(pages.topAt(100), null, "before the page at hand");
  assert.equal(pages.topAt(4600), null, "later than the answer holds");
});

test("rows that are scrolled to are asked for by their page", () => {
  const { model, pages, answer } = feedOf(1000);
  pages.choose(filter);
  pages.need({ now: 4500, ...sight, low: 420, high: 440 });
  answer();
  time.pass(1000);
  pages.need({ now: 4500, ...sight, following: false, low: 10, high: 30 });
  assert.equal(model.sent.at(-1).first, 0);
  assert.equal(model.sent.at(-1).t, 4500);
});

test("rows that come later are asked for when the playhead is there, those that came late at once; none vanish", () => {
  const { model, pages, answer } = feedOf(51);
  pages.choose(filter);
  pages.need({ now: 500, ...sight });
  answer();
  assert.equal(pages.topAt(2000), 51);
  pages.grow(990);
  assert.equal(pages.topAt(500), 51);
  assert.equal(pages.topAt(980), 51);
  assert.equal(pages.topAt(995), null);
  time.pass(3000);
  pages.grow(0);
  assert.equal(pages.topAt(500), null);
  assert.ok(pages.row(50));
  pages.need({ now: 500, ...sight });
  assert.equal(model.sent.at(-1).t, 500);
  const before = pages.row(50);
  answer();
  assert.notEqual(pages.row(50), before);
  assert.equal(pages.topAt(500), 51);
});

test("an answer to another question, or of another timeline, is left out", () => {
  const { model, pages, answer, changes } = feedOf(100);
  pages.choose(filter);
  pages.need({ now: 500, ...sight });
  pages.choose({ ...filter, query: "late" });
  answer();
  assert.equal(changes(), 0);
  assert.equal(pages.ready, false);
  time.pass(1000);
  pages.need({ now: 500, ...sight });
  assert.equal(model.sent.length, 2);
  model.version = 2;
  answer();
  assert.equal(changes(), 0, "it was asked of the timeline before");
  time.pass(6000);
  pages.choose({ ...filter, query: "late" });
  pages.need({ now: 500, ...sight });
  answer();
  assert.equal(changes(), 1);
});

test("a filter is read and written as Python does", () => {
  const { groups, usual, cases } = vectors.filters;
  assert.ok(cases.length > 5);
  for (const { query, written, ...filter } of cases) {
    const read = parseFilter(query, groups, usual);
    assert.deepEqual({ ...read, groups: [...read.groups].sort() }, filter, query);
    assert.equal(filterText(read, groups, usual), written, query);
  }
});
