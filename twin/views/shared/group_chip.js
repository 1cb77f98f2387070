// The chip that says to which group of orders a view is narrowed, and shows all again when pressed.

import { el, icon } from "./elements.js";

/**
 * Build it, hidden; `show` writes what is selected now.
 * @param {ReturnType<typeof import("./verbs.js").selectionOf>} selected
 * @param {string} id for tests
 */
function groupChip(selected, id) {
  const words = el("span", { class: "label" });
  const node = el("button", {
    type: "button",
    class: "chip group",
    hidden: true,
    "data-testid": id,
    "aria-pressed": "true",
    onclick: () => selected.showAll(),
  });
  node.append(words, icon("close", 12));
  const show = () => {
    const { group } = selected;
    if (node.hidden !== !group) node.hidden = !group; // a map shows it each frame
    if (!group) return;
    const orders = `${group.orders} ${group.orders === 1 ? "order" : "orders"}`;
    words.textContent = `${group.label} · ${orders}`;
    node.title = `Map, events and lists show only these ${orders}; click, or press Escape, to show all`;
  };
  show();
  return { node, show };
}

export { groupChip };
