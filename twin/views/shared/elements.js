// Elements and icons, which every view is made of.

import { guarded } from "./registry.js";
import "./tokens.js";

/** Make an element: el("p", {class: "x", onclick: f}, "text", child). Text is always text, never markup. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), guarded(value));
    else if (key === "style") node.style.cssText = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A sentence in parts, every second one a number with its unit: "98 %", "20 min 13 s", "1 h 05". */
const withUnits = (text) => text.split(/((?<![\w.,])\d[\d.,]*(?: min \d+ s| h \d\d| (?:%|min|s|h|km|m)(?!\w)))/);
/**
 * A sentence for `append` in which a number and its unit are never on two lines. The text stays as it is, so that who
 * copies, searches or reads it aloud finds the words.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
function unbroken(text) {
  return withUnits(text)
    .map((part, i) => (i % 2 ? el("span", { style: "white-space:nowrap" }, part) : part))
    .filter((part) => part !== "");
}
/** Write a sentence, if another one stands there. */
function say(node, text) {
  if (node.textContent !== text) node.replaceChildren(...unbroken(text));
}

const SVG = "http://www.w3.org/2000/svg";
/** Icons on a 24-unit grid, drawn with strokes of the current colour. */
const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  stop: "M6 6h12v12H6z",
  back: "M18 6l-8 6 8 6zM7 6v12",
  forward: "M6 6l8 6-8 6zM17 6v12",
  loop: "M17 3l3 3-3 3M4 12V9a3 3 0 0 1 3-3h13M7 21l-3-3 3-3M20 12v3a3 3 0 0 1-3 3H4",
  plus: "M12 6v12M6 12h12",
  minus: "M6 12h12",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 5v9M12 18.5v.5",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  flame: "M12 3c1 4 5 5.500 5 10a5 5 0 0 1-10 0c0-2 1-3 2-4 .3 1.500 1 2 1.500 2C10.500 8 11 5 12 3z",
  box: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
  car: "M4 16v-3l2-5h12l2 5v3zM7 16v2M17 16v2M4.500 12.500h15",
  arrow: "M5 12h13M13 7l5 5-5 5",
  pin:
    "M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 " +
    "2.500 2.500 0 0 0 0 5z",
  receipt: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  compare: "M4 5h7v14H4zM13 5h7v14h-7z",
  kitchen: "M5 11h14v8H5zM3 11h18M8 7c0-1.500 1-1.500 1-3M12 7c0-1.500 1-1.500 1-3M16 7c0-1.500 1-1.500 1-3",
  close: "M6 6l12 12M18 6L6 18",
  help: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 18v.5",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L20 20",
  filter: "M4 6h16M7 12h10M10 18h4",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  cold: "M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9M9.5 4.5L12 7l2.5-2.5M9.5 19.5L12 17l2.5 2.5",
  rise: "M4 17l5-6 4 4 7-8M15 7h5v5",
  up: "M12 19V6M6 11l6-6 6 6",
  bolt: "M13 3L6 13h5l-1 8 8-11h-5z",
  peak: "M3 19l6-12 4 7 2-3 6 8z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500v.01",
  expand: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  more: "M5 12v.01M12 12v.01M19 12v.01",
  tour: "M9 4l6 2 5-2v14l-5 2-6-2-5 2V6zM9 4v14M15 6v14",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  calendar: "M4 6h16v14H4zM4 10h16M8 3v5M16 3v5",
  question: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 18v.5",
  chevronLeft: "M14 6l-6 6 6 6",
  chevronRight: "M10 6l6 6-6 6",
  bell: "M5 17h14l-2-3v-4a5 5 0 0 0-10 0v4zM10 20a2 2 0 0 0 4 0M12 5V3.500",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
};
const FILLED = new Set(["play", "stop", "back", "forward"]);
/** An icon as an SVG element, hidden from screen readers (its button carries the label). */
function icon(name, size = 16) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 24 24",
    width: size,
    height: size,
    "aria-hidden": "true",
    fill: FILLED.has(name) ? "currentColor" : "none",
    stroke: "currentColor",
    "stroke-width": 2,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  }))
    svg.setAttribute(key, String(value));
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.alert);
  svg.append(path);
  return svg;
}

export { el, ICONS, icon, SVG, say, unbroken, withUnits };
