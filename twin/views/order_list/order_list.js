// The list of orders at the playhead: a table that is walked with the arrow keys, one stop of the Tab key.

import { ORDER_LABELS, STATES } from "#python/foundation/stages";
import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { STATE_ICONS } from "../shared/stages.js";
import { durationText } from "../shared/times.js";
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
/** Whole minutes over the target, half up, as the server counts them (twin/analysis/wording.py). */
const minutesOver = (age, target) => Math.floor((age - target) / 60 + 0.5);

function buildRow(row, [id, short, created, delivered, brands, known]) {
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
  line.stage.replaceChildren(icon(STATE_ICONS[key], 12), ORDER_LABELS[key]);
}

function render({ model }) {
  const clock = clockFrom(model);
  const chosen = selectionOf(model);
  const lines = new Map(); // row number -> its line, of the rows that are listed
  let rows = [];
  let focused = -1;

  const chips = ["", ...STATES].map((key, i) => {
    const label = key ? ORDER_LABELS[key] : "All";
    const number = el("b", {});
    const words = el("span", { class: "label" }, label);
    const node = el("button", {
      type: "button",
      class: "chip",
      "aria-pressed": "false",
      "data-testid": `orders-filter-${key || "all"}`,
      style: key ? `--text:var(--tw-${i > 5 ? "bad" : key})` : "",
      onclick: () => {
        if (chosen.stage !== key) chosen.filter(key || chosen.stage);
      },
    });
    if (key) node.append(icon(STATE_ICONS[key], 13));
    node.append(words, number);
    return { key, label, node, number };
  });
  const heads = COLUMNS.map(([key, label, meaning]) => {
    const button = el(
      "button",
      {
        type: "button",
        "data-testid": `orders-sort-${key}`,
        title: `Sort by ${meaning}; again to turn it round`,
        onclick: () => {
          model.sort = model.sort === key ? `-${key}` : key;
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
  const tbody = el("tbody", { role: "rowgroup" });
  const table = el(
    "table",
    { role: "grid", "aria-label": "Orders at the playhead" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads.map((head) => head.node))),
    tbody,
  );
  const empty = el("p", { class: "empty", "data-testid": "orders-empty" });
  const more = el("p", { class: "more", "data-testid": "orders-more" });
  const scroller = el("div", { class: "scroller" }, table, empty, more);
  const root = el(
    "section",
    { class: "card orders", "data-testid": "orders", "aria-label": "Orders" },
    el("div", { class: "chips", role: "group", "aria-label": "Show one stage" }, ...chips.map((chip) => chip.node)),
    scroller,
  );

  const age = () => {
    if (!clock.anchor) return;
    const now = clock.now();
    for (const row of rows) {
      const line = lines.get(row);
      const closed = line.number === 4;
      const old = (closed ? line.delivered : now) - line.created;
      put(line.sinceCell, durationText(now - line.since) + (line.number >= STAGES && line.number < 6 ? " ago" : ""));
      put(line.age, durationText(old));
      const over = !line.known || line.number === 5 || line.number === 6 ? 0 : minutesOver(old, model.target);
      line.late.hidden = over <= 0;
      if (over > 0) put(line.late.lastChild, `${over} over`);
      const words = over > 0 ? `${over} min over the target of ${Math.round(model.target / 60)} min` : "";
      if (line.late.title !== words) line.late.title = words;
    }
  };
  const mark = () => {
    for (const [row, line] of lines) {
      const on = row === chosen.row;
      if ((line.node.getAttribute("aria-selected") === "true") !== on || !line.node.hasAttribute("aria-selected"))
        line.node.setAttribute("aria-selected", String(on));
      line.node.classList.toggle("hovered", row === chosen.hovered);
    }
    for (const { key, node } of chips) node.setAttribute("aria-pressed", String(key === chosen.stage));
    stop();
  };
  /** The one row that the Tab key reaches: the focused, else the selected, else the first. */
  const stop = () => {
    const at = lines.has(focused) ? focused : lines.has(chosen.row) ? chosen.row : rows[0];
    for (const [row, line] of lines) line.node.tabIndex = row === at ? 0 : -1;
  };
  let followed = -1;
  const onChosen = () => {
    mark();
    if (chosen.row !== followed) {
      followed = chosen.row;
      if (!root.matches(":hover")) lines.get(chosen.row)?.node.scrollIntoView({ block: "nearest" });
    }
  };
  const take = () => {
    const state = model.state;
    if (!state.rows) return;
    const missing = state.rows.some((row) => !lines.has(row) && !state.texts[row]);
    if (missing) {
      model.send_msg({ ask: "texts" }); // the answer tells them all
      return;
    }
    // another timeline may use the same number for another order: a text that came again replaces the line
    for (const [row, text] of Object.entries(state.texts)) {
      lines.get(+row)?.node.remove();
      lines.set(+row, buildRow(+row, text));
    }
    rows = state.rows;
    const listed = new Set(rows);
    const held = root.getRootNode().activeElement?.dataset?.row;
    for (const [row, line] of lines)
      if (!listed.has(row)) {
        line.node.remove();
        lines.delete(row);
      }
    rows.forEach((row, i) => {
      const line = lines.get(row);
      setStage(line, state.stages[i]);
      line.since = state.base + state.since[i];
      if (tbody.children[i] !== line.node) tbody.insertBefore(line.node, tbody.children[i] ?? null);
    });
    if (held !== undefined) (lines.get(+held) ?? lines.get(rows[0]))?.node.focus({ preventScroll: true }); // moving a node takes its focus
    const open = STATES.slice(0, STAGES).reduce((sum, key) => sum + (state.counts[key] ?? 0), 0);
    for (const { key, label, node, number } of chips) {
      const n = key ? (state.counts[key] ?? 0) : open;
      put(number, n.toLocaleString("en-US"));
      const words = key
        ? `${label}: ${orders(n)}${MEANING[key] ? ` ${MEANING[key]}` : " now"}`
        : `All ${orders(n)} that are open now`;
      node.title = words;
      node.setAttribute("aria-label", words);
      node.hidden = n === 0 && (key === "cancelled" || key === "stalled") && key !== chosen.stage;
    }
    table.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    const { stage } = chosen;
    put(
      empty,
      stage ? `No order ${MEANING[stage] ?? `in ${ORDER_LABELS[stage]} now`}` : "No order is open at this moment",
    );
    more.hidden = !state.more;
    put(more, `${state.more.toLocaleString("en-US")} more`);
    mark();
    age();
  };
  const sorted = () => {
    for (const { key, node } of heads) {
      const on = model.sort.replace("-", "") === key;
      // the longest time first is a falling order of times: the sort key is the moment, the column shows the duration
      const falling = (key === "since" || key === "age") !== model.sort.startsWith("-");
      if (on) node.setAttribute("aria-sort", falling ? "descending" : "ascending");
      else node.removeAttribute("aria-sort");
    }
  };

  const rowOf = (event) => {
    const node = event.target.closest?.("tr[data-row]");
    return node ? +node.dataset.row : -1;
  };
  tbody.addEventListener("click", (event) => {
    const row = rowOf(event);
    if (row >= 0) {
      focused = row;
      chosen.select(row);
    }
  });
  tbody.addEventListener("pointerover", (event) => chosen.hover(rowOf(event)));
  tbody.addEventListener("pointerleave", () => chosen.hover(-1));
  tbody.addEventListener("focusin", (event) => {
    focused = rowOf(event);
    stop();
    if (event.target.matches(":focus-visible")) chosen.hover(focused);
  });
  tbody.addEventListener("focusout", () => chosen.hover(-1));
  tbody.addEventListener("keydown", (event) => {
    const at = rows.indexOf(rowOf(event));
    const last = rows.length - 1;
    const page = 8;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + page, PageUp: at - page }[
      event.key
    ];
    const choose = event.key === "Enter" || event.key === " ";
    if (at < 0 || (to === undefined && !choose)) return;
    event.preventDefault();
    event.stopPropagation(); // these keys steer the replay elsewhere
    if (choose) chosen.select(rows[at]);
    else lines.get(rows[Math.min(Math.max(to, 0), last)])?.node.focus();
  });

  model.on("state", take);
  model.on("sort", sorted);
  model.on("target", age);
  model.on("active", age);
  const offClock = clock.on(age);
  const offChosen = chosen.on(onChosen);
  const timer = setInterval(() => {
    if (model.active && clock.moving && !document.hidden) age();
  }, EVERY);
  model.on("remove", () => {
    clearInterval(timer);
    offClock();
    offChosen();
  });
  empty.hidden = more.hidden = true;
  sorted();
  take();
  return root;
}

export { render };
