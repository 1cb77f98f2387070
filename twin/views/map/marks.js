// The marks of the map, each drawn once per size and colour and then copied: drivers' heads, customers' pins, labels.
// What a colour says, a shape says too: a late driver carries "!", one that will be late a dot, an inferred position is
// hollow.

import { FONT } from "#python/views/shared/theme";
import { token } from "../shared/tokens.js";
import { LATE } from "./motion.js";

const HEAD_PX = 7.5; // radius of a driver's head
const PIN_PX = 7.5; // radius of a customer's pin where there is room for it
const DIMMED = 0.3; // what is not selected
const GHOSTLY = 0.35; // the drivers of another day
const FADE_SHADES = 24; // steps in which a delivery fades
const RIM_STEPS = 12; // parts of a bubble's rim: few, so that each is soon drawn already

class Marks {
  constructor() {
    this.made = new Map();
    this.colours = {};
    this.ratio = 1;
    this.snap = false;
  }
  /** Take the colours as `node` sees them. */
  recolour(node) {
    const of = (name) => token(node, name);
    this.colours = {
      blue: of("out_for_delivery-fill"),
      done: of("completed-fill"),
      ink: of("ink"),
      mute: of("mute"),
      panel: of("panel"),
      line: of("line"),
      accent: of("accent"),
      map: of("map"),
      trail: of("out_for_delivery"),
      onTone: of("panel"),
      tones: [of("out_for_delivery-fill"), of("risk-fill"), of("bad")],
      ghosts: [of("ink"), of("ink"), of("bad")],
      trails: [of("out_for_delivery"), of("warn"), of("bad")],
      stages: Object.fromEntries(
        ["created", "cooking", "ready", "completed"].map((stage) => [stage, of(`${stage}-fill`)]),
      ),
    };
    this.made.clear();
  }
  /**
   * The picture called `key`, `size` CSS pixels wide, drawn by `draw(ink)` around its middle when it is first wanted.
   */
  stamp(key, size, draw) {
    const name = `${key}/${this.ratio}`;
    let stamp = this.made.get(name);
    if (!stamp) {
      const pixels = Math.ceil(size * this.ratio);
      const canvas = new OffscreenCanvas(pixels, pixels);
      const ink = canvas.getContext("2d");
      ink.scale(this.ratio, this.ratio);
      ink.translate(size / 2, size / 2);
      draw(ink);
      stamp = canvas.transferToImageBitmap(); // a canvas would be looked at for changes at every copy
      this.made.set(name, stamp);
    }
    return stamp;
  }
  /**
   * Copy a stamp of `size` CSS pixels with its middle at (x, y): to whole pixels if `snap`, which is several times as
   * fast.
   */
  put(ink, stamp, x, y, size) {
    const { ratio } = this;
    const half = size / 2;
    const snap = (at) => (this.snap ? Math.round(at * ratio) / ratio - 0.5 : at); // the ink is shifted by half a pixel
    ink.drawImage(stamp, snap(x - half), snap(y - half), stamp.width / ratio, stamp.height / ratio);
  }
  /** A driver of another day: the head of its tone, hollow. */
  ghost(tone, r = HEAD_PX) {
    return this.stamp(`ghost/${tone}/${r}`, 2 * r + 5, (ink) => {
      ink.beginPath();
      ink.arc(0, 0, r - 0.4, 0, 7);
      ink.strokeStyle = this.colours.ghosts[tone];
      ink.lineWidth = r > 4 ? 2.8 : 1.6;
      ink.stroke();
    });
  }
  drawGhost(ink, x, y, tone) {
    this.put(ink, this.ghost(tone), x, y, 2 * HEAD_PX + 5);
  }
  /** A driver's head: tone 0, 1, 2 and whether its position is inferred. */
  head(tone, inferred, r = HEAD_PX) {
    const { tones, onTone, panel } = this.colours;
    return this.stamp(`head/${tone}/${inferred}/${r}`, 2 * r + 5, (ink) => {
      ink.beginPath();
      ink.arc(0, 0, r, 0, 7);
      if (inferred) {
        ink.fillStyle = panel;
        ink.fill();
        ink.strokeStyle = tones[tone];
        ink.lineWidth = r > 4 ? 2.4 : 1.4;
        if (r > 4) ink.setLineDash([3.2, 1.9]);
        ink.stroke();
        ink.setLineDash([]);
      } else {
        ink.fillStyle = tones[tone];
        ink.fill();
        ink.strokeStyle = "#ffffff";
        ink.lineWidth = r > 4 ? 2 : 1.1;
        ink.stroke();
      }
      if (!tone || r < 5) return;
      ink.fillStyle = inferred ? tones[tone] : onTone;
      if (tone === LATE) {
        ink.fillRect(-1.1, -0.58 * r, 2.2, 0.72 * r);
        ink.beginPath();
        ink.arc(0, 0.46 * r, 1.25, 0, 7);
        ink.fill();
      } else {
        ink.beginPath();
        ink.arc(0, 0, 0.32 * r, 0, 7);
        ink.fill();
      }
    });
  }
  drawHead(ink, x, y, tone, inferred) {
    const size = 2 * HEAD_PX + 5;
    this.put(ink, this.head(tone, inferred), x, y, size);
  }
  /** A customer's pin with its point at (x, y); `rim` names its colour, ink unless told. */
  drawPin(ink, x, y, r, rim = this.colours.ink) {
    if (!r) {
      ink.fillStyle = rim;
      ink.fillRect(x - 1, y - 1, 2, 2);
      return;
    }
    const size = Math.ceil(6 * r + 4);
    const { panel } = this.colours;
    const pin = this.stamp(`pin/${r}/${rim}`, size, (p) => {
      p.beginPath();
      p.moveTo(0, 0);
      p.bezierCurveTo(-0.25 * r, -0.75 * r, -r, -1.15 * r, -r, -1.9 * r);
      p.arc(0, -1.9 * r, r, Math.PI, 0);
      p.bezierCurveTo(r, -1.15 * r, 0.25 * r, -0.75 * r, 0, 0);
      p.fillStyle = panel;
      p.strokeStyle = rim;
      p.lineWidth = r > 4 ? 1.5 : 1.1;
      p.lineJoin = "round";
      p.fill();
      p.stroke();
      if (r > 4) {
        p.beginPath();
        p.arc(0, -1.9 * r, r * 0.36, 0, 7);
        p.fillStyle = rim;
        p.fill();
      }
    });
    this.put(ink, pin, x, y, size);
  }
  /** A short text on a plate, centred over (x, y) or under it. */
  drawLabel(ink, text, x, y, limit, under = false) {
    const { panel, line, ink: colour } = this.colours;
    ink.font = `600 12px ${this.font}`;
    const w = Math.ceil(ink.measureText(text).width) + 14;
    const h = 21;
    const left = Math.max(4, Math.min(limit - w - 4, x - w / 2));
    const top = under ? y : y - h;
    ink.beginPath();
    ink.roundRect(left, top, w, h, 6);
    ink.fillStyle = panel;
    ink.globalAlpha = 0.94;
    ink.fill();
    ink.globalAlpha = 1;
    ink.strokeStyle = line;
    ink.lineWidth = 1;
    ink.stroke();
    ink.fillStyle = colour;
    ink.textAlign = "left";
    ink.textBaseline = "middle";
    ink.fillText(text, left + 7, top + h / 2 + 0.5);
  }
  /** A bubble for several drivers: how many, and on its rim which share is late or will be. */
  drawBubble(ink, x, y, r, n, shares) {
    const [, risk, late] = shares.map((share) => Math.round((RIM_STEPS * share) / n));
    const radius = Math.round(r);
    const size = 2 * radius + 4;
    const rim = this.stamp(`rim/${radius}/${risk}/${late}`, size, (b) => {
      const { panel, tones } = this.colours;
      b.beginPath();
      b.arc(0, 0, radius, 0, 7);
      b.fillStyle = panel;
      b.fill();
      b.lineWidth = 3.2;
      let from = 0;
      [RIM_STEPS - risk - late, risk, late].forEach((steps, tone) => {
        const [start, end] = [from, (from += steps)].map((step) => (2 * Math.PI * step) / RIM_STEPS - Math.PI / 2);
        if (steps > 0) {
          b.beginPath();
          b.arc(0, 0, radius - 1, start, end);
          b.strokeStyle = tones[tone];
          b.stroke();
        }
      });
    });
    const high = radius < 14 ? 11 : 12.5;
    const wide = 4 * high;
    const number = this.stamp(`number/${n}/${high}`, wide, (b) => {
      b.fillStyle = this.colours.ink;
      b.textAlign = "center";
      b.textBaseline = "middle";
      b.font = `700 ${high}px ${this.font}`;
      b.fillText(n, 0, 0.5);
    });
    this.put(ink, rim, x, y, size);
    this.put(ink, number, x, y, wide);
  }
  /** A fresh delivery, which fades and widens from `shade` 0 to FADE_SHADES - 1. */
  drawDelivery(ink, x, y, shade) {
    const f = (shade + 0.5) / FADE_SHADES;
    const size = 32;
    const dot = this.stamp(`delivery/${shade}`, size, (d) => {
      d.fillStyle = d.strokeStyle = this.colours.done;
      d.globalAlpha = 0.95 * (1 - f);
      d.lineWidth = 1.5;
      d.beginPath();
      d.arc(0, 0, 5, 0, 7);
      d.fill();
      d.beginPath();
      d.arc(0, 0, 5 + 9 * f, 0, 7);
      d.stroke();
    });
    this.put(ink, dot, x, y, size);
  }
  font = FONT;
}

export { DIMMED, FADE_SHADES, GHOSTLY, HEAD_PX, Marks, PIN_PX };
