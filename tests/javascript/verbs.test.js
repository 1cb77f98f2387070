import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { selectionOf, verbsOf } from "../../twin/views/shared/verbs.js";
import { clockAt, modelOf, stillTime, wall } from "./support.js";

afterEach(() => mock.restoreAll());

test("a verb is applied at once and told with the playhead and the epoch that it led to", () => {
  wall.now = 0;
  const model = modelOf();
  const clock = clockAt({ t0: 10, playing: true, speed: 2, epoch: 7 });
  const verbs = verbsOf(model, clock);
  wall.now = 5;
  verbs.pause();
  assert.equal(clock.now(), 20);
  assert.deepEqual(model.sent, [{ verb: "pause", at: 20, epoch: 8 }]);
  verbs.seek(1e9);
  assert.deepEqual(model.sent[1], { verb: "seek", t: 86_400, epoch: 9 });
});

test("a range and its loop are two messages, the second with the playhead that both led to", () => {
  wall.now = 0;
  const model = modelOf();
  const clock = clockAt({ t0: 10 });
  verbsOf(model, clock).section(100, 200);
  assert.deepEqual(
    model.sent.map(({ verb, start, end, loop, at }) => ({ verb, start, end, loop, at })),
    [
      { verb: "set_range", start: 100, end: 200, loop: undefined, at: undefined },
      { verb: "set_loop", start: undefined, end: undefined, loop: true, at: 100 },
    ],
  );
});

test("a moment outside of the section that is played leaves the section, if it is loaded", () => {
  wall.now = 0;
  const model = modelOf();
  const clock = clockAt({ t0: 150, start: 100, end: 200, loop: true });
  clock.window = { start: 0, end: 1000 };
  verbsOf(model, clock).visit(500);
  assert.deepEqual([clock.anchor.start, clock.anchor.end, clock.anchor.loop, clock.now()], [0, 1000, false, 500]);
});

test("while the playhead is held at most ten messages a second go out, and the last one surely", () => {
  const time = stillTime();
  const model = modelOf();
  const verbs = verbsOf(model, clockAt({}));
  for (let t = 0; t < 50; t++) {
    verbs.hold(t);
    time.pass(1);
  }
  assert.equal(model.sent.length, 1);
  time.pass(100);
  assert.deepEqual(
    model.sent.map(({ at }) => at),
    [0, 49],
  );
});

test("a selection is told once, and the server's older word does not undo it", () => {
  const model = modelOf({ selection: { row: -1, stage: "", away: false, loads: 1, version: 3 } });
  const selected = selectionOf(model);
  const heard = [];
  selected.on(({ row, stage }) => heard.push([row, stage]));
  selected.select(5);
  assert.deepEqual(model.sent, [{ selection: { row: 5, stage: "", away: false, loads: 1, version: 4 } }]);
  selected.take({ row: 2, stage: "", loads: 1, version: 3 });
  assert.equal(selected.row, 5);
  selected.select(5);
  assert.equal(selected.row, -1);
  selected.filter("ready");
  selected.filter("ready");
  assert.deepEqual(heard, [
    [5, ""],
    [-1, ""],
    [-1, "ready"],
    [-1, ""],
  ]);
});

test("a group of orders stays when an order is selected, and goes with a stage, with Escape or when all are shown", () => {
  const group = { number: 3, label: "Cook 18:00–19:00", orders: 2 };
  const told = { row: -1, stage: "", away: false, loads: 1, version: 3, group };
  const model = modelOf({ selection: told, clock: "grouped" });
  const selected = selectionOf(model);
  selected.show(5);
  assert.deepEqual(model.sent.pop(), {
    selection: { row: 5, stage: "", away: false, loads: 1, version: 4, group: 3 },
  });
  assert.equal(selected.back(), true); // the order
  assert.equal(selected.group, group);
  assert.equal(selected.back(), true); // then the group
  assert.equal(selected.group, null);
  assert.equal(selected.back(), false);
  for (const end of [() => selected.filter("ready"), () => selected.showAll(), () => selected.clear()]) {
    selected.take({ ...told, version: selected.version + 1 });
    assert.equal(selected.group, group);
    end();
    assert.equal(selected.group, null);
    assert.equal("group" in model.sent.pop().selection, false);
  }
});

test("rows of a new timeline overrule what the user did, and nothing is pointed at any more", () => {
  const model = modelOf({ selection: { row: 4, stage: "", away: false, loads: 1, version: 1 } });
  const selected = selectionOf(model);
  selected.hover(9);
  selected.select(8);
  assert.deepEqual(model.sent.length, 1, "pointing is not told");
  selected.take({ row: 1, stage: "", loads: 2, version: 1 });
  assert.deepEqual([selected.row, selected.hovered, selected.version], [1, -1, 2]);
});

test("a view that is removed sends nothing any more; another one on the clock does", () => {
  const selection = { row: -1, stage: "", away: false, loads: 1, version: 1 };
  const [one, other] = [modelOf({ selection }), modelOf({ selection })];
  other.clock = one.clock;
  const selected = selectionOf(one);
  assert.equal(selectionOf(other), selected);
  one.say("remove");
  selected.select(3);
  assert.deepEqual([one.sent.length, other.sent.length], [0, 1]);
});
