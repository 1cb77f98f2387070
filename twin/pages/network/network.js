// The page of all kitchens: one clock, a row for each kitchen, their hours, what went wrong, and where they are.

import { clockFrom, ReplayClock } from "../../views/shared/clock.js";
import { el } from "../../views/shared/elements.js";
import { plural } from "../../views/shared/numbers.js";
import { guarded } from "../../views/shared/registry.js";
import { sharedState } from "../../views/shared/shared_state.js";
import { verbsOf } from "../../views/shared/verbs.js";
import { VirtualList } from "../../views/shared/virtual_list.js";
import { listenToKeys } from "../../views/transport/keys.js";
import { remember, without } from "./address.js";
import { Bar } from "./bar.js";
import { Kitchens } from "./kitchens.js";
import { Link } from "./link.js";
import { Moments } from "./moments.js";
import { Places } from "./places.js";
import { drawRow, HEADS, paintStrips } from "./rows.js";

/** Heights of a row, px: on one line, and on three where the page is narrow. */
const ROW = 52;
/** So few kitchens have room for words on two lines. */
const FEW = 8;
const FEW_ROW = 84;
const NARROW_ROW = 130;
const NARROW = 760;
/** Milliseconds between two looks at how old the latest events are. */
const LOOK_MS = 500;
/** Milliseconds that the list must have stood still before the kitchens in view are asked for. */
const SETTLE_MS = 120;

/** What stands in the page's place while there is nothing to list. */
function notice({ status, message, step, words }) {
  return status === "error"
    ? el(
        "div",
        { class: "card notice", role: "alert", "data-testid": "network-error" },
        el("h2", {}, message),
        el("a", { class: "first", href: "./" }, "Choose a kitchen"),
      )
    : el("p", { class: "notice mute", role: "status" }, `${step || words || "Reading the data"} …`);
}

/** What figures are of while a brand is chosen, in words. */
const brandNote = (name) =>
  `Kitchens that cook for ${name}. Orders, delivery, late, waiting and drivers count ${name} alone; ` +
  "state, hours and moments are of the whole kitchen.";

class NetworkPage {
  constructor(model) {
    this.model = model;
    this.root = el("main", { class: "network", "data-testid": "network" });
    this.ended = [];
    this.made = false;
    this.view = "";
    this.settling = 0;
    this.frame = 0;
  }

  show() {
    const { state } = this.model;
    this.root.setAttribute("aria-busy", String(state.status === "loading"));
    if (state.status !== "ready") this.root.replaceChildren(notice(state));
    else if (!this.made) this.make(state);
  }

  make(state) {
    this.made = true;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
    this.kitchens = new Kitchens(state);
    this.bar = new Bar(this);
    this.moments = new Moments(this);
    this.places = new Places(this);
    this.link = new Link(this);
    this.list = new VirtualList({
      label: "Kitchens, those with most harm first",
      row: this.rowHeight,
      field: this.bar.field,
      id: ({ id }) => `kitchen-${id}`,
      draw: (kitchen) => drawRow(kitchen, this),
      choose: (kitchen) => this.open(kitchen),
    });
    this.assemble(state);
    this.listen();
    this.filter();
    const asked = new URLSearchParams(location.search).get("kitchen");
    const at = this.list.items.findIndex(({ id }) => id === asked);
    if (at >= 0) {
      this.list.activate(at);
      this.list.node.focus();
    }
    this.turn();
  }

  get rowHeight() {
    if (innerWidth < NARROW) return NARROW_ROW;
    return this.kitchens.all.length <= FEW ? FEW_ROW : ROW;
  }

  assemble({ remarks, zones }) {
    this.none = el("p", { class: "none mute", hidden: true });
    this.told = el("p", { class: "told mute", role: "status", hidden: true, "data-testid": "network-brand-note" });
    const heads = el("div", { class: "heads", "aria-hidden": "true" }, ...HEADS());
    const notes = [...remarks, ...(zones ? ["The kitchens’ zones differ: the clock shows UTC."] : [])];
    this.root.replaceChildren(
      this.bar.node,
      this.link.node,
      notes.length ? el("p", { class: "remarks mute", role: "status" }, notes.join(" ")) : "",
      el(
        "div",
        { class: "body" },
        el(
          "section",
          { class: `card kitchens${this.kitchens.all.length <= FEW ? " is-few" : ""}`, "aria-label": "Kitchens" },
          this.told,
          heads,
          this.list.node,
          this.none,
        ),
        el("aside", { class: "beside" }, this.places.node, this.moments.node),
      ),
    );
  }

  listen() {
    const { model } = this;
    model.on("msg:custom", (message) => this.take(message));
    model.send_msg({ listens: true });
    this.live = sharedState(model.clock, "live");
    this.live.value = { jump: () => this.jumpToEdge() };
    const came = guarded(() => {
      this.bar.sent = ReplayClock.wall();
      this.bar.showEdge();
    });
    model.on("now", came);
    came();
    const looks = setInterval(
      guarded(() => this.bar.showEdge()),
      LOOK_MS,
    );
    this.ended.push(
      () => {
        clearInterval(looks);
        this.live.value = null; // else it would hold this page
      },
      this.clock.on(() => this.turn()),
      listenToKeys(model, this.clock, this.verbs, { jump: (way) => this.moments.jump(way), brush: { setEdge() {} } }),
    );
    this.list.node.addEventListener(
      "scroll",
      guarded(() => this.settle()),
      { passive: true },
    );
    const sized = guarded(() => {
      if (this.list.row !== this.rowHeight) {
        this.list.row = this.rowHeight;
        this.filter();
      }
      this.redraw();
    });
    const hidden = guarded(() => {
      model.seen = !document.hidden;
    });
    const slash = guarded((event) => {
      if (event.key !== "/" || event.composedPath()[0]?.matches?.("input, textarea, select")) return;
      event.preventDefault();
      this.bar.field.focus();
    });
    if (document.hidden) hidden();
    addEventListener("resize", sized);
    document.addEventListener("visibilitychange", hidden);
    document.addEventListener("keydown", slash);
    this.ended.push(() => {
      removeEventListener("resize", sized);
      document.removeEventListener("visibilitychange", hidden);
      document.removeEventListener("keydown", slash);
    });
  }

  take(message) {
    this.link.heard();
    if (message.tell === "rows") this.kitchens.take(message.rows);
    else if (message.tell === "more") this.kitchens.takeMore(message.rows);
    else if (message.tell === "hours") this.kitchens.takeHours(message);
    else if (message.tell === "brands") this.bar.nameBrands(message.names);
    else if (message.tell === "brand") this.takeBrand(message);
    else if (message.tell === "order") {
      if (this.kitchens.arrange(message.order)) this.filter(true);
      return;
    } else return;
    this.redraw();
  }

  /** Ask for the kitchens of a brand, with the figures of its orders; all with an empty name. */
  chooseBrand(name) {
    remember({ brand: name });
    this.model.send_msg({ brand: name });
  }

  /** The server has narrowed the rows to a brand, or could not. */
  takeBrand({ name, kitchens, problem }) {
    const { brands } = this.bar;
    if (name && ![...brands.options].some(({ value }) => value === name))
      brands.append(el("option", { value: name }, name));
    brands.value = name;
    remember({ brand: name });
    this.kitchens.narrow(kitchens);
    this.told.hidden = !name && !problem;
    this.told.textContent = problem || brandNote(name);
    this.filter();
  }

  /** Follow the latest events; false where none come. */
  jumpToEdge() {
    if (this.clock.state !== "behind") return false;
    this.verbs.follow();
    return true;
  }

  /** Show the kitchens that match the filters; `keep`: where the list is, which has only been sorted anew. */
  filter(keep = false) {
    const found = this.kitchens.matching(this.bar.query, this.bar.region);
    const active = this.list.items[this.list.active]?.id;
    const top = this.list.node.scrollTop;
    this.list.set(found, ({ id }) => keep && id === active);
    if (keep) {
      this.list.node.scrollTop = top;
      this.list.refresh();
    }
    this.none.hidden = found.length > 0;
    const where = this.bar.region ? ` in ${this.bar.region}` : "";
    const whose = this.bar.brands.value ? ` that cooks for ${this.bar.brands.value}` : "";
    const what = this.bar.query ? ` matches “${this.bar.query}”` : "";
    this.none.textContent = `No kitchen${where}${whose}${what}.`;
    this.bar.count(found.length, this.kitchens.all.length);
    if (!keep) remember({ q: this.bar.query, region: this.bar.region });
    this.settle(true);
    this.redraw();
  }

  /** Ask for the kitchens in view, once the list stands still. */
  settle(soon = false) {
    clearTimeout(this.settling);
    this.settling = setTimeout(
      guarded(() => {
        const ids = [...this.list.drawn.keys()].sort((a, b) => a - b).map((at) => this.list.items[at].id);
        if (ids.join() === this.view) return;
        this.view = ids.join();
        this.model.send_msg({ view: ids });
        this.redraw();
      }),
      soon ? 0 : SETTLE_MS,
    );
  }

  /** Write what has changed. The rows stay: one that is pressed while it plays is still there when it is let go. */
  redraw() {
    for (const [at, node] of this.list.drawn) node.replaceChildren(...drawRow(this.list.items[at], this));
    paintStrips(this);
    this.bar.redraw();
    this.moments.redraw();
    this.places.redraw();
  }

  /** The clock has been changed: show its time, go on while it moves, write it into the address. */
  turn() {
    cancelAnimationFrame(this.frame);
    const { start, end } = this.clock.anchor;
    Object.assign(this.kitchens, { start, end }); // which grow with a source
    const step = guarded(() => {
      this.bar.tick();
      if (this.clock.moving) this.frame = requestAnimationFrame(step);
      else this.redraw();
    });
    step();
    const { speed, hindsight, edge, live } = this.clock.anchor;
    const t = live || this.clock.moving ? undefined : this.clock.zone.addressText(this.minute);
    if (live || !this.clock.moving)
      remember({ t, speed, hindsight: hindsight ? 1 : "", live: edge === undefined ? "" : Number(!!live) });
  }

  /** The whole minute that all figures are of. */
  get minute() {
    return Math.floor(this.clock.now() / 60) * 60;
  }

  /** The address of a kitchen's page, at the playhead or at a moment (data seconds) of the day that its row is of. */
  addressOf(kitchen, at = undefined) {
    const { row } = kitchen;
    const { theme, speed } = Object.fromEntries(new URLSearchParams(location.search));
    const query = { location: kitchen.id, speed, theme };
    if (at === undefined && row?.live && this.clock.state === "live") query.live = 1;
    else {
      query.t = this.clock.zone.addressText(at ?? this.minute);
      if (row?.live) query.live = 0;
      else if (row?.range) [query.start, query.end] = row.range;
    }
    return `./operations?${new URLSearchParams(without(query))}`;
  }

  /** Open a kitchen's own page at this moment; Back leads here again. */
  open(kitchen) {
    this.leave(kitchen);
    location.assign(this.addressOf(kitchen));
  }

  /** Write into the address what Back is to bring back. */
  leave(kitchen) {
    const t = this.clock.state === "live" ? undefined : this.clock.zone.addressText(this.minute);
    remember({ t, kitchen: kitchen.id });
  }

  get words() {
    const { all } = this.kitchens;
    return all.length === 1 ? "One kitchen" : `${plural(all.length, "kitchen")} on one clock`;
  }

  remove() {
    clearTimeout(this.settling);
    cancelAnimationFrame(this.frame);
    for (const end of this.ended) end();
    if (!this.made) return;
    this.list.remove();
    this.link.remove();
  }
}

function render({ model }) {
  const page = new NetworkPage(model);
  model.on("state", () => page.show());
  model.on("remove", () => page.remove());
  page.show();
  return page.root;
}

export { render };
