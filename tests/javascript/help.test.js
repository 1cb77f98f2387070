import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { KEYS } from "../../twin/pages/operations/help.js";
import { PAGE_KEYS } from "../../twin/pages/operations/keys.js";
import { FOCUS_KEYS } from "../../twin/views/shared/keys.js";
import { REPLAY_KEYS, TIMELINE_KEYS } from "../../twin/views/transport/keys.js";

const BINDINGS = [...REPLAY_KEYS, ...PAGE_KEYS, ...TIMELINE_KEYS, ...FOCUS_KEYS];
const ROOT = new URL("../../twin/", import.meta.url);
/** How the names of keys are written in the help, where it is not the name itself. */
const SHOWN = {
  " ": "space",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  escape: "esc",
  pageup: "page up",
  pagedown: "page down",
};
const shown = new Set(KEYS.flatMap(([, lines]) => lines.flatMap(([names]) => names)).map((name) => name.toLowerCase()));

test("the help shows every key that is bound, those of the loop, too", () => {
  for (const key of ["[", "]", "\\", "Space", "Esc"]) assert.ok(shown.has(key.toLowerCase()), key);
  for (const { keys } of BINDINGS)
    for (const key of keys)
      if (!/^[0-9]$/.test(key))
        assert.ok(shown.has(SHOWN[key] ?? key), `${key} is bound, the help has only ${[...shown]}`);
  assert.ok(shown.has("1") && shown.has("6"), "1 – 6 stands for all between");
});

test("no key is taken anywhere in the page that the tables do not have", () => {
  const bound = new Set(BINDINGS.flatMap(({ keys }) => keys));
  const files = ["views", "pages/operations"].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .map((name) => new URL(`${folder}/${name}`, ROOT)),
  );
  const taken = /\b(Arrow\w+|Page(?:Up|Down)|Home(?=:)|End(?=:))|\bevent\.key [!=]== "([^"]+)"/g;
  let n = 0;
  for (const file of files)
    for (const [, name, compared] of readFileSync(file, "utf8").matchAll(taken)) {
      n++;
      assert.ok(bound.has((name ?? compared).toLowerCase()), `${name ?? compared} in ${file}`);
    }
  assert.ok(n > 20, "the search finds what there is");
});
