// Who is signed in, and a fresh sign-in for the server before the last one ends. Where users read with their own rights
// the server reads with the token that a request brings; a WebSocket brings none after its first one. Pure: whoever
// uses it brings what asks and what waits.

/** Without an answer, or with a sign-in that has ended (another tab may mend it), it is asked again after so long. */
const RETRY_MS = 30_000;

class SignIn {
  /**
   * @param {{address: string, told: (name: string, expired: boolean) => void, ask?: typeof fetch,
   *   wait?: (work: () => void, ms: number) => number, forget?: (timer: number) => void}} given `told(name, expired)`
   *   is called with each answer: the user's name, "" for none, and whether he has to sign in again.
   */
  constructor({ address, told, ask, wait, forget }) {
    this.address = address;
    this.told = told;
    // a browser's own functions refuse to be called as methods of anything else
    this.ask = ask ?? ((where, how) => fetch(where, how));
    this.wait = wait ?? ((work, ms) => setTimeout(work, ms));
    this.forget = forget ?? ((timer) => clearTimeout(timer));
    this.repeats = false;
    this.ended = false;
    this.timer = 0;
  }
  async look() {
    const answer = await this.answer();
    if (this.ended) return;
    if (answer) {
      this.repeats ||= answer.again_s > 0;
      this.told(answer.name ?? "", Boolean(answer.expired));
    }
    const ms = answer?.again_s > 0 ? 1000 * answer.again_s : RETRY_MS;
    if (this.repeats || answer?.expired) this.timer = this.wait(() => this.look(), ms);
  }
  /** What the server says; null if it is not reached, which is the connection's affair. */
  async answer() {
    try {
      const answer = await this.ask(this.address, { cache: "no-store", redirect: "manual" });
      if (answer.ok) return await answer.json();
      // a proxy whose login has ended sends to its own page
      const away = answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403;
      return away && this.repeats ? { expired: true } : null;
    } catch {
      return null;
    }
  }
  close() {
    this.ended = true;
    this.forget(this.timer);
  }
}

export { RETRY_MS, SignIn };
