import assert from "node:assert/strict";
import { test } from "node:test";
import { closeLast, FocusOrigin, isSpaceFree, opened } from "../../twin/views/shared/keys.js";
import { selectionOf } from "../../twin/views/shared/verbs.js";
import { press } from "../../twin/views/transport/keys.js";
import { modelOf } from "./support.js";

const BUTTON = "a button";
const NEXT = "the next button";

test("what was clicked is not what Space presses, until a key moves the focus elsewhere", () => {
  const origin = new FocusOrigin();
  origin.key("Tab", "the page");
  origin.key(" ", BUTTON);
  assert.equal(origin.clicked, false, "came to by Tab");
  origin.press();
  origin.key(" ", BUTTON);
  assert.equal(origin.clicked, true);
  origin.key("ArrowRight", BUTTON);
  origin.key(" ", BUTTON);
  assert.equal(origin.clicked, true, "the arrow stepped the replay, the focus stayed");
  origin.key("Tab", BUTTON);
  origin.key(" ", NEXT);
  assert.equal(origin.clicked, false);
  origin.key("Tab", NEXT);
  origin.key(" ", BUTTON);
  assert.equal(origin.clicked, false, "and back: by the keyboard this time");
});

test("a clicked button that is drawn anew, or gets the focus back by Escape, is still clicked", () => {
  const origin = new FocusOrigin();
  origin.press();
  origin.key(" ", "the tab");
  origin.key(" ", "the same tab, drawn anew");
  assert.equal(origin.clicked, true);
  origin.press();
  origin.key("Escape", "a button of the dialog");
  origin.key(" ", "the button that opened it");
  assert.equal(origin.clicked, true);
});

test("a key does what it is bound to, except where the focus has a use for it", () => {
  const done = [];
  const clock = { anchor: { step: 60, start: 0, end: 100 }, now: () => 50 };
  const verbs = new Proxy({}, { get: (_, name) => (value) => done.push([name, value].filter((x) => x !== undefined)) });
  const down = (key, focus, more = {}) =>
    press({ key, shiftKey: false, repeat: false, composedPath: () => [focus], ...more }, { clock, verbs, model });
  const model = { speeds: [1, 60] };
  const nowhere = node();
  assert.equal(down(" ", nowhere), true);
  assert.equal(down(" ", nowhere, { repeat: true }), true, "held down: used, but played once");
  assert.equal(down("ArrowLeft", nowhere, { shiftKey: true }), true);
  assert.equal(down("2", nowhere), true);
  assert.equal(down("\\", nowhere), true);
  assert.equal(down("9", nowhere), false, "there is no ninth speed");
  assert.equal(down(" ", node("summary")), false, "a button that has the focus");
  assert.equal(down("End", node("textarea")), false);
  assert.equal(down("ArrowLeft", node('[role="tab"]')), false);
  assert.deepEqual(done, [["toggle"], ["hold", -550], ["speed", 60], ["wholeRange"]]);
});

/** An element that matches what its words say, as far as these tests need it. */
const node = (...words) => ({ matches: (selector) => words.some((word) => selector.includes(word)) });

test("Space stays with a text field and with what stands in front of the page", () => {
  assert.equal(isSpaceFree([node("a[href]"), node("section"), {}]), true);
  assert.equal(isSpaceFree([node("textarea"), node("section")]), false);
  assert.equal(isSpaceFree([node("a[href]"), node("dialog[open]")]), false);
  assert.equal(isSpaceFree([{}]), true, "a document has no selectors");
});

test("Escape closes what opened last, one thing at a time", () => {
  const closed = [];
  const listOff = opened(() => closed.push("list"));
  opened(() => closed.push("layers"));
  opened(() => closed.push("menu"))(); // closed by itself
  assert.equal(closeLast(), true);
  assert.deepEqual(closed, ["layers"]);
  assert.equal(closeLast(), true);
  assert.deepEqual(closed, ["layers", "list"]);
  listOff();
  assert.equal(closeLast(), false);
});

test("the order goes before the stage that is picked out", () => {
  const selected = selectionOf(modelOf({ selection: {} }));
  selected.filter("ready");
  selected.select(4);
  assert.equal(selected.back(), true);
  assert.deepEqual([selected.row, selected.stage], [-1, "ready"]);
  assert.equal(selected.back(), true);
  assert.deepEqual([selected.row, selected.stage], [-1, ""]);
  assert.equal(selected.back(), false);
});
