import assert from "node:assert/strict";
import { test } from "node:test";
import { captionAt } from "../../twin/pages/kiosk/captions.js";

const SCENE = { name: "Home", headline: "Home, Thursday 18:10: drivers are short", detail: "57 meals waited" };
const QUIET = { headline: "Home, Thursday", detail: "", since: null, until: null, trouble: false };
const SHORT = { headline: SCENE.headline, detail: "So far 9", since: 90, until: null, trouble: true };

test("a caption by time says what was known at it, never a later one", () => {
  const captions = [
    [100, QUIET],
    [200, SHORT],
  ];
  assert.equal(captionAt({ ...SCENE, captions }, 199), QUIET);
  assert.equal(captionAt({ ...SCENE, captions }, 200), SHORT);
  assert.equal(captionAt({ ...SCENE, captions }, null), QUIET);
});

test("a caption that somebody wrote holds all the time, and before that is known there is the name alone", () => {
  assert.equal(captionAt({ ...SCENE, captions: [] }, 5).detail, "57 meals waited");
  assert.deepEqual(captionAt({ ...SCENE, captions: null }, 5), { ...QUIET, headline: "Home" });
});
