import assert from "node:assert/strict";
import { test } from "node:test";
import { LETTERS, layOut, Names, stepOf } from "../../twin/views/map/names.js";
import { Pointer } from "../../twin/views/map/pointer.js";
import { twin } from "../../twin/views/shared/registry.js";

const measure = (text) => 7 * text.length;
const name = (text, kind, rank, ...at) => ({ text, kind, rank, at });
/** Numbers 0..1 that are the same in every run. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Whether two names in their places cover each other: their rectangles, turned by their angles, by the separating axis. */
function cover(a, b, metres) {
  const corners = ({ x, y, angle, width, kind }) => {
    const height = LETTERS[kind].size;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ].map(([i, j]) => [
      x / metres + (i * c * width) / 2 - (j * s * height) / 2,
      -y / metres + (i * s * width) / 2 + (j * c * height) / 2,
    ]);
  };
  const [p, q] = [corners(a), corners(b)];
  return [a.angle, a.angle + Math.PI / 2, b.angle, b.angle + Math.PI / 2].every((angle) => {
    const along = (points) => points.map(([x, y]) => x * Math.cos(angle) + y * Math.sin(angle));
    const [u, v] = [along(p), along(q)];
    return Math.max(...u) > Math.min(...v) && Math.max(...v) > Math.min(...u);
  });
}

test("no name covers another at any zoom, and none is smaller than 12 px", () => {
  const any = random(7);
  const kinds = Object.keys(LETTERS);
  const names = Array.from({ length: 250 }, (_, i) => {
    const kind = kinds[i % kinds.length];
    const at = [any() * 8000, any() * 8000];
    if (LETTERS[kind].along) for (let k = 0; k < 3; k++) at.push(any() * 8000, any() * 8000);
    return name(`Name ${"x".repeat(Math.floor(any() * 12))}`, kind, 1 + Math.floor(any() * 9), ...at);
  });
  let most = 0;
  for (const zoom of [3, 3.7, 9, 20, 45]) {
    const placed = layOut(names, stepOf(zoom), measure, [4000, 4000]);
    most = Math.max(most, placed.length);
    for (let i = 0; i < placed.length; i++)
      for (let j = 0; j < i; j++) assert.ok(!cover(placed[i], placed[j], zoom), `${zoom}: ${i} and ${j}`);
  }
  assert.ok(most > 40, `${most} names at most: the test says something`);
  assert.ok(Object.values(LETTERS).every(({ size }) => size >= 12));
});

test("the more important of two names that have no room together is written", () => {
  const names = [name("Second", "district", 3, 100, 100), name("First", "district", 2, 110, 100)];
  assert.deepEqual(
    layOut(names, 10, measure).map(({ text }) => text),
    ["First"],
  );
  assert.equal(layOut(names, 0.1, measure).length, 2, "near enough, both");
});

test("nothing is written where the kitchen is", () => {
  const names = [name("Here", "district", 1, 0, 0), name("There", "district", 1, 0, 2000)];
  assert.deepEqual(
    layOut(names, 10, measure, [0, 0]).map(({ text }) => text),
    ["There"],
  );
});

test("the name of a street follows its straight pieces, is never upside down, and comes again along a long one", () => {
  const bend = name("Market Street", "street", 1, 5000, 0, 0, 0, 0, 100, -5000, 5100);
  const placed = layOut([bend], 10, measure);
  assert.deepEqual(
    placed.map(({ angle }) => Number(angle.toFixed(3))),
    [0, Number((Math.PI / 4).toFixed(3))],
    "westward is written eastward; north-west goes down to the right",
  );
  assert.deepEqual([placed[0].x, placed[0].y], [2500, 0]);
  assert.equal(layOut([name("Long Road", "street", 1, 0, 0, 20_000, 0)], 10, measure).length, 3);
  assert.equal(layOut([name("Short Street", "street", 1, 0, 0, 900, 0)], 10, measure).length, 0, "no room");
  const crooked = [0, 0, 300, 300, 600, 0, 900, 300, 1200, 0];
  assert.equal(layOut([name("Lombard Street", "street", 1, ...crooked)], 5, measure).length, 0);
});

test("far away there are cities and waters, near by streets", () => {
  const names = [
    name("City", "city", 1, 0, 0),
    name("The whole", "city", 9, 0, -20_000),
    name("Bay", "water", 2, 0, 20_000),
    name("District", "district", 3, 0, 5000),
    name("Main Street", "street", 3, -2000, -5000, 2000, -5000),
    name("Small Street", "street", 6, -2000, -7000, 2000, -7000),
  ];
  const at = (metres) => layOut(names, metres, measure).map(({ text }) => text);
  assert.deepEqual(at(200), ["City", "Bay", "The whole"]);
  assert.deepEqual(at(40), ["City", "Bay", "District"]);
  assert.deepEqual(at(15), ["City", "Bay", "District", "Main Street"]);
  assert.deepEqual(at(4), ["Bay", "District", "Main Street", "Small Street"]);
});

test("between two steps of the zoom the places stay", () => {
  assert.equal(stepOf(8), 8);
  assert.equal(stepOf(7.9), 8);
  assert.equal(stepOf(8.1), stepOf(9.5));
  assert.ok(stepOf(8.1) >= 8.1);
});

test("a figure in which a panel is drawn again is written on by the last names only; what they throw is the panel's", () => {
  globalThis.document = { fonts: new EventTarget() };
  let finished = 0;
  const primary = {
    finish() {
      assert.equal(this, primary);
      finished++;
    },
  };
  const pv = { canvas_view: { primary } };
  const failures = [];
  const drawn = (write) => {
    twin.panel = {
      wrap: (act) => (given) => {
        try {
          act(given);
        } catch (error) {
          failures.push(error.message);
        }
      },
    };
    const names = new Names({});
    twin.panel = undefined;
    names.write = write;
    names.attach(pv);
    return names;
  };
  const wrote = [];
  const first = drawn(() => wrote.push("first"));
  primary.finish();
  first.remove();
  const second = drawn(() => wrote.push("second"));
  primary.finish();
  second.remove();
  drawn(() => {
    throw new Error("injected");
  });
  primary.finish();
  assert.deepEqual(wrote, ["first", "second"]);
  assert.deepEqual(failures, ["injected"]);
  assert.equal(finished, 3);
  delete globalThis.document;
});

test("a pointer of a panel that was drawn again hears nothing of its figure", () => {
  globalThis.document = { createElement: () => ({ setAttribute() {}, append() {}, dataset: {}, style: {} }) };
  let touched = 0;
  const events = new EventTarget();
  const pointer = new Pointer({ touch: () => touched++ });
  delete globalThis.document;
  pointer.attach(events);
  events.dispatchEvent(new Event("wheel"));
  pointer.remove();
  events.dispatchEvent(new Event("wheel"));
  assert.equal(touched, 1);
});
