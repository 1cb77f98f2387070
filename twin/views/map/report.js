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

export { reportOf };
