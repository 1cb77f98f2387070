// A kitchen's row: its state in words, its figures, the last hours as a line, and the whole range as a strip.

import { el, SVG } from "../../views/shared/elements.js";
import { many, minutesText, NONE } from "../../views/shared/numbers.js";
import { token } from "../../views/shared/tokens.js";

/** Why a figure is missing. */
const WHY = {
  usual: "No other day to compare with",
  delivery: "No delivery in the last 60 minutes",
  recorded: "The data records no delivery",
  waiting: "The data does not tell when meals are ready",
  drivers: "The data does not tell of drivers",
  calm: "No trouble was known then",
  few: "Of fewer than three deliveries no share is told",
};
/** Fewest deliveries of which a share is told, and judged. */
const LEAST = 3;
/** Seconds that a kitchen may be silent while others go on before its row says so. */
const SILENT_S = 600;
/** How high an hour is in a strip, by its level, and its colour: fine, amber, red; 8: no delivery, 9: nothing. */
const HEIGHTS = { 0: 0.16, 1: 0.6, 2: 1, 8: 0.08 };
const COLOURS = { 0: "good", 1: "warn", 2: "bad", 8: "edge" };
/** The states of an hour by their harm (`HARM` in past_states.py): calm, recovering, building, trouble. */
const STATE_COLOURS = ["good", "warn", "warn", "bad"];
const STATE_ALPHA = [0.45, 0.55, 1, 1];
/** The share of a strip's height that the states take. */
const STATE_SHARE = 0.36;

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
    "The state by hour, the worst of each; above it late deliveries against other days, the higher the worse",
  ],
  ["worst", "Moment", "The worst trouble that goes on or has just ended, as it was known then"],
];
/** Whole percent, rounded down: 100 % means all. */
const wholePercent = (percent) => `${Math.floor(percent + 1e-6)} %`;
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
function who(kitchen, { clock, bar }) {
  const { name, words: said } = stateOf(kitchen);
  const words = bar.brands.value && name ? `Whole kitchen: ${said}` : said; // beside figures of one brand
  const since = kitchen.row?.since;
  const at = kitchen.row?.at ?? Infinity;
  const from = since === undefined || name === "calm" ? "" : `, since ${clock.zone.clockText(since, false)}`;
  const silent = clock.state === "live" && at < clock.now() - SILENT_S;
  const when = silent ? `${from} – no event since ${clock.zone.clockText(at, false)}` : from;
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

/** The late share; of too few deliveries, which nobody judges, their number. */
function lateCell(row, delivered) {
  const { late_pct: share, late_deliveries: late, deliveries, usual_late_pct: usual } = row;
  const counted = `${many(late ?? 0)} of ${many(deliveries ?? 0)}`;
  if (share === null) return cell("late", "Late", NONE, { title: delivered });
  if (deliveries < LEAST) return cell("late", "Late", counted, { title: WHY.few });
  const against = usual === null ? "" : `usual ${wholePercent(usual)}`;
  return cell("late", "Late", wholePercent(share), {
    level: row.late_level ?? "",
    more: against || counted,
    title: `${counted} deliveries of the last 60 minutes${against ? `; ${against} at this time of other days` : ""}`,
  });
}

function figures(row) {
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
    lateCell(row, delivered),
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

/** Draw the hours of one kitchen up to the playhead, with hindsight all: late deliveries, and below the states. */
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
  const stateHigh = Math.round(height * STATE_SHARE);
  const bars = height - stateHigh - 2;
  const box = (from, to, top, high, colour, alpha) => {
    context.fillStyle = colours[colour];
    context.globalAlpha = alpha;
    context.fillRect(x(from), top, Math.max(1, x(to) - x(from) - 0.5), high);
  };
  [...kitchen.levels].forEach((digit, at) => {
    const from = first + at * 3600;
    if (digit === "9") return;
    const known = from + 3600 <= until;
    const high = (known ? HEIGHTS[digit] : HEIGHTS[8]) * bars;
    box(from, from + 3600, bars - high, high, known ? COLOURS[digit] : "edge", !known ? 0.3 : digit === "0" ? 0.5 : 1);
  });
  for (const [from, digit] of kitchens.statesOf(kitchen)) {
    if (from >= until || from + 3600 <= start) continue;
    const to = Math.min(from + 3600, until, end);
    box(Math.max(from, start), to, height - stateHigh, stateHigh, STATE_COLOURS[digit], STATE_ALPHA[digit]);
  }
  context.globalAlpha = 1;
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
