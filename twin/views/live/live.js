// The badge of a live kitchen in the page's bar, and what other views say of the edge.

import { clockFrom, ReplayClock } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { verbsOf } from "../shared/verbs.js";
import { badgeOf } from "./words.js";

/** Milliseconds between two looks at the seconds. */
const LOOK_MS = 500;

/** What the badge says in three parts: on a phone, only the one in the middle. */
const PARTS = /^(Jump to )?(.*?)( behind)?$/;

class LiveBadge {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(model);
    this.verbs = verbsOf(model, this.clock);
    this.shared = sharedState(model.clock, "live");
    this.text = [el("span", { class: "lead" }), el("span"), el("span", { class: "trail" })];
    this.more = el("span", { class: "more" });
    const parts = [el("i", { class: "dot", "aria-hidden": "true" }), el("b", {}, ...this.text), this.more];
    this.button = el(
      "button",
      { type: "button", class: "badge", "data-testid": "live", onclick: () => this.jump() },
      ...parts,
    );
    this.arrow = icon("forward", 13);
    this.button.append(this.arrow);
    this.spoken = el("span", { class: "spoken", role: "status" });
    this.root = el("div", { class: "live" }, this.button, this.spoken);
    this.root.classList.toggle("large", model.large);
    this.take();
    for (const name of ["now", "offered"]) model.on(name, this.take);
    for (const name of ["since", "unknown"]) model.on(name, this.show);
    const off = this.clock.on(this.show);
    const timer = setInterval(this.show, LOOK_MS);
    model.on("remove", () => {
      clearInterval(timer);
      off();
      this.shared.value = null; // else it would hold this view, and with it the page of a session that has gone
    });
  }

  take = guarded(() => {
    const { now, offered } = this.model;
    this.now = now.pace ? now : null;
    this.sent = ReplayClock.wall();
    this.shared.take({ now: this.now, offered, jump: () => this.jump(), said: () => this.said() });
    this.show();
  });

  /** Seconds since the newest event came. */
  get age() {
    return this.now ? this.now.age + ReplayClock.wall() - this.sent : 0;
  }

  said() {
    const { edge = 0 } = this.clock.anchor ?? {};
    const behind = Math.max(0, edge - this.clock.now());
    const { since, unknown, offered } = this.model;
    return badgeOf(this.clock.state, this.now, { age: this.age, behind, since, unknown, offered });
  }

  /** Follow the latest events; false where there is nothing to follow. */
  jump() {
    if (this.clock.state === "behind") this.verbs.follow();
    else if (this.clock.state === "replay" && this.model.offered) this.model.send_msg({ live: true });
    else return false;
    return true;
  }

  show = guarded(() => {
    const { text, more, tone, title } = this.said();
    this.root.hidden = !text;
    const write = (node, words) => {
      if (node.textContent !== words) node.textContent = words;
    };
    for (const [i, node] of this.text.entries()) write(node, PARTS.exec(text)[i + 1] ?? "");
    write(this.more, more);
    this.button.dataset.tone = tone;
    this.button.title = title;
    // a screen reader is told of a change of state and of trouble, not of every second
    write(this.spoken, tone === "live" ? "Live" : tone === "warn" ? title : "");
    const still = this.clock.state === "live" || this.model.large;
    this.button.disabled = still;
    this.arrow.style.display = still ? "none" : "";
  });
}

function render(view) {
  return new LiveBadge(view).root;
}

export { render };
