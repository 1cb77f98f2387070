import assert from "node:assert/strict";
import { test } from "node:test";
import { RETRY_MS, SignIn } from "../../twin/views/shared/sign_in.js";

const json = (body) => ({ ok: true, json: async () => body });
const AWAY = { ok: false, type: "opaqueredirect", status: 0 };

/** A page that gets these answers one after the other (an Error: none), with what it was told and when it asks again. */
function page(...answers) {
  const seen = { told: [], waits: [], asked: [] };
  const signIn = new SignIn({
    address: "user",
    told: (...what) => seen.told.push(what),
    ask: async (address, how) => {
      seen.asked.push([address, how.redirect, how.cache]);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: (work, ms) => {
      seen.work = work;
      seen.waits.push(ms);
      return 7;
    },
    forget: (timer) => {
      seen.forgotten = timer;
    },
  });
  return { seen, signIn };
}

test("without rights of one's own the name is asked for once", async () => {
  for (const answer of [
    json({ name: "Maya" }),
    json({ name: null }),
    AWAY,
    { ok: false, status: 500 },
    new Error("off"),
  ]) {
    const { seen, signIn } = page(answer);
    await signIn.look();
    assert.deepEqual(seen.waits, []);
    assert.ok(seen.told.every(([, expired]) => !expired));
  }
});

test("a fresh sign-in is fetched before the last one ends, as often as the server says", async () => {
  const { seen, signIn } = page(json({ name: "Maya", again_s: 600 }), json({ name: "Maya", again_s: 12 }));
  await signIn.look();
  await seen.work();
  assert.deepEqual(seen.waits, [600_000, 12_000]);
  assert.deepEqual(seen.asked, Array(2).fill(["user", "manual", "no-store"]));
  assert.deepEqual(seen.told, Array(2).fill(["Maya", false]));
});

test("a sign-in that has ended is said, and its mending is seen", async () => {
  const ended = [json({ name: "Maya", expired: true }), AWAY, { ok: false, status: 401 }, { ok: false, status: 403 }];
  for (const answer of ended) {
    const { seen, signIn } = page(json({ name: "Maya", again_s: 600 }), answer, json({ name: "Maya", again_s: 600 }));
    await signIn.look();
    await seen.work();
    await seen.work();
    assert.deepEqual(
      seen.told.map(([, expired]) => expired),
      [false, true, false],
    );
    assert.deepEqual(seen.waits, [600_000, RETRY_MS, 600_000]);
  }
});

test("a server that does not answer has not ended a sign-in, and is asked again", async () => {
  const { seen, signIn } = page(json({ name: "Maya", again_s: 600 }), new Error("off"), { ok: false, status: 502 });
  await signIn.look();
  await seen.work();
  await seen.work();
  assert.deepEqual(seen.told, [["Maya", false]]);
  assert.deepEqual(seen.waits, [600_000, RETRY_MS, RETRY_MS]);
});

test("a page that is closed asks no more", async () => {
  const { seen, signIn } = page(json({ name: "Maya", again_s: 600 }), json({ name: "Maya", again_s: 600 }));
  await signIn.look();
  signIn.close();
  assert.equal(seen.forgotten, 7);
  await seen.work();
  assert.deepEqual(seen.waits, [600_000]);
});
