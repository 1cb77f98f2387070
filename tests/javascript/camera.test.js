import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Camera, toLat, toLon } from "../../twin/views/map/camera.js";
import { stillTime } from "./support.js";

const KITCHEN = [-13_626_000, 4_548_000];
let time;
/** As in a browser, what was asked for once tells of changes. */
const reduced = { matches: false };
// @ts-expect-error: what of a MediaQueryList is looked at
globalThis.matchMedia = () => reduced;
beforeEach(() => {
  time = stillTime();
  reduced.matches = false;
});
afterEach(() => mock.restoreAll());

/** A camera over a figure of 1000 × 500 pixels, at its first view of 10 × 5 km. */
function cameraOf(viewport = []) {
  const range = () => ({
    start: 0,
    end: 1,
    setv(values) {
      Object.assign(this, values);
    },
  });
  const [kx, ky] = KITCHEN;
  const model = { viewport, scene: { kitchen: KITCHEN, home: [kx - 5000, ky - 2500, kx + 5000, ky + 2500] } };
  const camera = new Camera(
    model,
    () => {},
    () => {},
  );
  camera.pv = { frame: { bbox: { width: 1000, height: 500 } }, model: { x_range: range(), y_range: range() } };
  camera.begin();
  return { camera, model, ranges: camera.pv.model };
}
const driver = (px, py) => ({ px, py, cx: px, cy: py });

test("it begins at home and fits to what is on the road; a given view is kept instead", () => {
  const { camera, ranges } = cameraOf();
  assert.equal(camera.fitting, true);
  assert.deepEqual([ranges.x_range.start, ranges.x_range.end], [KITCHEN[0] - 5000, KITCHEN[0] + 5000]);
  const there = [toLon(KITCHEN[0] + 1000), toLat(KITCHEN[1]), 14];
  const given = cameraOf(there).camera;
  assert.equal(given.fitting, false);
  assert.ok(Math.abs(given.view.x - KITCHEN[0] - 1000) < 0.01);
  assert.equal(cameraOf([0, 0, 14]).camera.fitting, true, "a view of elsewhere is not kept");
});

test("a range that changes by itself is put back, one that changes after an input is the user's", () => {
  const { camera, ranges } = cameraOf();
  camera.keep();
  ranges.x_range.start += 200;
  ranges.x_range.end += 200;
  camera.keep();
  assert.equal(ranges.x_range.start, KITCHEN[0] - 5000);
  camera.touch();
  ranges.x_range.start += 200;
  ranges.x_range.end += 200;
  camera.keep();
  assert.equal(camera.fitting, false);
  assert.equal(Math.round(camera.view.x - KITCHEN[0]), 200);
});

test("fitting moves only when somebody is out of view, at most every second and a half", () => {
  const { camera } = cameraOf();
  assert.equal(camera.consider([driver(1000, 500)], null), 0);
  assert.ok(camera.glide, "the view is more than twice as large as needed");
  time.pass(1000);
  camera.step();
  assert.equal(camera.glide, null);
  const before = { ...camera.view };
  assert.ok(camera.consider([driver(20_000, 0)], null) > 0, "too soon");
  time.pass(1500);
  camera.consider([driver(20_000, 0)], null);
  time.pass(1000);
  camera.step();
  assert.ok(camera.view.metres > before.metres);
  const right = camera.view.x + 500 * camera.view.metres;
  assert.ok(right > KITCHEN[0] + 20_000, "the driver is in view");
});

test("a driver is followed at street zoom, and may go some way from the middle before the view goes after", () => {
  const { camera } = cameraOf();
  camera.toggleFollow();
  assert.equal(camera.fitting, false);
  camera.consider([], driver(2900, 100));
  assert.deepEqual(camera.glide.to, { x: KITCHEN[0] + 2900, y: KITCHEN[1] + 100, metres: 2.5 });
  time.pass(1000);
  camera.step();
  camera.consider([], driver(3600, 100));
  assert.equal(camera.glide, null);
  camera.consider([], driver(3700, 100));
  assert.deepEqual(camera.glide.to, { x: KITCHEN[0] + 3700, y: KITCHEN[1] + 100, metres: 2.5 });
  time.pass(1000);
  camera.step();
  camera.zoom(0.4);
  time.pass(1000);
  camera.step();
  camera.toggleFollow();
  camera.consider([], driver(0, 0));
  assert.equal(camera.glide.to.metres, 1, "who is nearer stays so");
});

test("a driver who leaves the middle again at once is followed without a stop, until he stands", () => {
  const { camera } = cameraOf();
  camera.toggleFollow();
  camera.consider([], driver(0, 0));
  time.pass(1000);
  camera.step();
  let at = 0;
  let [glides, chased] = [0, 0];
  for (let frame = 0; frame < 300; frame++) {
    at += 12; // 100 times: 720 m of kitchen's ground each second, at 60 frames
    const before = camera.view.x;
    camera.consider([], driver(at, 0));
    if (camera.glide) glides++;
    else if (frame > 150 && camera.view.x > before) chased++;
    time.pass(1000 / 60);
    camera.step();
    if (frame > 200) assert.ok(Math.abs(KITCHEN[0] + at - camera.view.x) < 0.3 * 1000 * 2.5, "he stays in view");
  }
  assert.ok(glides < 30, "one glide");
  assert.ok(chased > 140, "then a step in every frame");
  for (let frame = 0; frame < 300; frame++) {
    camera.consider([], driver(at, 0));
    time.pass(1000 / 60);
    camera.step();
  }
  assert.equal(camera.chased, 0);
  assert.ok(Math.abs(KITCHEN[0] + at - camera.view.x) < 3);
});

test("once the followed driver has delivered, the view waits a moment and goes back to what it kept to before", () => {
  for (const fits of [true, false]) {
    const { camera } = cameraOf();
    if (!fits) camera.toggleFit();
    const before = { ...camera.view };
    const others = [driver(1000, 500), driver(-3000, 100)];
    camera.toggleFollow();
    camera.consider(others, null, true);
    time.pass(9000);
    camera.consider(others, null, true);
    assert.equal(camera.following, true, "who has not set out yet is waited for");
    camera.consider(others, driver(2900, 100), true);
    time.pass(1000);
    camera.step();
    assert.ok(camera.consider(others, null, true) > 0, "the place is shown where he delivered");
    time.pass(2000);
    assert.ok(camera.consider(others, null, true) > 0);
    assert.equal(camera.following, true);
    camera.consider(others, null, false);
    time.pass(60_000);
    camera.consider(others, null, false);
    assert.equal(camera.following, true, "a replay that stands may go back to him");
    camera.consider(others, null, true);
    time.pass(3100);
    camera.consider(others, null, true);
    assert.equal(camera.following, false);
    assert.equal(camera.fitting, fits);
    if (fits) camera.consider(others, null, true);
    else assert.deepEqual(camera.glide.to, before);
    assert.ok(camera.glide.to.metres > 2.5);
  }
});

test("a driver who outruns the view is seen from farther away, not fetched again and again", () => {
  const { camera } = cameraOf();
  camera.toggleFollow();
  let at = 0;
  const glides = [];
  for (let frame = 0; frame < 1200; frame++) {
    at += 50; // 3 km each second: a motorway at 100 times
    const before = camera.glide;
    camera.consider([], driver(at, 0));
    if (camera.glide && camera.glide !== before) glides.push(frame);
    time.pass(1000 / 60);
    camera.step();
  }
  assert.ok(glides.length <= 4, `it goes to him ${glides.length} times in twenty seconds`);
  assert.ok(camera.view.metres > 2.5 && camera.view.metres <= 20);
  assert.ok(Math.abs(KITCHEN[0] + at - camera.view.x) < 500 * camera.view.metres, "he is in view");
  camera.consider([], driver(at + 100_000, 0)); // a seek
  assert.equal(camera.glide.to.metres, camera.view.metres, "who is elsewhere at once is gone to as near as before");
});

test("who minds motion is taken there at once", () => {
  reduced.matches = true;
  const { camera } = cameraOf();
  camera.zoom(0.5);
  assert.equal(camera.glide, null);
  assert.equal(camera.view.metres, 5);
});

test("zoom stops where nothing more can be seen", () => {
  reduced.matches = true;
  const { camera } = cameraOf();
  for (let i = 0; i < 20; i++) camera.zoom(0.5);
  assert.equal(camera.view.metres, 0.3);
  for (let i = 0; i < 20; i++) camera.zoom(2);
  assert.equal(camera.view.metres, 400);
});

test("a view chosen by hand is told when it rests, home is told as none", () => {
  const { camera, model } = cameraOf();
  camera.zoom(0.5);
  time.pass(1000);
  camera.step();
  time.pass(500);
  assert.equal(model.viewport.length, 3);
  assert.ok(Math.abs(model.viewport[0] - toLon(KITCHEN[0])) < 1e-4);
  camera.home();
  time.pass(1000);
  camera.step();
  time.pass(500);
  assert.deepEqual(model.viewport, []);
});

test("a view across the antimeridian from its kitchen is the near one, and its address is on earth", () => {
  const half = 20037508.342789244;
  const kitchen = [half - 2000, 0];
  const model = { viewport: [-179.99, 0, 14], scene: { kitchen, home: [half - 7000, -2500, half + 3000, 2500] } };
  const still = () => {};
  const camera = new Camera(model, still, still);
  const range = () => ({ setv: still });
  camera.pv = { frame: { bbox: { width: 1000, height: 500 } }, model: { x_range: range(), y_range: range() } };
  camera.begin();
  assert.equal(camera.fitting, false, "it is this kitchen's region");
  assert.ok(camera.view.x > half && camera.view.x < half + 2000);
  assert.ok(Math.abs(toLon(camera.view.x) + 179.99) < 1e-9);
});
