// What the transport says of a live kitchen: whether it follows, the way back, and which figures are not final yet.

import { el } from "../shared/elements.js";
import { sharedState } from "../shared/shared_state.js";

/** Pixels that provisional figures have at least, to be seen in a long range. */
const LEAST = 5;
const LEAST_MARK = 3;
const PROVISIONAL = "provisional: events of this time may still come";
const CORRECTED = "corrected: events of this time came in after its figures were final, so live showed others";

/**
 * Build it for a clock. `node` stands beside the controls; `band` and `corrections` lie over the bars,
 * `draw(x, width)` places them; `isProvisional(t)`, `isCorrected(from, to)`, and `running` says whether the last bar is
 * not over.
 * @param {import("../shared/clock.js").Model} model
 * @param {import("../shared/clock.js").ReplayClock} clock
 */
function buildLiveEdge(model, clock) {
  const shared = sharedState(model.clock, "live");
  const dot = el("i", { class: "dot", "aria-hidden": "true" });
  const words = el("span");
  const node = el(
    "button",
    {
      type: "button",
      class: "to-live",
      "data-testid": "to-live",
      hidden: true,
      onclick: () => shared.value?.jump(),
    },
    dot,
    words,
  );
  const band = el("div", { class: "provisional", hidden: true, "data-testid": "provisional", "aria-hidden": "true" });
  const corrections = el("div", { class: "corrections", "data-testid": "corrections", "aria-hidden": "true" });
  const corrected = () => (clock.state === "replay" ? [] : (shared.value?.now?.corrected ?? []));
  const final = () => (clock.state === "replay" ? undefined : shared.value?.now?.final);
  let drawn = "";
  /** Write which state it is in; whether that is another one than before. */
  const show = () => {
    const { state } = clock;
    const key = `${state} ${!!shared.value?.offered} ${!!shared.value?.now}`;
    if (key === drawn) return false;
    drawn = key;
    node.hidden = state === "replay" ? !shared.value?.offered : !shared.value?.now;
    node.dataset.state = state;
    node.disabled = state === "live";
    node.title = state === "live" ? "The playhead follows the latest events" : "Follow the latest events (L)";
    words.textContent = state === "live" ? "Live" : "Jump to live";
    return true;
  };
  return {
    node,
    band,
    corrections,
    show,
    final,
    get running() {
      return clock.state !== "replay";
    },
    isProvisional: (t) => t >= (final() ?? Infinity),
    isCorrected: (from, to) => corrected().some(([begin, end]) => begin < to && end > from),
    draw(x, width) {
      corrections.replaceChildren(
        ...corrected().map(([begin, end]) => {
          const left = Math.max(0, x(begin));
          const wide = Math.max(LEAST_MARK, Math.min(width, x(end)) - left);
          return el("i", { style: `left:${left}px;width:${wide}px` });
        }),
      );
      const since = final();
      band.hidden = since === undefined;
      if (since === undefined) return;
      const right = Math.min(width, x(clock.anchor.edge));
      const left = Math.min(Math.max(0, x(since)), right - LEAST);
      band.style.cssText = `left:${left}px;width:${right - left}px`;
    },
    on: (listener) => shared.on(listener),
  };
}

export { buildLiveEdge, CORRECTED, PROVISIONAL };
