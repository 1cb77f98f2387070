// Small drawings of the cards. Their boxes are fixed, so nothing moves around them.

import { SVG } from "../shared/elements.js";

const SPARK_WIDTH = 100;
const SPARK_HEIGHT = 30;
const SPARK_PAD = 3;

function svgOf(name, title) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`,
    preserveAspectRatio: "none",
    class: `${name} graphic`,
    role: "img",
    "aria-label": title,
  }))
    svg.setAttribute(key, value);
  return svg;
}
function part(svg, tag, name, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  node.setAttribute("class", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  svg.append(node);
  return node;
}
function label(svg, text) {
  if (svg.getAttribute("aria-label") !== text) svg.setAttribute("aria-label", text);
}

/**
 * A line of values over an area, with the current one as a point, and what is usual as a dashed line. It stands on
 * zero.
 */
class Spark {
  constructor(title) {
    this.svg = svgOf("spark", title);
    this.area = part(this.svg, "path", "area");
    this.usual = part(this.svg, "path", "usual-line");
    this.line = part(this.svg, "path", "line");
    this.dot = part(this.svg, "path", "dot");
  }
  /** Draw `values` and `usual` (null = gap), oldest first. */
  draw(values, usual = []) {
    const top = Math.max(1, ...values.filter((v) => v !== null), ...usual.filter((v) => v !== null));
    const y = (v) => (SPARK_HEIGHT - SPARK_PAD - (v / top) * (SPARK_HEIGHT - 2 * SPARK_PAD)).toFixed(2);
    const x = (i) => ((i / Math.max(1, values.length - 1)) * (SPARK_WIDTH - 2 * SPARK_PAD) + SPARK_PAD).toFixed(2);
    const line = (series) =>
      series.map((v, i) => (v === null ? "" : `${i && series[i - 1] !== null ? "L" : "M"}${x(i)} ${y(v)}`)).join("");
    let area = "";
    for (let i = 0; i < values.length; i++) {
      if (values[i] === null) continue;
      if (!i || values[i - 1] === null) area += `M${x(i)} ${SPARK_HEIGHT}`;
      area += `L${x(i)} ${y(values[i])}`;
      if (i === values.length - 1 || values[i + 1] === null) area += `L${x(i)} ${SPARK_HEIGHT}Z`;
    }
    const last = values.at(-1) ?? null;
    this.line.setAttribute("d", line(values));
    this.area.setAttribute("d", area);
    this.usual.setAttribute("d", line(usual));
    this.dot.setAttribute("d", last === null ? "" : `M${x(values.length - 1)} ${y(last)}h.01`);
  }
}

/**
 * Counts in bins of equal width, the last one open, and the target as a dashed line; bars beyond it are told apart by
 * place and colour.
 */
class Histogram {
  constructor(bins, step) {
    this.bins = bins;
    this.step = step;
    this.svg = svgOf("histogram", "");
    this.shown = "";
    const width = SPARK_WIDTH / bins;
    this.bars = Array.from({ length: bins }, (_, i) =>
      part(this.svg, "rect", "bin", {
        x: (i * width + width * 0.08).toFixed(2),
        width: (width * 0.84).toFixed(2),
        y: SPARK_HEIGHT,
        height: 0,
        "data-testid": `kpi-delivery-time-bin-${i}`,
      }),
    );
    part(this.svg, "path", "foot", { d: `M0 ${SPARK_HEIGHT}H${SPARK_WIDTH}` });
    this.level = part(this.svg, "path", "level");
  }
  /** Where a value (in the unit of `step`) lies across the drawing, 0..1. */
  across(value) {
    return Math.min(1, value / (this.step * this.bins));
  }
  draw(counts, target) {
    const now = `${counts} ${target}`;
    const top = Math.max(1, ...counts);
    if (now === this.shown) return;
    this.shown = now;
    counts.forEach((n, i) => {
      const height = n ? Math.max(2, (n / top) * (SPARK_HEIGHT - SPARK_PAD)) : 0;
      const bar = this.bars[i];
      bar.setAttribute("y", (SPARK_HEIGHT - height).toFixed(2));
      bar.setAttribute("height", height.toFixed(2));
      bar.dataset.value = n;
      bar.classList.toggle("beyond", i * this.step >= target);
    });
    this.level.setAttribute("d", `M${(this.across(target) * SPARK_WIDTH).toFixed(2)} 0V${SPARK_HEIGHT}`);
  }
}

export { Histogram, label, Spark };
