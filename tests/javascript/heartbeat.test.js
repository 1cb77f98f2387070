import assert from "node:assert/strict";
import { test } from "node:test";
import { Heartbeat, LOST_AFTER_MS, Retry, TICK_MS } from "../../twin/views/shared/heartbeat.js";

/** A heartbeat whose time is `pass`ed by the test, with what it asked and said. */
function listening() {
  const time = { now: 0, asked: 0, said: [] };
  const heartbeat = new Heartbeat({
    ask: () => time.asked++,
    changed: (lost) => time.said.push([time.now, lost]),
    now: () => time.now,
  });
  time.pass = (ms, step = TICK_MS) => {
    for (const end = time.now + ms; time.now < end; ) {
      time.now += step;
      heartbeat.tick();
    }
  };
  return { time, heartbeat };
}

test("a server that speaks is not asked, and one that answers is not lost", () => {
  const { time, heartbeat } = listening();
  for (let i = 0; i < 20; i++) {
    time.pass(500);
    heartbeat.heard();
  }
  assert.equal(time.asked, 0);
  for (let i = 0; i < 20; i++) {
    time.pass(1250);
    heartbeat.heard();
  }
  assert.ok(time.asked >= 15, `asked ${time.asked} times`);
  assert.deepEqual(time.said, []);
});

test("silence is said within five seconds of the last word, and its end at once", () => {
  const { time, heartbeat } = listening();
  time.pass(10_000);
  assert.equal(time.said.length, 1);
  const [[at, lost]] = time.said;
  assert.ok(lost && at <= 5000, `lost at ${at}`);
  time.pass(60_000);
  heartbeat.heard();
  assert.deepEqual(time.said[1], [70_000, false]);
  time.pass(5000);
  assert.equal(time.said.length, 3, "and it is watched again");
});

test("a closed connection is lost at once and for good", () => {
  const { time, heartbeat } = listening();
  heartbeat.close();
  heartbeat.heard();
  time.pass(10_000);
  assert.deepEqual(time.said, [[0, true]]);
  assert.equal(time.asked, 0);
});

test("a machine that slept asks before it takes the server for lost", () => {
  const { time, heartbeat } = listening();
  time.pass(1250);
  time.now += 3_600_000; // with a question on its way
  heartbeat.tick();
  assert.deepEqual(time.said, []);
  heartbeat.heard();
  time.pass(1000);
  assert.deepEqual(time.said, []);
  time.now += 3_600_000;
  heartbeat.tick();
  time.pass(LOST_AFTER_MS);
  assert.equal(heartbeat.lost, true);
});

/** Attempts with the outcomes that `next()` gives; time passes by `advance` alone. */
function trying(next) {
  const clock = { now: 0, due: [], begun: [] };
  const retry = new Retry({
    attempt: (signal) => {
      clock.begun.push(clock.now);
      return next(clock, signal);
    },
    now: () => clock.now,
    random: () => 0,
    timers: {
      set: (act, ms) => {
        const timer = { act, at: clock.now + ms };
        clock.due.push(timer);
        return timer;
      },
      clear: (timer) => {
        clock.due = clock.due.filter((one) => one !== timer);
      },
    },
  });
  const settle = async () => {
    for (let i = 0; i < 10; i++) await null;
  };
  clock.advance = async (ms) => {
    await settle();
    for (const end = clock.now + ms; ; ) {
      const [first] = clock.due.sort((a, b) => a.at - b.at);
      if (!first || first.at > end) {
        clock.now = end;
        return;
      }
      clock.now = first.at;
      clock.due = clock.due.filter((one) => one !== first);
      first.act();
      await settle();
    }
  };
  return { clock, retry };
}
const gaps = (times) => times.slice(1).map((at, i) => at - times[i]);

test("a silent server is tried at once, then every two seconds at most, and never given up", async () => {
  const { clock, retry } = trying(async () => "silent");
  retry.begin();
  await clock.advance(500_000);
  assert.equal(clock.begun[0], 0);
  assert.ok(clock.begun[1] <= 250);
  assert.ok(Math.max(...gaps(clock.begun)) <= 2000);
  assert.ok(clock.begun.length > 240);
  clock.begun.length = 0;
  await clock.advance(24 * 3_600_000);
  assert.ok(Math.max(...gaps(clock.begun).slice(-10)) <= 10_000, "after a day, too");
  assert.ok(clock.begun.length < 9000, "but less often");
  assert.ok(retry.running);
});

test("an attempt that takes long does not add to the wait", async () => {
  const { clock, retry } = trying(
    (clock, signal) =>
      new Promise((done) => {
        clock.due.push({ act: () => done("silent"), at: clock.now + 2000, signal });
      }),
  );
  retry.begin();
  await clock.advance(60_000);
  assert.ok(Math.max(...gaps(clock.begun)) <= 2250, String(gaps(clock.begun)));
});

test("a server that answers and opens no page is left more and more in peace", async () => {
  const { clock, retry } = trying(async () => "refused");
  retry.begin();
  await clock.advance(600_000);
  const waits = gaps(clock.begun);
  assert.ok(
    waits.every((wait, i) => !i || wait >= waits[i - 1]),
    String(waits),
  );
  assert.ok(waits[0] <= 1000 && waits.at(-1) === 30_000, String(waits));
});

test("attempts become patient enough for a machine that is slower than the first one waits", async () => {
  const needed = 50_000;
  let silent = false;
  const { clock, retry } = trying((clock) => {
    silent = !silent;
    if (silent) return Promise.resolve("silent"); // as a slow machine now and then seems to be
    const takes = Math.min(needed, 10_000 * retry.stretch);
    return new Promise((done) => {
      clock.due.push({ act: () => done(takes < needed ? "refused" : "done"), at: clock.now + takes });
    });
  });
  retry.begin();
  assert.equal(retry.stretch, 1);
  await clock.advance(600_000);
  assert.equal(retry.running, false, "it is done");
  retry.begin();
  assert.equal(retry.stretch, 1, "the next time is another time");
  retry.end();
});

test("what is done ends it, and it can begin again", async () => {
  let left = 3;
  const { clock, retry } = trying(async () => (--left ? "silent" : "done"));
  retry.begin();
  retry.begin();
  await clock.advance(60_000);
  assert.equal(clock.begun.length, 3);
  assert.equal(retry.running, false);
  retry.soon();
  await clock.advance(60_000);
  assert.equal(clock.begun.length, 3, "nothing is tried that nobody wants");
  left = 2;
  retry.begin();
  await clock.advance(60_000);
  assert.equal(clock.begun.length, 5);
});

test("soon: the attempt under way is given up for a new one, whose outcome counts", async () => {
  const signals = [];
  const ends = [];
  const { clock, retry } = trying((_, signal) => {
    signals.push(signal);
    return new Promise((done) => {
      ends.push(done);
    });
  });
  retry.begin();
  await clock.advance(1000);
  retry.soon();
  assert.equal(signals.length, 2);
  assert.deepEqual(
    signals.map((signal) => signal.aborted),
    [true, false],
  );
  ends[0]("done"); // of the one that was given up
  await clock.advance(10_000);
  assert.ok(retry.running);
  ends[1]("done");
  await clock.advance(0);
  assert.equal(retry.running, false);
});

test("ended while it waits or tries, it stays so", async () => {
  const { clock, retry } = trying(async () => "silent");
  retry.begin();
  await clock.advance(3000);
  retry.end();
  const before = clock.begun.length;
  await clock.advance(60_000);
  assert.equal(clock.begun.length, before);
});
