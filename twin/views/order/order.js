// The panel of the selected order. The story comes once; what was known of it at the playhead is derived here, by the
// clock.

import { ORDER_LABELS } from "#python/foundation/stages";
import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { laterMark } from "../shared/later.js";
import { minutesText, wholeMinutes } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { STATE_ICONS } from "../shared/stages.js";
import { selectionOf, verbsOf } from "../shared/verbs.js";
import { ganttOf, spent, stateAt } from "./gantt.js";
import { knownStory, turnsOf } from "./known.js";
import { ledgerOf } from "./ledger.js";

/** The playhead moves over the chart ten times a second: a pixel or two at a minute per second. */
const EVERY = 100;
const money = (value) => value.toLocaleString("en-US", { style: "currency", currency: "USD" });

function factRow({ label, value, note, at, tone, why }) {
  const words = [el("span", { class: "value" }, value), note ? el("span", { class: "note" }, note) : null];
  const body = at === null ? el("dd", {}, ...words) : el("dd", {}, ...words, laterMark());
  return {
    node: el(
      "div",
      { class: `fact ${tone}`, title: why || null, "data-testid": `fact-${label.toLowerCase().replaceAll(" ", "-")}` },
      el("dt", {}, label),
      body,
    ),
    t: at,
  };
}

function eventRow({ icon: symbol, colour, title, detail, t }, visit, zone) {
  const badge = el("span", {
    class: "badge",
    style: `--text:var(--tw-${colour});--fill:var(--tw-${colour}-fill, var(--tw-${colour}))`,
  });
  badge.append(icon(symbol, 12));
  const button = el(
    "button",
    {
      type: "button",
      class: "event",
      title: `Go to ${zone.momentText(t)}`,
      "data-testid": "order-event",
      "data-colour": colour,
      onclick: () => visit(t),
    },
    el("time", { datetime: zone.localText(t) }, zone.clockText(t)),
    badge,
    el(
      "span",
      { class: "words" },
      el("span", { class: "what" }, title),
      detail ? el("span", { class: "note" }, detail) : null,
    ),
    laterMark(),
  );
  return { node: el("li", {}, button), t };
}

const isClosed = ({ delivered, cancelled }) => delivered !== null || cancelled !== null;

function itemsOf(story) {
  if (!story.items.length) {
    return el(
      "p",
      { class: "mute" },
      story.cut && !isClosed(story) ? "Items: not yet known" : "Items: not in the data",
    );
  }
  const rows = story.items.map(({ name, brand, qty, price }) =>
    el(
      "tr",
      {},
      el("td", { class: "number" }, `${qty.toLocaleString("en-US")} ×`),
      el(
        "td",
        {},
        el("span", { class: "what" }, name || "Nameless item"),
        brand ? el("span", { class: "note" }, brand) : null,
      ),
      el(
        "td",
        { class: "number", title: price ? `${money(price)} each` : "No price in the data" },
        price ? money(qty * price) : "–",
      ),
    ),
  );
  return el(
    "table",
    { class: "items", "data-testid": "order-items" },
    el(
      "thead",
      { class: "unseen" },
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Quantity"),
        el("th", { scope: "col" }, "Item and brand"),
        el("th", { scope: "col" }, "Price"),
      ),
    ),
    el("tbody", {}, ...rows),
    el(
      "tfoot",
      {},
      el(
        "tr",
        {},
        el("td", {}),
        el("th", { scope: "row" }, "Total"),
        el(
          "td",
          {
            class: "number",
            "data-testid": "order-total",
            title:
              story.revenue === null
                ? "No item of the order has a price in the data"
                : "Price × quantity, summed: the order’s revenue",
          },
          story.revenue === null ? "–" : money(story.revenue),
        ),
      ),
    ),
  );
}

/** The events, the pings between them folded into one line at the first one's place. */
function eventsOf(story, visit, zone) {
  const told = [...story.events];
  if (story.pings.length) {
    const n = story.pings.length;
    const [first, last] = [story.pings[0], story.pings.at(-1)];
    const line = {
      icon: "pin",
      colour: "out_for_delivery",
      title: n === 1 ? "1 position report" : `${n} position reports`,
      detail: n === 1 ? "" : `until ${zone.clockText(last)}`,
      t: first,
    };
    const at = told.findIndex(({ t }) => t > first);
    told.splice(at < 0 ? told.length : at, 0, line);
  }
  return told.map((event) => eventRow(event, visit, zone));
}

/** The whole of a story on the kitchen's clock; `show(t)` brings it to the playhead. */
function buildStory(story, act, zone) {
  const state = el("span", { class: "state", "data-testid": "order-state" });
  const here = el("span", { class: "here", "data-testid": "order-here" });
  const verdict = el("span", { class: "verdict", "data-testid": "order-verdict" });
  const eta = el("p", {
    class: "eta",
    "data-testid": "order-eta",
    title:
      "Estimated from what was known at the playhead: the route, the last position report, the " +
      "promise. Never from the delivery itself",
  });
  const gantt = ganttOf(story, act.visit, zone);
  const ledger = ledgerOf(story);
  const facts = story.facts.map(factRow);
  const events = eventsOf(story, act.visit, zone);
  const begun = !story.cut || story.events.length > 0 || story.pings.length > 0;
  const body = el(
    "div",
    { class: "body", hidden: !begun, tabindex: "0", role: "group", "aria-label": "About the order" },
    gantt.node,
    ledger.node,
    el("dl", { class: "facts" }, ...facts.map((fact) => fact.node)),
    el("section", {}, el("h4", {}, "Items"), itemsOf(story)),
    el("section", {}, el("h4", {}, "Events"), el("ol", { class: "events" }, ...events.map((event) => event.node))),
  );
  const status = el("div", { class: "status" }, el("p", {}, state, here, verdict), eta);
  let key = null;

  const showState = (t) => {
    const at = stateAt(story, t);
    const name = at?.[0] ?? "";
    if (name !== key) {
      key = name;
      state.style.cssText =
        name === ""
          ? ""
          : `--text:var(--tw-${name === "stalled" || name === "cancelled" ? "bad" : name});` +
            `--fill:var(--tw-${name}-fill, var(--tw-bad))`;
      state.replaceChildren(...(name ? [icon(STATE_ICONS[name], 13), ORDER_LABELS[name]] : ["Not ordered yet"]));
    }
    put(
      here,
      at === null
        ? story.cut
          ? ""
          : `in ${minutesText(story.first - t)}`
        : name === "completed" || name === "cancelled"
          ? `${minutesText(t - at[1])} ago`
          : `for ${minutesText(t - at[1])}`,
    );
    here.title = at === null ? "" : `Since ${zone.momentText(at[1])}`;
    const end = story.delivered !== null && story.delivered <= t ? story.delivered : name === "cancelled" ? null : t;
    const known = story.created !== null && story.created <= t && end !== null;
    const took = known ? spent(story.created, end) : 0;
    const over = known ? wholeMinutes(took - story.target) : 0;
    verdict.className = `verdict ${over > 0 ? "bad" : ""}`;
    put(
      verdict,
      !known
        ? ""
        : over > 0
          ? `${over} min over target`
          : name === "completed"
            ? `in ${minutesText(took)}, within target`
            : `${minutesText(took)} since ordered`,
    );
    verdict.title = known
      ? `Created ${zone.clockText(story.created)}; target ${wholeMinutes(story.target)} min from created to delivered`
      : "";
    const estimate =
      name === "out_for_delivery" ? (story.arrivals.findLast(({ from }) => from <= t)?.at ?? story.promise) : null;
    eta.hidden = estimate === null;
    if (estimate !== null)
      put(
        eta,
        estimate > t
          ? `Arrives about ${zone.clockText(estimate, false)}, in ${minutesText(estimate - t)}`
          : `Was expected at ${zone.clockText(estimate, false)}; any moment now`,
      );
  };
  const show = (t) => {
    showState(t);
    gantt.show(t);
    ledger.show(t);
    for (const piece of [...facts, ...events]) if (piece.t !== null) piece.node.classList.toggle("later", t < piece.t);
  };
  return { head: status, body, show };
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** "37 of 412", or "No. 37" where nobody knew how many would come. */
const placeText = ({ number, of }) =>
  of === null
    ? `no. ${number.toLocaleString("en-US")} in range`
    : `no. ${number.toLocaleString("en-US")} of ${of.toLocaleString("en-US")} in range`;

/** The panel around the story of the selected order. */
class OrderPanel {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.act = verbsOf(this.model, this.clock);
    this.chosen = selectionOf(this.model);
    this.said = el("p", { class: "said", role: "status", "aria-live": "polite" });
    this.buildButtons();
    this.buildPanel();
    this.listen();
  }

  buildButtons() {
    this.earlier = this.button("previous", "chevronLeft", "Previous order", () => this.go(-1));
    this.next = this.button("next", "chevronRight", "Next order", () => this.go(1));
    this.close = this.button("close", "close", "Close the order", () => {
      if (this.chosen.row >= 0 || this.chosen.away) this.chosen.change({ row: -1, away: false });
      else this.model.send_msg({ close: true });
    });
    this.copy = this.button("copy", "copy", "Copy the order’s id", async () => {
      try {
        await navigator.clipboard.writeText(this.model.story.id);
        this.tell("Copied");
      } catch {
        this.tell(this.model.story.id);
      } // a page that may not use the clipboard shows the id to be copied by hand
    });
  }

  buildPanel() {
    this.name = el("h3", { "data-testid": "order-id" });
    this.place = el("span", { class: "place" });
    this.top = el("header", {});
    this.root = el("section", { class: "card order", "data-testid": "order-panel", "aria-label": "Selected order" });
    this.shown = null;
    /** @type {number[]} */
    this.turns = [];
    this.known = -1;
    this.wanted = 0;
  }

  listen() {
    this.model.on("story", this.take);
    this.model.on("said", () => this.tell(this.model.said[1]));
    const offClock = this.clock.on(this.tick);
    const offChosen = this.chosen.on(this.filtered);
    const timer = setInterval(
      guarded(() => {
        if (this.shown && this.clock.moving && !document.hidden) this.tick();
      }),
      EVERY,
    );
    this.model.on("remove", () => {
      clearInterval(timer);
      clearTimeout(this.wanted);
      offClock();
      offChosen();
    });
    this.filtered();
    this.take();
  }

  button(name, symbol, label, onclick) {
    const made = el("button", {
      type: "button",
      class: "tool",
      "aria-label": label,
      title: label,
      "data-testid": `order-${name}`,
      onclick,
    });
    made.append(icon(symbol, 15));
    return made;
  }

  go(step) {
    return this.model.send_msg({ neighbour: step });
  }

  tell(text) {
    put(this.said, text);
    clearTimeout(this.wanted);
    this.wanted = setTimeout(() => put(this.said, ""), 4000);
  }

  filtered = () => {
    const { stage, group } = this.chosen;
    const within = group ? ` of ${group.label}` : stage ? ` in ${ORDER_LABELS[stage]} at the playhead` : "";
    for (const [node, words] of [
      [this.earlier, "Previous order"],
      [this.next, "Next order"],
    ]) {
      node.title = `${words}${within}, by creation time`;
      node.setAttribute("aria-label", `${words}${within}`);
    }
  };

  tick = () => {
    if (!this.shown || !this.clock.anchor) return;
    if (this.knownNow() !== this.known) this.rebuild();
    this.shown.show(this.clock.now());
  };

  /** How much of the story was known at the playhead: the number of its turns till then, all of them with hindsight. */
  knownNow() {
    if (this.clock.hindsight) return Number.POSITIVE_INFINITY;
    const t = this.clock.now();
    const ahead = this.turns.findIndex((turn) => turn > t);
    return ahead < 0 ? this.turns.length : ahead;
  }

  /** Build what is below the header anew; nobody loses the place that he has scrolled to. */
  rebuild() {
    const { story } = this.model;
    this.known = this.knownNow();
    const told = this.clock.hindsight ? story : knownStory(story, this.clock.now());
    const before = this.shown;
    const scrolled = before?.body.scrollTop ?? 0;
    this.shown = buildStory(told, this.act, this.clock.zone);
    put(this.place, placeText(told.place));
    this.place.title = "By creation time, among the orders of the loaded range";
    if (!before) return;
    before.head.replaceWith(this.shown.head);
    before.body.replaceWith(this.shown.body);
    this.shown.body.scrollTop = scrolled;
  }

  take = () => {
    const story = this.model.story;
    this.root.hidden = !story.id;
    this.shown = null;
    if (!story.id) return this.root.replaceChildren();
    put(this.name, `Order ${story.short}`);
    this.name.title = story.id;
    this.earlier.hidden = this.next.hidden = this.place.hidden = !!story.away;
    this.top.replaceChildren(
      this.name,
      this.copy,
      this.place,
      el("span", { class: "gap" }),
      this.earlier,
      this.next,
      this.close,
    );
    if (story.away) {
      this.root.replaceChildren(
        this.top,
        this.said,
        el(
          "p",
          { class: "empty", "data-testid": "order-away" },
          "This order is not in the loaded range. Choose a range that covers it, or close the panel.",
        ),
      );
      return;
    }
    const scrolled = this.root.querySelector(".body")?.scrollTop ?? 0;
    const same = this.root.dataset.order === story.id;
    this.root.dataset.order = story.id;
    this.turns = turnsOf(story);
    this.rebuild();
    this.root.replaceChildren(this.top, this.said, this.shown.head, this.shown.body);
    if (same) this.shown.body.scrollTop = scrolled;
    this.tick();
  };
}

function render(view) {
  return new OrderPanel(view).root;
}

export { render };
