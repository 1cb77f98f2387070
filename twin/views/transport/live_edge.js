// What the transport says of a live kitchen: whether it follows, the way back, and which figures are not final yet.

import { el } from "../shared/elements.js";
import { sharedState } from "../shared/shared_state.js";

/** Pixels that provisional figures have at least, to be seen in a long range. */
const LEAST = 5;
const PROVISIONAL = "provisional: events of this time may still come";

/**
 * Build it for a clock. `node` stands beside the controls; `band` lies over the bars, `draw(x, width)` places it;
 * `isProvisional(t)`, and `running` says whether the last bar is not over.
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
    show,
    final,
    get running() {
      return clock.state !== "replay";
    },
    isProvisional: (t) => t >= (final() ?? Infinity),
    draw(x, width) {
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

export { buildLiveEdge, PROVISIONAL };
