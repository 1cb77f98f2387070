import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { clockText, dateOf, dateText, dayText, durationText } from "../shared/times.js";
import { selectionOf, verbsOf } from "../shared/verbs.js";
import { FeedPages } from "./pages.js";

/** Height of a row, CSS pixels, as in feed.css. */
const ROW = 46;
/** No element may be taller (browsers stop at 17 to 33 million pixels): a longer list scrolls faster than its rows. */
const MOST_PX = 15e6;
/** More new rows than this at once are not animated: at high speed the list would only shimmer. */
const CALM = 3;
/** Milliseconds between two looks at the clock, and after the last key before a text is searched for. */
const LOOK = 250;
const TYPED = 250;

/** How long before the playhead: now, 12 s, 4 min, 1 h 05. */
const ageText = (seconds) => (seconds < 1 ? "now" : durationText(seconds));

/** The filter as twin/analysis/event_index.py reads and writes it. */
function parseFilter(query, groups, usual) {
  const [head, ...rest] = `;${query}`.split(";text=");
  const parts = head.split(";").filter(Boolean);
  const types = parts.find((part) => part.startsWith("types="));
  return {
    groups: new Set(
      types === undefined
        ? usual
        : types
            .slice(6)
            .split(",")
            .filter((group) => groups.includes(group)),
    ),
    only: parts.includes("only"),
    text: rest.join(";text="),
  };
}
function filterText({ groups, only, text }, order, usual) {
  const same = groups.size === usual.length && usual.every((group) => groups.has(group));
  return [
    same ? null : `types=${order.filter((group) => groups.has(group)).join(",")}`,
    only ? "only" : null,
    text ? `text=${text}` : null,
  ]
    .filter(Boolean)
    .join(";");
}

function buildRow(row) {
  if (!row)
    return el(
      "li",
      { class: "item" },
      el(
        "div",
        { class: "row bones", "aria-hidden": "true" },
        el("span", { class: "badge" }),
        el("div", {}, el("i"), el("i")),
      ),
    );
  const [t, order, symbol, colour, problem, title, detail] = row;
  const badge = el("span", {
    class: "badge",
    style: `--text:var(--tw-${colour});--fill:var(--tw-${colour}-fill, var(--tw-${colour}))`,
  });
  badge.append(icon(symbol, 13));
  const at = title.indexOf(" · ");
  const heading = at < 0 ? [title] : [title.slice(0, at), el("span", { class: "id" }, title.slice(at))];
  return el(
    "li",
    { class: "item" },
    el(
      "button",
      {
        type: "button",
        class: problem ? "row problem" : "row",
        "data-colour": colour,
        "data-testid": "feed-row",
        "data-t": t,
        "data-order": order,
        tabindex: "-1",
        title: `${detail ? `${detail}\n` : ""}${dayText(t)} ${dateText(t)}, ${clockText(t)}\nClick: go to this moment and this order`,
      },
      badge,
      el(
        "span",
        { class: "words" },
        el("span", { class: "title" }, ...heading),
        el("span", { class: "detail" }, detail),
      ),
      el(
        "span",
        { class: "when" },
        el("time", { class: "age", datetime: dateOf(t).toISOString().slice(0, 19) }),
        el("span", { class: "at" }, clockText(t)),
      ),
    ),
  );
}

function render({ model }) {
  const clock = clockFrom(model);
  const verbs = verbsOf(model, clock);
  const selected = selectionOf(model);
  const keys = model.groups.map(([key]) => key);
  const usual = keys.filter((key) => key !== "ping");
  let filter = parseFilter(model.query, keys, usual);
  let following = true;
  let coming = true;
  let top = 0;
  let topTime = Infinity;
  let focused = null;
  let drawn = new Map();
  let retry = 0;
  let typing = 0;
  let height = 0;
  let scrollTop = 0; // of the list, as the browser told them: to ask it costs a layout of the whole page

  // -- the list ---------------------------------------------------------------------------------------------------------
  const sizer = el("ol", { class: "sizer" });
  const list = el(
    "div",
    {
      class: "rows",
      role: "log",
      "aria-label": "Events, newest first",
      "aria-live": "off",
      "data-testid": "feed-rows",
      onscroll: () => scrolled(),
    },
    sizer,
  );
  const empty = el("div", { class: "empty", "data-testid": "feed-empty", hidden: true });
  const now = el("button", {
    type: "button",
    class: "pill",
    hidden: true,
    "data-testid": "feed-now",
    title: "To the newest event before the playhead",
    onclick: () => {
      follow();
      list.querySelector("button")?.focus({ preventScroll: true });
    },
  });
  now.append(icon("up", 13), "Back to now");
  const pages = new FeedPages(model, () => update());
  const playhead = () => (clock.anchor ? clock.now() : 0);
  const idle = () => !model.active || document.hidden;

  const scrollTo = (y) => {
    if (y !== scrollTop) {
      list.scrollTop = y;
      scrollTop = list.scrollTop;
    }
  };
  const follow = () => {
    following = true;
    scrollTo(0);
    update();
  };
  function scrolled() {
    scrollTop = list.scrollTop;
    if (!pages.ready) return; // what scrolls is on its way out
    const atTop = scrollTop < 4;
    if (following && !atTop) topTime = pages.row(top - 1)?.[0] ?? Infinity; // from now on the list stands still
    following = atTop;
    update();
  }
  /** Take the filter, the playhead and the rows at hand, ask for what is missing, and draw. */
  function update() {
    if (idle()) return;
    const t = playhead();
    const row = filter.only ? selected.row : -1;
    coming = pages.choose({ query: filterText(filter, keys, usual), stage: selected.stage, row }) || coming;
    if ((coming && pages.ready) || (!following && t < topTime)) {
      // another list, or the playhead went back beyond what is read
      following = true;
      scrollTo(0);
      coming &&= !pages.ready;
    }
    if (!pages.list) top = 0;
    const before = top;
    const known = pages.topAt(t);
    if (following && pages.ready) top = known ?? (t >= pages.list.at ? pages.reach : top);
    draw(before);
    const { low, high } = inSight();
    clearTimeout(retry);
    const wait = pages.need({
      now: t,
      speed: clock.moving ? clock.anchor.speed : 0,
      following: following || coming,
      low,
      high,
    });
    if (wait) retry = setTimeout(update, wait);
    tellState(known);
    ages(t);
  }
  /** How much taller the rows are than the element that scrolls, and what of it is in sight. */
  function inSight() {
    const tall = top * ROW;
    const real = Math.min(tall, MOST_PX);
    const offset = real > height ? (scrollTop * (tall - height)) / (real - height) : 0;
    const from = Math.max(0, Math.floor(offset / ROW) - 2);
    const to = Math.min(top, Math.ceil((offset + height) / ROW) + 2);
    return { offset, tall, real, from, to, low: top - to, high: top - from };
  }
  function draw(before) {
    const tall = `${Math.min(top * ROW, MOST_PX)}px`;
    if (sizer.style.height !== tall) sizer.style.height = tall;
    const { offset, from, to } = inSight();
    const next = new Map();
    const numbers = Array.from({ length: Math.max(0, to - from) }, (_, i) => top - 1 - from - i);
    if (
      focused !== null &&
      drawn.get(focused)?.node.matches(":focus-within") &&
      !numbers.includes(focused) &&
      focused < top
    )
      numbers.push(focused);
    numbers.sort((a, b) => b - a);
    const fresh = following && before > 0 && top > before && top - before <= CALM && clock.moving;
    for (const number of numbers) {
      const data = pages.row(number) ?? null;
      const old = drawn.get(number);
      const entry = old && old.data === data ? old : { data, node: buildRow(data) };
      if (fresh && number >= before) entry.node.classList.add("new");
      entry.node.style.transform = `translateY(${(top - 1 - number) * ROW - offset + scrollTop}px)`;
      entry.node.setAttribute("aria-setsize", top);
      entry.node.setAttribute("aria-posinset", top - number);
      next.set(number, entry);
    }
    for (const [number, { node }] of drawn) if (next.get(number)?.node !== node) node.remove();
    let i = 0;
    for (const { node } of next.values()) {
      if (sizer.children[i] !== node) sizer.insertBefore(node, sizer.children[i] ?? null);
      i += 1;
    }
    drawn = next;
    mark();
  }
  /** Mark the rows of the order that is selected or pointed at, and the one row that the Tab key stops at. */
  function mark() {
    let stop = drawn.has(focused) && drawn.get(focused).data ? focused : null;
    for (const [number, { data }] of drawn) if (stop === null && data) stop = number;
    for (const [number, { data, node }] of drawn) {
      if (!data) continue;
      const button = node.firstChild;
      const mine = data[1] === selected.row;
      button.classList.toggle("selected", mine);
      button.classList.toggle("hovered", data[1] === selected.hovered);
      if (mine) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      button.tabIndex = number === stop ? 0 : -1;
    }
  }
  function ages(t) {
    for (const { data, node } of drawn.values()) {
      if (!data) continue;
      const age = node.querySelector(".age");
      const text = ageText(t - data[0]);
      if (age.textContent !== text) age.textContent = text;
    }
  }
  const eventOf = ({ target }) => {
    const node = target.closest?.(".item");
    for (const [number, entry] of drawn) if (entry.node === node) return { number, ...entry };
    return null;
  };
  list.addEventListener("click", (event) => {
    const hit = eventOf(event);
    if (!hit?.data || !pages.ready) return;
    focused = hit.number;
    selected.show(hit.data[1]);
    verbs.visit(hit.data[0]);
  });
  const point = (event) => selected.hover(eventOf(event)?.data?.[1] ?? -1);
  list.addEventListener("pointerover", point);
  list.addEventListener("pointerleave", () => selected.hover(-1));
  list.addEventListener("focusin", (event) => {
    focused = eventOf(event)?.number ?? focused;
    point(event);
  });
  list.addEventListener("focusout", () => selected.hover(-1));
  list.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // they press the row, not Play
    const by = { ArrowDown: -1, ArrowUp: 1 }[event.key];
    const hit = eventOf(event);
    if (!by || !hit) return;
    event.preventDefault();
    event.stopPropagation();
    const number = Math.min(Math.max(hit.number + by, 0), top - 1);
    const y = (top - 1 - number) * ROW;
    const { offset, tall, real } = inSight();
    const goal = y < offset ? y : y + ROW > offset + height ? y + ROW - height : offset;
    focused = number;
    if (goal !== offset) scrollTo(goal * (real > height ? (real - height) / (tall - height) : 1));
    scrolled();
    drawn.get(number)?.node.firstChild.focus?.({ preventScroll: true });
  });

  // -- the filter -------------------------------------------------------------------------------------------------------
  const input = el("input", {
    type: "search",
    placeholder: "Order, brand, item, address",
    "aria-label": "Search events by order, brand, item or address",
    maxlength: "80",
    spellcheck: "false",
    autocomplete: "off",
    "data-testid": "feed-search",
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(search, TYPED);
    },
    onchange: () => search(),
    onkeydown: (event) => {
      if (event.key === "Escape" && input.value) {
        event.stopPropagation();
        event.preventDefault();
        input.value = "";
        search();
      }
    },
  });
  const boxes = new Map(
    model.groups.map(([key]) => [
      key,
      el("input", {
        type: "checkbox",
        onchange: () => {
          const groups = new Set(filter.groups);
          groups[groups.has(key) ? "delete" : "add"](key);
          setFilter({ groups });
        },
      }),
    ]),
  );
  const GROUP_HINTS = {
    problem: "Late drivers, deliveries over the target, cancelled orders, unknown event types",
    ping: "The drivers’ position reports, one a minute",
    driver: "Drivers arriving and picking up",
    kitchen: "Cooking started and finished",
  };
  const menu = el(
    "div",
    {
      class: "menu",
      id: "feed-menu",
      role: "group",
      "aria-label": "Types of events",
      hidden: true,
      "data-testid": "feed-menu",
    },
    ...model.groups.map(([key, label]) =>
      el(
        "label",
        { title: GROUP_HINTS[key], "data-testid": key === "ping" ? "feed-pings" : `feed-type-${key}` },
        boxes.get(key),
        label,
      ),
    ),
  );
  const types = el("button", {
    type: "button",
    class: "chip",
    "aria-expanded": "false",
    "aria-controls": "feed-menu",
    title: "Choose the types of events",
    "data-testid": "feed-types",
    onclick: () => open(menu.hidden),
  });
  types.append(icon("filter", 14), el("span", { class: "label" }, "Types"));
  const problems = el("button", {
    type: "button",
    class: "chip",
    "aria-pressed": "false",
    title: `Only what went wrong: ${GROUP_HINTS.problem.toLowerCase()}`,
    "data-testid": "feed-problems",
    onclick: () => setFilter({ groups: new Set(onlyProblems() ? usual : ["problem"]) }),
  });
  problems.append(icon("alert", 14), el("span", { class: "label" }, "Problems"));
  const onlyProblems = () => filter.groups.size === 1 && filter.groups.has("problem");
  const field = el("label", { class: "search" });
  field.append(icon("search", 14), input);
  function open(yes) {
    menu.hidden = !yes;
    types.setAttribute("aria-expanded", String(yes));
    if (yes) boxes.values().next().value.focus();
  }
  function search() {
    clearTimeout(typing);
    const text = input.value.trim();
    if (text !== filter.text) setFilter({ text });
  }
  function setFilter(change) {
    filter = { ...filter, ...change };
    model.query = filterText(filter, keys, usual);
    showFilter();
    update();
  }
  const clear = () => {
    input.value = "";
    setFilter({ groups: new Set(usual), text: "", only: false });
  };
  function showFilter() {
    for (const [key, box] of boxes) box.checked = filter.groups.has(key);
    problems.setAttribute("aria-pressed", String(onlyProblems()));
    const special = !onlyProblems() && filterText({ ...filter, text: "", only: false }, keys, usual) !== "";
    types.classList.toggle("on", special);
    types.setAttribute(
      "aria-label",
      special ? `Types of events, ${filter.groups.size} of ${keys.length} listed` : "Types of events",
    );
    if (input.value.trim() !== filter.text && !input.matches(":focus")) input.value = filter.text;
  }

  // -- what the list is about --------------------------------------------------------------------------------------------
  const count = el("span", {
    class: "count",
    "data-testid": "feed-count",
    title: "Events that match in the whole range, also those after the playhead",
  });
  const stage = el("button", {
    type: "button",
    class: "chip on",
    hidden: true,
    "data-testid": "feed-stage",
    onclick: () => selected.filter(selected.stage),
  });
  const only = el(
    "button",
    {
      type: "button",
      class: "chip",
      "aria-pressed": "false",
      hidden: true,
      "data-testid": "feed-only",
      title: "List the events of the selected order alone",
      onclick: () => setFilter({ only: !filter.only }),
    },
    "Only this order",
  );
  const reset = el(
    "button",
    { type: "button", class: "chip plain", hidden: true, "data-testid": "feed-clear", onclick: clear },
    "Clear filters",
  );
  const footer = el("footer", { hidden: true }, stage, only, count, reset);
  const put = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  let told = "";
  function tellState(known) {
    const query = filterText(filter, keys, usual);
    const inStage = selected.stage;
    const scoped = filter.only && selected.row >= 0;
    const narrowed = filterText({ ...filter, only: scoped }, keys, usual) !== "" || !!inStage;
    now.hidden = following || coming;
    list.setAttribute("aria-busy", String(!pages.ready));
    const live = following && !clock.moving ? "polite" : "off";
    if (list.getAttribute("aria-live") !== live) list.setAttribute("aria-live", live);
    const kind = !pages.ready
      ? pages.list
        ? "old"
        : "loading"
      : top > 0
        ? "rows"
        : known === null
          ? "old"
          : pages.total
            ? "before"
            : narrowed
              ? "none"
              : "nothing";
    const state = [kind, query, inStage, selected.row, pages.total, pages.list?.oldest].join("|");
    if (state === told) return;
    told = state;
    footer.hidden = !narrowed && selected.row < 0;
    stage.hidden = !inStage;
    stage.replaceChildren(`${model.stages[inStage] ?? inStage} now`, icon("close", 12));
    stage.title = `Only events of the orders that are in this stage at the playhead. Click: all orders`;
    only.hidden = selected.row < 0;
    only.setAttribute("aria-pressed", String(filter.only));
    reset.hidden = query === "" || (filter.only && !scoped);
    if (kind !== "old")
      put(
        count,
        !narrowed || kind === "loading"
          ? ""
          : inStage
            ? `${pages.total.toLocaleString("en-US")} so far`
            : `${pages.total.toLocaleString("en-US")} in this range`,
      );
    list.classList.toggle("stale", kind === "old");
    skeleton.hidden = kind !== "loading";
    empty.hidden = !["before", "none", "nothing"].includes(kind);
    if (kind === "before") {
      const at = pages.list.oldest;
      empty.replaceChildren(
        el("p", {}, narrowed ? "No such event before this moment" : "No events before this moment"),
        el(
          "button",
          { type: "button", class: "chip", "data-testid": "feed-first", onclick: () => verbs.visit(at) },
          `Go to the first, ${dayText(at)} ${clockText(at, false)}`,
        ),
      );
    } else if (kind === "none") {
      empty.replaceChildren(
        el(
          "p",
          {},
          inStage && query === ""
            ? `No order is in ${model.stages[inStage] ?? inStage} at this moment`
            : "Nothing matches",
        ),
        el(
          "button",
          {
            type: "button",
            class: "chip",
            onclick: () => {
              clear();
              if (selected.stage) selected.filter(selected.stage);
            },
          },
          "Clear filters",
        ),
      );
    } else if (kind === "nothing") empty.replaceChildren(el("p", {}, "No events in this range"));
  }
  const skeleton = el(
    "div",
    { class: "skeleton", "aria-hidden": "true", "data-testid": "feed-loading" },
    ...Array.from({ length: 6 }, () => buildRow(null).firstChild),
  );

  const root = el(
    "section",
    { class: "card feed", "data-testid": "feed", "aria-label": "Events" },
    el("header", {}, field, problems, types),
    menu,
    el("div", { class: "body" }, skeleton, empty, list, now),
    footer,
  );
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || menu.hidden) return;
    event.stopPropagation();
    event.preventDefault();
    open(false);
    types.focus();
  });
  const outside = (event) => {
    const path = event.composedPath();
    if (!menu.hidden && !path.includes(menu) && !path.includes(types)) open(false);
  };
  document.addEventListener("pointerdown", outside, true);

  model.on("query", () => {
    if (model.query !== filterText(filter, keys, usual)) {
      filter = parseFilter(model.query, keys, usual);
      showFilter();
      update();
    }
  });
  model.on("version", () => update());
  model.on("active", () => update());
  const visible = () => update();
  document.addEventListener("visibilitychange", visible);
  const timer = setInterval(() => {
    if (clock.moving || !pages.ready) update();
  }, LOOK);
  let was = "";
  const choose = () => {
    // to be pointed at changes the marks alone; nothing is drawn anew, for it may come of a drawing that moves the focus
    const is = `${selected.row}|${selected.stage}`;
    mark();
    if (is !== was) {
      was = is;
      update();
    }
  };
  const offs = [
    clock.on(() => {
      pages.hurry();
      update();
    }),
    selected.on(choose),
  ];
  const resized = new ResizeObserver(() => {
    height = list.clientHeight;
    scrollTop = list.scrollTop;
    update();
  });
  resized.observe(list);
  model.on("remove", () => {
    clearInterval(timer);
    clearTimeout(retry);
    clearTimeout(typing);
    resized.disconnect();
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("visibilitychange", visible);
    for (const off of offs) off();
  });
  showFilter();
  update();
  return root;
}

export { render };
