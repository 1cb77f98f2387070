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

/**
 * What a pair of fields says, as seconds since 1970 on the kitchen's clock; NaN where they say none. A time is one of
 * 24 hours whatever the browser's language: 9:05, 09:05, 0905, 9, and 24:00 for the end of the day.
 */
function fieldTime(date, time) {
  const read = /^(\d{1,2})(?:[:.]?(\d{2}))?$/.exec(time.trim());
  if (!date || !read) return NaN;
  const [hours, minutes] = [Number(read[1]), Number(read[2] ?? 0)];
  if (minutes > 59 || hours * 60 + minutes > 24 * 60) return NaN;
  return Date.parse(`${date}T00:00Z`) / 1000 + hours * 3600 + minutes * 60;
}

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
  // the browser's own fields of a time have am and pm where its language does; the page's clock has not
  const field = (name, id, words) => {
    const shared = { "aria-describedby": "problem" };
    const date = el("input", { type: "date", name, "data-testid": id, "aria-label": `${words}, day`, ...shared });
    const time = el("input", {
      ...shared,
      type: "text",
      name: `${name}-time`,
      inputmode: "numeric",
      maxlength: "5",
      placeholder: "hh:mm",
      autocomplete: "off",
      title: "Hours and minutes, 00:00 to 24:00",
      "aria-label": `${words}, time of day in 24 hours`,
      "data-testid": `${id}-time`,
    });
    return { date, time, row: el("div", { class: "moment" }, date, time) };
  };
  const from = field("start", "range-start", "From");
  const to = field("end", "range-end", "To");
  const problem = el("p", { id: "problem", class: "problem", role: "alert", "data-testid": "range-problem" });
  const apply = el("button", { class: "primary", type: "submit", "data-testid": "range-apply" }, "Apply");
  const spans = el("div", { class: "chips" });
  const days = el("div", { class: "chips days" });
  const mealsHead = el("h4", {});
  const meals = el("div", { class: "chips" });
  const mealGroup = el("div", { role: "group", "aria-label": "Meals" }, mealsHead, meals);
  const dayGroup = el("div", { role: "group", "aria-label": "Days" }, el("h4", {}, "One day"), days);
  const label = el("span", { class: "mute", "data-testid": "range-zone" });
  const dayOf = (t) => clock.zone.localText(t).slice(0, 10);
  const textOf = ({ date, time }) => `${date.value} ${time.value}`;
  const shown = new Map();
  const fill = (pair, t) => {
    pair.date.value = dayOf(t);
    pair.time.value = clock.zone.localText(t).slice(11, 16);
    shown.set(pair, { t, text: textOf(pair) });
  };
  // in the hour that a clock shows twice, a field cannot tell which; what it was filled with stays what it was
  const chosen = (pair, later) =>
    textOf(pair) === shown.get(pair)?.text && shown.get(pair).t % 60 === 0
      ? shown.get(pair).t
      : clock.zone.fromLocal(fieldTime(pair.date.value, pair.time.value), later);
  const form = el(
    "form",
    { novalidate: true },
    el("div", { class: "side" }, el("span", {}, "From"), from.row),
    el("div", { class: "side" }, el("span", {}, "To"), to.row),
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
    for (const input of [from.date, from.time, to.date, to.time]) input.setAttribute("aria-invalid", String(!!text));
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
    for (const { date } of [from, to]) Object.assign(date, { min: dayOf(low), max: dayOf(high) });
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

export { buildRange, fieldTime };
