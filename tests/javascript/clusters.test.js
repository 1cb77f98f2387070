import assert from "node:assert/strict";
import { test } from "node:test";
import { Clusters } from "../../twin/views/map/clusters.js";

/** A view of 1000 × 1000 pixels, a metre each, whose middle is the kitchen. */
const picture = {
  view: { ox: 500, oy: 500, sx: 1, sy: 1, width: 1000, height: 1000 },
  X: (x) => 500 + x,
  Y: (y) => 500 - y,
};
/** `n` drivers far from each other, and `together` more on one spot. */
function crowd(n, together, [x, y] = [300, 300]) {
  const trips = Array.from({ length: n }, (_, i) => ({
    px: -450 + 60 * (i % 8),
    py: -450 + 60 * Math.floor(i / 8),
    tone: 0,
  }));
  for (let i = 0; i < together; i++) trips.push({ px: x + i, py: y, tone: i === 0 ? 2 : 0 });
  for (const trip of trips) trip.cluster = null;
  return trips;
}

test("few drivers are never merged", () => {
  const clusters = new Clusters();
  clusters.update(crowd(40, 5), picture, true, [], 0, 0, true);
  assert.deepEqual(clusters.list, []);
});

test("drivers on one spot become a bubble with their number and how they keep time", () => {
  const clusters = new Clusters();
  const active = crowd(56, 5);
  clusters.update(active, picture, true, [], 0, 0, true);
  assert.equal(clusters.list.length, 1);
  const [bubble] = clusters.list;
  assert.deepEqual([bubble.n, bubble.shares], [5, [4, 0, 1]]);
  assert.equal(active.filter((trip) => trip.cluster === bubble).length, 5);
  assert.equal(clusters.under([bubble.sx, bubble.sy]), bubble);
  assert.equal(clusters.under([0, 0]), null);
});

test("who is picked out stands alone, whoever is near", () => {
  const clusters = new Clusters();
  const active = crowd(56, 5);
  const alone = [active.at(-1)];
  clusters.update(active, picture, true, alone, 0, 0, true);
  assert.equal(alone[0].cluster, null);
  assert.equal(clusters.list[0].n, 4);
});

test("it takes more to leave a bubble than to join it", () => {
  const clusters = new Clusters();
  const active = crowd(56, 2);
  const goer = active.at(-1);
  clusters.update(active, picture, true, [], 0, 0, true);
  assert.ok(goer.cluster);
  goer.px += 25;
  clusters.update(active, picture, true, [], 1, 1, true);
  assert.ok(goer.cluster, "25 m apart they would not have joined, and still stay");
  goer.px += 60;
  clusters.update(active, picture, true, [], 2, 2, true);
  assert.equal(goer.cluster, null);
  assert.deepEqual(clusters.list, [], "one alone is no bubble");
});

test("merging ends below a smaller number than it began at, and nothing stays merged", () => {
  const clusters = new Clusters();
  const active = crowd(56, 5);
  clusters.update(active, picture, true, [], 0, 0, true);
  const fewer = active.slice(10);
  clusters.update(fewer, picture, true, [], 1, 1, false);
  assert.equal(clusters.list.length, 1, "51 are over 44");
  const few = fewer.slice(8);
  clusters.update(few, picture, true, [], 2, 2, false);
  assert.deepEqual(clusters.list, []);
  assert.ok(few.every((trip) => trip.cluster === null));
});

test("a bubble under the kitchen's sign is drawn beside it", () => {
  const clusters = new Clusters();
  clusters.update(crowd(56, 5, [0, 0]), picture, true, [], 0, 0, true);
  const [bubble] = clusters.list;
  assert.ok(Math.hypot(bubble.sx - 500, bubble.sy - 500) > 19);
});
