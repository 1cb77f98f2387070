import assert from "node:assert/strict";
import { test } from "node:test";
import { nowText } from "../../twin/views/moments/now.js";
import { knownAt, lastKnown, spellsAt, toldAt } from "../../twin/views/shared/known.js";

const SHORT = { title: "Drivers are short", stage: "ready", start: 3900, end: 4200, going_on: true };
const BLOCKS = [
  { start: 0, end: 3600, changes: [[0, [], false]] },
  {
    start: 3600,
    end: 7200,
    changes: [
      [3600, [], false],
      [4200, [SHORT], true],
    ],
  },
  { start: 10800, end: 14400, changes: [[10800, [], false]] },
];

test("at any time the last look is used, never a later one", () => {
  for (let t = 3600; t < 7200; t += 13) {
    const known = knownAt(BLOCKS, t);
    assert.equal(known.t, t < 4200 ? 3600 : 4200);
    assert.deepEqual(known.troubles, t < 4200 ? [] : [SHORT]);
    assert.equal(known.partly, t >= 4200);
  }
});

test("where nobody has looked yet nothing is known, not even that all is well", () => {
  assert.equal(knownAt(BLOCKS, 8000), null);
  assert.equal(knownAt(BLOCKS, -1), null);
  assert.equal(knownAt([], 0), null);
});

test("the last trouble is one that was known by then", () => {
  assert.equal(lastKnown(BLOCKS, 4199), null);
  assert.equal(lastKnown(BLOCKS, 4200), SHORT);
  assert.equal(lastKnown(BLOCKS, 12000), SHORT);
});

test("how big a trouble is now is said in the figures of its stage, where there are any", () => {
  const stages = { ready: { count: 31, age: 910, usual: 490 }, created: { count: 1, age: null, usual: 60 } };
  assert.equal(nowText({ stage: "ready" }, stages), "Now 31 meals waiting, 7 min over usual");
  assert.equal(nowText({ stage: "created" }, stages), "Now 1 order waiting to be started");
  assert.equal(nowText({ stage: "ready" }, { ready: { count: 2, age: 60, usual: 490 } }), "Now 2 meals waiting");
  assert.equal(nowText({ stage: "" }, stages), "");
  assert.equal(nowText({ stage: "cooking" }, stages), "");
  assert.equal(nowText({ stage: "ready" }, null), "");
});

const zone = {
  clockText: (t) =>
    `${String(Math.floor(t / 3600)).padStart(2, "0")}:${String(Math.floor((t % 3600) / 60)).padStart(2, "0")}`,
  dayText: () => "Thu",
};
const MOMENT = {
  kind: "driver_shortage",
  stage: "ready",
  trouble: true,
  start: 4020,
  end: 6000,
  settled: 9000,
  when: "Thu 01:07–01:40",
  title: "Drivers are short",
  sentence: "31 meals waited 19 min",
};
const GOES_ON = { ...MOMENT, start: 3900, end: 4200, going_on: true, sentence: "So far 9 meals waited 12 min" };
const OVER = { ...GOES_ON, end: 5700, when: "Thu 01:05–01:35", going_on: false, sentence: "30 meals waited 18 min" };
const OF_IT = [
  {
    start: 3600,
    end: 7200,
    changes: [
      [3600, [], false],
      [4200, [GOES_ON], false],
      [6000, [OVER], false],
      [6600, [], false],
    ],
  },
];
const told = (t, hindsight = false) => toldAt(MOMENT, t, OF_IT, { hindsight, zone });

test("a moment is told as it was known, and whole only once all of its orders had their end", () => {
  const ahead = told(4100);
  assert.deepEqual([ahead.sentence, ahead.now, ahead.later], [MOMENT.sentence, false, true]);
  const during = told(4300);
  assert.deepEqual([during.sentence, during.start], [`${GOES_ON.sentence} (as of 01:10)`, 3900]);
  assert.deepEqual([during.words, during.now, during.later], ["since Thu 01:05 · 6 min so far", true, false]);
  const over = told(6100);
  assert.deepEqual([over.sentence, over.words], [OVER.sentence, "Thu 01:05–01:35 · 30 min"]);
  assert.deepEqual([over.now, over.later], [false, false]);
  for (const t of [6700, 8999]) {
    const after = told(t);
    assert.equal(after.sentence, `${OVER.sentence} (as of 01:40)`);
    assert.deepEqual([after.now, after.later, after.words], [false, false, "Thu 01:07–01:40 · 33 min"]);
  }
  assert.deepEqual([told(9000).sentence, told(9000).later], [MOMENT.sentence, false]);
  assert.deepEqual([told(5000, true).sentence, told(5000, true).later], [MOMENT.sentence, true]);
  const unseen = toldAt(MOMENT, 8000, [], { hindsight: false, zone });
  assert.deepEqual([unseen.sentence, unseen.later], [MOMENT.sentence, true], "nobody looked: what is ahead is marked");
});

test("the ribbon begins where alert and list say that it does", () => {
  const short = [
    [4020, 6000, 2],
    [20000, 21000, 1],
  ];
  const at = (t) => spellsAt(short, [MOMENT], t, OF_IT)[0];
  assert.deepEqual(at(4100), [4020, 6000, 2]);
  assert.deepEqual(at(4300), [3900, 6000, 2]);
  assert.deepEqual(at(6100), [3900, 5700, 2]);
  assert.deepEqual(at(6700), [4020, 6000, 2]);
  assert.deepEqual(spellsAt(short, [MOMENT], 4300, OF_IT)[1], short[1]);
});
