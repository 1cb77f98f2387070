import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { stateAt } from "../shared/kitchen_state.js";
import { durationText } from "../shared/times.js";
import { verbsOf } from "../shared/verbs.js";

/** Milliseconds between two looks at whether the playhead is in a trouble. */
const LOOK = 500;

/** The most severe trouble at t, else the most severe that ended within `tail` seconds; the troubles are ranked. */
function troubleAt(moments, t, tail) {
  return (
    moments.find(({ start, end }) => start <= t && t <= end) ??
    moments.find(({ end }) => end < t && t <= end + tail) ??
    null
  );
}
/** The first trouble that begins after t; null if none does. */
function nextAfter(moments, t) {
  return moments
    .filter(({ start }) => start > t)
    .reduce((first, moment) => (first && first.start <= moment.start ? first : moment), null);
}

/** The most severe trouble at the playhead, or that there is none. */
class AlertCard {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
    this.body = el("div", { class: "body", role: "status", "data-testid": "alert-status" });
    this.root = el("section", { class: "card alert", "aria-label": "Alert", "data-testid": "alert" }, this.body);
    this.told = null;
    const timer = setInterval(() => {
      if (this.clock.moving) this.update();
    }, LOOK);
    const off = this.clock.on(this.update);
    document.addEventListener("visibilitychange", this.update);
    this.model.on("moments", this.update);
    for (const name of ["empty", "problem", "partly", "states"]) this.model.on(name, this.update);
    this.model.on("remove", () => {
      clearInterval(timer);
      off();
      document.removeEventListener("visibilitychange", this.update);
    });
    this.update();
  }

  link(label, title, moment) {
    const button = el(
      "button",
      { type: "button", class: "go", title, "data-testid": "alert-go", onclick: () => this.verbs.visit(moment.at) },
      el("span", {}, label),
    );
    button.append(icon("arrow", 13));
    return button;
  }

  /**
   * Write what holds at t, if it is another thing than what stands there: a reader of screens shall not hear it twice.
   */
  update = () => {
    if (document.hidden || !this.clock.anchor) return;
    const t = this.clock.now();
    const moments = this.model.moments;
    const trouble = moments && troubleAt(moments, t, this.model.tail);
    const kitchen = stateAt(this.model.states, t);
    const next = moments && !trouble && nextAfter(moments, t);
    const over = trouble && t > trouble.end;
    const since = trouble && !over && durationText(Math.floor((t - trouble.start) / 60) * 60);
    const others = trouble
      ? moments.filter((other) => other !== trouble && other.start <= t && t <= other.end).length
      : 0;
    const state = [
      moments?.length,
      trouble?.rank,
      over,
      others,
      kitchen.head,
      kitchen.tone,
      next?.rank,
      this.model.moments === null,
      this.model.empty,
      this.model.problem,
      this.model.partly,
    ].join("|");
    if (state !== this.told) {
      this.told = state;
      this.colour(kitchen, trouble, over);
      this.root.dataset.state = !moments
        ? this.model.problem
          ? "failed"
          : "looking"
        : trouble
          ? over
            ? "ended"
            : "trouble"
          : "quiet";
      this.body.replaceChildren(
        ...(trouble ? this.tell(trouble, over, others, kitchen) : this.quiet(moments, next, kitchen)),
      );
    }
    const age = this.body.querySelector(".since");
    const text = since ? ` · ${since} so far, until ${this.clock.zone.clockText(trouble.end, false)}` : "";
    if (age && age.textContent !== text) age.textContent = text;
  };

  /** The kitchen's state colours the card; a trouble that is told is never green. */
  colour(kitchen, trouble, over) {
    const untold = trouble ? (over ? "warn" : "bad") : "good";
    const tone = kitchen.state ? (trouble && kitchen.tone === "good" ? "warn" : kitchen.tone) : untold;
    for (const name of ["bad", "warn"]) this.root.classList.toggle(name, tone === name);
    this.root.classList.toggle("told", !!trouble);
    this.root.dataset.kitchen = kitchen.state;
  }

  tell(trouble, over, others, kitchen) {
    const badge = el("span", { class: "badge" });
    const more = others ? ` (and ${others} more now)` : "";
    badge.append(icon(trouble.icon, 16));
    return [
      badge,
      el(
        "div",
        { class: "words" },
        el(
          "div",
          { class: "head" },
          el("b", {}, kitchen.state === "recovering" && !over ? `Recovering · ${trouble.title}` : trouble.title),
          this.link("See it", `Go to when it is worst, ${this.clock.zone.clockText(trouble.at, false)}`, trouble),
        ),
        el(
          "p",
          { class: "when" },
          over
            ? `Just ended · ${trouble.when}`
            : `Since ${this.clock.zone.dayText(trouble.start)} ${this.clock.zone.clockText(trouble.start, false)}`,
          over ? null : el("span", { class: "since", "aria-hidden": "true" }),
        ),
        el("p", { class: "sentence", title: `${trouble.sentence}${more}` }, trouble.sentence, more),
      ),
    ];
  }

  quiet(moments, next, kitchen) {
    if (this.model.empty) return [el("p", { class: "line mute" }, "No orders in this range")];
    if (this.model.problem) {
      return [el("p", { class: "line mute", title: this.model.problem }, "Trouble could not be looked for")];
    }
    if (!moments) return [el("p", { class: "line mute" }, "Looking for trouble in this range …")];
    if (kitchen.head) {
      const line = el("p", { class: "line head" }, kitchen.head);
      line.prepend(icon(kitchen.tone === "bad" ? "alert" : "clock", 14));
      return [line];
    }
    const none = moments.length ? "No trouble at this moment" : "No trouble in this range";
    const words = this.model.partly
      ? el("p", { class: "line mute" }, `${none}, as far as it could be examined`)
      : el("p", { class: "line" }, none);
    if (!this.model.partly) words.prepend(icon("check", 14));
    return next
      ? [
          words,
          el("span", { class: "mute next" }, "next:"),
          this.link(
            `${this.clock.zone.dayText(next.start)} ${this.clock.zone.clockText(next.start, false)} ${next.title}`,
            next.sentence,
            next,
          ),
        ]
      : [
          words,
          moments.length ? el("span", { class: "mute" }, `${moments.length} earlier in this range`) : null,
        ].filter(Boolean);
  }
}

function render(view) {
  return new AlertCard(view).root;
}

export { render };
