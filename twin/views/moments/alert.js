import { cardButton, followCards } from "../shared/cards.js";
import { clockFrom } from "../shared/clock.js";
import { el, icon, unbroken } from "../shared/elements.js";
import { stateAt } from "../shared/kitchen_state.js";
import { knownAt, lastKnown } from "../shared/known.js";
import { laterMark } from "../shared/later.js";
import { minutesText, stretch } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { verbsOf } from "../shared/verbs.js";
import { nowText } from "./now.js";

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

/**
 * What the card says at a moment. state: of its data-state; trouble: what is told, null: none; over: whether that has
 * ended; asOf: when its figures were worked out, null: with hindsight; more: further troubles at the moment; other:
 * what a quiet card leads to.
 * @typedef {{state: string, trouble: any, over: boolean, asOf: number | null, more: number, other: any,
 *   partly: boolean}} Told
 */

/** The most severe trouble at the playhead, or that there is none. */
class AlertCard {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
    this.stages = sharedState(this.model.clock, "stages");
    this.known = sharedState(this.model.clock, "known");
    this.body = el("div", { class: "body", role: "status", "data-testid": "alert-status" });
    this.root = el("section", { class: "card alert", "aria-label": "Alert", "data-testid": "alert" }, this.body);
    this.told = null;
    const timer = setInterval(
      guarded(() => {
        if (this.clock.moving) this.update();
      }),
      LOOK,
    );
    const offs = [this.clock.on(this.update), this.stages.on(this.update), followCards(this.model, this.root)];
    document.addEventListener("visibilitychange", this.update);
    this.model.on("known", this.share);
    for (const name of ["moments", "empty", "problem", "partly", "states"]) this.model.on(name, this.update);
    this.model.on("remove", () => {
      clearInterval(timer);
      for (const off of offs) off();
      document.removeEventListener("visibilitychange", this.update);
    });
    this.share();
  }

  /** Whether the whole range is told: as the page is switched, or because nobody will work out what was known. */
  get hindsight() {
    return this.clock.hindsight || this.model.only_hindsight === true;
  }

  share = () => {
    this.known.take(this.model.known);
    this.update();
  };

  link(label, title, moment) {
    const button = el(
      "button",
      { type: "button", class: "go", title, "data-testid": "alert-go", onclick: () => this.verbs.visit(moment.at) },
      el("span", {}, label),
    );
    button.append(icon("arrow", 13));
    return button;
  }

  /** @returns {Told} */
  withHindsight(t) {
    const moments = this.model.moments;
    const trouble = moments && troubleAt(moments, t, this.model.tail);
    const over = !!trouble && t > trouble.end;
    return {
      state: !moments ? "looking" : !trouble ? "quiet" : over ? "ended" : "trouble",
      trouble,
      over,
      asOf: null,
      more: trouble ? moments.filter((one) => one !== trouble && one.start <= t && t <= one.end).length : 0,
      other: moments && !trouble ? nextAfter(moments, t) : null,
      partly: this.model.partly,
    };
  }

  /** @returns {Told} */
  asKnown(t) {
    const known = knownAt(this.model.known, t);
    const troubles = known?.troubles ?? [];
    const trouble =
      troubles.find((one) => one.going_on) ?? troubles.find(({ end }) => t <= end + this.model.tail) ?? null;
    const over = !!trouble && !trouble.going_on;
    return {
      state: !known ? "looking" : !trouble ? "quiet" : over ? "ended" : "trouble",
      trouble,
      over,
      asOf: known?.t ?? null,
      more: troubles.filter((one) => one !== trouble && one.going_on).length,
      other: trouble ? null : lastKnown(this.model.known, t),
      partly: known?.partly ?? false,
    };
  }

  /**
   * Write what holds at t, if it is another thing than what stands there: a reader of screens shall not hear it twice.
   */
  update = () => {
    if (document.hidden || !this.clock.anchor) return;
    const t = this.clock.now();
    const { hindsight } = this;
    const told = hindsight ? this.withHindsight(t) : this.asKnown(t);
    if (this.model.empty) told.state = "quiet";
    else if (told.state === "looking" && this.model.problem) told.state = "failed";
    const kitchen = this.model.empty ? stateAt(null, t) : stateAt(this.model.states, t);
    const written = JSON.stringify([
      hindsight,
      told,
      kitchen,
      this.model.moments?.length,
      hindsight && told.trouble && told.trouble.end > t,
      this.model.empty,
      this.model.problem,
    ]);
    if (written !== this.told) {
      this.told = written;
      this.colour(kitchen, told);
      this.root.dataset.state = told.state;
      this.body.replaceChildren(...(told.trouble ? this.tell(told, t, kitchen) : this.quiet(told, kitchen)));
    }
    this.write(".since", told.state === "trouble" ? this.soFar(told.trouble, t) : "");
    this.write(".figures", told.state === "trouble" ? nowText(told.trouble, this.stages.value) : "");
  };

  /** The kitchen's state colours the card; a trouble that is told is never green. */
  colour(kitchen, { trouble, over }) {
    const untold = trouble ? (over ? "warn" : "bad") : "good";
    const tone = kitchen.state ? (trouble && kitchen.tone === "good" ? "warn" : kitchen.tone) : untold;
    for (const name of ["bad", "warn"]) this.root.classList.toggle(name, tone === name);
    this.root.classList.toggle("told", !!trouble);
    this.root.dataset.kitchen = kitchen.state;
  }

  write(selector, text) {
    const node = this.body.querySelector(selector);
    if (node && node.textContent !== text) node.textContent = text;
  }

  soFar({ start }, t) {
    return ` · ${minutesText(stretch(start, t))} so far`;
  }

  /** @param {Told} told */
  tell({ trouble, over, asOf, more }, t, kitchen) {
    const { zone } = this.clock;
    const badge = el("span", { class: "badge" });
    badge.append(icon(trouble.icon, 16));
    const later = asOf === null && trouble.end > t;
    const others = more ? ` (and ${more} more now)` : "";
    const looked = asOf === null || over ? "" : ` (as of ${zone.clockText(asOf, false)})`;
    const worst = `Go to when it ${later ? "is" : "was"} worst${asOf === null ? "" : " so far"}`;
    return [
      badge,
      el(
        "div",
        { class: "words" },
        el(
          "div",
          { class: "head" },
          el("b", {}, kitchen.state === "recovering" && !over ? `Recovering · ${trouble.title}` : trouble.title),
          this.link("See it", `${worst}, ${zone.clockText(trouble.at, false)}`, trouble),
          cardButton(this.model, trouble.title, () => trouble),
        ),
        el(
          "p",
          { class: "when" },
          over
            ? `Just ended · ${trouble.when}`
            : `Since ${zone.dayText(trouble.start)} ${zone.clockText(trouble.start, false)}`,
          over ? null : el("span", { class: "since", "aria-hidden": "true" }),
          over || asOf !== null
            ? null
            : el("span", { class: "until" }, `, until ${zone.clockText(trouble.end, false)}`),
          later ? laterMark() : null,
        ),
        over ? null : el("p", { class: "figures", "aria-hidden": "true", "data-testid": "alert-now" }),
        el(
          "p",
          { class: "sentence", title: `${trouble.sentence}${others}` },
          ...unbroken(trouble.sentence),
          others,
          looked,
          later ? laterMark() : null,
        ),
      ),
    ];
  }

  /** @param {Told} told */
  quiet({ other, asOf, partly }, kitchen) {
    const { zone } = this.clock;
    if (this.model.empty) return [el("p", { class: "line mute" }, "No orders in this range")];
    if (this.model.problem) {
      return [el("p", { class: "line mute", title: this.model.problem }, "Trouble could not be looked for")];
    }
    const { moments } = this.model;
    const { hindsight } = this;
    const looking = hindsight ? !moments : asOf === null;
    const head = kitchen.head
      ? el("p", { class: "line head", title: kitchen.head }, el("span", {}, kitchen.head))
      : null;
    head?.prepend(icon(kitchen.tone === "bad" ? "alert" : "clock", 14));
    if (head && (looking || kitchen.state !== "calm")) return [head];
    if (looking) {
      return [el("p", { class: "line mute" }, "Looking for trouble in this range …")];
    }
    const none = hindsight && !moments.length ? "No trouble in this range" : "No trouble at this moment";
    const words =
      head ??
      (partly
        ? el("p", { class: "line mute" }, `${none}, as far as it could be examined`)
        : el("p", { class: "line" }, none));
    if (!head && !partly) words.prepend(icon("check", 14));
    if (!other) {
      const earlier = hindsight && moments.length ? `${moments.length} earlier in this range` : "";
      return [words, earlier ? el("span", { class: "mute" }, earlier) : null].filter(Boolean);
    }
    const when = `${zone.dayText(other.start)} ${zone.clockText(other.start, false)}`;
    const label = el("span", { class: "mute next" }, hindsight ? "next:" : "last:");
    const link = this.link(`${when} ${other.title}`, other.sentence, other);
    return [words, el("span", { class: "other" }, label, link, hindsight ? laterMark() : null)];
  }
}

function render(view) {
  return new AlertCard(view).root;
}

export { render };
