// The choice of the kitchen in the page's bar: the browser's own list for a few, a field to type in for many.

import { MANY_KITCHENS } from "#python/pages/operations/choice";
import { el } from "../../views/shared/elements.js";
import { VirtualList } from "../../views/shared/virtual_list.js";
import { bestFirst, matching, withText } from "./kitchens.js";

const ROW = 34;
/** @param {string[]} kitchen id, name, qualifier */
const labelOf = ([, name, qualifier]) => (qualifier ? `${name} (${qualifier})` : name);

/** What leads to all kitchens on one clock, at the moment that this page shows: its address has it. */
const ALL = "All kitchens on one clock …";
const allKitchens = () => {
  const { t = "", speed = "", theme = "" } = Object.fromEntries(new URLSearchParams(location.search));
  const known = Object.entries({ t, speed, theme }).filter(([, value]) => value);
  return `./network?${new URLSearchParams(known)}`;
};

/** The browser's own list, which every assistive technology and every phone knows. */
function buildSelect(model) {
  const select = el("select", { id: "kitchen", "data-testid": "kitchen" });
  const show = () => {
    select.value = model.value;
  };
  const build = () => {
    const kitchens = model.kitchens.map((kitchen) => el("option", { value: kitchen[0] }, labelOf(kitchen)));
    select.replaceChildren(...kitchens, el("option", { value: "", "data-testid": "all-kitchens" }, ALL));
    show();
  };
  select.addEventListener("change", () => {
    if (select.value) model.value = select.value;
    else {
      show(); // Back leads here again
      location.assign(allKitchens());
    }
  });
  build();
  return { parts: [select], show, build, remove: () => {} };
}

/** The combobox pattern of ARIA: what is typed leaves the kitchens that hold it, arrows and Enter choose. */
class Combobox {
  constructor(model) {
    this.model = model;
    this.field = el("input", {
      id: "kitchen",
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      "aria-expanded": "false",
      "aria-autocomplete": "list",
      "data-testid": "kitchen",
    });
    this.list = new VirtualList({
      label: "Kitchens",
      row: ROW,
      field: this.field,
      id: ({ id }) => `kitchen-${id}`,
      draw: ({ name, qualifier }) => [
        el("span", { class: "name" }, name),
        qualifier ? el("span", { class: "qualifier" }, qualifier) : el("span"),
      ],
      choose: ({ id }) => {
        this.close();
        if (id !== this.model.value) this.model.value = id;
      },
    });
    this.list.node.tabIndex = -1; // the field has the focus
    this.status = el("div", { role: "status", class: "spoken" });
    this.none = el("p", { class: "none", hidden: true }, "No kitchen has that in its name, city or id.");
    this.all = el("a", { class: "all", href: "./network", tabindex: -1, "data-testid": "all-kitchens" }, ALL);
    this.all.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.box = el("div", { class: "popup", popover: "manual" }, this.list.node, this.none, this.all);
    this.parts = [this.field, this.box, this.status];
    this.field.addEventListener("focus", () => this.field.select());
    this.field.addEventListener("click", () => this.open());
    this.field.addEventListener("blur", () => this.close());
    this.field.addEventListener("input", () => {
      this.open();
      this.search();
    });
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.build();
  }

  get isOpen() {
    return this.box.matches(":popover-open");
  }

  build = () => {
    this.kitchens = withText(
      this.model.kitchens.map(([id, name, qualifier, place]) => ({ id, name, qualifier, place })),
    );
    this.show();
    if (this.isOpen) this.search();
  };

  show = () => {
    if (this.isOpen) return;
    const kitchen = this.model.kitchens.find(([id]) => id === this.model.value);
    this.field.value = this.field.title = kitchen ? labelOf(kitchen) : "";
  };

  open() {
    if (this.isOpen || !this.box.isConnected) return;
    this.all.setAttribute("href", allKitchens());
    this.box.showPopover();
    this.field.setAttribute("aria-expanded", "true");
    const { left, bottom, width } = this.field.getBoundingClientRect();
    const room = document.documentElement.clientWidth - 16;
    const wide = Math.min(room, Math.max(width, 380));
    Object.assign(this.box.style, {
      top: `${bottom + 4}px`,
      left: `${Math.max(8, Math.min(left, room + 8 - wide))}px`,
      width: `${wide}px`,
    });
    this.list.set(this.kitchens, ({ id }) => id === this.model.value);
  }

  close() {
    if (!this.isOpen) return;
    this.box.hidePopover();
    this.field.setAttribute("aria-expanded", "false");
    this.list.activate(-1);
    this.status.textContent = "";
    this.show();
  }

  search() {
    const query = this.field.value;
    const found = query.trim() ? bestFirst(matching(this.kitchens, query), query) : this.kitchens;
    this.list.set(found, (kitchen) => kitchen === found[0]);
    this.list.node.hidden = !found.length;
    this.none.hidden = found.length > 0;
    const many = (n) => n.toLocaleString("en-US");
    this.status.textContent = `${many(found.length)} of ${many(this.kitchens.length)} kitchens`;
  }

  press(event) {
    if (event.key === "Escape" && this.isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
      this.field.select();
    } else if (!this.isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      event.stopPropagation();
      this.open();
    } else if (this.isOpen) this.list.press(event);
  }

  remove = () => this.list.remove();
}

function render({ model }) {
  const root = el("div", { class: "choice" });
  let choice;
  let many;
  const build = () => {
    const now = model.kitchens.length > MANY_KITCHENS;
    if (now === many) return choice.build();
    many = now;
    choice?.remove();
    choice = many ? new Combobox(model) : buildSelect(model);
    root.replaceChildren(el("label", { for: "kitchen" }, model.label), ...choice.parts);
  };
  build();
  model.on("kitchens", build);
  model.on("value", () => choice.show());
  model.on("remove", () => choice.remove());
  return root;
}

export { render };
