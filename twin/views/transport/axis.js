// The scrubber's drawing: pure functions from data to ticks, paths and words.

import { SVG } from "../shared/elements.js";
import { minutesText } from "../shared/numbers.js";
import { DAY } from "../shared/times.js";

const TICKS = [
  1,
  5,
  10,
  30,
  60,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10800,
  21600,
  43200,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
  84 * DAY,
  364 * DAY,
];
/** Room that an axis label needs, pixels. */
const LABEL = 76;
const MONDAY = 4 * DAY; // the first one after 1970-01-01, a Thursday: steps of weeks begin on it
/** Meals per driver, and meals, at which the ribbon has its full height. */
const FULL_PRESSURE = 2;
const FULL_MEALS = 8;
/** Height of the ribbon where nothing waits, as a share: a line that says "here is nothing", not "here is no data". */
const LEAST = 0.18;

const bucketText = (s) =>
  ({ 60: "minute", 3600: "hour", [DAY]: "day", [7 * DAY]: "week" })[s] ??
  (s % DAY === 0 ? `${s / DAY} days` : s % 3600 === 0 ? `${s / 3600} h` : minutesText(s));
const counted = (n, one, many) => `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
const snapped = (x) => Math.round(x * devicePixelRatio) / devicePixelRatio;
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/**
 * The axis: ticks {t, label, day} for a range drawn `width` pixels wide; `day` marks a midnight within several days.
 */
function axisTicks(start, end, width, zone) {
  const span = end - start;
  const step = TICKS.find((s) => span / s <= Math.max(2, width / LABEL)) ?? TICKS.at(-1);
  const origin = step > DAY ? MONDAY : 0;
  const ticks = [];
  const severalDays = span > DAY && zone.startOf(zone.day(start) + 1) < end; // one day may have 25 hours
  for (const t of zone.ticks(start, end, step, origin)) {
    const midnight = zone.isMidnight(t);
    const label =
      midnight && severalDays
        ? step > DAY
          ? zone.shortDate(t)
          : zone.shortDay(t)
        : midnight && t === end
          ? "24:00"
          : zone.clockText(t, step < 60);
    // the day that begins there is not shown
    if (!(midnight && severalDays && t === end)) ticks.push({ t, label, day: midnight && severalDays });
  }
  return ticks;
}

/** The two round numbers of orders beside the bars, of which the fullest has `most`; one if that is 1, none if 0. */
function countTicks(most) {
  if (most < 2) return most === 1 ? [1] : [];
  const ten = 10 ** Math.floor(Math.log10(most / 2));
  const step = [5, 4, 3, 2, 1].find((one) => 2 * one * ten <= most) * ten;
  return [step, 2 * step];
}

/** The ends of the ribbon's scale: meals per driver, and how high the ribbon stands there, 0..1. */
const PRESSURE_TICKS = [
  [0, LEAST],
  [FULL_PRESSURE, 1],
];

/** The bars as one SVG path on device pixels, `height` pixels high at `most` orders, by default at the fullest bar. */
function barsPath({ edges, counts }, x, height, most = Math.max(1, ...counts)) {
  let path = "";
  counts.forEach((count, i) => {
    const left = snapped(x(edges[i]));
    const right = snapped(x(edges[i + 1]));
    const gap = right - left >= 3 ? 1 : 0;
    const h = snapped((count / most) * height);
    if (h > 0 && right - gap > left) path += `M${left} ${height}V${height - h}H${right - gap}V${height}Z`;
  });
  return path;
}

/** How high the ribbon stands, 0..1: by meals per driver, of which few meals make little. */
function ribbonHeight(waiting, road) {
  const share = Math.min(1, waiting / Math.max(1, road) / FULL_PRESSURE) * Math.min(1, waiting / FULL_MEALS);
  return LEAST + (1 - LEAST) * share;
}

/** Whether drivers are tight (1) or short (2) at t, by the spells of the moments; else 0. */
const shortageAt = (short, t) => short.findLast(([start, end]) => start <= t && t < end)?.[2] ?? 0;

/**
 * The ribbon as one SVG path per level (fine, tight, short), `height` pixels high at the worst. A level begins and ends
 * where its moment does, amid a bar, too.
 */
function ribbonPaths({ waiting = [], road = [], short = [] }, edges, x, height) {
  const paths = ["", "", ""];
  const cuts = short.flatMap((spell) => spell.slice(0, 2)).sort((a, b) => a - b);
  waiting.forEach((meals, i) => {
    const top = height - snapped(ribbonHeight(meals, road[i]) * height);
    const marks = [edges[i], ...cuts.filter((t) => t > edges[i] && t < edges[i + 1]), edges[i + 1]];
    for (let k = 1; k < marks.length; k++) {
      const [left, right] = [snapped(x(marks[k - 1])), snapped(x(marks[k]))];
      if (right > left) paths[shortageAt(short, marks[k - 1])] += `M${left} ${height}V${top}H${right}V${height}Z`;
    }
  });
  return paths;
}

/** What the ribbon tells of bar i, and of t in it: averages, whose stretch is told, since no minute has them. */
function ribbonText({ waiting, road, short, begin, end }, i, t, zone) {
  const averages = `${waiting[i].toFixed(1)} meals waiting · ${road[i].toFixed(1)} drivers on the road`;
  const level = ["", "drivers tight", "drivers short"][shortageAt(short, t)];
  return [`on average ${zone.spanText(begin[i], end[i])}: ${averages}`, level];
}

const svgNode = (name, attributes, ...children) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

/** The hatching of a shortage, which tells it without colour. Ids are of the shadow root they stand in. */
const hatching = () =>
  svgNode(
    "defs",
    {},
    svgNode(
      "pattern",
      { id: "hatch", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svgNode("rect", { class: "hatch-ground", width: 4, height: 4 }),
      svgNode("rect", { class: "hatch-line", width: 1.4, height: 4 }),
    ),
  );

export {
  axisTicks,
  barsPath,
  bucketText,
  clamp,
  counted,
  countTicks,
  hatching,
  PRESSURE_TICKS,
  ribbonHeight,
  ribbonPaths,
  ribbonText,
  snapped,
  svgNode,
  TICKS,
};
