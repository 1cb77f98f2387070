import { LISTED } from "#python/pages/operations/welcome";
import { el, icon, SVG } from "../../views/shared/elements.js";
import { guarded } from "../../views/shared/registry.js";
import { WelcomeList } from "./welcome_list.js";

const many = (n) => n.toLocaleString("en-US");
const CHART_W = 400;
const CHART_H = 64;
const SKELETONS = 4;
/** Milliseconds for which cards that come into sight are gathered: a list that is scrolled past is not asked for. */
const ASK_AFTER_MS = 300;

/** Orders per hour over the range as bars; the busiest hour is the full height. */
function activityChart(values, label) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [k, v] of Object.entries({
    viewBox: `0 0 ${CHART_W} ${CHART_H}`,
    preserveAspectRatio: "none",
    class: "activity graphic",
    role: "img",
    "aria-label": label,
  }))
    svg.setAttribute(k, v);
  const top = Math.max(...values) || 1;
  const step = CHART_W / values.length;
  const gap = step > 3 ? Math.min(4, step * 0.22) : 0;
  let d = "";
  values.forEach((v, i) => {
    const height = v ? Math.max(2, (v / top) * CHART_H) : 0;
    if (height)
      d +=
        `M${(i * step + gap / 2).toFixed(2)} ` +
        `${CHART_H}v${(-height).toFixed(2)}h${(step - gap).toFixed(2)}V${CHART_H}z`;
  });
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}

function cityCard(city, choose) {
  const mean = city.step > 1 ? `; each bar is the busiest of ${city.step} hours` : "";
  const label = `Orders per hour over the range, at most ${many(city.peak ?? 0)} in one hour of the clock${mean}`;
  const pin = el("span", { class: "pin" });
  pin.append(icon("kitchen", 18));
  const go = el("span", { class: "go" }, "Open");
  go.append(icon("arrow", 15));
  const warning = city.rejected
    ? el("span", { class: "warning", title: "Rows that could not be used; the page tells the reasons" })
    : null;
  warning?.append(icon("alert", 12), `${many(city.rejected)} ${city.rejected === 1 ? "row" : "rows"} set aside`);
  return el(
    "button",
    {
      class: "card city",
      type: "button",
      "data-testid": `city-${city.id}`,
      "data-city": city.id,
      onclick: (event) => choose(city.id, event.currentTarget),
    },
    el(
      "span",
      { class: "top" },
      pin,
      el(
        "span",
        { class: "title" },
        el("span", { class: "name" }, city.name),
        city.qualifier ? el("span", { class: "qualifier" }, city.qualifier) : null,
        el("span", { class: "range" }, city.range),
      ),
    ),
    city.activity.length
      ? el(
          "span",
          { class: "chart", title: label },
          activityChart(city.activity, label),
          el("span", { class: "peak" }, `up to ${many(city.peak)} in a clock hour`),
        )
      : el("span", { class: "chart" }),
    el("span", { class: "state", "data-testid": `city-state-${city.id}` }),
    el(
      "span",
      { class: "bottom" },
      el("span", { class: "orders" }, el("strong", {}, many(city.orders)), city.orders === 1 ? " order" : " orders"),
      warning,
      go,
    ),
  );
}

/** What a kitchen's state looks like on its card; the words come from card_state.py. */
function fillState(node, { state, text, busiest }) {
  node.className = `state is-${state}`;
  node.replaceChildren(icon(state === "calm" ? "check" : "alert", 12), el("span", {}, text));
  if (busiest) node.append(el("span", { class: "busiest" }, busiest));
  node.title = `${text}${busiest ? ` · ${busiest}` : ""}: the last day of this kitchen, as its own page tells it`;
}

/** Asks for the states of kitchens whose cards come into sight, each once, and hands on what comes. */
class States {
  /** `grid` holds the cards; `onState()` is called when one has come. */
  constructor(model, grid, onState) {
    this.model = model;
    this.told = new Map();
    this.seen = new Set();
    this.waiting = [];
    this.timer = 0;
    model.on("msg:custom", (message) => {
      if (message.tell !== "state") return;
      this.told.set(message.id, message);
      const node = grid.querySelector(`[data-testid="city-state-${CSS.escape(message.id)}"]`);
      if (node) fillState(node, message);
      onState();
    });
    this.sight = new IntersectionObserver(
      guarded((entries) => {
        for (const { isIntersecting, target } of entries)
          if (isIntersecting) this.ask(target.getAttribute("data-city") ?? "");
      }),
    );
  }
  /** Watch these cards, and no others, for those in sight; what is known already is written at once. Returns them. */
  watch(cards) {
    this.sight.disconnect();
    for (const card of cards) {
      const told = this.told.get(card.dataset.city);
      if (told) fillState(card.querySelector(".state"), told);
      this.sight.observe(card);
    }
    return cards;
  }
  ask(id) {
    if (this.seen.has(id)) return;
    this.seen.add(id);
    this.waiting.push(id);
    this.timer ||= setTimeout(
      guarded(() => {
        this.timer = 0;
        this.model.send_msg({ states: this.waiting.splice(0) });
      }),
      ASK_AFTER_MS,
    );
  }
  remove() {
    clearTimeout(this.timer);
    this.sight.disconnect();
  }
}

/** A row of `LISTED` as an object. @param {any[]} row */
const named = (row) => Object.fromEntries(row.map((value, at) => [LISTED[at], value]));

const skeleton = () =>
  el(
    "div",
    { class: "card city skeleton" },
    el(
      "span",
      { class: "top" },
      el("i", { class: "pin" }),
      el("span", { class: "title" }, el("i", { class: "w60" }), el("i", { class: "w80" })),
    ),
    el("span", { class: "chart" }),
    el("span", { class: "bottom" }, el("i", { class: "w40" })),
  );

/** A message in the place of the cards: what is the case, what to do, and buttons where there is something to try. */
function notice(kind, title, text, ...buttons) {
  const sign = el("span", { class: `sign is-${kind}` });
  sign.append(icon(kind === "error" ? "alert" : "box", 24));
  return el(
    "div",
    { class: "card notice", role: kind === "error" ? "alert" : "status", "data-testid": `welcome-${kind}` },
    sign,
    el("h2", {}, title),
    text ? el("p", {}, text) : null,
    buttons.some(Boolean) ? el("div", { class: "ways" }, ...buttons) : null,
  );
}

const retryButton = (model, looks = "retry") =>
  el(
    "button",
    { class: looks, type: "button", "data-testid": "welcome-retry", onclick: () => model.send_msg({ retry: true }) },
    "Try again",
  );

const emptyNotice = () =>
  notice(
    "empty",
    "No kitchen in this data",
    "The source has no order with a location. Point the app at another file or table, or start it with the demo data.",
  );

function errorNotice(model) {
  const { message, advice, adapt, retry } = model.state;
  return notice(
    "error",
    message ?? "",
    advice ?? "",
    adapt ? el("a", { class: "retry", href: adapt, "data-testid": "welcome-adapt" }, "Find out what they mean") : null,
    retry ? retryButton(model, adapt ? "retry is-second" : "retry") : null,
  );
}

function render({ model }) {
  const grid = el("div", { class: "grid" });
  const lead = el("p", { class: "question" });
  const beside = el(
    "a",
    { href: "./compare", hidden: true, "data-testid": "welcome-compare" },
    icon("compare", 16),
    "Put two kitchens, or two days of one, side by side",
  );
  const all = el("a", { href: "./network", "data-testid": "welcome-all", hidden: true });
  all.append(icon("clock", 16), "All kitchens on one clock");
  const root = el(
    "main",
    { class: "welcome", "data-testid": "welcome" },
    el(
      "header",
      {},
      el("h1", {}, "Casper’s Kitchens"),
      el(
        "p",
        { class: "lead" },
        "Replay a day of a ghost kitchen: every order, every stage, every driver, at any moment.",
      ),
    ),
    el("div", { class: "lead-in" }, lead, el("div", { class: "ways" }, beside, all)),
    grid,
  );

  /** Choose a kitchen; returns false while one is being opened: one choice is enough. */
  const choose = (id) => {
    if (grid.getAttribute("aria-busy") === "true") return false;
    grid.setAttribute("aria-busy", "true");
    model.send_msg({ choose: id });
    return true;
  };
  const chooseCard = (id, card) => {
    if (!choose(id)) return;
    card.classList.add("chosen");
    card.querySelector(".go").firstChild.textContent = "Opening";
  };
  let list = null;
  const states = new States(model, grid, () => list?.redraw());
  const show = () => {
    const s = model.state;
    const cities = s.many ? JSON.parse(s.many).map(named) : (s.cities ?? []);
    list?.remove();
    list = null;
    states.watch([]);
    grid.setAttribute("aria-busy", String(s.status === "loading"));
    grid.className = `grid is-${s.status}`; // prefixed: Panel styles a plain .error
    grid.dataset.count = s.status === "loading" ? SKELETONS : cities.length > 4 ? "many" : cities.length;
    beside.hidden = s.status !== "ready";
    lead.textContent =
      {
        loading: `${s.words || "Reading the data"} …`,
        ready: cities.length === 1 ? "One kitchen in this data" : `Choose one of ${many(cities.length)} kitchens`,
      }[s.status] ?? "";
    all.hidden = s.status !== "ready";
    if (s.status === "loading") grid.replaceChildren(...Array.from({ length: SKELETONS }, skeleton));
    else if (s.many) {
      list = new WelcomeList({ cities, choose, states });
      grid.dataset.count = "list";
      grid.replaceChildren(list.node);
    } else if (s.status === "ready")
      grid.replaceChildren(...states.watch(cities.map((city) => cityCard(city, chooseCard))));
    else grid.replaceChildren(s.status === "empty" ? emptyNotice() : errorNotice(model));
  };
  model.on("state", show);
  model.on("remove", () => {
    list?.remove();
    states.remove();
  });
  show();
  return root;
}

export { render };
