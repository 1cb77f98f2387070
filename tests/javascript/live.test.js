import assert from "node:assert/strict";
import { test } from "node:test";
import { badgeOf, shortText, silenceText } from "../../twin/views/live/words.js";

const now = { age: 0, pace: 1, gap: 20, after: 200, until: 7200, final: 0, problem: "" };
const seen = { age: 3, behind: 0, since: 0, offered: true };

test("a page that follows says so, and how old the newest event is", () => {
  const { text, more, tone } = badgeOf("live", now, seen);
  assert.deepEqual([text, more, tone], ["LIVE", "3 s", "live"]);
});

test("one that is behind says how far, and how much has happened since", () => {
  assert.equal(badgeOf("behind", now, { ...seen, behind: 720, since: 1214 }).text, "12 min behind");
  assert.equal(badgeOf("behind", now, { ...seen, behind: 720, since: 1214 }).more, "1,214 events since");
  assert.equal(badgeOf("behind", now, { ...seen, behind: 720, since: 1 }).more, "1 event since");
});

test("one that looks back at a moment of which live did not know all says so", () => {
  const said = badgeOf("behind", now, { ...seen, behind: 720, since: 9, unknown: 3 });
  assert.equal(said.more, "live lacked 3 events");
  assert.equal(
    said.title,
    "9 events since. Live did not show 3 events of this moment: they came in later. Jump to live (L)",
  );
  assert.equal(badgeOf("live", now, { ...seen, unknown: 3 }).more, "3 s");
});

test("a range that does not grow offers to go live where that is possible, else says nothing", () => {
  assert.equal(badgeOf("replay", null, seen).text, "Jump to live");
  assert.equal(badgeOf("replay", null, { ...seen, offered: false }).text, "");
});

test("silence is said where it is unusual, in data time, and not while it is usual", () => {
  assert.equal(silenceText(now, 240), "no events for 4 min; usually every 20 s");
  assert.equal(silenceText(now, 190), "");
  assert.equal(silenceText(now, 7300), "");
  assert.equal(silenceText({ ...now, pace: 60 }, 24), "no events for 24 min; usually every 20 s");
  assert.equal(silenceText({ ...now, pace: 60 }, 4), "", "that may be one batch of a demonstration");
  assert.equal(silenceText({ ...now, gap: null, after: null }, 1e6), "");
  assert.equal(badgeOf("live", now, { ...seen, age: 240 }).tone, "warn");
});

test("a source that does not answer is said", () => {
  const { tone, title } = badgeOf("live", { ...now, problem: "The warehouse does not answer." }, seen);
  assert.deepEqual([tone, title], ["warn", "The warehouse does not answer."]);
});

test("durations in one unit", () => {
  assert.deepEqual([0, 59, 60, 3599, 7300].map(shortText), ["0 s", "59 s", "1 min", "1 h", "2 h"]);
});
