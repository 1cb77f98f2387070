// The incident card in a dialog: a preview as it will be printed, notes of one's own, and how to save it. The server
// makes the card; what is printed and saved is what it sent, notes included.

import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";

/** Milliseconds without a key after which the notes go into the preview. */
const TYPING = 350;
const MOST_NOTES = 600;

class IncidentCard {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.cards = sharedState(this.model.clock, "cards");
    this.asked = 0;
    this.made = null;
    /** @type {any} what had the focus before */
    this.before = null;
    this.waiting = [];
    this.typing = 0;
    this.build();
    this.cards.take({ open: this.open });
    this.model.on("msg:custom", guarded(this.take));
    this.model.on("remove", () => {
      clearTimeout(this.typing);
      this.cards.take(null);
      this.dialog.remove();
    });
  }

  build() {
    this.heading = el("h2", { id: "incident-card-title" }, "Incident card");
    this.state = el("p", { class: "state", role: "status", "data-testid": "card-state" });
    this.preview = el("iframe", {
      title: "Preview of the card",
      // it has no scripts; printing it needs the origin
      sandbox: "allow-same-origin allow-modals allow-popups",
      "data-testid": "card-preview",
    });
    this.notes = el("textarea", {
      id: "incident-card-notes",
      rows: 5,
      maxlength: MOST_NOTES,
      placeholder: "What the data do not tell: who was ill, what was done",
      "data-testid": "card-notes",
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(guarded(this.note), TYPING);
      },
    });
    const close = el("button", {
      type: "button",
      class: "close",
      "aria-label": "Close",
      title: "Close",
      onclick: () => this.dialog.close(),
    });
    close.append(icon("close", 16));
    this.saving = [
      this.button("print", "Print or PDF", "receipt", () => this.preview.contentWindow.print()),
      this.button("html", "HTML", "link", () => save(`${this.made.name}.html`, this.made.html, "text/html")),
      this.button("png", "PNG", "image", () =>
        this.model.send_msg({ notes: this.notes.value, png: true, ask: ++this.asked }),
      ),
      this.button("markdown", "Markdown", "copy", () =>
        save(`${this.made.name}.md`, this.made.markdown, "text/markdown"),
      ),
    ];
    this.dialog = el(
      "dialog",
      {
        class: "card",
        "aria-labelledby": "incident-card-title",
        tabindex: "-1",
        autofocus: true,
        "data-testid": "card-dialog",
      },
      el("header", {}, this.heading, close),
      el(
        "div",
        { class: "body" },
        el("div", { class: "sheet" }, this.preview),
        el(
          "div",
          { class: "side" },
          el("label", { for: "incident-card-notes" }, "Notes on the card"),
          this.notes,
          el("p", { class: "mute" }, "They are kept in what you save, and nowhere else."),
          el("div", { class: "saving", role: "group", "aria-label": "Save the card" }, ...this.saving),
          this.state,
        ),
      ),
    );
    this.dialog.addEventListener("close", () => {
      this.before?.focus?.();
      this.before = null;
    });
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // the backdrop
    });
    this.root = el("div", { class: "incident-card" }, this.dialog);
  }

  button(name, label, symbol, act) {
    const node = el("button", {
      type: "button",
      disabled: true,
      "data-testid": `card-${name}`,
      onclick: () => this.whenCurrent(act),
    });
    node.append(icon(symbol, 14), label);
    return node;
  }

  /** Act on a card that has the notes as they are typed. */
  whenCurrent(act) {
    if (!this.typing) {
      act();
      return;
    }
    this.waiting.push(act);
    clearTimeout(this.typing);
    this.note();
  }

  /** @param {import("../shared/cards.js").CardOf} of */
  open = (of) => {
    this.made = null;
    this.notes.value = "";
    this.waiting = [];
    this.preview.srcdoc = "";
    this.say("Making the card …");
    for (const button of this.saving) button.disabled = true;
    if (!this.dialog.open) {
      this.before = document.activeElement;
      while (this.before?.shadowRoot?.activeElement) this.before = this.before.shadowRoot.activeElement;
      this.dialog.showModal();
    }
    const t = this.clock.hindsight ? null : this.clock.now();
    const page = `${location.origin}${location.pathname}`;
    this.model.send_msg({ card: { ...of, t, page }, ask: ++this.asked });
  };

  note = () => {
    this.typing = 0;
    if (this.made) this.model.send_msg({ notes: this.notes.value, ask: ++this.asked });
  };

  take = ({ ask, html, markdown, title, name, png, problem }) => {
    if (png) {
      const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
      save(`${this.made?.name ?? "card"}.png`, bytes, "image/png");
      return;
    }
    if (ask !== this.asked) return;
    if (problem) {
      this.say(problem);
      return;
    }
    this.made = { html, markdown, name };
    this.preview.srcdoc = html;
    this.heading.textContent = title;
    this.say("");
    for (const button of this.saving) button.disabled = false;
    for (const act of this.waiting.splice(0)) act();
  };

  say(text) {
    this.state.textContent = text;
  }
}

/** Hand a file to the browser's downloads. */
function save(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function render(view) {
  return new IncidentCard(view).root;
}

export { render };
