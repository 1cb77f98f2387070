import assert from "node:assert/strict";
import { test } from "node:test";
import { Fit, insetsOf, isHidden } from "../../twin/views/map/fit.js";

const SIZE = { width: 960, height: 510 };
const TOOLS = [905, 10, 950, 150];
const BANNER = [10, 10, 440, 96];
const LEGEND = [10, 468, 640, 500];
const INSETS = insetsOf(960, 510, [TOOLS, BANNER, LEGEND]);

/** As `Camera.around`, without the ends of the zoom. */
function around([x0, y0, x1, y1], [left, top, right, bottom], spare, least) {
  const metres = Math.max(
    (spare * (x1 - x0)) / (SIZE.width - left - right),
    (spare * (y1 - y0)) / (SIZE.height - top - bottom),
    least,
  );
  return { x: (x0 + x1) / 2 + ((right - left) / 2) * metres, y: (y0 + y1) / 2 + ((top - bottom) / 2) * metres, metres };
}

/** Show boxes one after the other, `every` ms; the moves there were, and the view at last. */
function shown(boxes, every = 100, region = null) {
  const fit = new Fit();
  let view = { x: 0, y: 0, metres: 100 };
  const moves = [];
  boxes.forEach((box, i) => {
    const next = fit.decide(box, view, SIZE, INSETS, i * every, around, region).view;
    if (!next) return;
    moves.push({ i, from: view, to: next });
    view = next;
  });
  return { moves, view };
}
const square = (half) => [-half, -half, half, half];
const times = (n, box) => Array.from({ length: n }, () => box);

test("what lies over the map takes the side where it takes least, and never the whole map", () => {
  assert.deepEqual(INSETS, [0, 96, 55, 42]);
  assert.deepEqual(insetsOf(960, 510, []), [0, 0, 0, 0]);
  assert.deepEqual(insetsOf(960, 510, [[1000, 0, 1400, 500]]), [0, 0, 0, 0], "beside the map");
  assert.deepEqual(insetsOf(960, 510, [[-5, -200, 970, 600]]), [0, 0, 0, 0], "a sheet over the whole of a phone");
  assert.deepEqual(insetsOf(390, 200, [[0, 0, 390, 90]]), [0, 60, 0, 0], "a third of a side at most");
});

test("a banner at a corner is looked around on the side that leaves more room for what is shown", () => {
  assert.deepEqual(insetsOf(1000, 500, [[10, 10, 430, 96]], 1), [430, 0, 0, 0], "a square stands beside it");
  assert.deepEqual(insetsOf(1000, 500, [[10, 10, 430, 96]], 4), [0, 96, 0, 0], "a street lies beneath it");
});

test("a view that would have to move again and again shows the whole region, and then rests", () => {
  const region = square(20_000);
  const at100 = Array.from({ length: 150 }, (_, i) => square(2000 + 700 * (i % 25))); // 15 s, each further than the last
  const { moves, view } = shown(at100, 100, region);
  assert.equal(moves.length, 3, "the first view, one that is wider, and the region");
  assert.equal(isHidden(region, view, SIZE, INSETS), false);
  const calmed = shown([...at100, ...times(20, square(1500))], 100, region);
  assert.equal(calmed.moves.length, 3, "it does not come closer within fifteen seconds of that");
});

test("the first view shows everything, clear of banner, tools and legend", () => {
  const { moves, view } = shown([square(2000)]);
  assert.equal(moves.length, 1);
  for (const [x, y] of [
    [-2000, -2000],
    [2000, 2000],
    [0, 0],
  ]) {
    const at = [480 + (x - view.x) / view.metres, 255 - (y - view.y) / view.metres];
    for (const [left, top, right, bottom] of [TOOLS, BANNER, LEGEND])
      assert.ok(at[0] < left - 10 || at[0] > right + 10 || at[1] - 28 > bottom || at[1] < top - 10, `${at}`);
  }
});

test("what comes and goes, as at 60 times, makes the view grow once and stand", () => {
  const boxes = [];
  for (let i = 0; i < 300; i++) boxes.push(square(i % 20 < 10 ? 2000 : 4200)); // far and near every second for 30 s
  const { moves } = shown(boxes);
  assert.equal(moves.length, 2, "the first view, and one that is wide enough");
});

test("it comes closer after five seconds of being clearly too wide, and shows all that there was meanwhile", () => {
  const wide = times(10, square(6000));
  assert.equal(shown([...wide, ...times(49, square(1500))]).moves.length, 1);
  const { moves, view } = shown([...wide, ...times(30, square(1500)), ...times(40, square(2500))]);
  assert.equal(moves.length, 2);
  assert.equal(moves[1].i, 60);
  assert.equal(isHidden(square(2500), view, SIZE, INSETS), false);
  assert.equal(shown([...wide, ...times(200, square(4500))]).moves.length, 1, "three quarters of it is not too wide");
});

test("who leaves the view at one side while the whole still fits moves it no farther than needed", () => {
  const { moves, view } = shown([
    square(4000),
    ...times(
      20,
      [-4000, -4000, 4000, 4000].map((m, i) => m + (i % 2 ? 0 : 11_000)),
    ),
  ]);
  assert.equal(moves.length, 2);
  assert.equal(view.metres, moves[0].to.metres);
  assert.ok(view.x - moves[0].to.x < 4000);
});

test("at 100 times it moves twice in fifteen seconds at most, however far drivers and customers come and go", () => {
  let seed = 7;
  const chance = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  const region = square(8000); // customers live beyond it, too
  const boxes = Array.from({ length: 1200 }, (_, i) => {
    const [x, y, half] = [0, 0, 0].map(() => 12_000 * (chance() - 0.5) * (0.4 + 0.6 * Math.sin(i / 90) ** 2));
    return [x - Math.abs(half) - 800, y - 800, x + 800, y + Math.abs(half) + 800];
  });
  const { moves } = shown(boxes, 100, region);
  const itself = moves.slice(1).map(({ i }) => i * 100);
  assert.ok(itself.length >= 2, "it does move");
  for (let k = 2; k < itself.length; k++) assert.ok(itself[k] - itself[k - 2] >= 15_000, `at ${itself}`);
});

test("growing waits a second and a half for the next growth", () => {
  const { moves } = shown(Array.from({ length: 400 }, (_, i) => square(2000 + 400 * i)));
  for (let k = 2; k < moves.length; k++) assert.ok(moves[k].i - moves[k - 1].i >= 15);
  assert.ok(moves.length > 3);
  for (const { from, to } of moves.slice(1)) assert.ok(to.metres > from.metres);
});
