// Whether the server still answers: if not, the clock stands, the page says so, and opens anew when it is back.

import { el } from "../../views/shared/elements.js";
import { answers, Heartbeat, Retry, TICK_MS } from "../../views/shared/heartbeat.js";
import { guarded, twin } from "../../views/shared/registry.js";

class Link {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.words = el("p", {});
    this.node = el("div", { class: "lost", role: "alert", hidden: true, "data-testid": "network-lost" }, this.words);
    this.beat = new Heartbeat({
      ask: () => page.model.send_msg({ ask: true }),
      changed: (lost) => this.change(lost),
    });
    this.retry = new Retry({
      attempt: async (signal) => {
        if (!(await answers(signal, this.retry.patience))) return "silent";
        location.reload(); // the address has the moment and the filters
        return "done";
      },
    });
    this.timer = setInterval(
      guarded(() => this.beat.tick()),
      TICK_MS,
    );
  }
  heard() {
    this.beat.heard();
  }
  change(lost) {
    const { clock } = this.page;
    this.node.hidden = !lost;
    if (lost) {
      clock.halt();
      const at = clock.zone.clockText(clock.now());
      this.words.textContent = `The server does not answer: this is as of ${at}. The page comes back by itself.`;
      twin.connection ??= { lost: true, explain: () => {} };
      twin.connection.lost = true;
      this.retry.begin();
    } else {
      this.retry.end();
      twin.connection.lost = false;
      clock.release();
    }
  }
  remove() {
    clearInterval(this.timer);
    this.retry.end();
  }
}

export { Link };
