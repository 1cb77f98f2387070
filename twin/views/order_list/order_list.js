// The list of orders at the playhead: a table that is walked with the arrow keys, one stop of the Tab key.

import { SHORT_LABELS, STATES } from "#python/foundation/stages";
import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { groupChip } from "../shared/group_chip.js";
import { minutesText, wholeMinutes } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { rowsOf } from "../shared/rows.js";
import { STATE_ICONS } from "../shared/stages.js";
import { selectionOf } from "../shared/verbs.js";

const STAGES = 4; // the first four are open; the others are lists since midnight
const MEANING = {
  completed: "delivered since midnight",
  cancelled: "cancelled since midnight",
  stalled: "stalled since midnight: without any event for 4 hours",
};
const COLUMNS = [
  ["id", "Order", "id"],
  ["stage", "Stage", "stage, along the lifecycle"],
  ["since", "In stage", "time in the stage, the longest first"],
  ["age", "Age", "time since it was created, the oldest first"],
];
/** Minutes change rarely: the cells are looked at twice a second. */
const EVERY = 500;
const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};
const orders = (n) => `${n.toLocaleString("en-US")} ${n === 1 ? "order" : "orders"}`;

function buildRow({ row, id, short, began: created, delivered, brands, dated: known }) {
  const stage = el("span", { class: "state" });
  const since = el("td", { class: "number" });
  const age = el("span", {});
  const late = el("span", { class: "late", hidden: true });
  late.append(icon("alert", 12), el("span", {}));
  const node = el(
    "tr",
    { role: "row", "data-row": row, "data-testid": "orders-row", tabindex: "-1" },
    el(
      "td",
      { class: "name", title: id },
      el("span", { class: "id" }, short),
      el("span", { class: "brands", title: brands || "The data tells no brand" }, brands || "no brand"),
    ),
    el("td", {}, stage),
    since,
    el("td", { class: "number" }, age, late),
  );
  return { row, node, stage, sinceCell: since, age, late, created, delivered, known, number: -1, since: 0 };
}

function setStage(line, number) {
  if (line.number === number) return;
  line.number = number;
  const key = STATES[number];
  const colour = number > 4 ? "bad" : key;
  line.stage.style.cssText = `--text:var(--tw-${colour});--fill:var(--tw-${colour}-fill, var(--tw-${colour}))`;
  line.stage.replaceChildren(icon(STATE_ICONS[key], 12), SHORT_LABELS[key]);
}

/** The table of orders at the playhead and the chips that choose a state. */
class OrderList {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.chosen = selectionOf(this.model);
    this.lines = new Map(); // row number -> its line, of the rows that are listed
    this.rows = [];
    this.focused = -1;
    this.buildFilters();
    this.buildTable();
    this.listenToPointer();
    this.listenToKeys();
    this.listen();
  }

  buildFilters() {
    this.chips = ["", ...STATES].map((key, i) => {
      const label = key ? SHORT_LABELS[key] : "All";
      const number = el("b", {});
      const words = el("span", { class: "label" }, label);
      const node = el("button", {
        type: "button",
        class: "chip",
        "aria-pressed": "false",
        "data-testid": `orders-filter-${key || "all"}`,
        style: key ? `--text:var(--tw-${i > 5 ? "bad" : key})` : "",
        onclick: () => {
          if (!key) this.chosen.showAll();
          else if (this.chosen.stage !== key) this.chosen.filter(key);
        },
      });
      if (key) node.append(icon(STATE_ICONS[key], 13));
      node.append(words, number);
      return { key, label, node, number };
    });
    this.group = groupChip(this.chosen, "orders-group");
  }

  buildTable() {
    this.heads = COLUMNS.map(([key, label, meaning]) => {
      const button = el(
        "button",
        {
          type: "button",
          "data-testid": `orders-sort-${key}`,
          title: `Sort by ${meaning}; again to turn it round`,
          onclick: () => {
            this.model.sort = this.model.sort === key ? `-${key}` : key;
          },
        },
        label,
        el("i", { "aria-hidden": "true" }),
      );
      return {
        key,
        button,
        node: el(
          "th",
          { scope: "col", role: "columnheader", class: key === "since" || key === "age" ? "number" : null },
          button,
        ),
      };
    });
    this.tbody = el("tbody", { role: "rowgroup" });
    this.table = el(
      "table",
      { role: "grid", "aria-label": "Orders at the playhead" },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...this.heads.map((head) => head.node))),
      this.tbody,
    );
    this.empty = el("p", { class: "empty", "data-testid": "orders-empty" });
    this.more = el("p", { class: "more", "data-testid": "orders-more" });
    const scroller = el("div", { class: "scroller" }, this.table, this.empty, this.more);
    this.root = el(
      "section",
      { class: "card orders", "data-testid": "orders", "aria-label": "Orders" },
      el(
        "div",
        { class: "chips", role: "group", "aria-label": "Show one stage" },
        ...this.chips.map((chip) => chip.node),
        this.group.node,
      ),
      scroller,
    );
    this.followed = -1;
  }

  listenToPointer() {
    this.tbody.addEventListener("click", (event) => {
      const row = this.rowOf(event);
      if (row >= 0) {
        this.focused = row;
        this.chosen.select(row);
      }
    });
    this.tbody.addEventListener("pointerover", (event) => this.chosen.hover(this.rowOf(event)));
    this.tbody.addEventListener("pointerleave", () => this.chosen.hover(-1));
    this.tbody.addEventListener("focusin", (event) => {
      this.focused = this.rowOf(event);
      this.stop();
      if (event.target.matches(":focus-visible")) this.chosen.hover(this.focused);
    });
    this.tbody.addEventListener("focusout", () => this.chosen.hover(-1));
  }

  listenToKeys() {
    this.tbody.addEventListener("keydown", (event) => {
      const at = this.rows.indexOf(this.rowOf(event));
      const last = this.rows.length - 1;
      const page = 8;
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + page, PageUp: at - page }[
        event.key
      ];
      const choose = event.key === "Enter" || event.key === " ";
      if (at < 0 || (to === undefined && !choose)) return;
      event.preventDefault();
      event.stopPropagation(); // these keys steer the replay elsewhere
      if (choose) this.chosen.select(this.rows[at]);
      else this.lines.get(this.rows[Math.min(Math.max(to, 0), last)])?.node.focus();
    });
  }

  listen() {
    this.model.on("state", this.take);
    this.model.on("sort", this.sorted);
    this.model.on("target", this.age);
    this.model.on("active", this.age);
    const offClock = this.clock.on(this.age);
    const offChosen = this.chosen.on(this.onChosen);
    const timer = setInterval(
      guarded(() => {
        if (this.model.active && this.clock.moving && !document.hidden) this.age();
      }),
      EVERY,
    );
    this.model.on("remove", () => {
      clearInterval(timer);
      offClock();
      offChosen();
    });
    this.empty.hidden = this.more.hidden = true;
    this.sorted();
    this.take();
  }

  age = () => {
    if (!this.clock.anchor) return;
    const now = this.clock.now();
    for (const row of this.rows) {
      const line = this.lines.get(row);
      const closed = line.number === 4;
      const old = (closed ? line.delivered : now) - line.created;
      put(line.sinceCell, minutesText(now - line.since) + (line.number >= STAGES && line.number < 6 ? " ago" : ""));
      put(line.age, minutesText(old));
      const over = !line.known || line.number === 5 || line.number === 6 ? 0 : wholeMinutes(old - this.model.target);
      line.late.hidden = over <= 0;
      if (over > 0) put(line.late.lastChild, `${over} min over`);
      const words = over > 0 ? `${over} min over the target of ${Math.round(this.model.target / 60)} min` : "";
      if (line.late.title !== words) line.late.title = words;
    }
  };

  mark() {
    for (const [row, line] of this.lines) {
      const on = row === this.chosen.row;
      if ((line.node.getAttribute("aria-selected") === "true") !== on || !line.node.hasAttribute("aria-selected"))
        line.node.setAttribute("aria-selected", String(on));
      line.node.classList.toggle("hovered", row === this.chosen.hovered);
    }
    const { stage, group } = this.chosen;
    for (const { key, node } of this.chips) node.setAttribute("aria-pressed", String(key === stage && !group));
    this.group.show();
    this.stop();
  }

  /** The one row that the Tab key reaches: the focused, else the selected, else the first. */
  stop() {
    const at = this.lines.has(this.focused)
      ? this.focused
      : this.lines.has(this.chosen.row)
        ? this.chosen.row
        : this.rows[0];
    for (const [row, line] of this.lines) line.node.tabIndex = row === at ? 0 : -1;
  }

  onChosen = () => {
    this.mark();
    if (this.chosen.row !== this.followed) {
      this.followed = this.chosen.row;
      if (!this.root.matches(":hover")) this.lines.get(this.chosen.row)?.node.scrollIntoView({ block: "nearest" });
    }
  };

  take = () => {
    const state = this.model.state;
    if (!state.rows) return;
    const texts = new Map(rowsOf(state.texts).map((text) => [text.row, text]));
    const missing = state.rows.some((row) => !this.lines.has(row) && !texts.has(row));
    if (missing) {
      this.model.send_msg({ ask: "texts" }); // the answer tells them all
      return;
    }
    // another timeline may use the same number for another order: a text that came again replaces the line
    for (const [row, text] of texts) {
      this.lines.get(row)?.node.remove();
      this.lines.set(row, buildRow(text));
    }
    this.rows = state.rows;
    const listed = new Set(this.rows);
    const held = this.root.getRootNode().activeElement?.dataset?.row;
    for (const [row, line] of this.lines)
      if (!listed.has(row)) {
        line.node.remove();
        this.lines.delete(row);
      }
    this.rows.forEach((row, i) => {
      const line = this.lines.get(row);
      setStage(line, state.stages[i]);
      line.since = state.base + state.since[i];
      if (this.tbody.children[i] !== line.node) this.tbody.insertBefore(line.node, this.tbody.children[i] ?? null);
    });
    if (held !== undefined)
      // moving a node takes its focus
      (this.lines.get(+held) ?? this.lines.get(this.rows[0]))?.node.focus({ preventScroll: true });
    const open = STATES.slice(0, STAGES).reduce((sum, key) => sum + (state.counts[key] ?? 0), 0);
    for (const { key, label, node, number } of this.chips) {
      const n = key ? (state.counts[key] ?? 0) : open;
      put(number, n.toLocaleString("en-US"));
      const words = key
        ? `${label}: ${orders(n)}${MEANING[key] ? ` ${MEANING[key]}` : " now"}`
        : `All ${orders(n)} that are open now`;
      node.title = words;
      node.setAttribute("aria-label", words);
      node.hidden = n === 0 && (key === "cancelled" || key === "stalled") && key !== this.chosen.stage;
    }
    this.table.hidden = this.rows.length === 0;
    this.empty.hidden = this.rows.length > 0;
    const { stage, group } = this.chosen;
    put(
      this.empty,
      group
        ? "None of these orders had been placed at this moment"
        : stage
          ? `No order ${MEANING[stage] ?? `in ${SHORT_LABELS[stage]} now`}`
          : "No order is open at this moment",
    );
    this.more.hidden = !state.more;
    put(this.more, `${state.more.toLocaleString("en-US")} more`);
    this.mark();
    this.age();
  };

  sorted = () => {
    for (const { key, node } of this.heads) {
      const on = this.model.sort.replace("-", "") === key;
      // the longest time first is a falling order of times: the sort key is the moment, the column shows the duration
      const falling = (key === "since" || key === "age") !== this.model.sort.startsWith("-");
      if (on) node.setAttribute("aria-sort", falling ? "descending" : "ascending");
      else node.removeAttribute("aria-sort");
    }
  };

  rowOf(event) {
    const node = event.target.closest?.("tr[data-row]");
    return node ? +node.dataset.row : -1;
  }
}

function render(view) {
  return new OrderList(view).root;
}

export { render };
