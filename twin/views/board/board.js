// All kitchens on a wall: their rows follow the clock, those with most harm above.

import { clockFrom } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { many, minutesText, NONE } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { token } from "../shared/tokens.js";

const LOOK_MS = 200;
/** Milliseconds between two orders of the rows while they play: they are to be read, and glide (board.css). */
const SORT_MS = 4000;
/** Fewest deliveries of which a share is told, as twin/analysis/limits.py judges no fewer. */
const LEAST = 3;
const LEVELS = ["", "warn", "bad"];
const COLOURS = { calm: "good", recovering: "warn", building: "warn", trouble: "bad" };
const ALPHAS = { calm: 0.45, recovering: 0.55, building: 1, trouble: 1 };
const FIGURES = [
  ["late", "Late"],
  ["orders", "Orders/h"],
  ["delivery", "Delivery"],
  ["waiting", "Waiting"],
  ["drivers", "Drivers"],
];

/** What a row says at a minute. */
function saidOf(kitchen, at) {
  const { deliveries, late, orders, usual, took, waiting, on_road: drivers } = kitchen;
  const number = deliveries[at];
  const count = (value) => (value === null ? NONE : many(value));
  const share = () =>
    number < LEAST ? `${late[at]} of ${number}` : `${Math.floor((100 * late[at]) / number + 1e-6)} %`;
  return {
    state: kitchen.state[at],
    head: kitchen.heads[kitchen.head[at]] || "Calm",
    late: number ? share() : NONE,
    tone: LEVELS[kitchen.level[at]],
    orders: count(orders[at]),
    usual: usual[at] === null ? "" : `usual ${many(usual[at])}`,
    delivery: took[at] === null ? NONE : minutesText(took[at]),
    waiting: count(waiting[at]),
    drivers: count(drivers[at]),
  };
}

const write = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

class Board {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(model);
    this.rows = el("div", { class: "rows" });
    const heads = FIGURES.map(([name, words]) => el("span", { class: name }, words));
    this.heads = el("div", { class: "heads", "aria-hidden": "true" }, el("span"), ...heads);
    this.root = el("section", { class: "board", "data-testid": "board" }, this.heads, this.rows);
    this.build();
    this.timer = setInterval(
      guarded(() => this.clock.moving && this.show()),
      LOOK_MS,
    );
    const off = this.clock.on(this.show);
    const sized = guarded(() => this.show(true));
    addEventListener("resize", sized);
    model.on("board", this.build);
    model.on("remove", () => {
      clearInterval(this.timer);
      removeEventListener("resize", sized);
      off();
    });
  }

  build = () => {
    const { kitchens = [] } = this.model.board;
    this.parts = kitchens.map(({ name }) => this.row(name, kitchens.length));
    this.rows.replaceChildren(...this.parts.map(({ root }) => root));
    this.root.dataset.many = String(kitchens.length > 5);
    this.at = -1;
    this.sortedAt = -Infinity; // when the rows were sorted last
    this.show();
  };

  row(name, number) {
    const figures = Object.fromEntries(FIGURES.map(([key]) => [key, el("b", { "data-testid": `board-${key}` })]));
    const parts = {
      figures,
      dot: el("i", { class: "dot" }),
      head: el("span", { class: "head", "data-testid": "board-head" }),
      usual: el("small"),
      strip: el("canvas", { class: "strip graphic", "aria-hidden": "true" }),
    };
    const cells = FIGURES.map(([key]) =>
      el("span", { class: key }, figures[key], key === "orders" ? parts.usual : undefined),
    );
    const who = el("span", { class: "who" }, el("b", { class: "name" }, name), parts.head, parts.strip);
    const root = el(
      "div",
      { class: "row", "data-testid": "board-row", style: `--of:${number}` },
      parts.dot,
      who,
      ...cells,
    );
    return { root, ...parts };
  }

  show = (anew = false) => {
    const { kitchens, order, start, every } = this.model.board;
    if (!kitchens || !this.clock.anchor) return;
    const at = Math.min(Math.max(0, Math.floor((this.clock.now() - start) / every)), order.length - 1);
    if (at === this.at && anew !== true) return;
    this.at = at;
    const now = performance.now();
    if (!this.clock.moving || now - this.sortedAt >= SORT_MS) {
      this.order = order[at];
      this.sortedAt = now;
    }
    for (const [place, number] of this.order.entries()) {
      const parts = this.parts[number];
      const said = saidOf(kitchens[number], at);
      parts.root.style.setProperty("--place", String(place));
      parts.root.dataset.state = said.state === "calm" && said.head !== "Calm" ? "usual" : said.state;
      parts.figures.late.dataset.tone = said.tone;
      write(parts.head, said.head);
      write(parts.usual, said.usual);
      for (const [key] of FIGURES) write(parts.figures[key], said[key]);
      this.paint(parts.strip, kitchens[number].state, at);
    }
  };

  /** The states so far, over the width of the whole scene. */
  paint(canvas, states, until) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    if (!context || !width) return;
    context.scale(scale, scale);
    const x = (minute) => (minute / states.length) * width;
    for (let from = 0, to = 0; from <= until; from = to) {
      while (to <= until && states[to] === states[from]) to++;
      context.globalAlpha = ALPHAS[states[from]];
      context.fillStyle = token(canvas, COLOURS[states[from]]);
      context.fillRect(x(from), 0, Math.max(1, x(to) - x(from)), height);
    }
  }
}

function render(view) {
  return new Board(view).root;
}

export { render, saidOf };
