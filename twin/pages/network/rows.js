// A kitchen's row: its state in words, its figures, the last hours as a line, and the whole range as a strip.

import { el, SVG } from "../../views/shared/elements.js";
import { many, minutesText, NONE, percentText } from "../../views/shared/numbers.js";
import { token } from "../../views/shared/tokens.js";

/** Why a figure is missing. */
const WHY = {
  usual: "No other day to compare with",
  delivery: "No delivery in the last 60 minutes",
  recorded: "The data records no delivery",
  waiting: "The data does not tell when meals are ready",
  drivers: "The data does not tell of drivers",
  calm: "No trouble was known then",
};
/** How high an hour is in a strip, by its level, and its colour: fine, amber, red; 8: no delivery, 9: nothing. */
const HEIGHTS = { 0: 0.35, 1: 0.7, 2: 1, 8: 0.12 };
const COLOURS = { 0: "good", 1: "warn", 2: "bad", 8: "edge" };
/** The states of an hour by their harm (`HARM` in shown.py): calm, recovering, building, trouble. */
const STATE_COLOURS = ["good", "warn", "warn", "bad"];
const STATE_H = 3;

const COLUMNS = [
  ["who", "Kitchen", ""],
  ["orders", "Orders/h", "Orders created in the last 60 minutes, and how many are usual then"],
  ["spark", "6 hours", "Orders per hour over the last 6 hours"],
  ["delivery", "Delivery", "Mean delivery time of the last 60 minutes"],
  ["late", "Late", "Share of the deliveries of the last 60 minutes beyond the promise"],
  ["waiting", "Waiting", "Meals that are ready and not picked up"],
  ["drivers", "Drivers", "Drivers on the road"],
  [
    "strip",
    "By hour",
    "Late deliveries against other days, the higher the worse. Below: the worst state on the day shown",
  ],
  ["worst", "Trouble", "The worst trouble that goes on or has just ended, as it was known then"],
];
const HEADS = () => COLUMNS.map(([name, text, title]) => el("span", { class: name, title }, text));

/** A figure with the word that says what it is where there is no column head. */
function cell(name, label, text, { title = "", more = "", level = "" } = {}) {
  const value = el("b", {}, text);
  return el(
    "span",
    { class: `${name}${level ? ` is-${level}` : ""}`, title, "data-testid": `cell-${name}` },
    el("i", {}, label),
    value,
    more ? el("small", {}, more) : null,
  );
}

function stateOf(kitchen) {
  const { row } = kitchen;
  if (!row) return { name: "", words: "…" };
  if (row.problem) return { name: "failed", words: row.problem };
  if (!row.state) return { name: "unknown", words: "State unknown: the days around cannot be read" };
  return { name: row.state === "calm" && row.head ? "usual" : row.state, words: row.head || "Calm" };
}

function sparkline(values) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 72 24", class: "graphic", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  const top = Math.max(1, ...values.filter((value) => value !== null));
  const x = (at) => ((at / Math.max(1, values.length - 1)) * 68 + 2).toFixed(1);
  const y = (value) => (22 - (value / top) * 20).toFixed(1);
  const points = values.map((value, at) => (value === null ? "" : `${x(at)},${y(value)}`)).filter(Boolean);
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.join(" "));
  svg.append(line);
  return svg;
}

/** The state's words with since when, the worst on hand first. */
function who(kitchen, { clock }) {
  const { name, words } = stateOf(kitchen);
  const since = kitchen.row?.since;
  const when = since === undefined || name === "calm" ? "" : `, since ${clock.zone.clockText(since, false)}`;
  return el(
    "span",
    { class: "who" },
    el(
      "span",
      { class: "name" },
      kitchen.name,
      kitchen.qualifier ? el("span", { class: "mute" }, ` ${kitchen.qualifier}`) : null,
    ),
    el("span", { class: `state is-${name}`, "data-testid": "cell-state", title: `${words}${when}` }, `${words}${when}`),
  );
}

function figures(row) {
  const late = row.late_pct === null ? NONE : percentText(row.late_pct / 100);
  const usual = row.usual_per_hour === null ? "" : `usual ${many(Math.round(row.usual_per_hour))}`;
  const delivered = row.deliveries === null ? WHY.recorded : WHY.delivery;
  return [
    cell("orders", "Orders/h", row.throughput_per_hour === null ? NONE : many(row.throughput_per_hour), {
      more: usual,
      title: usual ? "" : WHY.usual,
    }),
    el("span", { class: "spark" }, sparkline(row.spark ?? [])),
    cell(
      "delivery",
      "Delivery",
      row.avg_delivery_time_min === null ? NONE : minutesText(row.avg_delivery_time_min * 60),
      {
        title: row.avg_delivery_time_min === null ? delivered : "",
      },
    ),
    cell("late", "Late", late, {
      level: row.late_level ?? "",
      more: row.late_deliveries ? `${many(row.late_deliveries)} of ${many(row.deliveries)}` : "",
      title: row.late_pct === null ? delivered : "",
    }),
    cell("waiting", "Waiting", row.meals_waiting === null ? NONE : many(row.meals_waiting), {
      title: row.meals_waiting === null ? WHY.waiting : "",
    }),
    cell("drivers", "Drivers", row.drivers_on_road === null ? NONE : many(row.drivers_on_road), {
      title: row.drivers_on_road === null ? WHY.drivers : "",
    }),
  ];
}

const BLANK = ["orders", "spark", "delivery", "late", "waiting", "drivers"];

/** What stands in a kitchen's row. */
function drawRow(kitchen, page) {
  const { row, worst } = kitchen;
  const strip = el("canvas", { class: "strip graphic", "data-kitchen": kitchen.id, "aria-hidden": "true" });
  strip.addEventListener("click", (event) => {
    event.stopPropagation(); // the strip is a piece of the timeline, not the way to the kitchen
    const { left, width } = strip.getBoundingClientRect();
    const { start, end } = page.kitchens;
    page.verbs.visit(start + ((event.clientX - left) / width) * (end - start));
  });
  const shown = row && !row.problem;
  const trouble = worst?.title ?? (kitchen.moments ? NONE : "…");
  return [
    who(kitchen, page),
    ...(shown ? figures(row) : BLANK.map((name) => el("span", { class: name }, row ? NONE : ""))),
    el("span", { class: "strip-box" }, strip),
    el("span", { class: "worst", title: worst?.sentence ?? WHY.calm, "data-testid": "cell-worst" }, trouble),
  ];
}

/** Draw the hours of one kitchen up to the playhead; with hindsight all of them. */
function paint(canvas, kitchen, { kitchens, clock }, colours) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (!context || !width) return;
  context.scale(scale, scale);
  const { start, end, first } = kitchens;
  const x = (t) => ((t - start) / (end - start)) * width;
  const t = clock.now();
  const until = clock.hindsight ? Infinity : t;
  const bars = height - STATE_H - 1;
  [...kitchen.levels].forEach((digit, at) => {
    const from = first + at * 3600;
    if (digit === "9") return;
    const known = from + 3600 <= until;
    const high = (known ? HEIGHTS[digit] : HEIGHTS[8]) * bars;
    context.fillStyle = colours[known ? COLOURS[digit] : "edge"];
    context.globalAlpha = !known ? 0.3 : digit === "0" ? 0.5 : 1;
    const left = x(from);
    context.fillRect(left, bars - high, Math.max(1, x(from + 3600) - left - 0.5), high);
  });
  context.globalAlpha = 1;
  const { states } = kitchen.row ?? {};
  for (const [at, digit] of [...(states?.digits ?? "")].entries()) {
    const from = states.first + at * 3600;
    if (from >= until || from < start) continue;
    context.fillStyle = colours[STATE_COLOURS[digit]];
    context.fillRect(x(from), height - STATE_H, x(Math.min(from + 3600, until)) - x(from), STATE_H);
  }
  context.fillStyle = colours.ink;
  context.fillRect(x(t) - 0.75, 0, 1.5, height);
}

/** Draw the strips of the rows in view. */
function paintStrips(page) {
  const { list } = page;
  const colours = Object.fromEntries(
    ["good", "warn", "bad", "edge", "ink"].map((name) => [name, token(list.node, name)]),
  );
  for (const canvas of list.node.querySelectorAll("canvas.strip")) {
    const kitchen = page.kitchens.byId.get(canvas.dataset.kitchen);
    if (kitchen) paint(canvas, kitchen, page, colours);
  }
}

export { drawRow, HEADS, paintStrips, stateOf };
