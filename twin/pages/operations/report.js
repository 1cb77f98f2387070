// A picture of the moment for a report: place and time, the stages, the map and the figures, drawn on a canvas in the
// page's theme. What it shows is asked of the views (`twin.reports`, by clock and part); a part that no view offers is
// left out.

import { clockOf } from "../../views/shared/clock.js";
import { el } from "../../views/shared/elements.js";
import { twin } from "../../views/shared/registry.js";

/** Twice the pixels, so that it is crisp in a document and on paper. */
const REPORT_SCALE = 2;
const SHEET = { width: 1600, margin: 36, gap: 14, pad: 18, head: 84, foot: 34, stage: 116, side: 448 };
/** Heights of the map between which its own shape decides; a very flat or tall one is cropped. */
const MAP_HEIGHT = [440, 800];

const reportPart = (clock, part) => twin.reports?.get(`${clock}/${part}`)?.() ?? null;

/** The pen of a report: text that fits, panels, all in the colours of the page. */
function penOf(context) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--tw-${name}`).trim() || "#808080";
  const family = style.getPropertyValue("--tw-font") || "sans-serif";
  return {
    colour,
    /** Write one line with its baseline at y, shortened to `width` with an ellipsis; returns where it ends. */
    text(words, x, y, { size = 15, weight = 400, ink = "ink", width = Infinity, align = "left" } = {}) {
      context.font = `${weight} ${size}px ${family}`;
      context.fillStyle = /^(#|rgb|hsl|oklch|color)/.test(ink) ? ink : colour(ink);
      let line = String(words);
      if (context.measureText(line).width > width) {
        while (line && context.measureText(`${line}…`).width > width) line = line.slice(0, -1);
        line = `${line.trimEnd()}…`;
      }
      context.textAlign = align;
      context.fillText(line, x, y);
      return x + context.measureText(line).width;
    },
    width(words, size) {
      context.font = `400 ${size}px ${family}`;
      return context.measureText(words).width;
    },
    panel(x, y, width, height, edge = "line") {
      context.beginPath();
      context.roundRect(x, y, width, height, 12);
      context.fillStyle = colour("panel");
      context.fill();
      context.strokeStyle = colour(edge);
      context.lineWidth = edge === "line" ? 1 : 2;
      context.stroke();
    },
  };
}

function drawHead(pen, { place, moment }) {
  const { width, margin } = SHEET;
  pen.text(place, margin, margin + 26, { size: 30, weight: 700, width: width - 2 * margin - 320 });
  pen.text(moment, margin, margin + 56, { size: 17, ink: "mute", width: width - 2 * margin - 320 });
  pen.text("Casper’s Kitchens", width - margin, margin + 24, { size: 19, weight: 700, align: "right" });
  pen.text("Digital twin · replay", width - margin, margin + 50, { size: 15, ink: "mute", align: "right" });
}

function drawStages(pen, context, stages, y) {
  const { width, margin, gap, pad, stage } = SHEET;
  const each = (width - 2 * margin - gap * (stages.length - 1)) / stages.length;
  stages.forEach(({ label, count, lines, colour, trouble }, i) => {
    const x = margin + i * (each + gap);
    const room = each - 2 * pad;
    pen.panel(x, y, each, stage, trouble ? "bad" : "line");
    context.beginPath();
    context.arc(x + pad + 5, y + 25, 5, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    pen.text(label, x + pad + 18, y + 30, { size: 15, weight: 650, width: room - 18 });
    const end = pen.text(count, x + pad, y + 82, { size: 38, weight: 720, ink: colour });
    for (const [n, line] of (lines ?? []).slice(0, 3).entries())
      pen.text(line, end + 14, y + 56 + n * 20, {
        size: 14,
        ink: trouble && n === 0 ? "bad" : "mute",
        width: x + each - pad - end - 14,
      });
  });
}

function drawMap(context, pen, map, x, y, width, height) {
  context.save();
  context.beginPath();
  context.roundRect(x, y, width, height, 12);
  context.clip();
  const scale = Math.max(width / map.width, height / map.height);
  const w = map.width * scale;
  const h = map.height * scale;
  context.imageSmoothingQuality = "high";
  context.drawImage(map, x + (width - w) / 2, y + (height - h) / 2, w, h);
  // apart from the map, of which a part may be cut off
  if (map.legend) {
    const less = Math.min(1, (width - 20) / (map.legend.width / map.ratio)) / map.ratio;
    const [wide, tall] = [map.legend.width * less, map.legend.height * less];
    context.drawImage(map.legend, x + 10, y + height - tall - (wide > width * 0.6 ? 26 : 10), wide, tall);
  }
  context.restore();
  context.beginPath();
  context.roundRect(x, y, width, height, 12);
  context.strokeStyle = pen.colour("line");
  context.stroke();
}

function drawKpis(pen, kpis, x, y, width, height, columns) {
  const rows = Math.ceil(kpis.length / columns);
  const { gap, pad } = SHEET;
  const tones = { good: "good", warn: "warn", bad: "bad" };
  const each = (width - gap * (columns - 1)) / columns;
  const tall = (height - gap * (rows - 1)) / rows;
  kpis.forEach(({ heading, value, lines, tone }, i) => {
    const left = x + (i % columns) * (each + gap);
    const top = y + Math.floor(i / columns) * (tall + gap);
    const room = each - 2 * pad;
    pen.panel(left, top, each, tall);
    pen.text(heading, left + pad, top + 30, { size: 15, weight: 600, ink: "mute", width: room });
    const end = pen.text(value, left + pad, top + 72, { size: 36, weight: 720, width: room });
    // a wide card has its lines beside the value, in one column with the cards above and below it
    const beside = each > 300;
    const from = beside ? Math.max(left + each * 0.42, end + 18) : left + pad;
    const first = beside ? top + 30 : top + 99;
    const fit = Math.max(0, Math.floor((top + tall - 10 - first) / 21) + 1);
    const space = left + each - pad - from;
    const all = (lines ?? []).flatMap((line) => (pen.width(line, 14.5) > space ? line.split(" · ") : [line]));
    for (const [n, line] of all.slice(0, fit).entries())
      pen.text(line, from, first + n * 21, {
        size: 14.5,
        ink: n === 0 ? (tones[tone] ?? "ink") : "mute",
        width: space,
      });
  });
}

/** Compose the picture; null if no view of this clock offers anything. */
function composeReport(clock, caption) {
  const map = reportPart(clock, "map");
  const stages = reportPart(clock, "pipeline") ?? [];
  const kpis = reportPart(clock, "kpis") ?? [];
  if (!map && !stages.length && !kpis.length) return null;
  const { width, margin, gap, head, foot, stage, side } = SHEET;
  const inner = width - 2 * margin;
  const top = margin + head;
  const below = top + (stages.length ? stage + gap : 0);
  const mapWidth = kpis.length ? inner - side - gap : inner;
  const tall = map
    ? Math.min(Math.max((mapWidth * map.height) / map.width, MAP_HEIGHT[0]), MAP_HEIGHT[1])
    : kpis.length
      ? 170
      : 0;
  const height = below + tall + foot + margin;
  const canvas = el("canvas", { width: width * REPORT_SCALE, height: Math.ceil(height * REPORT_SCALE) });
  const context = canvas.getContext("2d");
  context.scale(REPORT_SCALE, REPORT_SCALE);
  const pen = penOf(context);
  context.fillStyle = pen.colour("bg");
  context.fillRect(0, 0, width, height);
  drawHead(pen, caption);
  if (stages.length) drawStages(pen, context, stages, top);
  if (map) drawMap(context, pen, map, margin, below, mapWidth, tall);
  if (kpis.length && map) drawKpis(pen, kpis, margin + inner - side, below, side, tall, kpis.length > 5 ? 2 : 1);
  else if (kpis.length) drawKpis(pen, kpis, margin, below, inner, tall, kpis.length);
  pen.text(
    "Counts and figures as they were at this moment; “now” figures look back 60 minutes.",
    margin,
    below + tall + foot,
    { size: 13.5, ink: "mute", width: inner },
  );
  return canvas;
}

/** Colours that noise does not hit by chance, as [red, green, blue]. */
const PROBE = [
  [200, 30, 60],
  [20, 160, 90],
  [40, 60, 220],
];
/** A channel may be off by so much: some protections change the last bits, which nobody sees. */
const UNSEEN = 8;

/**
 * Whether the browser gives back what was drawn on a canvas. Against fingerprints, Firefox's resistFingerprinting and
 * the Tor browser return white or noise in its place, without an error.
 */
function isReadable() {
  const context = el("canvas", { width: PROBE.length, height: 1 }).getContext("2d");
  for (const [x, colour] of PROBE.entries()) {
    context.fillStyle = `rgb(${colour})`;
    context.fillRect(x, 0, 1, 1);
  }
  const { data } = context.getImageData(0, 0, PROBE.length, 1);
  return PROBE.flat().every((value, i) => Math.abs(value - data[4 * Math.floor(i / 3) + (i % 3)]) <= UNSEEN);
}

/** casper-sanfrancisco-2025-10-16T1845.png; whatever a file system may not like is left out of the place. */
function reportName(place, t, zone) {
  const safe =
    place
      .normalize("NFKD")
      .replace(/[^\w-]+/g, "")
      .slice(0, 60) || "kitchen";
  return `casper-${safe}-${zone.localText(t).slice(0, 16).replace(/:/g, "")}.png`;
}

/**
 * Compose the picture and give it to the user as a file; resolves to its name, or to null if there is nothing to show.
 */
async function saveReport(clock, { place, id, t }) {
  const { zone } = clockOf(clock);
  const canvas = composeReport(clock, {
    place,
    moment: `${zone.dayText(t)} ${zone.dateText(t)}, ${zone.bareClockText(t)} ${zone.label(t)}`,
  });
  if (!canvas) return null;
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const address = URL.createObjectURL(blob);
  const name = reportName(id || place, t, zone);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser reads it meanwhile
  return name;
}

export { isReadable, saveReport };
