import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { fadeSpan, Motion } from "../../twin/views/map/motion.js";
import { unpack } from "../../twin/views/map/wire.js";
import { clockAt, received, vectors, wall } from "./support.js";

beforeEach(() => {
  wall.now = 0;
});

/** A motion on a clock, and the questions that it asked. */
function motionAt(anchor) {
  const clock = clockAt(anchor);
  const asked = [];
  const motion = new Motion(clock, (question) => asked.push(question));
  motion.forget(1);
  return { clock, motion, asked };
}

/** A window of one trip from (0, 0) to (100, 50), on the road from `start` to `end`. */
function windowOf({ order = 7, start, end, ...rest }) {
  const columns = {
    start: [Float64Array, "<f8", [start]],
    end: [Float64Array, "<f8", [end]],
    order: [Int32Array, "<i4", [order]],
    offsets: [Int32Array, "<i4", [0, 2]],
    t: [Float32Array, "<f4", [0, end - start]],
    x: [Float32Array, "<f4", [0, 100]],
    y: [Float32Array, "<f4", [0, 50]],
    cx: [Float32Array, "<f4", [100]],
    cy: [Float32Array, "<f4", [50]],
    age: [Float32Array, "<f4", [600]],
    promise: [Float32Array, "<f4", [end - start]],
    gap_trip: [Int32Array, "<i4", rest.gaps?.map(() => 0) ?? []],
    gap_from: [Float32Array, "<f4", rest.gaps?.map(([from]) => from) ?? []],
    gap_to: [Float32Array, "<f4", rest.gaps?.map(([, to]) => to) ?? []],
    stall_trip: [Int32Array, "<i4", rest.stalls?.map(() => 0) ?? []],
    stall_from: [Float64Array, "<f8", rest.stalls?.map(([from]) => from) ?? []],
    stall_to: [Float64Array, "<f8", rest.stalls?.map(([, to]) => to) ?? []],
  };
  const parts = Object.values(columns).map(([Kind, , values]) => Buffer.from(new Kind(values).buffer));
  return {
    layout: Object.entries(columns).map(([name, [, dtype, values]]) => [name, dtype, values.length]),
    packed: new Uint8Array(Buffer.concat(parts)),
    from: 0,
    to: 1000,
    crowd: 0,
    within: null,
    ...rest,
  };
}

test("drivers are where Python's timeline has them, and no others are on the road", () => {
  let places = 0;
  for (const { from, to, message, tolerance, moments } of vectors.windows) {
    const { clock, motion, asked } = motionAt({ t0: from, start: from, end: to });
    motion.advance();
    motion.receive({ ...received(message), from, to, crowd: 0, within: null, number: asked.at(-1).number, version: 1 });
    for (const { t, drivers } of moments) {
      clock.predict({ t0: t });
      assert.ok(motion.advance(), "the moment is held");
      const here = new Map(motion.active.filter((trip) => !Number.isNaN(trip.px)).map((trip) => [trip.order, trip]));
      assert.deepEqual([...here.keys()].sort(), drivers.map(([order]) => order).sort());
      for (const [order, x, y] of drivers) {
        const off = Math.hypot(here.get(order).px - x, here.get(order).py - y);
        assert.ok(off <= tolerance + 0.1, `order ${order} at ${t} is ${off.toFixed(2)} m off`);
        places++;
      }
    }
  }
  assert.ok(places > 50);
});

test("columns are read by the header that comes with them, wherever each begins", () => {
  const { message, columns } = vectors.pins;
  const told = unpack(received(message));
  assert.deepEqual(Object.keys(told), Object.keys(columns));
  for (const [name, values] of Object.entries(columns))
    assert.deepEqual(
      Array.from(told[name], (value) => (Number.isNaN(value) ? null : value)),
      values,
      name,
    );
  const odd = new Uint8Array(4 + 8);
  new DataView(odd.buffer).setFloat64(4, 0.5, true);
  const layout = [
    ["a", "<i4", 1],
    ["b", "<f8", 1],
  ];
  assert.deepEqual([...unpack({ layout, packed: odd }).b], [0.5]);
  const text = Buffer.from(odd).toString("base64"); // where a notebook takes no bytes
  assert.deepEqual([...unpack({ layout, packed: text }).b], [0.5]);
});

test("nothing is drawn before a window is here; then a driver is asked for no more", () => {
  const { motion, asked } = motionAt({ t0: 100 });
  assert.equal(motion.advance(), false);
  assert.equal(asked.length, 1);
  assert.deepEqual([asked[0].from, asked[0].to, asked[0].at], [100 - fadeSpan(1), 160, 100]);
  motion.advance();
  assert.equal(asked.length, 1, "one question at a time");
  assert.equal(motion.receive({ ...windowOf({ start: 50, end: 150 }), number: 99, version: 1 }), false);
  assert.equal(motion.receive({ ...windowOf({ start: 50, end: 150 }), number: 1, version: 2 }), false);
  assert.equal(motion.receive({ ...windowOf({ start: 50, end: 150 }), number: 1, version: 1 }), true);
  assert.equal(motion.advance(), true);
  assert.deepEqual([motion.active[0].px, motion.active[0].py], [50, 25]);
});

test("an answer that does not come is given up after five seconds", () => {
  const { motion, asked } = motionAt({ t0: 100 });
  motion.advance();
  wall.now = 4.9;
  motion.advance();
  assert.equal(asked.length, 1);
  wall.now = 5.1;
  motion.advance();
  assert.equal(asked.length, 2);
});

test("while it plays, the next window is asked for before the end of what is held", () => {
  const { motion, asked } = motionAt({ t0: 100, playing: true, speed: 100 });
  motion.advance();
  motion.receive({ ...windowOf({ start: 50, end: 150, to: 1100 }), number: 1, version: 1 });
  wall.now = 1.5;
  motion.advance();
  assert.equal(asked.length, 2);
  assert.equal(asked[1].from, 1100);
  assert.equal(asked[1].after, 1100);
});

test("a driver is at risk when the promise is too late, late when the order is too old, and fades when delivered", () => {
  const { clock, motion } = motionAt({ t0: 100 });
  motion.target = 700; // the order is 600 s old when the trip begins at 50: due at 150
  motion.advance();
  motion.receive({
    ...windowOf({ start: 50, end: 250, stalls: [[120, 130]], gaps: [[10, 20]] }),
    number: 1,
    version: 1,
  });
  const at = (t) => {
    clock.predict({ t0: t });
    motion.advance();
    return motion.active.map(({ tone, inferred }) => [tone, inferred]);
  };
  assert.deepEqual(at(65), [[1, true]]);
  assert.deepEqual(at(100), [[1, false]]);
  assert.deepEqual(at(125), [], "its order has stalled");
  assert.deepEqual(at(160), [[2, false]]);
  assert.deepEqual(at(251), []);
  assert.deepEqual(
    motion.faded.map(({ order }) => order),
    [7],
  );
  assert.deepEqual([at(250 + fadeSpan(1) + 1), motion.faded.length], [[], 0]);
});

test("a driver whose way is corrected goes on from where he is drawn, told as inferred, and is there soon", () => {
  const { clock, motion } = motionAt({ t0: 1000, playing: true, end: 2000, edge: 2000, live: true, pace: 1 });
  const message = (rest) => received(windowOf({ ...rest, version: 1, pushed: true, from: 900, to: 1900 }));
  motion.receive(message({ start: 900, end: 1100 }));
  motion.advance();
  const [driver] = motion.active;
  assert.equal(driver.px, 50);
  motion.receive({ ...message({ start: 900, end: 1300 }), grown: true });
  motion.advance();
  assert.ok(Math.abs(motion.active[0].px - 50) < 0.1, "no jump");
  assert.ok(motion.active[0].inferred);
  let far = Infinity;
  for (wall.now = 0.1; wall.now < 1.5; wall.now += 0.1) {
    motion.advance();
    const there = ((clock.now() - 900) / 400) * 100;
    const off = Math.abs(motion.active[0].px - there);
    assert.ok(off < far, "it comes nearer all the time");
    far = off;
  }
  wall.now = 1.6;
  motion.advance();
  assert.ok(Math.abs(motion.active[0].px - (101.6 / 400) * 100) < 1e-3);
  assert.ok(!motion.active[0].inferred);
});

test("a window of another moment is no correction: a seek glides nowhere", () => {
  const { motion } = motionAt({ t0: 1000, playing: false, end: 2000 });
  const message = (rest) => received(windowOf({ ...rest, version: 1, pushed: true, from: 900, to: 1900 }));
  motion.receive(message({ start: 900, end: 1100 }));
  motion.advance();
  motion.receive(message({ start: 900, end: 1300 }));
  motion.advance();
  assert.equal(motion.active[0].px, 25);
});

test("drivers that are held follow their orders to other rows", () => {
  const { motion } = motionAt({ t0: 1000, playing: false, end: 2000 });
  motion.receive(
    received(windowOf({ order: 7, start: 900, end: 1100, version: 1, pushed: true, from: 900, to: 1900 })),
  );
  motion.advance();
  motion.renew(2, [0, 7, 9]);
  assert.equal(motion.version, 2);
  assert.ok(motion.trip(10));
  assert.equal(motion.trip(7), null);
});

/** A trip that has come to (40, 0) after `seen` seconds, and goes on to (100, 0) and (100, 60) as planned. */
function underWay(seen, promise) {
  const one = windowOf({ start: 1000, end: 9000 });
  const columns = { ...unpack(one) };
  const parts = {
    ...columns,
    offsets: Int32Array.of(0, 4),
    t: Float32Array.of(0, seen, Infinity, Infinity),
    x: Float32Array.of(0, 40, 100, 100),
    y: Float32Array.of(0, 0, 0, 60),
    promise: Float32Array.of(promise),
  };
  const kinds = Object.fromEntries(one.layout);
  return {
    ...one,
    version: 1,
    pushed: true,
    from: 900,
    to: 3000,
    layout: Object.entries(parts).map(([name, values]) => [name, kinds[name], values.length]),
    packed: new Uint8Array(Buffer.concat(Object.values(parts).map((values) => Buffer.from(values.slice().buffer)))),
  };
}
const placeAt = (message, t, edge) => {
  const { motion } = motionAt({ t0: t, end: 3000, ...(edge && { edge }) });
  motion.receive(message);
  motion.advance();
  const [{ px, py, inferred }] = motion.active;
  return [Math.round(px), Math.round(py), inferred];
};

test("a live driver without a later ping goes on along the planned route at the own pace, told as inferred", () => {
  const message = underWay(80, 600);
  assert.deepEqual(placeAt(message, 1080, 3000), [40, 0, false]);
  assert.deepEqual(placeAt(message, 1100, 3000), [50, 0, true]);
  assert.deepEqual(placeAt(message, 1220, 3000), [100, 10, true]);
  assert.deepEqual(placeAt(message, 2900, 3000), [100, 60, true], "and waits at the door");
  assert.deepEqual(placeAt(message, 1220), [40, 0, false], "a replay shows what was known");
});

test("one who has only begun goes as was promised", () => {
  assert.deepEqual(placeAt(underWay(10, 320), 1050, 3000), [60, 0, true]);
  assert.deepEqual(
    placeAt(underWay(10, Number.NaN), 1050, 3000),
    [40, 0, false],
    "without a promise nothing is guessed",
  );
});
