import assert from "node:assert/strict";
import { test } from "node:test";
import { tagText } from "../../twin/views/map/questions.js";
import { minutesText, moneyText, percentText, shortId, shortMany } from "../../twin/views/shared/numbers.js";
import { exactText, NAIVE, Zone } from "../../twin/views/shared/times.js";
import { axisTicks } from "../../twin/views/transport/axis.js";
import { fieldTime } from "../../twin/views/transport/range_picker.js";
import { vectors } from "./support.js";

const at = (text) => Date.parse(`${text}Z`) / 1000;

test("durations read as Python writes them", () => {
  for (const [seconds, text] of vectors.texts.minutes) assert.equal(minutesText(seconds), text, `${seconds} s`);
  for (const [seconds, text] of vectors.texts.exact) assert.equal(exactText(seconds), text, `${seconds} s`);
  for (const [id, text] of vectors.texts.ids) assert.equal(shortId(id), text);
});

test("a duration is in whole minutes, half up", () => {
  assert.deepEqual([-3, 0, 42, 419, 3900].map(minutesText), ["0 s", "0 s", "42 s", "7 min", "1 h 05"]);
});

test("data time is read as it is, whatever the zone", () => {
  assert.equal(NAIVE.clockText(at("2025-10-16T07:05:09")), "07:05:09");
  assert.equal(NAIVE.clockText(at("2025-10-16T07:05:09"), false), "07:05");
});

test("a range is told by what it has in full", () => {
  const range = (from, to) => NAIVE.rangeText(at(from), at(to));
  assert.equal(range("2025-10-16T00:00:00", "2025-10-17T00:00:00"), "Thu 16 Oct 2025 00:00 – 24:00");
  assert.equal(range("2025-10-13T00:00:00", "2025-10-17T00:00:00"), "Mon 13 Oct – Thu 16 Oct 2025");
  assert.equal(range("2025-12-31T22:00:00", "2026-01-01T02:00:00"), "Wed 31 Dec 2025 22:00 – Thu 1 Jan 2026 02:00");
});

test("a share is 100 % only when it is all", () => {
  assert.deepEqual([1, 0.99999, 0.125, 0.3].map(percentText), ["100 %", "99.9 %", "12.5 %", "30.0 %"]);
});

test("money and counts keep to their places", () => {
  assert.deepEqual([1243, 12_400, 999_949, 1_240_000].map(moneyText), ["$1,243", "$12.4k", "$999.9k", "$1.24M"]);
  assert.deepEqual([-4.5, -0.2, -12_400].map(moneyText), ["−$5", "$0", "−$12.4k"], "what was given back");
  assert.deepEqual([12_345, 123_456, 1_234_567].map(shortMany), ["12,345", "123K", "1.23M"]);
});

test("a kitchen's clock reads as Python reads it, on the days when it changes, too", () => {
  assert.ok(vectors.zones.length >= 5);
  for (const { sent, moments, walls } of vectors.zones) {
    const zone = new Zone(sent);
    for (const { t, text, label, midnight, next, iso, wall } of moments) {
      const where = `${sent.name}, ${t}`;
      const doubled = text.length > 19;
      assert.equal(zone.localText(t).replace("T", " ") + (doubled ? ` ${label}` : ""), text, where);
      assert.equal(zone.doubled(t), doubled, where);
      assert.equal(zone.clockText(t), text.slice(11), where);
      assert.equal(zone.label(t), label, where);
      assert.equal(zone.midnight(t), midnight, where);
      assert.equal(zone.startOf(zone.day(t) + 1), next, where);
      assert.equal(zone.addressText(t), iso, where);
      assert.equal(zone.local(t), wall, where);
    }
    for (const [wall, first, second] of walls) {
      assert.equal(zone.fromLocal(wall), first, `${sent.name}, ${wall}`);
      assert.equal(zone.fromLocal(wall, true), second, `${sent.name}, ${wall}`);
    }
  }
});

const ANGELES = new Zone({
  name: "America/Los_Angeles",
  origin: "as configured (TWIN_TIME_ZONE)",
  changes: [
    [1741514400, -25200, "PDT"],
    [1762074000, -28800, "PST"],
  ],
});

test("an axis has both of a doubled hour, and a day has 25", () => {
  const [start, end] = [at("2025-11-02T07:00:00"), at("2025-11-03T08:00:00")];
  assert.equal(ANGELES.rangeText(start, end), "Sun 2 Nov 2025 00:00 – 24:00");
  assert.equal(ANGELES.spanText(start, end), "00:00 – 24:00");
  const hours = ANGELES.ticks(start, start + 4 * 3600, 3600).map((t) => ANGELES.clockText(t, false));
  assert.deepEqual(hours, ["00:00", "01:00 PDT", "01:00 PST", "02:00", "03:00"]);
  assert.equal(ANGELES.ticks(start, end, 3600).length, 26);
  const days = ANGELES.ticks(at("2025-10-31T07:00:00"), at("2025-11-05T08:00:00"), 86400);
  assert.deepEqual(
    days.map((t) => ANGELES.momentText(t)),
    [31, 1, 2, 3, 4, 5].map(
      (day, i) =>
        `${["Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][i]} ${day} ${i ? "November" : "October"} 2025, 00:00:00`,
    ),
  );
});

test("an axis of whole days ends where the day ends, also if it has 25 hours", () => {
  const [start, end] = [at("2025-11-02T07:00:00"), at("2025-11-03T08:00:00")];
  const ticks = axisTicks(start, end, 800, ANGELES);
  assert.equal(ticks[0].label, "00:00");
  assert.equal(ticks.at(-1).label, "24:00");
  assert.ok(ticks.every(({ day }) => !day));
  const naive = axisTicks(at("2025-11-02T00:00:00"), at("2025-11-04T00:00:00"), 800, NAIVE);
  assert.deepEqual(
    naive.filter(({ day }) => day).map(({ label }) => label),
    ["Sun 2", "Mon 3"],
  );
});

test("what a label means is told", () => {
  assert.equal(NAIVE.label(0), "kitchen time");
  const utc = new Zone({ name: "UTC", origin: "because nothing tells the kitchen’s zone", changes: [[0, 0, "UTC"]] });
  assert.equal(utc.title(0), "The kitchen’s clock: UTC, because nothing tells the kitchen’s zone.");
  assert.equal(
    ANGELES.title(1762074000),
    "The kitchen’s clock: America/Los_Angeles (PST), as configured (TWIN_TIME_ZONE).",
  );
});

test("a followed driver carries its order and the arrival that its tooltip tells", () => {
  const place = { order: 7, id: "6bc772" };
  const zone = { clockText: (t, seconds) => `${t}${seconds ? "!" : ""}` };
  assert.equal(tagText(place, null, zone), "6bc772");
  assert.equal(tagText(place, { order: 7, eta: 1942 }, zone), "6bc772 · expected at 1942");
  assert.equal(tagText(place, { order: 7, eta: null }, zone), "6bc772");
  assert.equal(tagText(place, { order: 8, eta: 1942 }, zone), "6bc772", "of another order");
});

test("each speed says its own pace", () => {
  assert.deepEqual([10, 60, 100, 500, 1000].map(exactText), [
    "10 s",
    "1 min",
    "1 min 40 s",
    "8 min 20 s",
    "16 min 40 s",
  ]);
});

test("a time of the range is one of 24 hours, in any language of the browser", () => {
  const day = Date.parse("2025-10-17T00:00Z") / 1000;
  const minutes = (text) => (fieldTime("2025-10-17", text) - day) / 60;
  assert.deepEqual(
    ["19:30", " 9:05", "0905", "7", "0:00", "24:00", "12.15"].map(minutes),
    [1170, 545, 545, 420, 0, 1440, 735],
  );
  for (const text of ["", "24:01", "25:00", "12:60", "7 pm", "12:5", "-1:00"])
    assert.ok(Number.isNaN(fieldTime("2025-10-17", text)), text);
  assert.ok(Number.isNaN(fieldTime("", "12:00")));
});
