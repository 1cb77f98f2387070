// What differs between two ranges: a row per figure, its interval drawn around zero, and a word for it.

import { el, SVG, say } from "../shared/elements.js";
import { NONE } from "../shared/numbers.js";

const WIDTH = 120;
const HEIGHT = 12;
const WORDS = { better: "better", worse: "worse", more: "more", less: "less", "": "no difference" };

/** A figure with as many digits as tell something. */
const digits = (value) => (Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
const text = (value, places = digits(value)) =>
  value === null
    ? NONE
    : value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
/** A difference with its sign, a true minus among them. */
function signed(value, places) {
  if (value === null) return NONE;
  const written = text(Math.abs(value), places);
  if (!/[1-9]/.test(written)) return "0";
  return `${value < 0 ? "−" : "+"}${written}`;
}

/** The interval as a bar around a line at zero; empty where there is none. */
function interval(difference, low, high) {
  const svg = document.createElementNS(SVG, "svg");
  const add = (name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    svg.append(node);
  };
  for (const [key, value] of Object.entries({
    class: "interval graphic",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  }))
    svg.setAttribute(key, value);
  const most = Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0), 1e-9) * 1.08;
  const x = (value) => WIDTH / 2 + (value / most) * (WIDTH / 2);
  if (low !== null && high > low)
    add("rect", { class: "reach", x: x(low), y: 3, width: x(high) - x(low), height: HEIGHT - 6, rx: 3 });
  add("path", { class: "zero", d: `M${WIDTH / 2} 0V${HEIGHT}` });
  if (low !== null && difference !== null)
    add("rect", { class: "at", x: x(difference) - 1.5, y: 0, width: 3, height: HEIGHT });
  return svg;
}

/** @param {any[]} row see `DifferencesPanel.rows` */
function buildRow([name, label, first, second, difference, low, high, change]) {
  const places = Math.min(...[first, second].filter((value) => value !== null).map(digits));
  const known = low !== null && high !== null;
  const said = known ? WORDS[change] : "too little to tell";
  const between = known ? `${signed(low, places)} to ${signed(high, places)}` : "";
  return el(
    "tr",
    { class: `row is-${known ? change || "none" : "unknown"}`, "data-figure": name, "data-change": change },
    el("th", { scope: "row" }, label),
    el("td", { class: "value" }, text(first, places)),
    el("td", { class: "value" }, text(second, places)),
    el(
      "td",
      { class: "difference", "data-value": difference ?? undefined },
      el("b", {}, signed(difference, places)),
      el("span", { class: "between mute" }, between),
      interval(difference, low, high),
    ),
    el("td", { class: "change" }, el("span", { class: "word" }, said)),
  );
}

function render({ model }) {
  const sentence = el("p", { class: "sentence", role: "status", "data-testid": "differences-sentence" });
  const body = el("tbody");
  const heads = [el("th", { scope: "col" }), el("th", { scope: "col" })];
  const table = el(
    "table",
    { "data-testid": "differences-table" },
    el("caption", { class: "spoken" }, "Differences between the two, the second minus the first"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, el("span", { class: "spoken" }, "Figure")),
        ...heads,
        el("th", { scope: "col", title: "The second minus the first, with its 95 % interval" }, "Difference"),
        el("th", { scope: "col" }, el("span", { class: "spoken" }, "Change")),
      ),
    ),
    body,
  );
  const coverage = el("p", { class: "coverage mute", "data-testid": "differences-coverage" });
  const rule = el("p", { class: "rule mute" });
  const root = el(
    "section",
    // it scrolls where the page is low, so the keyboard must reach it
    { class: "differences card", tabindex: "0", "aria-label": "Differences", "data-testid": "differences" },
    sentence,
    table,
    coverage,
    rule,
  );
  const show = () => {
    const { rows, busy, problem } = model;
    root.setAttribute("aria-busy", String(busy));
    root.classList.toggle("is-problem", !!problem);
    say(
      sentence,
      problem || model.sentence || (busy ? "Comparing …" : "Both sides are compared as soon as they are there."),
    );
    heads.forEach((head, i) => {
      head.title = model.names[i] ?? "";
      head.replaceChildren(
        el("span", { class: "letter", "aria-hidden": "true" }, "AB"[i]),
        el("span", { class: "name" }, head.title),
      );
    });
    body.replaceChildren(...rows.map(buildRow));
    table.hidden = !rows.length;
    coverage.textContent = model.coverage;
    rule.textContent = rows.length ? model.rule : "";
  };
  for (const name of ["rows", "sentence", "names", "coverage", "busy", "problem", "rule"]) model.on(name, show);
  show();
  return root;
}

export { buildRow, render, signed };
