// The orders of one stage, in a list that opens under its tile: point at one to find it on the map, click to open it.

import { STAGE_LABELS } from "#python/foundation/stages";
import { NOW, TODAY } from "#python/foundation/windows";
import { el, icon } from "../shared/elements.js";
import { opened } from "../shared/keys.js";
import { many, minutesText, plural, put, shortId } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { rowsOf } from "../shared/rows.js";

const LIST_WIDTH = 316;
const LIST_MARGIN = 8;
const LIST_EVERY = 1000;

class StageList {
  /** `back` is called when the list wants to close with the focus in it: the tile takes the focus back. */
  constructor(model, clock, selection, back) {
    this.model = model;
    this.clock = clock;
    this.selection = selection;
    this.back = back;
    this.stage = "";
    this.tile = null;
    this.rows = new Map();
    this.asked = -Infinity;
    this.at = NaN;
    this.heading = el("strong");
    this.order = el("span", { class: "order-of" });
    this.hint = el(
      "p",
      { class: "hint" },
      icon("filter", 12),
      el("span", {}, "Map and events show only these · Esc: all"),
    );
    this.more = el("p", { class: "more-orders", "data-testid": "stage-orders-more" });
    this.list = el("ul", { class: "order-rows" });
    const close = el("button", {
      type: "button",
      class: "close",
      "aria-label": "Close the list",
      title: "Close the list; the stage stays picked out",
      onclick: () => this.close(),
    });
    close.append(icon("close", 14));
    // "quiet": Escape is the page's, which closes what opened last
    this.sheet = el(
      "div",
      { class: "card orders quiet", popover: "manual", role: "dialog", tabindex: "-1", "data-testid": "stage-orders" },
      el("header", {}, this.heading, this.order, close),
      this.hint,
      this.list,
      this.more,
    );
    this.sheet.addEventListener("keydown", (event) => this.key(event));
    this.place = () => {
      const tile = this.tile.getBoundingClientRect();
      const width = Math.min(LIST_WIDTH, innerWidth - 2 * LIST_MARGIN);
      const left = Math.max(LIST_MARGIN, Math.min(tile.left, innerWidth - width - LIST_MARGIN));
      const top = Math.max(LIST_MARGIN, tile.bottom + 6);
      this.sheet.style.cssText =
        `width:${width}px;left:${left}px;top:${top}px;` +
        `max-height:${Math.max(160, Math.min(420, innerHeight - top - 2 * LIST_MARGIN))}px`;
    };
  }
  get open() {
    return this.stage !== "";
  }
  show(stage, label, colour, tile, focus) {
    this.stage = stage;
    this.label = label;
    this.tile = tile;
    this.asked = -Infinity;
    this.sheet.setAttribute("aria-label", `Orders: ${label}`);
    this.sheet.style.setProperty("--text", colour);
    this.list.replaceChildren();
    this.rows.clear();
    this.heading.textContent = label;
    this.order.textContent = this.more.textContent = "";
    if (!this.sheet.matches(":popover-open")) this.sheet.showPopover();
    this.closed ??= opened(() => this.close());
    this.place();
    if (!this.timer) {
      this.timer = setInterval(
        guarded(() => this.ask()),
        LIST_EVERY,
      );
      addEventListener("resize", this.place);
      addEventListener("scroll", this.place, true);
    }
    this.ask();
    if (focus) this.sheet.focus();
  }
  close() {
    if (!this.open) return;
    this.closed?.();
    this.closed = null;
    const inside = this.sheet.matches(":focus-within");
    this.stage = "";
    clearInterval(this.timer);
    this.timer = 0;
    removeEventListener("resize", this.place);
    removeEventListener("scroll", this.place, true);
    if (this.sheet.matches(":popover-open")) this.sheet.hidePopover();
    this.selection.hover(-1);
    if (inside) this.back();
  }
  /** Ask for the list at the playhead, at most once a second, and not again for the same moment. */
  ask() {
    const t = this.clock.now();
    const now = performance.now();
    if (!this.open || document.hidden || now - this.asked < LIST_EVERY - 50 || (this.asked > 0 && t === this.at))
      return;
    this.asked = now;
    this.at = t;
    this.model.send_msg({ ask: "stage", stage: this.stage, t, loads: this.model.loads });
  }
  /** The orders have other rows now: the list that is seen stays until the answer to the next question is here. */
  renew() {
    this.outdated = true;
    this.asked = 0;
    this.ask();
  }
  take({ stage, t, total, rows, loads }) {
    if (stage !== this.stage || loads !== this.model.loads) return;
    if (this.outdated) for (const { item } of this.rows.values()) item.remove();
    if (this.outdated) this.rows = new Map();
    this.outdated = false;
    const closed = stage === "completed" || stage === "cancelled";
    const fresh = new Map();
    for (const order of rowsOf(rows))
      fresh.set(order.row, this.write(this.rows.get(order.row) ?? this.make(order), stage, t, order));
    for (const [row, { item }] of this.rows) if (!fresh.has(row)) item.remove();
    this.rows = fresh;
    let next = this.list.firstChild; // who stays is not touched: a moved node loses focus and pointer
    for (const { item } of fresh.values()) {
      if (item === next) next = next.nextSibling;
      else this.list.insertBefore(item, next);
    }
    const window = ["completed", "cancelled", "stalled"].includes(stage) ? TODAY : NOW;
    this.heading.textContent = `${STAGE_LABELS[stage]} · ${plural(total, "order")} ${window}`;
    this.order.textContent = total > 1 ? (closed ? "newest first" : "oldest first") : "";
    this.more.textContent =
      total > fresh.size ? `+${many(total - fresh.size)} more` : total ? "" : "No order is here at this moment";
    this.mark();
    this.place();
  }
  make({ row, id, basket }) {
    const parts = { age: el("span", { class: "age" }), sign: el("span", { class: "sign" }) };
    const { selection } = this;
    parts.button = el(
      "button",
      {
        type: "button",
        class: "order",
        "data-testid": "stage-order",
        "data-row": row,
        onclick: () => selection.select(row),
        onpointerenter: () => selection.hover(row),
        onpointerleave: () => selection.hover(-1),
        onfocus: () => selection.hover(row),
        onblur: () => selection.hover(-1),
      },
      el("span", { class: "id", title: id }, shortId(id)),
      el("span", { class: "basket", title: basket }, basket),
      parts.sign,
      parts.age,
    );
    parts.item = el("li", {}, parts.button);
    return parts;
  }
  write(parts, stage, t, { since, total: whole }) {
    const age = Math.max(0, t - since);
    const [amber, red] = this.model.limits[stage] ?? [null, null];
    const level = red !== null && age > red ? 2 : amber !== null && age > amber ? 1 : 0;
    const cold = stage === "ready" && this.model.cold !== null && age > this.model.cold;
    const { zone } = this.clock;
    const [text, title] =
      stage === "completed"
        ? [
            whole === null ? "" : minutesText(whole),
            `Delivered at ${zone.clockText(since)}` +
              (whole === null ? "" : `, ${minutesText(whole)} after it was created`),
          ]
        : stage === "cancelled"
          ? [zone.clockText(since, false), `Cancelled at ${zone.clockText(since)}`]
          : [
              minutesText(age),
              `${stage === "stalled" ? "Stalled" : "Here"} since ` +
                `${zone.clockText(since)}${level ? `; over ${minutesText(level === 2 ? red : amber)}` : ""}` +
                (cold ? `; cold: it has stood longer than ${minutesText(this.model.cold)}` : ""),
            ];
    put(parts.age, text, title, stage === "completed" ? whole : Math.round(age * 1000) / 1000);
    if (parts.level !== level || parts.cold !== cold) {
      parts.level = level;
      parts.cold = cold;
      parts.age.className = `age ${["", "amber", "red"][level]}`;
      parts.sign.className = `sign ${["", "amber", "red"][level]}`;
      parts.sign.replaceChildren(...(level ? [icon(level === 2 ? "alert" : "clock", 12)] : []));
      if (cold) parts.sign.prepend(el("span", { class: "cold", role: "img", "aria-label": "Cold" }, icon("cold", 12)));
    }
    return parts;
  }
  /** Show which of the orders is selected, and which is pointed at here or elsewhere. */
  mark() {
    for (const [row, { button }] of this.rows) {
      button.classList.toggle("hovered", row === this.selection.hovered);
      if (row === this.selection.row) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }
  /** Up and down move through the list; elsewhere on the page they move the playhead. */
  key(event) {
    const buttons = [...this.list.querySelectorAll("button")];
    const at = buttons.findIndex((button) => button.matches(":focus"));
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[Math.min(to, buttons.length - 1)]?.focus();
  }
}

export { StageList };
