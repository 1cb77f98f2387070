import assert from "node:assert/strict";
import { test } from "node:test";
import { captionAt } from "../../twin/pages/kiosk/captions.js";

const SCENE = { name: "Home", headline: "Home, Thursday 18:10: drivers are short", detail: "57 meals waited" };

test("a caption by time says what was known at it, never a later one", () => {
  const captions = [
    [100, "Home, Thursday", ""],
    [200, "Home, Thursday 18:10: drivers are short", "So far 9"],
  ];
  assert.deepEqual(captionAt({ ...SCENE, captions }, 199), { headline: "Home, Thursday", detail: "" });
  assert.equal(captionAt({ ...SCENE, captions }, 200).detail, "So far 9");
  assert.equal(captionAt({ ...SCENE, captions }, null).headline, "Home, Thursday");
});

test("a caption that somebody wrote holds all the time, and before that is known there is the name alone", () => {
  assert.equal(captionAt({ ...SCENE, captions: [] }, 5).detail, "57 meals waited");
  assert.deepEqual(captionAt({ ...SCENE, captions: null }, 5), { headline: "Home", detail: "" });
});
