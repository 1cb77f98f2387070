import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { opened } from "../shared/keys.js";
import { minutesText } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { selectionOf, verbsOf } from "../shared/verbs.js";
import { filterText, parseFilter } from "./filter.js";
import { FeedPages } from "./pages.js";
import { buildRow } from "./row.js";

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
const ageText = (seconds) => (seconds < 1 ? "now" : minutesText(seconds));

/** The list of events, of which only the rows in sight are in the page, and its filter. */
class FeedList {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
    this.selected = selectionOf(this.model);
    this.keys = this.model.groups.map(([key]) => key);
    this.usual = this.keys.filter((key) => key !== "ping");
    this.filter = parseFilter(this.model.query, this.keys, this.usual);
    this.following = true;
    this.coming = true;
    this.top = 0;
    this.topTime = Infinity;
    this.focused = null;
    this.drawn = new Map();
    this.retry = 0;
    this.typing = 0;
    this.height = 0;
    this.scrollTop = 0; // of the list, as the browser told them: to ask it costs a layout of the whole page
    this.buildList();
    this.listenToList();
    this.listenToKeys();
    this.buildSearch();
    this.buildMenu();
    this.buildFooter();
    this.assemble();
    this.listen();
    this.watchSize();
  }

  buildList() {
    this.sizer = el("ol", { class: "sizer" });
    this.list = el(
      "div",
      {
        class: "rows",
        role: "log",
        "aria-label": "Events, newest first",
        "aria-live": "off",
        "data-testid": "feed-rows",
        onscroll: () => this.scrolled(),
      },
      this.sizer,
    );
    this.empty = el("div", { class: "empty", "data-testid": "feed-empty", hidden: true });
    this.now = el("button", {
      type: "button",
      class: "pill",
      hidden: true,
      "data-testid": "feed-now",
      title: "To the newest event before the playhead",
      onclick: () => {
        follow();
        this.list.querySelector("button")?.focus({ preventScroll: true });
      },
    });
    this.now.append(icon("up", 13), "Back to now");
    this.pages = new FeedPages(this.model, () => this.update());
    const follow = () => {
      this.following = true;
      this.scrollTo(0);
      this.update();
    };
  }

  listenToList() {
    this.list.addEventListener("click", (event) => {
      const hit = this.eventOf(event);
      if (!hit?.data || !this.pages.ready) return;
      this.focused = hit.number;
      this.selected.show(hit.data.order);
      this.verbs.visit(hit.data.t);
    });
    const point = (event) => this.selected.hover(this.eventOf(event)?.data?.order ?? -1);
    this.list.addEventListener("pointerover", point);
    this.list.addEventListener("pointerleave", () => this.selected.hover(-1));
    this.list.addEventListener("focusin", (event) => {
      this.focused = this.eventOf(event)?.number ?? this.focused;
      point(event);
    });
    this.list.addEventListener("focusout", () => this.selected.hover(-1));
  }

  listenToKeys() {
    this.list.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // they press the row, not Play
      const by = { ArrowDown: -1, ArrowUp: 1 }[event.key];
      const hit = this.eventOf(event);
      if (!by || !hit) return;
      event.preventDefault();
      event.stopPropagation();
      const number = Math.min(Math.max(hit.number + by, 0), this.top - 1);
      const y = (this.top - 1 - number) * ROW;
      const { offset, tall, real } = this.inSight();
      const goal = y < offset ? y : y + ROW > offset + this.height ? y + ROW - this.height : offset;
      this.focused = number;
      if (goal !== offset) this.scrollTo(goal * (real > this.height ? (real - this.height) / (tall - this.height) : 1));
      this.scrolled();
      this.drawn.get(number)?.node.firstChild.focus?.({ preventScroll: true });
    });
  }

  buildSearch() {
    this.input = el("input", {
      type: "search",
      placeholder: "Order, brand or address",
      "aria-label": "Search events by order, brand, item or address",
      maxlength: "80",
      spellcheck: "false",
      autocomplete: "off",
      "data-testid": "feed-search",
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(guarded(this.search), TYPED);
      },
      onchange: () => this.search(),
      onkeydown: (event) => {
        if (event.key === "Escape" && this.input.value) {
          event.stopPropagation();
          event.preventDefault();
          this.input.value = "";
          this.search();
        }
      },
    });
    this.boxes = new Map(
      this.model.groups.map(([key]) => [
        key,
        el("input", {
          type: "checkbox",
          onchange: () => {
            const groups = new Set(this.filter.groups);
            groups[groups.has(key) ? "delete" : "add"](key);
            this.setFilter({ groups });
          },
        }),
      ]),
    );
  }

  buildMenu() {
    const GROUP_HINTS = {
      problem: "Late drivers, deliveries over the target, cancelled orders, unknown event types",
      ping: "The drivers’ position reports, one a minute",
      driver: "Drivers arriving and picking up",
      kitchen: "Cooking started and finished",
    };
    this.menu = el(
      "div",
      {
        class: "menu",
        id: "feed-menu",
        role: "group",
        "aria-label": "Types of events",
        hidden: true,
        "data-testid": "feed-menu",
      },
      ...this.model.groups.map(([key, label]) =>
        el(
          "label",
          { title: GROUP_HINTS[key], "data-testid": key === "ping" ? "feed-pings" : `feed-type-${key}` },
          this.boxes.get(key),
          label,
        ),
      ),
    );
    this.types = el("button", {
      type: "button",
      class: "chip",
      "aria-expanded": "false",
      "aria-controls": "feed-menu",
      title: "Choose the types of events",
      "data-testid": "feed-types",
      onclick: () => this.open(this.menu.hidden),
    });
    this.types.append(icon("filter", 14), el("span", { class: "label" }, "Types"));
    this.problems = el("button", {
      type: "button",
      class: "chip",
      "aria-pressed": "false",
      title: `Only what went wrong: ${GROUP_HINTS.problem.toLowerCase()}`,
      "data-testid": "feed-problems",
      onclick: () => this.setFilter({ groups: new Set(this.onlyProblems() ? this.usual : ["problem"]) }),
    });
    this.problems.append(icon("alert", 14), el("span", { class: "label" }, "Problems"));
    this.field = el("label", { class: "search" });
    this.field.append(icon("search", 14), this.input);
  }

  buildFooter() {
    this.count = el("span", {
      class: "count",
      "data-testid": "feed-count",
      title: "Events that match in the whole range, also those after the playhead",
    });
    this.stage = el("button", {
      type: "button",
      class: "chip on",
      hidden: true,
      "data-testid": "feed-stage",
      onclick: () => this.selected.showAll(),
    });
    this.only = el(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": "false",
        hidden: true,
        "data-testid": "feed-only",
        title: "List the events of the selected order alone",
        onclick: () => this.setFilter({ only: !this.filter.only }),
      },
      "Only this order",
    );
    this.reset = el(
      "button",
      { type: "button", class: "chip plain", hidden: true, "data-testid": "feed-clear", onclick: this.clear },
      "Clear filters",
    );
    this.footer = el("footer", { hidden: true }, this.stage, this.only, this.count, this.reset);
    this.told = "";
  }

  assemble() {
    this.skeleton = el(
      "div",
      { class: "skeleton", "aria-hidden": "true", "data-testid": "feed-loading" },
      ...Array.from({ length: 6 }, () => buildRow(null, this.clock.zone).firstChild),
    );

    this.root = el(
      "section",
      { class: "card feed", "data-testid": "feed", "aria-label": "Events" },
      el("header", {}, this.field, this.problems, this.types),
      this.menu,
      el("div", { class: "body" }, this.skeleton, this.empty, this.list, this.now),
      this.footer,
    );
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.menu.hidden) return;
      event.stopPropagation();
      event.preventDefault();
      this.open(false);
      this.types.focus();
    });
    document.addEventListener("pointerdown", this.outside, true);
  }

  listen() {
    this.model.on("query", () => {
      if (this.model.query !== filterText(this.filter, this.keys, this.usual)) {
        this.filter = parseFilter(this.model.query, this.keys, this.usual);
        this.showFilter();
        this.update();
      }
    });
    this.model.on("version", () => this.update());
    this.model.on("grown", () => {
      const [, since, ...inserted] = this.model.grown;
      this.pages.grow(since, inserted);
      this.update();
    });
    this.model.on("active", () => this.update());
    document.addEventListener("visibilitychange", this.visible);
    this.timer = setInterval(
      guarded(() => {
        if (this.clock.moving || !this.pages.ready) this.update();
      }),
      LOOK,
    );
    this.was = "";
  }

  watchSize() {
    const offs = [
      this.clock.on(({ epoch }) => {
        if (epoch !== this.epoch) this.pages.hurry(); // else the range has only grown
        this.epoch = epoch;
        this.update();
      }),
      this.selected.on(this.choose),
    ];
    const resized = new ResizeObserver(
      guarded(() => {
        this.height = this.list.clientHeight;
        this.scrollTop = this.list.scrollTop;
        this.update();
      }),
    );
    resized.observe(this.list);
    this.model.on("remove", () => {
      clearInterval(this.timer);
      clearTimeout(this.retry);
      clearTimeout(this.typing);
      this.closed?.();
      resized.disconnect();
      document.removeEventListener("pointerdown", this.outside, true);
      document.removeEventListener("visibilitychange", this.visible);
      for (const off of offs) off();
    });
    this.showFilter();
    this.update();
  }

  playhead() {
    return this.clock.anchor ? this.clock.now() : 0;
  }

  idle() {
    return !this.model.active || document.hidden;
  }

  scrollTo(y) {
    if (y !== this.scrollTop) {
      this.list.scrollTop = y;
      this.scrollTop = this.list.scrollTop;
    }
  }

  scrolled() {
    this.scrollTop = this.list.scrollTop;
    if (!this.pages.ready) return; // what scrolls is on its way out
    const atTop = this.scrollTop < 4;
    // from now on the list stands still
    if (this.following && !atTop) this.topTime = this.pages.row(this.top - 1)?.t ?? Infinity;
    this.following = atTop;
    this.update();
  }

  /** Take the filter, the playhead and the rows at hand, ask for what is missing, and draw. */
  update = guarded(() => {
    if (this.idle()) return;
    const t = this.playhead();
    const row = this.filter.only ? this.selected.row : -1;
    const { stage, group } = this.selected;
    const query = filterText(this.filter, this.keys, this.usual);
    this.coming = this.pages.choose({ query, stage, row, group: group?.number ?? 0 }) || this.coming;
    if ((this.coming && this.pages.ready) || (!this.following && t < this.topTime)) {
      // another list, or the playhead went back beyond what is read
      this.following = true;
      this.scrollTo(0);
      this.coming &&= !this.pages.ready;
    }
    if (!this.pages.list) this.top = 0;
    const before = this.top;
    const known = this.pages.topAt(t);
    if (this.following && this.pages.ready) this.top = known ?? (t >= this.pages.list.at ? this.pages.reach : this.top);
    this.draw(before);
    const { low, high } = this.inSight();
    clearTimeout(this.retry);
    const wait = this.pages.need({
      now: t,
      speed: this.clock.moving ? this.clock.rate : 0,
      following: this.following || this.coming,
      low,
      high,
    });
    if (wait) this.retry = setTimeout(this.update, wait);
    this.tellState(known);
    this.ages(t);
  });

  /** How much taller the rows are than the element that scrolls, and what of it is in sight. */
  inSight() {
    const tall = this.top * ROW;
    const real = Math.min(tall, MOST_PX);
    const offset = real > this.height ? (this.scrollTop * (tall - this.height)) / (real - this.height) : 0;
    const from = Math.max(0, Math.floor(offset / ROW) - 2);
    const to = Math.min(this.top, Math.ceil((offset + this.height) / ROW) + 2);
    return { offset, tall, real, from, to, low: this.top - to, high: this.top - from };
  }

  draw(before) {
    const tall = `${Math.min(this.top * ROW, MOST_PX)}px`;
    if (this.sizer.style.height !== tall) this.sizer.style.height = tall;
    const { offset, from, to } = this.inSight();
    const next = new Map();
    const numbers = Array.from({ length: Math.max(0, to - from) }, (_, i) => this.top - 1 - from - i);
    if (
      this.focused !== null &&
      this.drawn.get(this.focused)?.node.matches(":focus-within") &&
      !numbers.includes(this.focused) &&
      this.focused < this.top
    )
      numbers.push(this.focused);
    numbers.sort((a, b) => b - a);
    const fresh = this.following && before > 0 && this.top > before && this.top - before <= CALM && this.clock.moving;
    for (const number of numbers) {
      const data = this.pages.row(number) ?? null;
      const old = this.drawn.get(number);
      const entry = old && old.data === data ? old : { data, node: buildRow(data, this.clock.zone) };
      if (fresh && number >= before) entry.node.classList.add("new");
      entry.node.style.transform = `translateY(${(this.top - 1 - number) * ROW - offset + this.scrollTop}px)`;
      entry.node.setAttribute("aria-setsize", this.top);
      entry.node.setAttribute("aria-posinset", this.top - number);
      next.set(number, entry);
    }
    for (const [number, { node }] of this.drawn) if (next.get(number)?.node !== node) node.remove();
    let i = 0;
    for (const { node } of next.values()) {
      if (this.sizer.children[i] !== node) this.sizer.insertBefore(node, this.sizer.children[i] ?? null);
      i += 1;
    }
    this.drawn = next;
    this.mark();
  }

  /** Mark the rows of the order that is selected or pointed at, and the one row that the Tab key stops at. */
  mark() {
    let stop = this.drawn.has(this.focused) && this.drawn.get(this.focused).data ? this.focused : null;
    for (const [number, { data }] of this.drawn) if (stop === null && data) stop = number;
    for (const [number, { data, node }] of this.drawn) {
      if (!data) continue;
      const button = node.firstChild;
      const mine = data.order === this.selected.row;
      button.classList.toggle("selected", mine);
      button.classList.toggle("hovered", data.order === this.selected.hovered);
      if (mine) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      const tab = number === stop ? 0 : -1;
      if (button.tabIndex !== tab) button.tabIndex = tab;
    }
  }

  ages(t) {
    for (const { data, node } of this.drawn.values()) {
      if (!data) continue;
      const age = node.querySelector(".age");
      const text = ageText(t - data.t);
      if (age.textContent !== text) age.textContent = text;
    }
  }

  eventOf({ target }) {
    const node = target.closest?.(".item");
    for (const [number, entry] of this.drawn) if (entry.node === node) return { number, ...entry };
    return null;
  }

  onlyProblems() {
    return this.filter.groups.size === 1 && this.filter.groups.has("problem");
  }

  open(yes) {
    this.closed?.();
    this.closed = yes ? opened(() => this.open(false)) : null;
    this.menu.hidden = !yes;
    this.types.setAttribute("aria-expanded", String(yes));
    if (yes) this.boxes.values().next().value.focus();
  }

  search = () => {
    clearTimeout(this.typing);
    const text = this.input.value.trim();
    if (text !== this.filter.text) this.setFilter({ text });
  };

  setFilter(change) {
    this.filter = { ...this.filter, ...change };
    this.model.query = filterText(this.filter, this.keys, this.usual);
    this.showFilter();
    this.update();
  }

  clear = () => {
    this.input.value = "";
    this.setFilter({ groups: new Set(this.usual), text: "", only: false });
  };

  showFilter() {
    for (const [key, box] of this.boxes) box.checked = this.filter.groups.has(key);
    this.problems.setAttribute("aria-pressed", String(this.onlyProblems()));
    const special =
      !this.onlyProblems() && filterText({ ...this.filter, text: "", only: false }, this.keys, this.usual) !== "";
    this.types.classList.toggle("on", special);
    this.types.setAttribute(
      "aria-label",
      special ? `Types of events, ${this.filter.groups.size} of ${this.keys.length} listed` : "Types of events",
    );
    if (this.input.value.trim() !== this.filter.text && !this.input.matches(":focus"))
      this.input.value = this.filter.text;
  }

  put(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  tellState(known) {
    const query = filterText(this.filter, this.keys, this.usual);
    const { group, stage: inStage } = this.selected;
    const scoped = this.filter.only && this.selected.row >= 0;
    const narrowed = filterText({ ...this.filter, only: scoped }, this.keys, this.usual) !== "" || !!inStage || !!group;
    this.now.hidden = this.following || this.coming;
    this.list.setAttribute("aria-busy", String(!this.pages.ready));
    const live = this.following && !this.clock.moving ? "polite" : "off";
    if (this.list.getAttribute("aria-live") !== live) this.list.setAttribute("aria-live", live);
    const kind = !this.pages.ready
      ? this.pages.list
        ? "old"
        : "loading"
      : this.top > 0
        ? "rows"
        : known === null
          ? "old"
          : this.pages.total
            ? "before"
            : narrowed
              ? "none"
              : "nothing";
    const chosen = inStage || group?.number;
    const state = [kind, query, chosen, this.selected.row, this.pages.total, this.pages.list?.oldest].join("|");
    if (state === this.told) return;
    this.told = state;
    this.footer.hidden = !narrowed && this.selected.row < 0;
    this.stage.hidden = !inStage && !group;
    this.stage.replaceChildren(group?.label ?? `${this.model.stages[inStage] ?? inStage} now`, icon("close", 12));
    const whose = group ? "these orders" : "the orders that are in this stage at the playhead";
    this.stage.title = `Only events of ${whose}. Click: all orders`;
    this.only.hidden = this.selected.row < 0;
    this.only.setAttribute("aria-pressed", String(this.filter.only));
    this.reset.hidden = query === "" || (this.filter.only && !scoped);
    if (kind !== "old")
      this.put(
        this.count,
        !narrowed || kind === "loading"
          ? ""
          : inStage
            ? `${this.pages.total.toLocaleString("en-US")} so far`
            : `${this.pages.total.toLocaleString("en-US")} in this range`,
      );
    this.list.classList.toggle("stale", kind === "old");
    this.skeleton.hidden = kind !== "loading";
    this.empty.hidden = !["before", "none", "nothing"].includes(kind);
    if (kind === "before") {
      const at = this.pages.list.oldest;
      const { zone } = this.clock;
      this.empty.replaceChildren(
        el("p", {}, narrowed ? "No such event before this moment" : "No events before this moment"),
        el(
          "button",
          { type: "button", class: "chip", "data-testid": "feed-first", onclick: () => this.verbs.visit(at) },
          `Go to the first, ${zone.dayText(at)} ${zone.clockText(at, false)}`,
        ),
      );
    } else if (kind === "none") {
      this.empty.replaceChildren(
        el(
          "p",
          {},
          inStage && query === ""
            ? `No order is in ${this.model.stages[inStage] ?? inStage} at this moment`
            : "Nothing matches",
        ),
        el(
          "button",
          {
            type: "button",
            class: "chip",
            onclick: () => {
              this.clear();
              this.selected.showAll();
            },
          },
          "Clear filters",
        ),
      );
    } else if (kind === "nothing") this.empty.replaceChildren(el("p", {}, "No events in this range"));
  }

  outside = (event) => {
    const path = event.composedPath();
    if (!this.menu.hidden && !path.includes(this.menu) && !path.includes(this.types)) this.open(false);
  };

  visible = () => this.update();

  choose = () => {
    // to be pointed at changes the marks alone; nothing is drawn anew, for it may come of a drawing that moves the
    // focus
    const is = `${this.selected.row}|${this.selected.stage}|${this.selected.group?.number}`;
    this.mark();
    if (is !== this.was) {
      this.was = is;
      this.update();
    }
  };
}

function render(view) {
  return new FeedList(view).root;
}

export { render };
