// The panel of the selected order. The story comes once; what was known of it at the playhead is derived here, by the clock.

import { ORDER_LABELS } from "#python/foundation/stages";
import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { STATE_ICONS } from "../shared/stages.js";
import { clockText, dateOf, dateText, dayText, durationText } from "../shared/times.js";
import { selectionOf, verbsOf } from "../shared/verbs.js";
import { ganttOf, stateAt } from "./gantt.js";

/** The playhead moves over the chart ten times a second: a pixel or two at a minute per second. */
const EVERY = 100;
const money = (value) => value.toLocaleString("en-US", { style: "currency", currency: "USD" });
/** Whole minutes, half up, as the server counts them (twin/analysis/wording.py). */
const minutesOf = (seconds) => Math.floor(seconds / 60 + 0.5);
const momentText = (t) => `${dayText(t)} ${dateText(t)}, ${clockText(t)}`;

/** A piece that is known from time `t` on only: marked as later while the playhead is before it. */
const later = () =>
  el("span", { class: "later-tag", title: "This lies after the playhead: in the kitchen nobody knew it yet" }, "later");

function factRow([label, value, note, at, tone, why]) {
  const words = [el("span", { class: "value" }, value), note ? el("span", { class: "note" }, note) : null];
  const body = at === null ? el("dd", {}, ...words) : el("dd", {}, ...words, later());
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

function eventRow([symbol, colour, title, detail, t], visit) {
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
      title: `Go to ${momentText(t)}`,
      "data-testid": "order-event",
      "data-colour": colour,
      onclick: () => visit(t),
    },
    el("time", { datetime: dateOf(t).toISOString().slice(0, 19) }, clockText(t)),
    badge,
    el(
      "span",
      { class: "words" },
      el("span", { class: "what" }, title),
      detail ? el("span", { class: "note" }, detail) : null,
    ),
    later(),
  );
  return { node: el("li", {}, button), t };
}

function itemsOf(story) {
  if (!story.items.length) return el("p", { class: "mute" }, "Items: not in the data");
  const rows = story.items.map(([name, brand, qty, price]) =>
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
          { class: "number", "data-testid": "order-total", title: "Price × quantity, summed: the order’s revenue" },
          money(story.revenue),
        ),
      ),
    ),
  );
}

/** The events, the pings between them folded into one line at the first one's place. */
function eventsOf(story, visit) {
  const told = [...story.events];
  if (story.pings) {
    const [n, first, last] = story.pings;
    const line = [
      "pin",
      "out_for_delivery",
      n === 1 ? "1 position report" : `${n} position reports`,
      n === 1 ? "" : `until ${clockText(last)}`,
      first,
    ];
    const at = told.findIndex(([, , , , t]) => t > first);
    told.splice(at < 0 ? told.length : at, 0, line);
  }
  return told.map((event) => eventRow(event, visit));
}

/** The whole of a story; `show(t)` brings it to the playhead. */
function buildStory(story, act) {
  const state = el("span", { class: "state", "data-testid": "order-state" });
  const here = el("span", { class: "here", "data-testid": "order-here" });
  const verdict = el("span", { class: "verdict", "data-testid": "order-verdict" });
  const eta = el("p", {
    class: "eta",
    "data-testid": "order-eta",
    title:
      "Estimated from what was known at the playhead: the route, the last position report, the promise. Never from the delivery itself",
  });
  const gantt = ganttOf(story, act.visit);
  const facts = story.facts.map(factRow);
  const events = eventsOf(story, act.visit);
  const body = el(
    "div",
    { class: "body", tabindex: "0", role: "group", "aria-label": "About the order" },
    gantt.node,
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
          : `--text:var(--tw-${name === "stalled" || name === "cancelled" ? "bad" : name});--fill:var(--tw-${name}-fill, var(--tw-bad))`;
      state.replaceChildren(...(name ? [icon(STATE_ICONS[name], 13), ORDER_LABELS[name]] : ["Not ordered yet"]));
    }
    put(
      here,
      at === null
        ? `in ${durationText(story.first - t)}`
        : name === "completed" || name === "cancelled"
          ? `${durationText(t - at[1])} ago`
          : `for ${durationText(t - at[1])}`,
    );
    here.title = at === null ? "" : `Since ${momentText(at[1])}`;
    const end = story.delivered !== null && story.delivered <= t ? story.delivered : name === "cancelled" ? null : t;
    const known = story.created !== null && story.created <= t && end !== null;
    const over = known ? minutesOf(end - story.created - story.target) : 0;
    verdict.className = `verdict ${over > 0 ? "bad" : ""}`;
    put(
      verdict,
      !known
        ? ""
        : over > 0
          ? `${over} min over target`
          : name === "completed"
            ? `in ${minutesOf(end - story.created)} min, within target`
            : `${durationText(end - story.created)} since ordered`,
    );
    verdict.title = known
      ? `Created ${clockText(story.created)}; target ${minutesOf(story.target)} min from created to delivered`
      : "";
    const estimate =
      name === "out_for_delivery" ? (story.arrivals.findLast(([from]) => from <= t)?.[1] ?? story.promise) : null;
    eta.hidden = estimate === null;
    if (estimate !== null)
      put(
        eta,
        estimate > t
          ? `Arrives about ${clockText(estimate, false)}, in ${durationText(estimate - t)}`
          : `Was expected at ${clockText(estimate, false)}; any moment now`,
      );
  };
  const show = (t) => {
    showState(t);
    gantt.show(t);
    for (const piece of [...facts, ...events]) if (piece.t !== null) piece.node.classList.toggle("later", t < piece.t);
  };
  return { head: status, body, show };
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function render({ model }) {
  const clock = clockFrom(model);
  const act = verbsOf(model, clock);
  const chosen = selectionOf(model);
  const said = el("p", { class: "said", role: "status", "aria-live": "polite" });
  const button = (name, symbol, label, onclick) => {
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
  };
  const go = (step) => model.send_msg({ neighbour: step });
  const earlier = button("previous", "chevronLeft", "Previous order", () => go(-1));
  const next = button("next", "chevronRight", "Next order", () => go(1));
  const close = button("close", "close", "Close the order", () => {
    if (chosen.row >= 0 || chosen.away) chosen.change({ row: -1, away: false });
    else model.send_msg({ close: true });
  });
  const copy = button("copy", "copy", "Copy the order’s id", async () => {
    try {
      await navigator.clipboard.writeText(model.story.id);
      tell("Copied");
    } catch {
      tell(model.story.id);
    } // a page that may not use the clipboard shows the id to be copied by hand
  });
  const name = el("h3", { "data-testid": "order-id" });
  const place = el("span", { class: "place" });
  const top = el("header", {});
  const root = el("section", { class: "card order", "data-testid": "order-panel", "aria-label": "Selected order" });
  let shown = null;
  let wanted = 0;

  const tell = (text) => {
    put(said, text);
    clearTimeout(wanted);
    wanted = setTimeout(() => put(said, ""), 4000);
  };
  const filtered = () => {
    const within = chosen.stage ? ` in ${ORDER_LABELS[chosen.stage]} at the playhead` : "";
    for (const [node, words] of [
      [earlier, "Previous order"],
      [next, "Next order"],
    ]) {
      node.title = `${words}${within}, by creation time`;
      node.setAttribute("aria-label", `${words}${within}`);
    }
  };
  const tick = () => {
    if (shown && clock.anchor) shown.show(clock.now());
  };
  const take = () => {
    const story = model.story;
    root.hidden = !story.id;
    shown = null;
    if (!story.id) return root.replaceChildren();
    put(name, `Order ${story.short}`);
    name.title = story.id;
    earlier.hidden = next.hidden = place.hidden = !!story.away;
    top.replaceChildren(name, copy, place, el("span", { class: "gap" }), earlier, next, close);
    if (story.away) {
      root.replaceChildren(
        top,
        said,
        el(
          "p",
          { class: "empty", "data-testid": "order-away" },
          "This order is not in the loaded range. Choose a range that covers it, or close the panel.",
        ),
      );
      return;
    }
    put(place, `${story.place[0].toLocaleString("en-US")} of ${story.place[1].toLocaleString("en-US")}`);
    place.title = "By creation time, among the orders of the loaded range";
    const scrolled = root.querySelector(".body")?.scrollTop ?? 0;
    const same = root.dataset.order === story.id;
    root.dataset.order = story.id;
    shown = buildStory(story, act);
    root.replaceChildren(top, said, shown.head, shown.body);
    if (same) shown.body.scrollTop = scrolled;
    tick();
  };

  model.on("story", take);
  model.on("said", () => tell(model.said[1]));
  const offClock = clock.on(tick);
  const offChosen = chosen.on(filtered);
  const timer = setInterval(() => {
    if (shown && clock.moving && !document.hidden) tick();
  }, EVERY);
  model.on("remove", () => {
    clearInterval(timer);
    clearTimeout(wanted);
    offClock();
    offChosen();
  });
  filtered();
  take();
  return root;
}

export { render };
