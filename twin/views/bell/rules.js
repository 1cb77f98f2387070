// The dialog of the rules: their list, and the editor of one, which is saved once it is seen what it would have done.

import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { verbsOf } from "../shared/verbs.js";
import { request } from "./alarms.js";
import { draftOf, missingIn, newDraft, ruleOf } from "./drafts.js";
import { Sentence } from "./sentence.js";
import { triedParts } from "./tried.js";

/** Milliseconds without a change after which a sentence is tried. */
const PAUSE_MS = 500;
/** Milliseconds after which a trial shows how far it has come. */
const PROGRESS_AFTER_MS = 1000;

class Rules {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(model);
    this.verbs = verbsOf(model, this.clock);
    this.rules = sharedState(model.clock, "rules");
    this.number = 0;
    this.timer = this.slow = 0;
    this.tried = false;
    /** @type {any} what had the focus before */
    this.before = null;
    this.sentence = new Sentence(model, () => this.change());
    this.build();
    this.fill();
    for (const name of ["rules", "kitchens", "problem"]) model.on(name, this.fill);
    model.on("msg:custom", guarded(this.take));
    this.rules.take({ open: this.open });
    model.on("remove", () => {
      clearTimeout(this.timer);
      clearTimeout(this.slow);
      this.rules.take(null);
      this.dialog.remove();
    });
  }

  build() {
    const close = el("button", {
      type: "button",
      class: "close",
      "aria-label": "Close",
      title: "Close",
      "data-testid": "rules-close",
      onclick: () => this.dialog.close(),
    });
    close.append(icon("close", 16));
    this.heading = el("h2", { id: "alert-rules-title" });
    this.buildList();
    this.buildEditor();
    this.dialog = el(
      "dialog",
      { "aria-labelledby": "alert-rules-title", tabindex: "-1", "data-testid": "rules-dialog" },
      el("header", {}, this.heading, close),
      this.listed,
      this.editor,
    );
    this.dialog.addEventListener("close", () => {
      this.model.send_msg({ stop: true });
      this.before?.focus?.();
      this.before = null;
    });
    this.root = el("div", {}, this.dialog);
  }

  buildList() {
    this.status = el("p", { class: "status", role: "status", "data-testid": "rules-status" });
    this.list = el("ul", { class: "rules" });
    const add = el(
      "button",
      {
        type: "button",
        class: "solid",
        "data-testid": "rule-new",
        onclick: () => this.edit(newDraft(this.model.place)),
      },
      "New rule",
    );
    this.listed = el(
      "div",
      { class: "body" },
      this.status,
      this.list,
      el("footer", {}, el("p", { class: "mute" }, "Whoever can see this page can change its rules."), add),
    );
  }

  buildEditor() {
    this.name = el("input", {
      type: "text",
      id: "alert-rule-name",
      maxlength: 120,
      placeholder: "What it watches",
      "data-testid": "rule-name",
      oninput: () => {
        this.sentence.draft.name = this.name.value; // what it does stays the same
      },
    });
    this.bar = el("progress", { max: 1, hidden: true, "aria-label": "Trying the rule on the past" });
    this.doing = el("p", { class: "mute", role: "status", "data-testid": "tried-state" });
    this.result = el("div", { class: "result", "data-testid": "tried" });
    this.problem = el("p", { class: "problem", role: "alert", "data-testid": "rule-problem" });
    this.save = el(
      "button",
      { type: "button", class: "solid", disabled: true, "data-testid": "rule-save", onclick: () => this.store() },
      "Save",
    );
    const back = el(
      "button",
      { type: "button", "data-testid": "rule-back", onclick: () => this.show("list") },
      "Cancel",
    );
    this.editor = el(
      "div",
      { class: "body", hidden: true },
      this.sentence.root,
      el("div", { class: "named" }, el("label", { for: "alert-rule-name" }, "Name"), this.name),
      el("section", { "aria-label": "What it would have done" }, this.doing, this.bar, this.result),
      this.problem,
      el("footer", {}, back, this.save),
    );
  }

  /** Open the dialog where it was left: a sentence that somebody went away from to look at an alert is still there. */
  open = () => {
    if (this.dialog.open) return;
    this.before = document.activeElement;
    while (this.before?.shadowRoot?.activeElement) this.before = this.before.shadowRoot.activeElement;
    this.dialog.showModal();
    if (this.editor.hidden) this.show("list");
    else if (!this.tried) this.change();
  };

  show(what) {
    this.editor.hidden = what !== "editor";
    this.listed.hidden = what === "editor";
    if (what === "list") {
      this.heading.textContent = "Rules of alerts";
      this.number += 1; // whatever is tried still is of no use
      clearTimeout(this.timer);
    }
  }

  edit(draft) {
    this.status.textContent = "";
    this.heading.textContent = draft.id ? "Change a rule" : "New rule";
    this.sentence.show(draft);
    this.name.value = draft.name;
    this.show("editor");
    this.sentence.root.querySelector("select")?.focus();
    this.change(0);
  }

  /** The sentence is another: try it, once it stays so for a moment. */
  change(pause = PAUSE_MS) {
    const { draft } = this.sentence;
    this.number += 1;
    this.tried = false;
    this.save.disabled = true;
    clearTimeout(this.timer);
    clearTimeout(this.slow);
    this.bar.hidden = true;
    this.result.classList.add("old");
    const missing = missingIn(draft, this.model.figures);
    this.problem.textContent = missing;
    this.doing.textContent = missing ? "" : "Trying it on the past …";
    if (!missing) this.timer = setTimeout(guarded(this.send), pause);
  }

  /** The kitchen at which it is tried: the one shown, unless the rule is not for it. */
  get at() {
    const { where } = this.sentence.draft;
    return !where.length || where.includes(this.model.place) ? this.model.place : where[0];
  }

  send = () => {
    const rule = ruleOf(this.sentence.draft, this.model.figures);
    this.model.send_msg({ try: rule, at: this.at, number: this.number });
    this.slow = setTimeout(() => {
      this.bar.removeAttribute("value");
      this.bar.hidden = false;
    }, PROGRESS_AFTER_MS);
  };

  take = ({ number, share, result, problem }) => {
    if (number !== this.number) return;
    if (share !== undefined) {
      this.bar.value = share;
      return;
    }
    clearTimeout(this.slow);
    this.bar.hidden = true;
    this.doing.textContent = "";
    this.result.classList.remove("old");
    this.problem.textContent = problem ?? "";
    this.tried = !problem;
    this.save.disabled = !this.tried;
    const kitchen = this.model.kitchens.find(([id]) => id === this.at)?.[1] ?? this.at;
    this.result.replaceChildren(...(problem ? [] : triedParts(result, kitchen, this.clock.zone, this.go)));
  };

  go = (t) => {
    this.dialog.close();
    const { start, end } = this.clock.window ?? this.clock.anchor;
    if (this.at === this.model.place && t >= start && t <= end) this.verbs.visit(t);
    else this.model.send_msg({ go: t, at: this.at });
  };

  store = async () => {
    const { id } = this.sentence.draft;
    this.save.disabled = true;
    this.problem.textContent = "";
    try {
      const address = `${this.model.api}/rules${id ? `/${id}` : ""}`;
      await request(address, id ? "PUT" : "POST", ruleOf(this.sentence.draft, this.model.figures));
    } catch (error) {
      this.problem.textContent = error.message;
      this.save.disabled = false;
      return;
    }
    this.show("list");
    this.say("The rule is saved.");
  };

  say(text, undo = null) {
    const act =
      undo && el("button", { type: "button", class: "link", "data-testid": "rule-undo", onclick: undo }, "Undo");
    this.status.replaceChildren(text, ...(act ? [" ", act] : []));
  }

  /** Send a change of a rule that is stored; what goes wrong is said. */
  async changeStored(rule, method, changes, said, undo = null) {
    const { id, sentence, title, ...rest } = rule;
    try {
      await request(`${this.model.api}/rules/${id}`, method, changes && { ...rest, ...changes });
      this.say(said, undo);
    } catch (error) {
      this.say(error.message);
      this.fill();
    }
  }

  fill = guarded(() => {
    const { rules, problem } = this.model;
    if (problem || !rules.length) {
      const none = problem || "There are no rules yet, so nothing fires. The first one may say what worries you most.";
      this.list.replaceChildren(el("li", { class: "none" }, none));
      return;
    }
    this.list.replaceChildren(...rules.map((rule) => this.item(rule)));
  });

  item(rule) {
    const names = new Map(this.model.kitchens);
    const where = rule.locations.length ? rule.locations.map((id) => names.get(id) ?? id).join(", ") : "every kitchen";
    const enabled = el("input", { type: "checkbox", checked: rule.enabled, "aria-label": `On: ${rule.title}` });
    enabled.dataset.testid = "rule-enabled";
    enabled.addEventListener("change", () => {
      const said = enabled.checked ? `“${rule.title}” is on.` : `“${rule.title}” is off.`;
      this.changeStored(rule, "PUT", { enabled: enabled.checked }, said);
    });
    const button = (label, id, act) =>
      el("button", { type: "button", "aria-label": `${label}: ${rule.title}`, "data-testid": id, onclick: act }, label);
    return el(
      "li",
      { class: rule.enabled ? "" : "off", "data-testid": "rule" },
      enabled,
      el("div", {}, el("b", {}, rule.title), el("p", { class: "mute" }, `${rule.sentence}. At ${where}.`)),
      button("Edit", "rule-edit", () => this.edit(draftOf(rule, this.model.figures))),
      button("Delete", "rule-delete", () =>
        this.changeStored(rule, "DELETE", undefined, `“${rule.title}” is deleted.`, () =>
          this.changeStored(rule, "PUT", {}, `“${rule.title}” is back.`),
        ),
      ),
    );
  }
}

function render(view) {
  return new Rules(view).root;
}

export { render };
