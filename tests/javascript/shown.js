// `node shown.js IN OUT`: draw views from their parameters without a browser, and write every text that they show.
//
// IN is JSON [{view: {parameter: value}}]; OUT is for each of them {figures: {view: [{id, text, title, value, window,
// hidden}]}, the elements that have a test id, picture: {view: what it tells the picture for a report}, tips: [[i, text]]},
// what the timeline says when one points at its bars. The views are the product's own files; only the document is not a browser's.

import { readFileSync, writeFileSync } from "node:fs";
import { parseHTML } from "linkedom";

class Unmoved {
  observe() {}
  disconnect() {}
}
const { window, document, HTMLElement, Node } = parseHTML("<!doctype html><html><body></body></html>");
Object.assign(globalThis, {
  document,
  HTMLElement,
  Node,
  getComputedStyle: () => ({ getPropertyValue: () => "" }),
  matchMedia: () => ({ matches: false, addEventListener() {}, removeEventListener() {} }),
  ResizeObserver: Unmoved,
  IntersectionObserver: Unmoved,
  // nothing is watched: what stands there after the first drawing is what is read
  requestAnimationFrame: () => 0,
  cancelAnimationFrame() {},
  setInterval: () => 0,
  clearInterval() {},
  addEventListener() {},
  removeEventListener() {},
  innerWidth: 1440,
  innerHeight: 900,
  devicePixelRatio: 1,
});
Object.defineProperty(document, "hidden", { value: false });
for (const name of ["title", "hidden", "tabIndex"]) {
  if (Object.getOwnPropertyDescriptor(window.HTMLElement.prototype, name)) continue;
  Object.defineProperty(window.HTMLElement.prototype, name, {
    get() {
      return this.getAttribute(name.toLowerCase()) ?? "";
    },
    set(value) {
      if (value === false) this.removeAttribute(name.toLowerCase());
      else this.setAttribute(name.toLowerCase(), value === true ? "" : value);
    },
  });
}

// linkedom has a chosen option, but none that can be chosen by its value
Object.defineProperty(Object.getPrototypeOf(document.createElement("select")), "value", {
  get() {
    return this.getAttribute("data-chosen") ?? "";
  },
  set(value) {
    this.setAttribute("data-chosen", value);
  },
});

const FILES = {
  pipeline: "pipeline/pipeline.js",
  kpis: "kpis/kpis.js",
  order: "order/order.js",
  orders: "order_list/order_list.js",
  alert: "moments/alert.js",
  moments: "moments/moments.js",
  transport: "transport/transport.js",
};
const [, , from, to] = process.argv;
const given = JSON.parse(readFileSync(from, "utf8"));
const names = [...new Set(given.flatMap((page) => Object.keys(page)))];
const renders = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, (await import(`../../twin/views/${FILES[name]}`)).render])),
);

const { ribbonText } = await import("../../twin/views/transport/axis.js");
const { twin } = await import("../../twin/views/shared/registry.js");
const { NAIVE, Zone } = await import("../../twin/views/shared/times.js");

function modelOf(parameters) {
  return { ...parameters, send_msg() {}, on() {} };
}

function read(root) {
  const found = [];
  const walk = (node, hidden) => {
    const off = hidden || (node.hasAttribute?.("hidden") ?? false);
    const id = node.getAttribute?.("data-testid");
    if (id) {
      found.push({
        id,
        text: node.textContent.trim(),
        title: node.getAttribute("title") ?? "",
        value: node.hasAttribute("data-value") ? Number(node.getAttribute("data-value")) : null,
        window: node.getAttribute("data-window") ?? "",
        hidden: off,
      });
    }
    for (const child of node.children ?? []) walk(child, off);
  };
  walk(root, false);
  return found;
}

const TIPS = 7;

/** What the tip says of the meals waiting and the drivers, at some of the bars. */
function tipsOf({ volume, supply, anchor }) {
  if (!supply.waiting) return [];
  const clock = anchor.zone ? new Zone(anchor.zone) : NAIVE;
  const last = volume.counts.length - 1;
  return Array.from({ length: TIPS }, (_, k) => Math.round((k * last) / (TIPS - 1))).map((i) => [
    i,
    ribbonText(supply, i, volume.edges[i], clock)[0],
  ]);
}

function drawn(page) {
  const figures = Object.fromEntries(
    Object.entries(page).map(([name, parameters]) => [name, read(renders[name]({ model: modelOf(parameters) }))]),
  );
  const told = (name) => twin.reports?.get(`${page[name].clock}/${name}`)?.() ?? [];
  const picture = { pipeline: told("pipeline"), kpis: told("kpis") };
  return { figures, picture, tips: tipsOf(page.transport) };
}

const shown = given.map(drawn);
writeFileSync(to, JSON.stringify(shown));
