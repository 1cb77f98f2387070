// The help: the keys, how to read the page, and how each figure is defined (the definitions come from the server, see
// chrome.py).

import { el, icon } from "../../views/shared/elements.js";
import { FOCUS_KEYS, helpOf } from "../../views/shared/keys.js";
import { REPLAY_KEYS, TIMELINE_KEYS } from "../../views/transport/keys.js";
import { PAGE_KEYS } from "./keys.js";

/** The tables of keys, from where they are bound. */
const KEYS = [
  ["The replay", helpOf(REPLAY_KEYS)],
  ["The page", helpOf(PAGE_KEYS)],
  ["What has the focus", helpOf([...FOCUS_KEYS, ...TIMELINE_KEYS])],
];
const READING = [
  [
    "Stages",
    "Every order is in one of five stages. An age in yellow or red, with a mark, says that the " +
      "oldest order waits longer than it should; click a stage to see its orders alone everywhere.",
  ],
  [
    "Map",
    "Streets are drawn from the drivers’ own traces. Circles are drivers: on time, about to be " +
      "late, or late with a mark; a dotted ring is a position inferred, not measured. Pins are " +
      "customers. Click one to open its order.",
  ],
  [
    "As it was known, with hindsight",
    "Whatever speaks of this moment uses only what had happened by the playhead, as in the kitchen then. With " +
      "hindsight it says what came of it, too, and everything that lies after the playhead is marked “later”.",
  ],
  [
    "Timeline",
    "Bars are orders created, the ribbon below shows where meals waited for drivers. Drag to look " +
      "at any moment; every panel follows.",
  ],
  ["Moments", "What stands out against the same hour on other days, the most remarkable first. A click goes there."],
  ["Figures", "Rest the pointer on any number: it says what it counts, over which time, and what is left out and why."],
];
/** What is said of alerts, by whether there are any; see chrome.py. */
const ALERTS = {
  on:
    "The bell in the page’s header counts the alerts that fire now, wherever the playhead is, and lists those of " +
    "before. A click goes to where one began. Its rules say what fires one; each shows first what it would have done.",
  off:
    "Nobody is alerted here. Whoever runs this server switches alerts on with TWIN_ALERTS=on; the page then has a " +
    "bell in its header, with their list and their rules.",
};

/**
 * Open a modal dialog and give the focus back to where it was when it closes; browsers lose it across nested shadow
 * roots.
 */
function dialogOf(attributes, ...children) {
  let before = null;
  const node = el("dialog", { role: "dialog", ...attributes }, ...children);
  node.addEventListener("close", () => {
    before?.focus?.();
    before = null;
  });
  node.addEventListener("click", (event) => {
    if (event.target === node && attributes["data-backdrop"] !== "stay") node.close();
  }); // the backdrop
  node.open_ = () => {
    if (node.open) return;
    before = document.activeElement;
    while (before?.shadowRoot?.activeElement) before = before.shadowRoot.activeElement;
    node.showModal();
  };
  return node;
}
const iconButton = (name, label, act, attributes = {}) => {
  const node = el("button", {
    type: "button",
    class: "button",
    "aria-label": label,
    title: label,
    onclick: act,
    ...attributes,
  });
  node.append(icon(name, 16));
  return node;
};

/**
 * The help dialog; `definitions` are [term, text] pairs, `alerts` whether there are any ("on", "off", "": not to be
 * said), `keys` the page's keys with their switch, `tour` begins the tour.
 */
function buildHelp({ definitions, alerts }, keys, tour) {
  const chord = (names) =>
    el("span", { class: "chord" }, ...names.map((name) => (name === "–" ? name : el("kbd", {}, name))));
  const table = ([caption, rows]) =>
    el(
      "table",
      {},
      el("caption", {}, caption),
      el("tbody", {}, ...rows.map(([names, text]) => el("tr", {}, el("td", {}, chord(names)), el("td", {}, text)))),
    );
  const list = (pairs) => el("dl", {}, ...pairs.flatMap(([term, text]) => [el("dt", {}, term), el("dd", {}, text)]));
  const single = el("input", {
    type: "checkbox",
    checked: keys.single,
    onchange: () => keys.allow(single.checked),
    "data-testid": "single-keys",
  });
  const begin = el("button", {
    type: "button",
    class: "button solid",
    "data-testid": "help-tour",
    onclick: () => {
      node.close();
      tour();
    },
  });
  begin.append(icon("tour", 15), "Take the tour");
  // the body scrolls, so the keyboard must reach it
  const body = el(
    "div",
    { class: "help-body", tabindex: "0", role: "region", "aria-label": "Help text" },
    el(
      "section",
      { "aria-labelledby": "help-keys" },
      el("h3", { id: "help-keys" }, "Keyboard"),
      el("div", { class: "tables" }, ...KEYS.map(table)),
      el("label", { class: "switch" }, single, "Shortcuts of a single letter or digit"),
    ),
    el(
      "section",
      { "aria-labelledby": "help-page" },
      el("h3", { id: "help-page" }, "How to read the page"),
      list(ALERTS[alerts] ? [...READING, ["Alerts", ALERTS[alerts]]] : READING),
    ),
    el(
      "section",
      { "aria-labelledby": "help-figures" },
      el("h3", { id: "help-figures" }, "How the figures are defined"),
      list(definitions),
    ),
  );
  const node = dialogOf(
    { class: "help", "aria-labelledby": "help-title", "data-testid": "help-dialog" },
    el(
      "header",
      {},
      el("h2", { id: "help-title" }, "Help"),
      begin,
      iconButton("close", "Close", () => node.close(), { "data-testid": "help-close" }),
    ),
    body,
  );
  return { node, open: node.open_ };
}

export { buildHelp, dialogOf, iconButton, KEYS };
