// The range picker: choosing what is loaded.

import { el, icon } from "../shared/elements.js";
import { DAY } from "../shared/times.js";
import { token } from "../shared/tokens.js";
import { clamp } from "./axis.js";
import { wholeOf } from "./brush.js";

/** More days than this do not fit the sheet as buttons. */
const MOST_DAYS = 14;
/** Meals that people name, in hours of the day. */
const MEALS = [
  { name: "Lunch", from: 11, to: 14 },
  { name: "Dinner", from: 17, to: 21 },
];

/** What a datetime-local field says, as seconds since 1970 on the kitchen's clock. */
const fieldTime = (text) => (text ? Date.parse(`${text}Z`) / 1000 : NaN);

/** The range picker: the range in words, and a sheet to choose another one. */
function buildRange(model, clock) {
  const words = el("span", { class: "words" });
  const button = el("button", {
    class: "range",
    type: "button",
    "aria-haspopup": "dialog",
    "aria-expanded": "false",
    title: "Choose the range of time to replay",
    "data-testid": "range",
  });
  button.append(icon("calendar", 15), words, el("span", { class: "caret", "aria-hidden": "true" }));
  const field = (name, id) =>
    el("input", { type: "datetime-local", name, "data-testid": id, "aria-describedby": "problem" });
  const from = field("start", "range-start");
  const to = field("end", "range-end");
  const problem = el("p", { id: "problem", class: "problem", role: "alert", "data-testid": "range-problem" });
  const apply = el("button", { class: "primary", type: "submit", "data-testid": "range-apply" }, "Apply");
  const spans = el("div", { class: "chips" });
  const days = el("div", { class: "chips days" });
  const mealsHead = el("h4", {});
  const meals = el("div", { class: "chips" });
  const mealGroup = el("div", { role: "group", "aria-label": "Meals" }, mealsHead, meals);
  const dayGroup = el("div", { role: "group", "aria-label": "Days" }, el("h4", {}, "One day"), days);
  const label = el("span", { class: "mute", "data-testid": "range-zone" });
  const fieldText = (t) => clock.zone.localText(t).slice(0, 16);
  const shown = new Map();
  const fill = (input, t) => {
    input.value = fieldText(t);
    shown.set(input, { t, text: input.value });
  };
  // in the hour that a clock shows twice, a field cannot tell which; what it was filled with stays what it was
  const chosen = (input, later) =>
    input.value === shown.get(input)?.text && shown.get(input).t % 60 === 0
      ? shown.get(input).t
      : clock.zone.fromLocal(fieldTime(input.value), later);
  const form = el(
    "form",
    { novalidate: true },
    el("label", {}, el("span", {}, "From"), from),
    el("label", {}, el("span", {}, "To"), to),
    problem,
    el("div", { class: "foot" }, label, apply),
  );
  const sheet = el(
    "div",
    {
      class: "sheet",
      popover: "auto",
      role: "dialog",
      "aria-label": "Range of time",
      tabindex: "-1",
      "data-testid": "range-sheet",
    },
    el("div", { role: "group", "aria-label": "Spans" }, spans),
    dayGroup,
    mealGroup,
    el("h4", {}, "Any range"),
    form,
  );
  // the browser opens, closes on Escape or a click outside, and gives the focus back
  button.popoverTargetElement = sheet;

  const say = (text) => {
    problem.textContent = text;
    for (const input of [from, to]) input.setAttribute("aria-invalid", String(!!text));
  };
  const choose = (start, end) => {
    const { low = -Infinity, high = Infinity } = model.source;
    if (!Number.isFinite(start) || !Number.isFinite(end))
      return say("Give both a date and a time for the start and for the end.");
    if (start >= end) return say("The end must be after the start.");
    if (end <= low || start >= high)
      return say(
        `No orders in this range: the data covers ${clock.zone.momentText(model.source.start)} to ` +
          `${clock.zone.momentText(model.source.end)}.`,
      );
    say("");
    sheet.hidePopover();
    model.send_msg({ verb: "range", start, end }); // the server cuts it to the days with data, and says so
  };
  const chip = (label, start, end, title) =>
    el(
      "button",
      {
        class: "chip",
        type: "button",
        title,
        "aria-pressed": String(model.window.start === start && model.window.end === end),
        onclick: () => choose(start, end),
      },
      label,
    );
  const offer = () => {
    const { start, end, latest, low, high } = model.source;
    const known = start !== undefined;
    spans.parentElement.hidden = dayGroup.hidden = mealGroup.hidden = !known;
    if (!known) return;
    const minute = Math.ceil(latest / 60) * 60;
    const { zone } = clock;
    const hours = (t, round) => t + round(zone.local(t) / 3600) * 3600 - zone.local(t);
    spans.replaceChildren(
      chip(
        "Last 24 hours",
        Math.max(low, minute - DAY),
        minute,
        "The last day worth seeing: without orders behind a gap",
      ),
      chip(
        "Whole range",
        hours(start, Math.floor),
        hours(end, (h) => Math.floor(h) + 1),
        "Everything there is of this kitchen",
      ),
    );
    const list = [];
    for (let day = zone.day(high - 1); zone.startOf(day) >= low && list.length < MOST_DAYS; day--) {
      const t = zone.startOf(day);
      list.unshift(chip(zone.shortDay(t), t, zone.startOf(day + 1), zone.dateText(t)));
    }
    days.replaceChildren(...list);
    const playhead = clock.now();
    const midnight = zone.midnight(clamp(playhead, low, high - 1));
    mealsHead.textContent = `A meal on ${zone.dayText(midnight)} ${zone.dateText(midnight)}, the day shown`;
    meals.replaceChildren(
      ...MEALS.map(({ name, from, to }) =>
        chip(
          `${name} ${from}:00 – ${to}:00`,
          zone.atHour(midnight, from),
          zone.atHour(midnight, to),
          `${name} on ${zone.dateText(midnight)}`,
        ),
      ),
    );
    for (const input of [from, to]) Object.assign(input, { min: fieldText(low), max: fieldText(high) });
    label.textContent = zone.naive ? "Kitchen time" : `Kitchen time (${zone.sent.name})`;
    label.title = zone.title(midnight);
  };
  const place = () => {
    const box = button.getBoundingClientRect();
    const margin = 12;
    const farthest = Math.max(margin, innerWidth - sheet.offsetWidth - margin);
    sheet.style.left = `${clamp(box.right - sheet.offsetWidth, margin, farthest)}px`;
    const above = box.top - margin - 6;
    const height = sheet.scrollHeight;
    const below = innerHeight - box.bottom - margin - 6;
    const up = above >= height || above >= below;
    sheet.style.maxHeight = `${Math.max(160, up ? above : below)}px`;
    sheet.style.top = up ? "auto" : `${box.bottom + 6}px`;
    sheet.style.bottom = up ? `${innerHeight - box.top + 6}px` : "auto";
  };
  sheet.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    offer();
    say(model.problem);
    const { start, end } = wholeOf(model, clock);
    if (end > start) {
      fill(from, start);
      fill(to, end);
    }
    // of the browser's own date fields
    sheet.style.colorScheme = parseInt(token(button, "panel").slice(1, 3), 16) < 128 ? "dark" : "light";
  });
  sheet.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      place();
      sheet.focus();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(chosen(from, false), chosen(to, true));
  });
  form.addEventListener("input", () => say(""));
  addEventListener("resize", place);
  return {
    button,
    sheet,
    offer,
    refuse: () => {
      if (model.problem) {
        if (!sheet.matches(":popover-open")) sheet.showPopover();
        say(model.problem);
      }
    },
    show: () => {
      const { start, end } = wholeOf(model, clock);
      words.textContent = end > start ? clock.zone.rangeText(start, end) : "Choose a range";
    },
    remove: () => removeEventListener("resize", place),
  };
}

export { buildRange };
