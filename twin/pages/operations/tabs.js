// A tab list after the ARIA pattern: one stop of the Tab key, arrows move between the tabs.

import { el } from "../../views/shared/elements.js";
import { listenToSwipes } from "./swipe.js";

function render({ model }) {
  const bar = el("div", { class: "tabs", role: "tablist", "aria-label": model.label });
  const said = el("div", { class: "spoken", role: "status" });
  let buttons = [];
  const choose = (key, focus = false) => {
    if (key !== model.tab) model.tab = key;
    mark();
    if (focus) buttons.find(({ dataset }) => dataset.key === model.tab)?.focus();
  };
  const mark = () => {
    for (const button of buttons) {
      const on = button.dataset.key === model.tab;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  };
  /** Show the neighbour, and say which that is: the focus is elsewhere. At either end there is none. */
  const go = (by) => {
    const next = model.tabs[model.tabs.findIndex(([key]) => key === model.tab) + by];
    if (!next) return;
    choose(next[0]);
    said.textContent = next[1];
  };
  const deafen = model.swipes ? listenToSwipes(bar, go) : () => {};
  const build = () => {
    const focused = buttons.findIndex((button) => button.matches(":focus"));
    buttons = model.tabs.map(([key, label, number]) =>
      el(
        "button",
        {
          type: "button",
          role: "tab",
          class: "tab",
          "data-key": key,
          "data-testid": `tab-${key}`,
          onclick: () => choose(key),
        },
        label,
        number === null || number === undefined
          ? null
          : el("span", { class: "number" }, number.toLocaleString("en-US")),
      ),
    );
    bar.replaceChildren(...buttons);
    mark();
    if (focused >= 0) buttons[focused]?.focus();
  };
  bar.addEventListener("keydown", (event) => {
    const at = model.tabs.findIndex(([key]) => key === model.tab);
    const last = model.tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at <= 0 ? last : at - 1, Home: 0, End: last }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the arrows step the playhead elsewhere
    choose(model.tabs[to][0], true);
  });
  const queries = Object.entries(model.rooms).map(([room, width]) => ({
    room,
    query: matchMedia(`(min-width: ${width}px)`),
  }));
  const measure = () => {
    model.room = queries.filter(({ query }) => query.matches).at(-1).room;
  };
  for (const { query } of queries) query.addEventListener("change", measure);
  model.on("tabs", build);
  model.on("tab", mark);
  model.on("remove", () => {
    deafen();
    for (const { query } of queries) query.removeEventListener("change", measure);
  });
  measure();
  build();
  return el("div", {}, bar, said);
}

export { render };
