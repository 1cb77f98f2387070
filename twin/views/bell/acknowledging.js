// The dialog in which somebody says that he has seen an alert: who he is, and what is done about it.

import { el, icon } from "../shared/elements.js";
import { memory } from "../shared/memory.js";
import { guarded } from "../shared/registry.js";
import { request } from "./alarms.js";

const WHO = "twin-alert-name";

class Acknowledging {
  constructor(model) {
    this.model = model;
    this.alert = null;
    /** @type {any} what had the focus before */
    this.before = null;
    this.heading = el("h2", { id: "acknowledge-title" });
    this.text = el("p", { class: "mute" });
    this.name = el("input", {
      type: "text",
      id: "acknowledge-name",
      maxlength: 100,
      autocomplete: "name",
      "data-testid": "acknowledge-name",
    });
    this.named = el("div", { class: "field" }, el("label", { for: "acknowledge-name" }, "Your name"), this.name);
    this.login = el("p", { class: "mute", hidden: true });
    this.note = el("textarea", {
      id: "acknowledge-note",
      rows: 2,
      maxlength: 500,
      placeholder: "Two drivers are on the way",
      "data-testid": "acknowledge-note",
    });
    this.problem = el("p", { class: "problem", role: "alert" });
    this.send = el("button", { type: "submit", class: "solid", "data-testid": "acknowledge-send" }, "Acknowledge");
    const close = el("button", {
      type: "button",
      class: "close",
      "aria-label": "Close",
      title: "Close",
      onclick: () => this.node.close(),
    });
    close.append(icon("close", 16));
    this.node = el(
      "dialog",
      { class: "acknowledging", "aria-labelledby": "acknowledge-title", "data-testid": "acknowledge" },
      el("header", {}, this.heading, close),
      el(
        "form",
        { onsubmit: this.submit },
        this.text,
        this.named,
        this.login,
        el(
          "div",
          { class: "field" },
          el("label", { for: "acknowledge-note" }, "What is done about it (others will read it)"),
          this.note,
        ),
        this.problem,
        this.send,
      ),
    );
    this.node.addEventListener("close", () => {
      this.before?.focus?.();
      this.before = null;
    });
    this.node.addEventListener("click", (event) => {
      if (event.target === this.node) this.node.close(); // the backdrop
    });
  }

  /** @param {import("./alarms.js").Alarm} alert */
  open = (alert) => {
    this.alert = alert;
    this.heading.textContent = alert.title;
    this.text.textContent = alert.text || alert.sentence;
    this.name.value = memory.get(WHO) ?? "";
    this.note.value = this.problem.textContent = "";
    this.send.disabled = false;
    if (this.node.open) return;
    this.before = document.activeElement;
    while (this.before?.shadowRoot?.activeElement) this.before = this.before.shadowRoot.activeElement;
    this.node.showModal();
    (this.name.value ? this.note : this.name).focus();
    this.ask();
  };

  /** Where there is a login, its name counts. */
  ask = guarded(async () => {
    const { name } = await request(this.model.user, "GET").catch(() => ({ name: null }));
    this.named.hidden = !!name;
    this.login.hidden = !name;
    this.login.textContent = name ? `As ${name}` : "";
  });

  submit = async (event) => {
    event.preventDefault();
    const name = this.name.value.trim();
    this.send.disabled = true;
    this.problem.textContent = "";
    try {
      const given = { name, note: this.note.value.trim() };
      await request(`${this.model.api}/${this.alert.id}/acknowledge`, "POST", given);
    } catch (error) {
      this.problem.textContent = error.message;
      this.send.disabled = false;
      return;
    }
    if (!this.named.hidden) memory.set(WHO, name || null);
    this.node.close();
  };

  remove() {
    this.node.remove();
  }
}

export { Acknowledging };
