// The head of one side: which days it shows, what its clock says, and why nothing is there.

import { clockFrom } from "../../views/shared/clock.js";
import { el, icon } from "../../views/shared/elements.js";
import { guarded } from "../../views/shared/registry.js";

const OTHER = "other";
const LONGEST_DAY = 25 * 3600; // of a longer range the clock says the day, too

/** The browser's own list of ranges, with "Other days" at its end. */
function buildDays(model, letter) {
  const select = el("select", {
    class: "days",
    "aria-label": `Days of side ${letter.toUpperCase()}`,
    "data-testid": `days-${letter}`,
  });
  const optionOf = (start, end) => `${start},${end}`;
  const show = () => {
    const [start, end] = model.range;
    const groups = new Map();
    for (const [group, label, from, to] of model.offers) {
      if (!groups.has(group)) groups.set(group, el("optgroup", { label: group }));
      groups.get(group).append(el("option", { value: optionOf(from, to) }, label));
    }
    const known = model.offers.some(([, , from, to]) => from === start && to === end);
    select.replaceChildren(
      ...(known || start === undefined ? [] : [el("option", { value: optionOf(start, end) }, model.words)]),
      ...groups.values(),
      el("option", { value: OTHER }, "Other days …"),
    );
    // what is named twice, as a day and by the other side, stands as the day
    const shown = start === undefined ? OTHER : optionOf(start, end);
    const last = [...select.options].filter(({ value }) => value === shown).at(-1);
    if (last) last.selected = true;
  };
  return { select, show };
}

/** From which day to which, by their dates. */
function buildDates(model, letter) {
  const field = (label, name) =>
    el("input", { type: "date", required: true, "aria-label": label, "data-testid": `${name}-${letter}` });
  const [from, to] = [field("First day", "first-day"), field("Last day", "last-day")];
  const form = el(
    "form",
    { class: "dates", hidden: true, "data-testid": `dates-${letter}` },
    from,
    el("span", {}, "to"),
    to,
    el("button", { type: "submit", class: "act" }, "Show"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.hidden = true;
    model.send_msg({ days: [from.value, to.value].sort() });
  });
  const open = () => {
    const [min, max] = model.reach;
    for (const input of [from, to]) Object.assign(input, { min: min ?? "", max: max ?? "" });
    form.hidden = false;
    from.focus();
  };
  return { form, open };
}

/** The head of one side. */
class Head {
  constructor({ model }) {
    this.model = model;
    this.letter = model.letter.toLowerCase();
    this.clock = clockFrom(model);
    this.days = buildDays(model, this.letter);
    this.dates = buildDates(model, this.letter);
    this.time = el("span", { class: "time", "data-testid": `side-clock-${this.letter}` });
    this.waits = el("span", { class: "waits", hidden: true }, "no data at this time");
    this.alone = el("a", { class: "alone", title: "Open this side alone, at this moment" }, icon("arrow", 15));
    this.alone.setAttribute("aria-label", `Open side ${model.letter} alone`);
    this.alone.dataset.testid = `alone-${this.letter}`;
    this.busy = el("span", { class: "busy mute", role: "status", "data-testid": `busy-${this.letter}` });
    this.words = el("span", {});
    this.retry = el(
      "button",
      { type: "button", class: "act", onclick: () => model.send_msg({ retry_load: true }) },
      "Try again",
    );
    this.problem = el(
      "p",
      { class: "problem", role: "alert", "data-testid": `problem-${this.letter}` },
      icon("alert", 15),
      this.words,
      this.retry,
    );
    this.root = el(
      "div",
      { class: "head", role: "group", "aria-label": `Side ${model.letter}` },
      this.days.select,
      el("span", { class: "now" }, this.time, this.waits, this.busy),
      this.alone,
      this.dates.form,
      this.problem,
    );
    this.frame = 0;
    this.listen();
    this.show();
  }

  listen() {
    const { model } = this;
    this.days.select.addEventListener("change", () => {
      const { value } = this.days.select;
      if (value === OTHER) this.dates.open();
      else {
        this.dates.form.hidden = true;
        model.send_msg({ choose: value.split(",").map(Number) });
      }
    });
    this.alone.addEventListener("click", this.aim);
    this.alone.addEventListener("pointerdown", this.aim);
    for (const name of ["offers", "range", "words", "busy", "problem", "alone"]) model.on(name, this.show);
    const stop = this.clock.on(this.wake);
    model.on("remove", () => {
      stop();
      cancelAnimationFrame(this.frame);
    });
  }

  /** The link leads to what is seen now. */
  aim = guarded(() => {
    const { clock } = this;
    const query = new URLSearchParams(this.model.alone.split("?")[1]);
    query.set("t", clock.zone.addressText(clock.now()));
    if (clock.anchor) query.set("speed", String(clock.anchor.speed));
    this.alone.href = `${this.model.alone.split("?")[0]}?${query}`.replaceAll("%3A", ":");
  });

  show = () => {
    const { busy, problem, alone, range } = this.model;
    this.days.show();
    this.busy.textContent = busy;
    this.problem.hidden = !problem;
    this.words.textContent = problem;
    this.alone.hidden = !alone;
    if (alone) this.alone.href = alone;
    this.time.hidden = !range.length;
    this.wake();
  };

  wake = () => {
    this.frame ||= requestAnimationFrame(this.tick);
  };

  tick = guarded(() => {
    this.frame = 0;
    const { clock } = this;
    if (!clock.anchor || !(clock.anchor.end > clock.anchor.start)) return;
    const t = clock.now();
    const label = clock.zone.naive ? "" : ` ${clock.zone.label(t)}`;
    const [start, end] = this.model.range;
    const day = end - start > LONGEST_DAY ? `${clock.zone.shortDay(t)} ` : "";
    const text = `${day}${clock.zone.bareClockText(t)}${label}`;
    if (this.time.textContent !== text) this.time.textContent = text;
    this.waits.hidden = !clock.waits;
    if (clock.moving) this.wake();
  });
}

function render(view) {
  return new Head(view).root;
}

export { render };
