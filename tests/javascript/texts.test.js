import assert from "node:assert/strict";
import { test } from "node:test";
import { averageText, minutesText, moneyText, percentText, shortMany } from "../../twin/views/shared/numbers.js";
import { clockText, durationText, rangeText } from "../../twin/views/shared/times.js";
import { vectors } from "./support.js";

const at = (text) => Date.parse(`${text}Z`) / 1000;

test("durations read as Python writes them", () => {
  for (const [seconds, text] of vectors.texts.minutes) assert.equal(minutesText(seconds), text, `${seconds} s`);
  for (const [seconds, text] of vectors.texts.average) assert.equal(averageText(seconds), text, `${seconds} s`);
});

test("a duration is as short as is honest", () => {
  assert.deepEqual([0, 42, 419, 3900].map(durationText), ["0 s", "42 s", "6 min", "1 h 05"]);
});

test("data time is read as it is, whatever the zone", () => {
  assert.equal(clockText(at("2025-10-16T07:05:09")), "07:05:09");
  assert.equal(clockText(at("2025-10-16T07:05:09"), false), "07:05");
});

test("a range is told by what it has in full", () => {
  const range = (from, to) => rangeText(at(from), at(to));
  assert.equal(range("2025-10-16T00:00:00", "2025-10-17T00:00:00"), "Thu 16 Oct 2025 00:00 – 24:00");
  assert.equal(range("2025-10-13T00:00:00", "2025-10-17T00:00:00"), "Mon 13 Oct – Thu 16 Oct 2025");
  assert.equal(range("2025-12-31T22:00:00", "2026-01-01T02:00:00"), "Wed 31 Dec 2025 22:00 – Thu 1 Jan 2026 02:00");
});

test("a share is 100 % only when it is all", () => {
  assert.deepEqual([1, 0.99999, 0.125, 0.3].map(percentText), ["100 %", "99.9 %", "12.5 %", "30.0 %"]);
});

test("money and counts keep to their places", () => {
  assert.deepEqual([1243, 12_400, 999_949, 1_240_000].map(moneyText), ["$1,243", "$12.4k", "$999.9k", "$1.24M"]);
  assert.deepEqual([12_345, 123_456, 1_234_567].map(shortMany), ["12,345", "123K", "1.23M"]);
});
