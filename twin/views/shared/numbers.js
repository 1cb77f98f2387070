// Figures as text: how the panels write a number, and how a number tells the page what it exactly is.

import { el } from "./elements.js";
import { twin } from "./registry.js";
import { two } from "./times.js";

const NONE = "–";
const many = (n) => n.toLocaleString("en-US");
/** From here on a number is so long that it is written smaller, or told as a share: the words beside it need room. */
const LONG_COUNT = 1000;
/** A number for a place of some six digits: 12,345, 123k, 1.23M. */
const shortMany = (n) =>
  n < 100_000 ? many(n) : n.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const plural = (n, noun, more = `${noun}s`) => `${many(n)} ${n === 1 ? noun : more}`;
/** Whole minutes, half up, as twin/analysis/wording.py rounds them. */
const wholeMinutes = (seconds) => Math.floor(seconds / 60 + 0.5);
/**
 * A duration in whole minutes, half up, in seconds below one: 40 s, 21 min, 2 h 05. Every panel writes durations with
 * this, an average or an age as much as a single wait, so that no two of them are rounded in different ways.
 */
function minutesText(duration) {
  const seconds = Math.max(0, duration);
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = wholeMinutes(seconds);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)}`;
}
/** Seconds between two moments as their clocks show them: 18:10 – 18:40 are 30 minutes, whatever the seconds. */
const stretch = (start, end) => 60 * (Math.floor(end / 60) - Math.floor(start / 60));
/**
 * A share in tenths of a percent, rounded down so that 100 % means all of them; the tolerance undoes binary fractions.
 */
const percentText = (share) => (share >= 1 ? "100 %" : `${(Math.floor(share * 1000 + 1e-6) / 10).toFixed(1)} %`);
/** Ids drawn at random: see `short_id` in wording.py, which says the same. */
const DRAWN = /^(?=[\d-]*[a-f])[\da-f]{8}-?[\da-f]{4}(?!-?7[\da-f]{3}-)[\da-f-]{18,}/i;
/** An order's id, short enough to read aloud: the begin of one drawn at random, the end of one that counts up. */
const shortId = (id) => {
  const letters = [...id];
  if (letters.length <= 10) return id;
  return DRAWN.test(id) ? id.slice(0, 6) : `…${letters.slice(-6).join("")}`;
};
/** Money in short: $1,243, $12.4k, $1.24M. The data names no currency; Casper's menus are in dollars. */
function moneyText(dollars) {
  if (dollars <= -0.5) return `−${moneyText(-dollars)}`;
  if (dollars < 10000) return `$${many(Math.round(Math.max(0, dollars)))}`;
  return dollars < 999950 ? `$${(dollars / 1000).toFixed(1)}k` : `$${(dollars / 1e6).toFixed(2)}M`;
}
/**
 * Write a figure: its text, its title, and `data-value`, the number behind the text (none where it is unknown). Only
 * what differs is written: an unchanged node costs no layout.
 */
function put(node, text, title, value) {
  if (node.textContent !== text) node.textContent = text;
  if (title !== undefined && node.title !== title) node.title = title;
  if (value === null) node.removeAttribute("data-value");
  else if (value !== undefined && node.dataset.value !== String(value)) node.dataset.value = value;
}
/** An element for a figure; `window` is the stretch of time that it speaks of (twin/foundation/windows.py). */
const figure = (name, id, window) => el("span", { class: name, "data-testid": id, "data-window": window });
/** Register what this view tells a report; forgotten with the view. */
function reportAs(model, name, tell) {
  const reports = (twin.reports ??= new Map());
  const key = `${model.clock}/${name}`;
  reports.set(key, tell);
  model.on("remove", () => {
    if (reports.get(key) === tell) reports.delete(key);
  });
}

export {
  figure,
  LONG_COUNT,
  many,
  minutesText,
  moneyText,
  NONE,
  percentText,
  plural,
  put,
  reportAs,
  shortId,
  shortMany,
  stretch,
  wholeMinutes,
};
