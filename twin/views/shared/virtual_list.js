// A listbox of any length, of which only the rows in view are in the document.

import { el } from "./elements.js";
import { guarded } from "./registry.js";

/** Rows beyond each edge that are there before they are scrolled to. */
const BEYOND = 6;
let lists = 0;

/**
 * The listbox pattern of ARIA for thousands of rows of one height. One row is active: the arrows move it, Enter or a
 * click chooses. The keys work in the list itself, and in a field whose keydown is handed to `press`.
 */
class VirtualList {
  /**
   * @param {{label: string, row: number, draw: (item: any) => Node[], choose: (item: any) => void,
   *   field?: HTMLElement, id?: (item: any) => string}} options
   *   `row`: the rows' height, px; `draw` returns what stands in a row; `field`: the input that the list answers to;
   *   `id`: a row's data-testid. An item {title} is a heading, which cannot be chosen.
   */
  constructor({ label, row, draw, choose, field, id }) {
    this.row = row;
    this.draw = draw;
    this.choose = choose;
    this.field = field;
    this.id = id;
    this.name = `list-${++lists}`;
    this.items = [];
    this.ranks = [];
    this.active = -1;
    this.drawn = new Map();
    this.sizer = el("div", { class: "rows", role: "presentation" });
    this.node = el("div", { class: "long-list", role: "listbox", id: this.name, "aria-label": label, tabindex: "0" });
    this.node.append(this.sizer);
    this.node.addEventListener("scroll", () => this.refresh(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.press(event, true));
    this.node.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.node.addEventListener("click", (event) => {
      const at = /** @type {HTMLElement} */ (event.target).closest("[data-at]");
      if (at instanceof HTMLElement) this.choose(this.items[Number(at.dataset.at)]);
    });
    this.watch = new ResizeObserver(guarded(() => this.refresh()));
    this.watch.observe(this.node);
    field?.setAttribute("aria-controls", this.name);
  }

  remove() {
    this.watch.disconnect();
  }

  /** Show these items from the top, the one for which `isActive` holds active and in view. */
  set(items, isActive = (_) => false) {
    this.items = items;
    let rank = 0;
    this.ranks = items.map((item) => (item.title === undefined ? ++rank : 0));
    this.count = rank;
    this.sizer.style.height = `${items.length * this.row}px`;
    this.clear();
    this.node.scrollTop = 0;
    this.activate(items.findIndex((item) => item.title === undefined && isActive(item)));
  }

  /** Draw the rows in view again, because what `draw` returns has changed. */
  redraw() {
    this.clear();
    this.refresh();
  }

  clear() {
    for (const node of this.drawn.values()) node.remove();
    this.drawn.clear();
  }

  /** Make a row the active one and bring it into view; -1: none. */
  activate(at) {
    this.active = at;
    if (at >= 0) {
      const height = this.node.clientHeight;
      const least = (at + 1) * this.row - height;
      if (height) this.node.scrollTop = Math.max(least, Math.min(this.node.scrollTop, at * this.row));
    }
    this.refresh();
    for (const [index, node] of this.drawn) node.setAttribute("aria-selected", String(index === at));
    for (const owner of [this.node, this.field].filter(Boolean)) {
      if (at >= 0) owner.setAttribute("aria-activedescendant", `${this.name}-${at}`);
      else owner.removeAttribute("aria-activedescendant");
    }
  }

  /** Put the rows in view into the document, and take the others out. */
  refresh() {
    const { scrollTop, clientHeight } = this.node;
    const first = Math.max(0, Math.floor(scrollTop / this.row) - BEYOND);
    const last = Math.min(this.items.length - 1, Math.ceil((scrollTop + clientHeight) / this.row) + BEYOND);
    for (const [at, node] of this.drawn)
      if (at < first || at > last) {
        node.remove();
        this.drawn.delete(at);
      }
    for (let at = first; at <= last; at++) {
      if (this.drawn.has(at)) continue;
      const node = this.make(at);
      let before = at + 1; // in the order of the list, as a screen reader goes through it
      while (before <= last && !this.drawn.has(before)) before++;
      this.sizer.insertBefore(node, this.drawn.get(before) ?? null);
      this.drawn.set(at, node);
    }
  }

  make(at) {
    const item = this.items[at];
    const style = `top: ${at * this.row}px; height: ${this.row}px`;
    if (item.title !== undefined)
      return el("div", { class: "heading", role: "presentation", style }, ...this.draw(item));
    return el(
      "div",
      {
        class: "row",
        role: "option",
        id: `${this.name}-${at}`,
        style,
        "data-at": String(at),
        "data-testid": this.id?.(item),
        "aria-selected": String(at === this.active),
        "aria-setsize": String(this.count),
        "aria-posinset": String(this.ranks[at]),
      },
      ...this.draw(item),
    );
  }

  /** The row that lies `by` rows from the active one, headings left out, at the ends the last or first. */
  from(by) {
    const step = Math.sign(by) || 1;
    let at = Math.max(0, Math.min(this.items.length - 1, this.active + (this.active < 0 && by < 0 ? 0 : by)));
    while (this.items[at] && this.items[at].title !== undefined) at += step;
    return this.items[at] ? at : this.active;
  }

  /**
   * Carry out a key, and return whether it was one of the list's; `own`: pressed in the list itself, where Home and End
   * are not a caret's.
   */
  press(event, own = false) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.row) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const ends = { Home: -this.items.length, End: this.items.length };
    const by = moves[event.key] ?? (own ? ends[event.key] : undefined);
    if (by !== undefined) this.activate(this.from(by));
    else if (event.key === "Enter" && this.active >= 0) this.choose(this.items[this.active]);
    else return false;
    event.preventDefault();
    event.stopPropagation(); // the arrows step the playhead elsewhere
    return true;
  }
}

export { VirtualList };
