// The map as one picture, for reports: base map, ground, drivers, kitchen and credit, in device pixels.

import { el, ICONS } from "../shared/elements.js";

function drawKitchen(ink, picture) {
  const { colours } = picture;
  const x = picture.X(0);
  const y = picture.Y(0);
  ink.beginPath();
  ink.roundRect(x - 16, y - 16, 32, 32, 9);
  ink.fillStyle = colours.ink;
  ink.fill();
  ink.strokeStyle = colours.panel;
  ink.lineWidth = 2;
  ink.stroke();
  ink.save();
  ink.translate(x - 11, y - 11);
  ink.scale(22 / 24, 22 / 24);
  ink.lineCap = ink.lineJoin = "round";
  ink.stroke(new Path2D(ICONS.kitchen));
  ink.restore();
}

const LEGEND = { height: 28, pad: 11, gap: 14, beside: 6, size: 12.5 };

/**
 * The legend as one strip on a canvas of its own, in device pixels; null if nothing is explained. It is drawn from the
 * one on the page, so that both explain the same marks.
 * @param {HTMLElement} legend @param {any} picture
 */
function legendOf(legend, picture) {
  const { ratio } = picture.view;
  const { colours, marks } = picture;
  const style = getComputedStyle(legend);
  const colour = (name) => style.getPropertyValue(`--tw-${name}`).trim() || colours.mute;
  const font = `${LEGEND.size}px ${marks.font}`;
  const pen = el("canvas", {}).getContext("2d");
  pen.font = font;
  const items = [...legend.children]
    .map((item) => {
      const mark = item.querySelector("canvas, i");
      const wide = !mark ? 0 : mark instanceof HTMLCanvasElement ? mark.width / ratio : (MARK_PX[mark.className] ?? 0);
      const text = item.textContent.trim();
      return { mark, wide, text, width: wide + LEGEND.beside + pen.measureText(text).width };
    })
    .filter(({ text }) => text);
  if (!items.length) return null;
  const width = items.reduce((sum, item) => sum + item.width + LEGEND.gap, 2 * LEGEND.pad - LEGEND.gap);
  const canvas = el("canvas", { width: Math.ceil(width * ratio), height: Math.ceil(LEGEND.height * ratio) });
  const ink = canvas.getContext("2d");
  ink.scale(ratio, ratio);
  ink.fillStyle = colours.panel;
  ink.strokeStyle = colours.line;
  ink.beginPath();
  ink.roundRect(0.5, 0.5, width - 1, LEGEND.height - 1, 8);
  ink.fill();
  ink.stroke();
  ink.font = font;
  ink.textBaseline = "middle";
  const middle = LEGEND.height / 2;
  let x = LEGEND.pad;
  for (const { mark, wide, text, width: room } of items) {
    if (mark instanceof HTMLCanvasElement)
      ink.drawImage(mark, x, middle - mark.height / ratio / 2, wide, mark.height / ratio);
    else if (mark?.className === "done") {
      ink.fillStyle = colour("completed-fill");
      ink.beginPath();
      ink.arc(x + wide / 2, middle, 5, 0, 7);
      ink.fill();
    } else if (mark?.className === "way") {
      ink.fillStyle = colour("out_for_delivery-fill");
      ink.fillRect(x, middle - 1.5, wide * 0.55, 3);
      for (let dot = 0.6; dot < 1; dot += 0.11) ink.fillRect(x + wide * dot, middle - 1.2, 2.4, 2.4);
    } else if (mark) {
      const stops = /** @type {HTMLElement} */ (mark).style.background.match(/rgba?\([^)]*\)|#[0-9a-f]+/gi) ?? [];
      const ramp = ink.createLinearGradient(x, 0, x + wide, 0);
      stops.forEach((stop, i) => {
        ramp.addColorStop(i / Math.max(1, stops.length - 1), stop);
      });
      ink.fillStyle = ramp;
      ink.fillRect(x, middle - 4.5, wide, 9);
    }
    ink.fillStyle = colours.mute;
    ink.fillText(text, x + wide + LEGEND.beside, middle + 0.5);
    x += room + LEGEND.gap;
  }
  return canvas;
}
/** How wide the marks of the legend are that are drawn by CSS. */
const MARK_PX = { done: 11, way: 40, heat: 44 };

/**
 * Return a new canvas. Tiles from elsewhere may forbid to be copied: the picture then has none, rather than being
 * useless.
 */
function reportOf(pv, picture, credit) {
  const { width, height, left, top, ratio } = picture.view;
  const { colours } = picture;
  const compose = (base) => {
    const canvas = el("canvas", { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const ink = canvas.getContext("2d");
    ink.fillStyle = colours.map;
    ink.fillRect(0, 0, canvas.width, canvas.height);
    if (base) ink.drawImage(pv.canvas_view.primary.canvas, -left * ratio, -top * ratio);
    ink.drawImage(picture.air.canvas, 0, 0);
    ink.scale(ratio, ratio);
    if (picture.known) drawKitchen(ink, picture);
    if (credit) {
      ink.font = `11px ${picture.marks.font}`;
      ink.textAlign = "right";
      ink.textBaseline = "alphabetic";
      ink.strokeStyle = colours.map;
      ink.lineWidth = 3;
      ink.strokeText(credit, width - 10, height - 10);
      ink.fillStyle = colours.mute;
      ink.fillText(credit, width - 10, height - 10);
    }
    return canvas;
  };
  const whole = compose(true);
  try {
    whole.getContext("2d").getImageData(0, 0, 1, 1);
  } catch {
    return compose(false);
  }
  return whole;
}

export { legendOf, reportOf };
