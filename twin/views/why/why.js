import { SHORT_LABELS } from "#python/foundation/stages";
import { el, say, unbroken } from "../shared/elements.js";
import { groupChip } from "../shared/group_chip.js";
import { plural } from "../shared/numbers.js";
import { selectionOf } from "../shared/verbs.js";
import { fairnessCard } from "./fairness.js";

const minutes = (value) => value.toFixed(1);
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${minutes(Math.abs(value))}`;
const SCOPES = { hour: "Last 60 min", range: "Range or loop", stage: "Stage", group: "Orders listed" };
/** Lines of a list that are brought into sight when it opens. */
const SEEN = 3;
/** By what it speaks: the switch in the transport, in its words. */
const SPEAKS_BY = [
  ["As it was known", "Of what had been delivered by the playhead, against what is usual on other days"],
  ["With hindsight", "Of all deliveries of the range or loop, also of those after the playhead"],
];
const SHORT_PROMISE =
  "Promise shorter than usual: in hours in which a usual order takes longer than was promised, by how much";
const USUAL = "Slack in the promise: in the other hours, how much sooner a usual order is there than was promised";
/** Share of the scale left free at both ends. */
const MARGIN = 0.06;

/**
 * Where each step of the waterfall begins and ends, in minutes, and the scale that has them all.
 * @param {{target: number, usual: number, mean: number, steps: {beyond: number}[]}} state
 * @returns {{spans: [number, number][], place: (minutes: number) => number}}
 */
function waterfall(state) {
  let at = state.target;
  const spans = [state.usual, ...state.steps.map((step) => step.beyond)].map((beyond) => {
    const span = /** @type {[number, number]} */ ([at, at + beyond]);
    at += beyond;
    return span;
  });
  const all = [state.target, state.mean, ...spans.flat()];
  const low = Math.min(...all);
  const width = Math.max(Math.max(...all) - low, 1);
  const place = (value) => 100 * (MARGIN + ((1 - 2 * MARGIN) * (value - low)) / width);
  return { spans, place };
}

/** What a part made late, as a sentence for its title. */
function effect(step) {
  const range = [Math.min(step.alone, step.needed), Math.max(step.alone, step.needed)];
  return (
    `${minutes(step.mean)} min on average, usually ${minutes(step.usual)} at this hour. It made ` +
    `${plural(step.late_min, "minute")} late: ${step.late} late orders (alone ${step.alone}, ` +
    `without it ${step.needed} fewer${range[0] === range[1] ? "" : "; orders are late by several parts at once"}).`
  );
}

/** The delay ledger as a waterfall from the promise to the delivery time; a click on a part lists its orders. */
class WhyPanel {
  constructor({ model }) {
    this.model = model;
    this.selected = selectionOf(model);
    this.scopes = Object.entries(SCOPES).map(([scope, label]) =>
      el(
        "button",
        {
          type: "button",
          "data-scope": scope,
          "data-testid": `why-${scope}`,
          onclick: () => model.send_msg({ scope }),
        },
        label,
      ),
    );
    this.by = el("span", { class: "by mute", "data-testid": "why-by" });
    this.sentence = el("p", { class: "sentence", role: "status", "data-testid": "why-sentence" });
    this.rows = el("ol", {
      class: "steps",
      "data-testid": "why-steps",
      "aria-label": "From the promise to the delivery time, minutes",
    });
    this.shared = el("ul", { "data-testid": "why-shared" });
    this.who = el("h4", {});
    this.alike = el("div", { class: "alike" }, this.who, this.shared);
    this.orders = el("ol", { class: "orders", "data-testid": "why-orders", "aria-label": "Its orders, worst first" });
    this.listed = el("h4", {});
    this.chip = groupChip(this.selected, "why-group");
    this.heading = el("header", { class: "listed" }, this.listed, this.chip.node);
    this.root = el(
      "section",
      { class: "why", "data-testid": "why" },
      el(
        "header",
        {},
        el("div", { class: "choices", role: "group", "aria-label": "Deliveries of" }, ...this.scopes),
        this.by,
      ),
      this.sentence,
      this.rows,
      el("div", { class: "list" }, this.heading, this.orders),
      fairnessCard(model),
      this.alike,
      el(
        "details",
        { class: "how" },
        el("summary", {}, "How this is counted"),
        el(
          "p",
          {},
          "Averages of what was delivered in the last 60 minutes, or of the orders that began in the range or " +
            "loop: as it was known, those delivered by now; with hindsight, all of them. What was promised, what an " +
            "order usually takes at its hour on other days, what each part took more or less than that, and what it " +
            "came to. The parts add up; what the record lacks is one of them.",
        ),
      ),
    );
    for (const name of ["state", "part", "scope"]) model.on(name, this.show);
    for (const name of ["state", "shared", "trait", "scope"]) model.on(name, this.share);
    for (const name of ["worst", "part", "trait"]) model.on(name, this.list);
    const dropSelection = this.selected.on(() => {
      this.list();
      this.offer();
    });
    model.on("remove", dropSelection);
    this.show();
    this.share();
    this.list();
  }

  share = () => {
    const { shared, state, trait, scope } = this.model;
    const isGroup = scope === "group";
    this.alike.hidden = !(isGroup ? state.orders : state.late);
    this.who.textContent = isGroup ? "What they share" : "What the late ones share";
    const from = this.shared.getRootNode().activeElement?.dataset?.trait;
    const lines = shared.map((one) => this.trait(one, one.label === trait));
    const none = `Nothing stands out: they are like ${isGroup ? "the others of the range" : "those in time"}.`;
    this.shared.replaceChildren(...(lines.length ? lines : [el("li", {}, none)]));
    if (from) this.shared.querySelector(`[data-trait="${CSS.escape(from)}"]`)?.focus();
  };

  /** What they share, a button: a click lists the orders that have it. */
  trait({ label, sentence, surely }, chosen) {
    const send = () => this.model.send_msg({ trait: chosen ? "" : label });
    const words = { "data-trait": label, "data-testid": "why-trait", "aria-pressed": String(chosen), title: surely };
    return el("li", {}, el("button", { type: "button", onclick: send, ...words }, ...unbroken(sentence)));
  }

  /** The deliveries that can be chosen: a stage's or a group's while there is one. */
  offer() {
    const { stage, group } = this.selected;
    for (const button of this.scopes) {
      const { scope } = button.dataset;
      button.setAttribute("aria-pressed", String(scope === this.model.scope));
      button.hidden = (scope === "stage" && !stage) || (scope === "group" && !group);
      if (scope === "stage" && stage) button.textContent = `${SHORT_LABELS[stage]} now`;
    }
  }

  show = () => {
    const { state, part } = this.model;
    this.offer();
    const ready = state.sentence !== undefined;
    this.root.classList.toggle("waiting", !ready);
    say(this.sentence, ready ? state.sentence : "Comparing with what is usual …");
    this.rows.hidden = !ready || !state.orders;
    const [by, title] = SPEAKS_BY[Number(state.hindsight ?? false)];
    this.by.textContent = ready ? by : "";
    this.by.title = title;
    if (this.rows.hidden) {
      this.rows.replaceChildren();
      return;
    }
    const slack = state.usual - state.promise;
    const { spans, place } = waterfall({ ...state, usual: state.promise, steps: [{ beyond: slack }, ...state.steps] });
    const from = this.rows.getRootNode().activeElement?.dataset?.part;
    this.rows.replaceChildren(
      this.end("Promised", state.target, place),
      this.step({ label: "Short promise", title: SHORT_PROMISE }, state.promise, spans[0], place),
      this.step({ label: "Usual", title: USUAL }, slack, spans[1], place),
      ...state.steps.map((step, k) => this.step(step, step.beyond, spans[k + 2], place, part)),
      this.end("Took", state.mean, place, "total"),
    );
    if (from) this.rows.querySelector(`[data-part="${from}"]`)?.focus();
  };

  /** The first or last line: a time, with a mark at its place. */
  end(label, value, place, name = "") {
    return el(
      "li",
      { class: `end ${name}` },
      el("span", {}, label),
      el("span", { class: "track graphic", "aria-hidden": "true" }, el("i", { style: `left:${place(value)}%` })),
      el("span", { class: "n" }, `${minutes(value)} min`),
    );
  }

  /** One step: what it added, or took off; a button where it is a part that has orders. */
  step(step, beyond, [begin, end], place, chosen = "") {
    const left = place(Math.min(begin, end));
    const width = Math.max(place(Math.max(begin, end)) - left, 0.6);
    const parts = [
      el("span", {}, step.label),
      el(
        "span",
        { class: "track graphic", "aria-hidden": "true" },
        el("i", { class: beyond > 0 ? "more" : "less", style: `left:${left}%;width:${width}%` }),
      ),
      el("span", { class: "n" }, signed(beyond)),
    ];
    if (!step.part) return el("li", { class: "step", title: step.title }, el("div", {}, ...parts));
    return el(
      "li",
      { class: "step" },
      el(
        "button",
        {
          type: "button",
          "data-part": step.part,
          "aria-pressed": String(chosen === step.part),
          title: effect(step),
          onclick: () => this.model.send_msg({ part: chosen === step.part ? "" : step.part }),
        },
        ...parts,
      ),
    );
  }

  list = () => {
    const { worst, part, trait, state } = this.model;
    const step = state.steps?.find((one) => one.part === part);
    const chosen = part || trait;
    this.heading.hidden = !chosen;
    this.chip.show();
    this.listed.textContent = worst.length
      ? trait
        ? "Latest first"
        : "Most above usual"
      : `${step?.label ?? part}: no order had more than usual.`;
    const from = this.orders.getRootNode().activeElement?.dataset?.order;
    this.orders.replaceChildren(...worst.map((line) => this.order(...line)));
    if (from) this.orders.querySelector(`[data-order="${from}"]`)?.focus();
    if (!chosen) this.revealed = "";
    else if (worst.length && chosen !== this.revealed) this.reveal(chosen);
  };

  /** Show the head of the list of a part that has just been chosen: a low panel ends at the bars. */
  reveal(chosen) {
    this.revealed = chosen;
    const { bottom } = this.root.getBoundingClientRect();
    const last = this.orders.children[Math.min(SEEN, this.orders.children.length) - 1] ?? this.heading;
    const below = last.getBoundingClientRect().bottom - bottom;
    if (below > 0) this.root.scrollTop += below;
  }

  /** An order of the list; `beyond` and `late` are null before it is delivered. */
  order(row, id, beyond, late) {
    const known = late !== null;
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          "data-order": row,
          "data-testid": "why-order",
          "aria-pressed": String(this.selected.row === row),
          onclick: () => this.selected.select(row),
        },
        el("span", { class: "id" }, id),
        el("span", { class: "n" }, known ? `${signed(beyond)} min` : ""),
        el(
          "span",
          { class: "mute" },
          known ? (late > 0 ? `${minutes(late)} min late` : "in time") : "not delivered yet",
        ),
      ),
    );
  }
}

function render(view) {
  return new WhyPanel(view).root;
}

export { render, waterfall };
