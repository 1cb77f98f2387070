// What a rule would have done: how much of the past is known, how often it would have fired, and each time as a link.

import { el } from "../shared/elements.js";
import { minutesText } from "../shared/numbers.js";

/** Alerts that are listed before the rest is. */
const LISTED = 8;
/** Below this share of the minutes, or with fewer days, the past tells little. */
const LITTLE = 0.5;
const FEW_DAYS = 7;

const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

/** How much of the past is known, as a sentence. */
function coverageText({ days, coverage }) {
  const whole = Math.round(days);
  const little = coverage < LITTLE || whole < FEW_DAYS;
  const share = Math.floor(100 * coverage);
  const known = `${plural(whole, "day")} of record; it is known whether the condition held in ${share} % of it`;
  return little ? `${known}. That is little to judge by.` : `${known}.`;
}

/** How often it would have fired, as a sentence. */
function firedText({ fired, days }, kitchen) {
  const number = fired.length;
  const times = number === 1 ? "once" : `${number} times`;
  const said = number ? `Would have fired ${times}` : "Would not have fired";
  const whole = Math.round(days);
  return `${said} in the last ${whole === 1 ? "day" : `${whole} days`} at ${kitchen}`;
}

/** How many of the alerts hindsight confirms, as a sentence; "" without any. */
function precisionText({ fired, precision }) {
  if (precision === null) return "";
  const confirmed = fired.filter(({ moment }) => moment).length;
  return `Precision ${Math.round(100 * precision)} %: hindsight finds trouble at ${confirmed} of ${fired.length}.`;
}

/**
 * The result as elements; `go(t)` shows the kitchen at a time.
 * @param {import("../shared/times.js").Zone} zone
 */
function triedParts(result, kitchen, zone, go) {
  const when = (t) => `${zone.dayText(t)} ${zone.shortDate(t)}, ${zone.clockText(t, false)}`;
  const link = (t, label) =>
    el(
      "button",
      { type: "button", class: "link", title: "Go there; the rule stays as it is", onclick: () => go(t) },
      label,
    );
  const line = ({ began, ended, text, moment }) =>
    el(
      "li",
      { "data-testid": "tried-alert" },
      link(began, when(began)),
      el("span", { class: "mute" }, ended === null ? "fires still" : `for ${minutesText(ended - began)}`),
      el("span", { class: "text" }, text),
      el("span", { class: moment ? "found" : "mute" }, moment ? `✓ ${moment}` : "no trouble found in hindsight"),
    );
  const rest = result.fired.slice(LISTED);
  const list = el("ul", {}, ...result.fired.slice(0, LISTED).map(line));
  const more = rest.length
    ? el("details", {}, el("summary", {}, `${rest.length} more`), el("ul", {}, ...rest.map(line)))
    : null;
  const missed = result.missed.length
    ? el(
        "p",
        { class: "missed" },
        `Would have missed ${plural(result.missed.length, "trouble")} of this kind: `,
        ...result.missed.flatMap(({ title, at }, i) => [i ? ", " : "", link(at, `${title} (${when(at)})`)]),
      )
    : null;
  return [
    el("p", { class: "mute", "data-testid": "tried-coverage" }, coverageText(result)),
    el("p", { class: "verdict", "data-testid": "tried-verdict" }, firedText(result, kitchen)),
    el("p", { "data-testid": "tried-precision" }, precisionText(result)),
    list,
    more,
    missed,
  ].filter(Boolean);
}

export { coverageText, firedText, precisionText, triedParts };
