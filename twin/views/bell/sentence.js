// The sentence of a rule: words with choices and fields in between, and what it says now.

import { el } from "../shared/elements.js";
import { figureOf, firstLimit, lastingOf, recoveryFor, unitOf, WAYS } from "./drafts.js";

const SEVERAL = "several";

class Sentence {
  /**
   * @param {{figures: import("./drafts.js").Figure[], troubles: string[][], kitchens: string[][], place: string}} known
   * @param {() => void} changed
   */
  constructor(known, changed) {
    this.known = known;
    this.changed = changed;
    /** @type {import("./drafts.js").Draft} */
    this.draft = null;
    this.root = el("div", { class: "sentence", role: "group", "aria-label": "The rule" });
  }

  /** @param {import("./drafts.js").Draft} draft */
  show(draft) {
    this.draft = { ...draft };
    this.write();
  }

  set(changes, rewrite = false) {
    Object.assign(this.draft, changes);
    if (rewrite) {
      const focused = this.root.getRootNode().activeElement?.dataset.testid;
      this.write();
      this.root.querySelector(`[data-testid="${focused}"]`)?.focus();
    }
    this.changed();
  }

  write() {
    const { draft, known } = this;
    const figure = figureOf(draft, known.figures);
    this.root.replaceChildren(
      el("p", {}, "When ", this.subject(), ...(figure ? this.comparison(figure) : this.trouble()), ...this.rest()),
      el("p", {}, ...(figure ? this.recovery(figure) : ["It is over when nothing of it shows"]), ...this.keep()),
    );
  }

  subject() {
    const { figures, troubles } = this.known;
    const lower = (label) => label[0].toLowerCase() + label.slice(1);
    const groups = [
      ["Figures", figures.map(({ name, label }) => [`figure/${name}`, lower(label)])],
      ["Troubles", troubles.map(([kind, words]) => [`trouble/${kind}`, words])],
    ];
    const node = el(
      "select",
      { "aria-label": "What is watched", "data-testid": "rule-subject" },
      ...groups.map(([label, choices]) => el("optgroup", { label }, ...this.options(choices, this.draft.subject))),
    );
    node.onchange = () => this.watch(node.value);
    return node;
  }

  /** Watch something else: with limits that go with it. */
  watch(subject) {
    const figure = figureOf({ subject }, this.known.figures);
    const way = figure && !figure.usual && WAYS[this.draft.way].against ? "over" : this.draft.way;
    const limit = figure ? firstLimit(figure, way) : this.draft.limit;
    const usual = this.draft.forMin === lastingOf(this.draft.subject);
    const forMin = usual ? lastingOf(subject) : this.draft.forMin;
    this.set({ subject, way, limit, recovery: recoveryFor(way, limit), free: true, forMin }, true);
  }

  comparison(figure) {
    const { draft } = this;
    const ways = Object.entries(WAYS).filter(([, { against }]) => figure.usual || !against);
    const way = this.choice(
      "How it is compared",
      "rule-way",
      ways.map(([name, { said }]) => [name, said]),
      draft.way,
      (name) => {
        const limit = firstLimit(figure, name);
        this.set({ way: name, limit, recovery: recoveryFor(name, limit), free: true }, true);
      },
    );
    const limit = this.number("Limit", "rule-limit", draft.limit, (value) => {
      const recovery = draft.free ? recoveryFor(this.draft.way, value) : this.draft.recovery;
      this.set({ limit: value, recovery });
      const field = this.root.querySelector('[data-testid="rule-recovery"]');
      if (this.draft.free && Number.isFinite(recovery)) field.value = String(recovery);
    });
    return [" is ", way, " ", limit, ` ${unitOf(figure, draft.way)}`];
  }

  trouble() {
    if (this.draft.subject === "trouble/demand_spike") return [" shows"];
    const least = this.number("At least so many orders", "rule-least", this.draft.least, (least) =>
      this.set({ least }),
    );
    return [" shows in ", least, " orders or more"];
  }

  rest() {
    const { draft } = this;
    const lasting = this.number("For so many minutes", "rule-for", draft.forMin, (forMin) => this.set({ forMin }));
    const quiet = this.choice(
      "Quiet hours",
      "rule-quiet",
      [
        ["", "at any time"],
        ["quiet", "not between"],
      ],
      draft.quiet ? "quiet" : "",
      (value) => this.set({ quiet: !!value }, true),
    );
    const hours = draft.quiet
      ? [" ", this.time("From", "rule-from", "from"), " and ", this.time("To", "rule-to", "to")]
      : [];
    return [" for ", lasting, " min, at ", this.where(), ", ", quiet, ...hours, "."];
  }

  where() {
    const { draft, known } = this;
    const value = draft.where.length > 1 ? SEVERAL : (draft.where[0] ?? "");
    const choices = [["", "every kitchen"], ...known.kitchens];
    if (value === SEVERAL) choices.push([SEVERAL, `${draft.where.length} kitchens`]);
    else if (value && !known.kitchens.some(([id]) => id === value)) choices.push([value, value]);
    const several = draft.where;
    return this.choice("Where", "rule-where", choices, value, (id) =>
      this.set({ where: id === SEVERAL ? several : id ? [id] : [] }),
    );
  }

  recovery(figure) {
    const { draft } = this;
    const recovery = this.number("Recovery limit", "rule-recovery", draft.recovery, (value) =>
      this.set({ recovery: value, free: false }),
    );
    return [`It is over when it is ${WAYS[draft.way].back} `, recovery, ` ${unitOf(figure, draft.way)}`];
  }

  keep() {
    const keep = this.number("Over for so many minutes", "rule-keep", this.draft.keepMin, (keepMin) =>
      this.set({ keepMin }),
    );
    return [" for ", keep, " min."];
  }

  options(choices, chosen) {
    return choices.map(([value, label]) => el("option", { value, selected: value === chosen }, label));
  }

  choice(label, id, choices, chosen, take) {
    const node = el("select", { "aria-label": label, "data-testid": id }, ...this.options(choices, chosen));
    node.addEventListener("change", () => take(node.value));
    return node;
  }

  number(label, id, value, take) {
    const node = el("input", {
      type: "number",
      min: 0,
      step: "any",
      inputmode: "decimal",
      required: true,
      value: Number.isFinite(value) ? value : "",
      "aria-label": label,
      "data-testid": id,
    });
    node.addEventListener("input", () => take(node.value === "" ? NaN : Number(node.value)));
    return node;
  }

  time(label, id, field) {
    const node = el("input", {
      type: "time",
      required: true,
      value: this.draft[field],
      "aria-label": label,
      "data-testid": id,
    });
    node.addEventListener("input", () => this.set({ [field]: node.value }));
    return node;
  }
}

export { Sentence };
