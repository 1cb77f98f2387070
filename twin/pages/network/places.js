// Where the kitchens are: one map of those near each other, small ones otherwise. A dot has its state's colour.

import { STEP_DEG } from "#python/pages/network/shown";
import { el, SVG } from "../../views/shared/elements.js";
import { plural } from "../../views/shared/numbers.js";
import { stateOf } from "./rows.js";

/** Kitchens so near each other, km, share a map. */
const NEAR_KM = 120;
const KM_PER_DEGREE = 111.2;
const MOST_MAPS = 8;
const W = 200;
const H = 120;
const MARGIN = 22;

/** Groups of kitchens near each other: those of cells of a grid that touch. */
function groupsOf(kitchens) {
  const cells = new Map();
  for (const one of kitchens) {
    if (one.lat === null || one.lon === null) continue;
    const shrink = Math.max(0.2, Math.cos((one.lat * Math.PI) / 180));
    const key = [
      Math.floor((one.lat * KM_PER_DEGREE) / NEAR_KM),
      Math.floor((one.lon * shrink * KM_PER_DEGREE) / NEAR_KM),
    ];
    const name = key.join();
    if (!cells.has(name)) cells.set(name, { key, some: [], seen: false });
    cells.get(name).some.push(one);
  }
  const groups = [];
  for (const cell of cells.values()) {
    if (cell.seen) continue;
    const group = [];
    const waiting = [cell];
    cell.seen = true;
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      group.push(...next.some);
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) {
          const other = cells.get([next.key[0] + dy, next.key[1] + dx].join());
          if (other && !other.seen) {
            other.seen = true;
            waiting.push(other);
          }
        }
    }
    groups.push(group);
  }
  return groups.sort((a, b) => b.length - a.length);
}

/** A projection of a group's places into the map: equal scales, the middle in the middle. */
function projection(group) {
  const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const lat = middle(group.map((one) => one.lat));
  const lon = middle(group.map((one) => one.lon));
  const shrink = Math.max(0.2, Math.cos((lat * Math.PI) / 180));
  const wide = Math.max(...group.map((one) => Math.abs(one.lon - lon) * shrink), 0.02);
  const high = Math.max(...group.map((one) => Math.abs(one.lat - lat)), 0.02);
  const scale = Math.min((W / 2 - MARGIN) / wide, (H / 2 - MARGIN) / high);
  return (one) => [W / 2 + (one.lon - lon) * shrink * scale, H / 2 - (one.lat - lat) * scale];
}

const svgNode = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
};

/** A kitchen's routes as one path, each a line from the offsets that the server sends (`streets` in shown.py). */
function pathOf({ lat, lon, streets }, at) {
  const lines = streets.map((line) => {
    const points = [];
    for (let i = 0; i + 1 < line.length; i += 2) {
      const [x, y] = at({ lat: lat + line[i] * STEP_DEG, lon: lon + line[i + 1] * STEP_DEG });
      points.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
    }
    return `M${points.join("L")}`;
  });
  return lines.join("");
}

class Places {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.dots = new Map();
    this.drawn = new Map();
    const { all } = page.kitchens;
    const groups = groupsOf(all);
    const unplaced = all.filter((one) => one.lat === null || one.lon === null).length;
    const more = groups.slice(MOST_MAPS).reduce((sum, group) => sum + group.length, 0);
    const notes = [
      unplaced === all.length
        ? "No map: the data has no coordinates."
        : unplaced
          ? `${plural(unplaced, "kitchen")} without a place.`
          : "",
      more ? `${plural(more, "kitchen")} elsewhere.` : "",
    ].filter(Boolean);
    this.node = el(
      "section",
      { class: "card part", "aria-label": "Where the kitchens are", "data-testid": "network-places" },
      el("h2", {}, "Where"),
      el(
        "div",
        // it may have to be scrolled, and nothing in it takes the focus
        { class: `maps${groups.length === 1 ? " is-one" : ""}`, tabindex: "0", role: "group", "aria-label": "Maps" },
        ...groups.slice(0, MOST_MAPS).map((group) => this.map(group)),
      ),
      notes.length ? el("p", { class: "mute" }, notes.join(" ")) : null,
    );
  }

  map(group) {
    const at = projection(group);
    const svg = svgNode("svg", { viewBox: `0 0 ${W} ${H}`, class: "graphic", role: "group" });
    const names = [...new Set(group.map(({ region, name }) => region || name))];
    const label = names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", ");
    const ways = svgNode("g", { class: "streets", "aria-hidden": "true" });
    svg.append(ways);
    for (const one of group) {
      const [x, y] = at(one);
      this.drawn.set(one.id, { ways, at, streets: [] });
      const dot = svgNode("circle", {
        cx: x.toFixed(1),
        cy: y.toFixed(1),
        r: group.length > 40 ? 3 : 6,
        class: "dot",
        "data-testid": `dot-${one.id}`,
      });
      const title = svgNode("title", {});
      dot.append(title);
      dot.addEventListener("click", () => this.choose(one));
      this.dots.set(one.id, { dot, title });
      svg.append(dot);
    }
    return el("figure", {}, svg, el("figcaption", { class: "mute" }, label));
  }

  /** Bring a kitchen's row into view. */
  choose(kitchen) {
    const { list } = this.page;
    const at = list.items.findIndex(({ id }) => id === kitchen.id);
    if (at < 0) return;
    list.activate(at);
    list.node.focus();
    this.page.settle();
    this.page.redraw();
  }

  /** Draw the streets around kitchens of which they have come. */
  drawStreets() {
    for (const [id, drawn] of this.drawn) {
      const kitchen = this.page.kitchens.byId.get(id);
      if (kitchen.streets === drawn.streets || !kitchen.streets.length) continue;
      drawn.streets = kitchen.streets;
      drawn.ways.append(svgNode("path", { d: pathOf(kitchen, drawn.at) }));
    }
  }

  redraw() {
    const { kitchens, clock } = this.page;
    const t = clock.now();
    this.drawStreets();
    for (const [id, { dot, title }] of this.dots) {
      const kitchen = kitchens.byId.get(id);
      const { name, words } = kitchen.row
        ? stateOf(kitchen)
        : { name: `level-${kitchens.levelAt(kitchen, t)}`, words: "" };
      const looks = `dot is-${name}`;
      if (dot.getAttribute("class") !== looks) dot.setAttribute("class", looks);
      const told = `${kitchen.name}${words ? `: ${words}` : ""}`;
      if (title.textContent !== told) title.textContent = told;
    }
  }
}

export { Places };
