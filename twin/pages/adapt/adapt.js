// The form of /adapt: what the columns probably mean, what is asked, and what that makes of the rows. The guesses and
// the result are in files of their own; here they are put together.

import { el, icon } from "../../views/shared/elements.js";
import { many, plural } from "../../views/shared/numbers.js";
import { keyed, question, row, table } from "./guesses.js";
import { Result } from "./result.js";

const HEADS = ["Means", "Confidence", "Orders that contradict"];

/** What stands in the place of the form when there is nothing to correct. */
function card(kind, title, text, ...ways) {
  const sign = el("span", { class: `sign is-${kind}` });
  sign.append(icon(kind === "error" ? "alert" : "check", 24));
  return el(
    "div",
    { class: "card notice", role: kind === "error" ? "alert" : "status", "data-testid": `adapt-${kind}` },
    sign,
    el("h2", {}, title),
    el("p", { class: "mute" }, text),
    el("div", { class: "ways" }, ...ways),
  );
}

function fact(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

class AdaptPage {
  constructor(model) {
    this.model = model;
    this.lead = el("p", { class: "lead" });
    this.facts = el("dl", { class: "facts" });
    this.shapes = el("div", { class: "shapes", role: "group", "aria-label": "What a row is" });
    this.notes = el("ul", { class: "notes", "data-testid": "notes" });
    this.notice = el("div", {});
    this.open = el("a", { class: "first", href: "./", "data-testid": "open" }, "Open the kitchens");
    this.buildQuestions();
    this.buildTables();
    this.result = new Result();
    this.buildFile();
    this.buildBar();
    this.assemble();
  }

  send(message) {
    this.model.send_msg(message);
  }

  buildQuestions() {
    const asked = el("div", {});
    this.questions = el(
      "section",
      { class: "card part asks", "data-testid": "questions", "aria-live": "polite" },
      el("h2", {}, "Only you can say"),
      asked,
    );
    this.fillQuestions = keyed(asked, (one) =>
      question(one, ({ kind, column }, answer) => this.send({ question: kind, column, answer })),
    );
  }

  buildTables() {
    this.columns = table(
      "Columns",
      "Guessed from names, values and the order in which things happen. Correct what is wrong.",
      ["Column", "Values", ...HEADS],
      "columns",
    );
    this.activities = table(
      "Activities",
      "What the names of events mean. Those not used stay in the log, of unknown type.",
      ["Name", "Rows", ...HEADS],
      "activities",
    );
    this.fillColumns = keyed(this.columns.body, (guess) =>
      row(
        guess,
        () => this.model.state.groups,
        (role) => this.send({ column: guess.name, role }),
        "Values",
      ),
    );
    this.fillActivities = keyed(this.activities.body, (guess) =>
      row(
        guess,
        () => [["", this.model.state.events]],
        (event) => this.send({ label: guess.name, event }),
        "Rows",
      ),
    );
  }

  buildFile() {
    this.yaml = el("pre", { tabindex: 0, "aria-label": "The adapter as YAML" });
    this.file = el("details", { class: "card part" }, el("summary", {}, "The adapter as a file"), this.yaml);
  }

  buildBar() {
    this.save = el("button", {
      type: "button",
      class: "first",
      "data-testid": "save",
      onclick: () => this.send({ save: true }),
    });
    this.reset = el(
      "button",
      { type: "button", class: "second", onclick: () => this.send({ reset: true }) },
      "Undo my corrections",
    );
    this.problem = el("p", { class: "problem", role: "alert" });
    this.hint = el("p", { class: "mute hint" });
    this.bar = el(
      "footer",
      { class: "actions" },
      el("div", { class: "within" }, el("div", {}, this.problem, this.hint), this.reset, this.save),
    );
  }

  assemble() {
    this.form = el(
      "div",
      { class: "form" },
      this.questions,
      this.columns.node,
      this.activities.node,
      this.result.node,
      this.file,
    );
    this.root = el(
      "main",
      { class: "adapt", "data-testid": "adapt" },
      el(
        "div",
        { class: "page" },
        el("header", {}, el("h1", {}, "What do these columns mean?"), this.lead, this.facts, this.shapes),
        this.notes,
        this.notice,
        this.form,
      ),
      this.bar,
    );
  }

  show() {
    const state = this.model.state;
    const ready = state.status === "ready";
    for (const node of [this.form, this.facts, this.shapes, this.notes, this.bar]) node.hidden = !ready;
    this.notice.hidden = ready;
    this.root.setAttribute("aria-busy", String(state.status === "loading" || Boolean(state.busy)));
    if (ready) this.showForm(state);
    else this.showNotice(state);
  }

  showNotice(state) {
    this.lead.textContent = state.status === "loading" ? "Looking at the file …" : "";
    this.notice.replaceChildren(this.noticeOf(state));
    if (state.status === "saved") this.open.focus();
  }

  noticeOf(state) {
    if (state.status === "saved")
      return card(
        "saved",
        `${state.file} is written`,
        `${state.source} is open. The adapter is used from now on, here, by twin check and in notebooks.`,
        this.open,
      );
    if (state.status === "open") return card("open", "Nothing to adapt", state.message, this.open);
    if (state.status === "error")
      return card(
        "error",
        "This source cannot be adapted",
        state.message,
        el("button", { type: "button", class: "first", onclick: () => this.send({ retry: true }) }, "Try again"),
      );
    return el("div", { class: "card notice waiting", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  }

  showForm(state) {
    this.lead.textContent =
      `${state.source} has no event columns. This is what its columns probably are; correct what is wrong, look at ` +
      "twenty orders, and use it.";
    this.facts.replaceChildren(
      fact("File", state.source),
      fact("Rows looked at", many(state.rows)),
      fact("Columns", many(state.columns.length)),
    );
    this.showShapes(state);
    this.questions.hidden = !state.questions.length;
    this.fillQuestions(state.questions, (one) => `${one.kind} ${one.column}`);
    this.fillColumns(state.columns, (one) => one.name);
    this.activities.node.hidden = !state.activities.length;
    this.fillActivities(state.activities, (one) => one.name);
    this.notes.replaceChildren(...[state.lacks, ...state.notes].filter(Boolean).map((text) => el("li", {}, text)));
    this.notes.hidden = !this.notes.children.length;
    this.result.show(state.check);
    this.file.hidden = !state.yaml;
    this.yaml.textContent = state.yaml;
    this.showBar(state);
  }

  showShapes(state) {
    const focused = this.shapes.contains(this.root.getRootNode().activeElement);
    this.shapes.replaceChildren(
      ...state.shapes.map(([shape, words]) =>
        el(
          "button",
          { type: "button", "aria-pressed": String(shape === state.shape), onclick: () => this.send({ shape }) },
          words[0].toUpperCase() + words.slice(1),
        ),
      ),
    );
    if (focused) this.shapes.querySelector('[aria-pressed="true"]').focus();
  }

  showBar(state) {
    this.problem.textContent = state.problem;
    const isReady = state.yaml && state.check?.status === "ready" && !state.busy;
    this.save.disabled = !isReady || state.saving;
    this.save.textContent = state.saving ? "Opening …" : "Use it";
    this.reset.hidden = !state.corrected;
    this.hint.textContent = state.problem
      ? ""
      : state.questions.length
        ? `${plural(state.questions.length, "question")} to answer first.`
        : state.lacks
          ? state.lacks
          : "Writes one file beside the data; the data itself stays as it is.";
  }
}

function render({ model }) {
  const page = new AdaptPage(model);
  model.on("state", () => page.show());
  page.show();
  return page.root;
}

export { render };
