import { el } from "../shared/elements.js";
import { plural } from "../shared/numbers.js";
import { selectionOf } from "../shared/verbs.js";

const minutes = (value) => value.toFixed(1);
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${minutes(Math.abs(value))}`;
const SCOPES = { hour: "Last 60 min", range: "Range or loop" };
/** By what it speaks: the switch in the transport, in its words. */
const SPEAKS_BY = [
  ["As it was known", "Of what had been delivered by the playhead, against what is usual on other days"],
  ["With hindsight", "Of all deliveries of the range or loop, also of those after the playhead"],
];
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
      el("button", { type: "button", "data-scope": scope, onclick: () => model.send_msg({ scope }) }, label),
    );
    this.by = el("span", { class: "by mute", "data-testid": "why-by" });
    this.sentence = el("p", { class: "sentence", role: "status", "data-testid": "why-sentence" });
    this.rows = el("ol", {
      class: "steps",
      "data-testid": "why-steps",
      "aria-label": "From the promise to the delivery time, minutes",
    });
    this.shared = el("ul", { "data-testid": "why-shared" });
    this.alike = el("div", { class: "alike" }, el("h4", {}, "What the late ones share"), this.shared);
    this.orders = el("ol", { class: "orders", "data-testid": "why-orders", "aria-label": "Its orders, worst first" });
    this.listed = el("h4", { class: "listed" });
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
      this.alike,
      el("div", { class: "list" }, this.listed, this.orders),
      el(
        "details",
        { class: "how" },
        el("summary", {}, "How this is counted"),
        el(
          "p",
          {},
          "Averages of what was delivered in the last 60 minutes, or of the orders that began in the range or loop: as it " +
            "was known, those delivered by now; with hindsight, all of them. What was promised, what an order usually takes at its hour on other days, what each part took " +
            "more or less than that, and what it came to. The parts add up; what the record lacks is one of them.",
        ),
      ),
    );
    for (const name of ["state", "part", "scope"]) model.on(name, this.show);
    for (const name of ["state", "shared"]) model.on(name, this.share);
    for (const name of ["worst", "part"]) model.on(name, this.list);
    model.on("remove", this.selected.on(this.list));
    this.show();
    this.share();
    this.list();
  }

  share = () => {
    const { shared, state } = this.model;
    this.alike.hidden = !state.late;
    const said = shared.length ? shared : ["Nothing stands out: they are like those in time."];
    this.shared.replaceChildren(...said.map((sentence) => el("li", {}, sentence)));
  };

  show = () => {
    const { state, part } = this.model;
    for (const button of this.scopes) {
      button.setAttribute("aria-pressed", String(button.dataset.scope === this.model.scope));
    }
    const ready = state.sentence !== undefined;
    this.root.classList.toggle("waiting", !ready);
    this.sentence.textContent = ready ? state.sentence : "Comparing with what is usual …";
    this.rows.hidden = !ready || !state.orders;
    const [by, title] = SPEAKS_BY[Number(state.hindsight ?? false)];
    this.by.textContent = ready ? by : "";
    this.by.title = title;
    if (this.rows.hidden) {
      this.rows.replaceChildren();
      return;
    }
    const { spans, place } = waterfall(state);
    const from = this.rows.getRootNode().activeElement?.dataset?.part;
    this.rows.replaceChildren(
      this.end("Promised", state.target, place),
      this.step({ label: "Usual" }, state.usual, spans[0], place),
      ...state.steps.map((step, k) => this.step(step, step.beyond, spans[k + 1], place, part)),
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
    if (!step.part) return el("li", { class: "step" }, el("div", {}, ...parts));
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
    const { worst, part, state } = this.model;
    const step = state.steps?.find((one) => one.part === part);
    this.listed.hidden = !part;
    this.listed.textContent = !part
      ? ""
      : worst.length
        ? `${step?.label ?? part}: the orders with most above usual`
        : "No order had more of it than usual.";
    this.orders.replaceChildren(
      ...worst.map(([row, id, beyond, late]) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              "aria-pressed": String(this.selected.row === row),
              onclick: () => this.selected.select(row),
            },
            el("span", { class: "id" }, id),
            el("span", { class: "n" }, `${signed(beyond)} min`),
            el("span", { class: "mute" }, late > 0 ? `${minutes(late)} min late` : "in time"),
          ),
        ),
      ),
    );
  };
}

function render(view) {
  return new WhyPanel(view).root;
}

export { render, waterfall };
