import assert from "node:assert/strict";
import { test } from "node:test";
import { knownStory } from "../../twin/views/order/known.js";
import { accountUntil, driverWait, othersOf, shared } from "../../twin/views/order/ledger.js";

/** What the panel takes of a story: created at 1000.4, cooking until 1600, the driver there from 1400 on. */
const story = {
  created: 1000.4,
  arrived: 1400,
  ready: 1700,
  delivered: 2500.9,
  cancelled: null,
  stages: [{ key: "out_for_delivery", start: 1900, end: 2500.9 }],
  ledger: [
    { known: 1000.4, parts: {}, part: "queue", since: 1000.4, ended: "", gaps: [] },
    { known: 1100, parts: { queue: 99.6 }, part: "cook", since: 1100, ended: "", gaps: [] },
    {
      known: 2500.9,
      parts: { queue: 99.6, cook: 500, pack: 100, hand_over: 200, drive: 600.9 },
      part: null,
      since: 2500.9,
      ended: "delivered",
      gaps: [],
    },
  ],
};
/** The story as it was known at t, of the little that it has. */
const cut = (t) => ({ ...story, ledger: story.ledger.filter(({ known }) => known <= t) });

test("what goes on lasts until now, and whole seconds add up", () => {
  assert.deepEqual(accountUntil(cut(1050), 1050).rows, [["queue", 50, true]]);
  const open = accountUntil(cut(1300.7), 1300.7);
  assert.deepEqual(open.rows, [
    ["queue", 100, false],
    ["cook", 200, true],
  ]);
  assert.equal(open.total, 300);
  const done = accountUntil(story, 9999);
  assert.equal(done.total, Math.floor(story.delivered) - Math.floor(story.created));
  assert.equal(
    done.rows.reduce((sum, [, seconds]) => sum + seconds, 0),
    done.total,
  );
  assert.equal(accountUntil({ ...story, created: null }, 9999), null);
  assert.equal(accountUntil({ ...story, ledger: [] }, 9999), null);
});

test("what is usual of an open order adds up: parts to come stand there, too", () => {
  const usual = { queue: 100, cook: 500, pack: 20, food_waits: 60, hand_over: 200, drive: 600 };
  const { rows } = accountUntil(cut(1300.7), 1300.7);
  assert.deepEqual(othersOf(rows, usual, ""), [
    ["food_waits", "not yet"],
    ["hand_over", "not yet"],
    ["drive", "not yet"],
  ]);
  assert.deepEqual(othersOf(accountUntil(story, 9999).rows, usual, "delivered"), [["food_waits", "–"]]);
  assert.deepEqual(othersOf(rows, null, ""), []);
});

test("the driver waits from his arrival until the food is ready, until he goes, or until now", () => {
  assert.deepEqual(driverWait(story, 9999), [1400, 1700]);
  assert.deepEqual(driverWait({ ...story, ready: null, stages: [], delivered: null }, 1500), [1400, 1500]);
  assert.equal(driverWait({ ...story, arrived: 1750 }, 9999), null);
  assert.equal(driverWait({ ...story, arrived: null }, 9999), null);
  assert.equal(shared([1400, 1700], [1100, 1600]), 200);
  assert.equal(shared([1400, 1700], [1800, 1900]), 0);
});

test("a cut story has no ledger of later", () => {
  const whole = { ...story, place: {}, first: 1000.4, stalls: [], promise: null, arrivals: [], facts: [], items: [] };
  const known = knownStory({ ...whole, events: [], pings: [], basket: 0, revenue: null, stages: [] }, 1200);
  assert.deepEqual(
    known.ledger.map(({ known: t }) => t),
    [1000.4, 1100],
  );
});
