// Whether the server still answers, and when to try it again. Pure: whoever uses these brings the question, the clock
// and the timers; the operations page and the wall screen use the same ones.

/** A server that has said nothing for so long is asked; one that is playing speaks twice a second by itself. */
const ASK_AFTER_MS = 1000;
/** Without an answer for so long it is taken for lost: with the above, well within five seconds. */
const LOST_AFTER_MS = 3000;
/** A tick that comes so late shows that the machine or the tab was asleep, and heard nothing meanwhile. */
const SLEPT_MS = 3000;
const TICK_MS = 250;

/** Listens for a server. Silence is measured from an unanswered question on, so that a slow timer is not silence. */
class Heartbeat {
  /**
   * @param {{ask: () => void, changed?: (lost: boolean) => void, now?: () => number}} given `ask()` sends a question
   *   the way that the server's messages take; `changed(lost)` is called when the server is lost and when it is back.
   */
  constructor({ ask, changed = () => {}, now = () => performance.now() }) {
    this.ask = ask;
    this.changed = changed;
    this.now = now;
    this.lost = false;
    this.closed = false;
    this.heardAt = now();
    this.tickedAt = now();
    /** @type {number | null} when the question was asked that is not answered yet */
    this.askedAt = null;
  }
  /** Anything came from the server. */
  heard() {
    this.heardAt = this.now();
    this.askedAt = null;
    if (!this.closed) this.turn(false);
  }
  /** The connection has ended: nothing will be heard any more. */
  close() {
    this.closed = true;
    this.turn(true);
  }
  /** Call this every `TICK_MS`. */
  tick() {
    const now = this.now();
    const slept = now - this.tickedAt > SLEPT_MS;
    this.tickedAt = now;
    if (this.closed) return;
    if (slept || (this.askedAt === null && now - this.heardAt >= ASK_AFTER_MS)) {
      this.askedAt = now;
      this.ask();
    } else if (this.askedAt !== null && now - this.askedAt >= LOST_AFTER_MS) this.turn(true);
  }
  turn(lost) {
    if (lost === this.lost) return;
    this.lost = lost;
    this.changed(lost);
  }
}

/** Milliseconds between the starts of two attempts at a silent server: more and more, but it is back within seconds. */
const LEAST_MS = 250;
const MOST_MS = 2000;
const PATIENT_AFTER_MS = 600_000;
const PATIENT_MS = 10_000;
/** Between attempts at a server that answers and gives no page: each costs it one. */
const MOST_REFUSED_MS = 30_000;
/** Most times as long that an attempt may take after others have failed. */
const MOST_STRETCH = 8;
const SPREAD = 0.2; // so that the screens of a restarted server do not all come at once

/** Tries until it succeeds, without end: at once, then less and less often. */
class Retry {
  /**
   * @param {{attempt: (signal: AbortSignal) => Promise<"done" | "silent" | "refused">, changed?: () => void,
   *   now?: () => number, random?: () => number,
   *   timers?: {set: (act: () => void, ms: number) => any, clear: (timer: any) => void}}} given `attempt` never throws;
   *   "silent": nobody answered, "refused": somebody did, and it failed. `changed()`: an attempt has begun or ended.
   */
  constructor({
    attempt,
    now = () => performance.now(),
    changed = () => {},
    random = Math.random,
    timers = { set: (act, ms) => setTimeout(act, ms), clear: (timer) => clearTimeout(timer) },
  }) {
    this.attempt = attempt;
    this.now = now;
    this.changed = changed;
    this.random = random;
    this.timers = timers;
    this.running = false;
    this.timer = null;
    this.dueAt = 0;
    this.since = 0;
    this.refused = 0;
    /** Attempts that a server answered and that failed, since it began. Silence in between does not begin anew. */
    this.failed = 0;
    /** @type {AbortController | null} of the attempt under way */
    this.trying = null;
  }
  /** Begin to try, if that has not begun. */
  begin() {
    if (this.running) return;
    this.running = true;
    this.since = this.now();
    this.refused = this.failed = 0;
    this.go();
  }
  /** Do not wait for the next attempt: the network is back, the page is looked at, somebody pressed the button. */
  soon() {
    if (!this.running) return;
    this.since = this.now();
    this.refused = 0;
    this.trying?.abort();
    this.go();
  }
  end() {
    this.running = false;
    this.timers.clear(this.timer);
    this.timer = null;
    this.trying?.abort();
    this.trying = null;
    this.changed();
  }
  /** How long it has been tried, milliseconds. */
  get elapsed() {
    return this.running ? this.now() - this.since : 0;
  }
  /** How long an attempt may wait for an answer: shorter at first, so that a server that is back is found soon. */
  get patience() {
    return this.elapsed < 60_000 ? MOST_MS : 3 * MOST_MS;
  }
  /**
   * How many times as long as the first one an attempt may take. A server, or a machine, that is slower than every
   * attempt is patient would never show a page, and each attempt costs it another one.
   */
  get stretch() {
    return Math.min(2 ** this.failed, MOST_STRETCH);
  }
  async go() {
    this.timers.clear(this.timer);
    this.timer = null;
    const mine = new AbortController();
    this.trying = mine;
    const begun = this.now();
    this.changed();
    const outcome = await this.attempt(mine.signal);
    if (this.trying !== mine) return; // another one has begun, or it was ended
    this.trying = null;
    if (outcome === "done") {
      this.end();
      return;
    }
    this.refused = outcome === "refused" ? this.refused + 1 : 0;
    if (this.refused) this.failed++;
    const wait = Math.max(begun + this.delay() - this.now(), LEAST_MS / 2);
    this.dueAt = this.now() + wait;
    this.timer = this.timers.set(() => this.go(), wait);
    this.changed();
  }
  /** Milliseconds from the start of the last attempt to the next. */
  delay() {
    const steady = this.refused
      ? Math.min(2 * LEAST_MS * 2 ** (this.refused - 1), MOST_REFUSED_MS)
      : this.elapsed > PATIENT_AFTER_MS
        ? PATIENT_MS
        : Math.min(Math.max(this.elapsed / 4, LEAST_MS), MOST_MS);
    return steady * (1 - SPREAD * this.random());
  }
}

/** A browser takes a connection that it has open, of which any may be dead; so many questions go out at once. */
const QUESTIONS = 3;

/**
 * Ask whether a server answers at all, with a limit of time. A server without its data answers, too: it can say why. So
 * does one that has no such route yet (a plain `panel serve` has it after its first page).
 * @param {AbortSignal} signal
 * @param {number} patience milliseconds
 * @returns {Promise<boolean>}
 */
async function answers(signal, patience) {
  const stop = new AbortController();
  const abort = () => stop.abort();
  const late = setTimeout(abort, patience);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const question = async () => {
    const answer = await fetch("healthz", { cache: "no-store", redirect: "manual", signal: stop.signal });
    const text = await answer.text(); // read to its end, so that its connection serves what is asked next
    if (answer.status < 500 || JSON.parse(text).status === "failing") return true;
    throw new Error("a proxy's own 502 or 503 is no answer");
  };
  try {
    return await Promise.any(Array.from({ length: QUESTIONS }, question));
  } catch {
    return false;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", abort);
    abort(); // the other questions: what has no answer yet closes its connection
  }
}

export { answers, Heartbeat, LOST_AFTER_MS, Retry, TICK_MS };
