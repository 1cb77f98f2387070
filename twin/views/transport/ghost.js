// The ghost: another day of the kitchen beside this one. Here it is chosen, and drawn as a line over bars and ribbon.

import { el } from "../shared/elements.js";
import { sharedState } from "../shared/shared_state.js";
import { DAY } from "../shared/times.js";
import { snapped } from "./axis.js";

/** Most days that the menu lists; an address names any. */
const MOST_DAYS = 62;
const ONLY_DAY = "This kitchen has data of one day only: there is no other to lay over it.";
const RULE =
  "Lay another day of this kitchen over this one, at the same time of day (G): hollow drivers on the map, a line " +
  "over the bars, figures beside these. That day is over, so nothing of it is to come.";
const KINDS = [
  ["week", "Same weekday last week"],
  ["best", "The best day"],
  ["usual", "The usual (no drivers)"],
];

/** The number since 1970 of a date as 2025-10-16. */
const dayNumber = (date) => Date.parse(`${date}T00:00:00Z`) / 1000 / DAY;

/**
 * A line over bars as one SVG path: level over each bar whose height (0 to 1) is known, with steps between neighbours.
 * @param {number[]} edges data seconds
 * @param {(number | null)[]} heights
 * @param {(t: number) => number} x
 * @param {number} height pixels at 1
 */
function stepPath(edges, heights, x, height) {
  let path = "";
  let drawn = false;
  heights.forEach((share, i) => {
    if (share === null) {
      drawn = false;
      return;
    }
    const y = snapped((1 - share) * height);
    path += `${drawn ? "V" : `M${snapped(x(edges[i]))} `}${y}H${snapped(x(edges[i + 1]))}`;
    drawn = true;
  });
  return path;
}

/** Build the choice of a ghost; `show` writes what is chosen, `toggle` puts the last one on or off. */
function buildGhost(model, clock) {
  const shared = sharedState(model.clock, "ghost");
  let last = "";
  const choose = (choice) => model.send_msg({ ghost: choice });
  const select = el("select", { "aria-label": "Ghost: another day over this one", "data-testid": "ghost" });
  const spoken = el("span", { class: "spoken", role: "status", "data-testid": "ghost-label" });
  const node = el("label", { class: "haunt", title: RULE }, el("i", { class: "ring graphic" }), select, spoken);
  select.addEventListener("change", () => choose(select.value));

  /** The days that can be chosen: all but the one shown. */
  const days = () => {
    const own = clock.anchor ? clock.zone.day(clock.now()) : NaN;
    return model.days.filter((date) => dayNumber(date) !== own);
  };
  const nameOf = (date) => {
    const at = clock.zone.startOf(dayNumber(date)) + DAY / 2;
    return `${clock.zone.dayText(at)} ${clock.zone.shortDate(at)}`;
  };
  const fill = () => {
    const some = days().slice(0, MOST_DAYS);
    const { choice = "", label = "", problem = "" } = model.ghost;
    const odd = choice && !KINDS.some(([kind]) => kind === choice) && !some.includes(choice);
    const shown = problem || label || "Loading …";
    const option = (value, text) =>
      value && value === choice
        ? el("option", { value, selected: true }, shown)
        : el("option", { value, selected: value === choice }, text);
    if (!some.length && !choice) {
      select.replaceChildren(option("", "No ghost"), el("option", { disabled: true }, ONLY_DAY));
      return;
    }
    select.replaceChildren(
      option("", "No ghost"),
      ...KINDS.map(([kind, text]) => option(kind, text)),
      el("optgroup", { label: "Another day" }, ...some.map((date) => option(date, nameOf(date)))),
      ...(odd ? [option(choice, nameOf(choice))] : []),
    );
  };
  let filled = "";
  const show = () => {
    const { choice = "", label: name = "", problem = "" } = model.ghost;
    node.hidden = !model.haunts;
    const key = `${choice} ${name} ${problem} ${model.days.join()} ${clock.anchor ? clock.zone.day(clock.now()) : ""}`;
    if (key !== filled) {
      filled = key;
      fill();
    }
    if (choice) last = choice;
    node.classList.toggle("on", !!choice);
    node.classList.toggle("problem", !!problem);
    const words = problem || (name ? `Ghost: ${name}, at the same time of day` : "");
    if (spoken.textContent !== words) spoken.textContent = words;
    shared.take(choice ? { off: () => choose("") } : null);
  };
  /** Put the last ghost on, or off; the first time last week's, where there is one. */
  const toggle = () => {
    if (!model.haunts || !model.days.length) return false;
    const week = clock.zone.day(clock.now()) - 7;
    const first = model.days.some((date) => dayNumber(date) === week) ? "week" : "best";
    choose(model.ghost.choice ? "" : last || first);
    return true;
  };
  const remove = () => shared.take(null);
  return { node, show, toggle, remove };
}

export { buildGhost, stepPath };
