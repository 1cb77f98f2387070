// Hundreds of trails and heads written into one pixel buffer: thousands of small paths would cost ten times as much.

import { GHOSTLY } from "./marks.js";

const SMALL_HEADS = 2500; // with more drivers the heads are dots

class Pixels {
  constructor(marks) {
    this.marks = marks;
    this.stamps = new Map();
    this.image = null;
  }
  recolour() {
    this.stamps.clear();
    this.hues = this.marks.colours.trails.map(packed);
  }
  /**
   * Draw `ghosts`, drivers of another day, under trails of `long` data seconds (0: none), and heads if `heads`, of the
   * trips; `strength` 0 to 1 is for all of them.
   */
  draw(ink, view, active, t, long, heads, strength, ghosts = []) {
    const { width: w, height: h } = ink.canvas;
    const small = active.length > SMALL_HEADS;
    if (this.image?.width !== w || this.image?.height !== h) {
      this.image = ink.createImageData(w, h);
      this.buffer = new Uint32Array(this.image.data.buffer);
    }
    this.view = view;
    this.buffer.fill(0);
    if (ghosts.length) {
      const size = active.length + ghosts.length > SMALL_HEADS ? 2.5 : 5;
      const rings = [0, 1, 2].map((tone) =>
        this.stampOf(this.marks.ghost(tone, size), `ghost/${tone}/${size}`, w, GHOSTLY),
      );
      for (const trip of ghosts) this.put(rings[trip.tone], trip, w, h);
    }
    if (long) for (const trip of active) this.trail(trip, t - trip.start, long, w, h, !small, 200 * strength);
    if (heads) {
      const stamps = [0, 1, 2].flatMap((tone) =>
        [false, true].map((inferred) => this.headStamp(tone, inferred, small ? 2.5 : 5, w, strength)),
      );
      for (const trip of active) if (!trip.cluster) this.put(stamps[2 * trip.tone + trip.inferred], trip, w, h);
    }
    ink.putImageData(this.image, 0, 0);
  }
  /** Write a stamp where a driver is, if all of it is in the buffer of width w and height h. */
  put({ reach, steps, colours }, trip, w, h) {
    const { buffer } = this;
    const { ox, oy, sx, sy, ratio } = this.view;
    const x = Math.round((ox + trip.px * sx) * ratio);
    const y = Math.round((oy - trip.py * sy) * ratio);
    if (!(x >= reach && y >= reach && x < w - reach && y < h - reach)) return;
    for (let k = 0, at = y * w + x; k < steps.length; k++) buffer[at + steps[k]] = colours[k];
  }
  /** Write the trail of a driver found by place(): from the driver back over the knots, fading with the time passed. */
  trail(trip, now, long, w, h, wide, most) {
    const { t, x, y } = trip;
    const { ratio, ox, oy, sx, sy } = this.view;
    const { buffer } = this;
    const hue = this.hues[trip.tone];
    let qx = (ox + trip.px * sx) * ratio;
    let qy = (oy - trip.py * sy) * ratio;
    let qs = now;
    for (let i = trip.knot; i >= 0 && qs > now - long; i--) {
      let px = (ox + x[i] * sx) * ratio;
      let py = (oy - y[i] * sy) * ratio;
      let ps = t[i];
      if (ps >= qs) continue;
      if (ps < now - long) {
        const f = (now - long - ps) / (qs - ps);
        px += f * (qx - px);
        py += f * (qy - py);
        ps = now - long;
      }
      const dx = px - qx;
      const dy = py - qy;
      const far = Math.max(Math.abs(dx), Math.abs(dy));
      const flat = Math.abs(dx) > Math.abs(dy);
      const n = Math.min(600, Math.ceil(far));
      const side = flat ? w : 1;
      const out = !(
        Math.min(px, qx) >= 1 &&
        Math.min(py, qy) >= 1 &&
        Math.max(px, qx) < w - 2 &&
        Math.max(py, qy) < h - 2
      );
      let strength = 1 - (now - qs) / long;
      const stepX = dx / n;
      const stepY = dy / n;
      const fall = (qs - ps) / long / n;
      for (let k = 0, fx = qx, fy = qy; k < n; k++, fx += stepX, fy += stepY, strength -= fall) {
        const cx = (fx + 0.5) | 0;
        const cy = (fy + 0.5) | 0;
        if (out && (cx < 0 || cy < 0 || cx >= w - 1 || cy >= h - 1)) continue;
        const alpha = (most * strength * strength) | 0;
        const at = cy * w + cx;
        if (buffer[at] >>> 24 < alpha) buffer[at] = hue | (alpha << 24);
        if (wide && buffer[at + side] >>> 24 < alpha) buffer[at + side] = hue | (alpha << 24);
      }
      qx = px;
      qy = py;
      qs = ps;
    }
  }
  /** A head as pixels of a buffer of width w: where each is from the middle, and its colour. */
  headStamp(tone, inferred, r, w, strength) {
    return this.stampOf(this.marks.head(tone, inferred, r), `${tone}/${inferred}/${r}`, w, strength);
  }
  stampOf(drawn, name, w, strength) {
    const key = `${name}/${w}/${strength}/${this.view.ratio}`;
    if (!this.stamps.has(key)) {
      const size = drawn.width;
      const half = size >> 1;
      const copy = new OffscreenCanvas(size, size).getContext("2d");
      copy.drawImage(drawn, 0, 0);
      const pixels = new Uint32Array(copy.getImageData(0, 0, size, size).data.buffer);
      const steps = [];
      const colours = [];
      pixels.forEach((pixel, i) => {
        if (pixel >>> 24 <= 100) return;
        steps.push((Math.floor(i / size) - half) * w + (i % size) - half);
        colours.push(((pixel & 0xffffff) | (Math.round((pixel >>> 24) * strength) << 24)) >>> 0);
      });
      this.stamps.set(key, { reach: half + 1, steps: Int32Array.from(steps), colours: Uint32Array.from(colours) });
    }
    return this.stamps.get(key);
  }
}
/** A #rrggbb colour as the low 24 bits of a little-endian RGBA pixel. */
const packed = (hex) => {
  const n = parseInt(hex.slice(1, 7), 16);
  return ((n & 0xff) << 16) | (n & 0xff00) | ((n >> 16) & 0xff);
};

export { Pixels, SMALL_HEADS };
