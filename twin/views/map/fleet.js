// A crowd: more drivers on the road than are drawn one by one. The server tells in frames how many are in each cell of
// the view; here they get their colours. One question at a time, the latest moment wins: a slow server or client makes
// fewer frames, not later ones.

import { ReplayClock } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { guarded } from "../shared/registry.js";
import { ON_TIME } from "./motion.js";
import { bytesOf } from "./wire.js";

const FRAMES = 10; // moments a second while it plays; sessions that play the same ask for the same ones
const FRAME_LOST = 5; // seconds after which an answer counts as lost
const NEAR_EVERY = 0.15; // seconds between two questions for who is under the pointer
const LEAVE = 0.35; // seconds in which frames fade when drivers are shown one by one again
const SPARSE = 0.04; // share of filled cells below which each is drawn larger, so that it is seen
const FEW_CELLS = 6; // a frame whose fullest cell holds fewer begins in the middle of the ramp
// from few to many, ever stronger: told apart without hues
const CROWD_RAMPS = { dark: ["#0e5a78", "#22c3d6", "#fdf6b2"], light: ["#2f9cc4", "#0f5f8c", "#031a2c"] };

class Crowd {
  /**
   * `send(question)` passes a question to the server; `next()` is called when another frame may be asked for, `came()`
   * when there is something new to draw.
   */
  constructor(model, send, next, came) {
    this.model = model;
    this.send = send;
    this.next = next;
    this.came = came;
    this.sheet = el("canvas");
    this.forget();
  }
  forget() {
    this.frame = this.asked = this.pointed = null;
    this.key = "";
    this.few = false;
    this.left = -Infinity;
    this.close = null;
    this.near_at = -Infinity;
    this.shown = 0;
  }
  get ramp() {
    return CROWD_RAMPS[this.model.dark ? "dark" : "light"];
  }
  /** Whether an answer is being waited for. */
  get waiting() {
    return !!this.asked;
  }
  /** Ask for the frame of a moment and a view, if it is another than the last one. `pixel`: metres to a pixel. */
  want(t, box, pixel, speed, moving) {
    const wall = ReplayClock.wall();
    const step = speed / FRAMES;
    const at = moving ? Math.floor(t / step) * step : t;
    const key = `${at}/${box.map(Math.round)}/${pixel}`;
    this.left = -Infinity;
    if (key === this.key || (this.asked && wall - this.asked < FRAME_LOST)) return;
    this.key = key;
    this.asked = wall;
    this.send({ ask: "crowd", t: at, box, pixel });
  }
  /** Drivers are shown one by one: the frame fades. Whether there is still something of it to see. */
  leave() {
    if (!this.frame) return false;
    const wall = ReplayClock.wall();
    if (this.left === -Infinity) this.left = wall;
    if (wall - this.left < LEAVE) return true;
    this.forget();
    return false;
  }
  get alpha() {
    return this.left === -Infinity ? 1 : Math.max(0, 1 - (ReplayClock.wall() - this.left) / LEAVE);
  }
  receive = guarded(async (m) => {
    this.asked = null;
    this.few = m.few;
    this.next(); // the server works on the next one while this one is unpacked and painted
    const bytes = bytesOf(m.packed);
    const most = bytes[0];
    const cells = new Uint8Array(
      await new Response(
        new Blob([bytes.subarray(1)]).stream().pipeThrough(new DecompressionStream("deflate")),
      ).arrayBuffer(),
    );
    this.frame = { t: m.t, extent: m.extent, columns: m.columns, rows: m.rows, most, inside: m.inside, cells };
    this.colour();
    this.shown++;
    this.came();
  });
  /** Paint the frame's cells on its sheet, the north row first. */
  colour() {
    if (!this.frame) return;
    const { columns, rows, cells, most } = this.frame;
    const ink = this.sheet.getContext("2d");
    if (this.sheet.width !== columns || this.sheet.height !== rows) {
      this.sheet.width = columns;
      this.sheet.height = rows;
      this.image = null;
    }
    this.image ??= ink.createImageData(columns, rows);
    const pixels = new Uint32Array(this.image.data.buffer);
    const colours = paletteOf(this.ramp, most);
    let filled = 0;
    pixels.fill(0);
    for (let row = 0, from = 0; row < rows; row++) {
      for (let to = (rows - 1 - row) * columns, end = from + columns; from < end; from++, to++)
        if (cells[from]) {
          pixels[to] = colours[cells[from]];
          filled++;
        }
    }
    if (filled < SPARSE * cells.length) grow(pixels, columns);
    ink.putImageData(this.image, 0, 0);
  }
  /** Draw the frame under a picture's pixels. */
  draw(ink, picture) {
    const {
      extent: [x0, y0, x1, y1],
    } = this.frame;
    const { sx, sy } = picture.view;
    const before = ink.globalAlpha;
    ink.globalAlpha = this.alpha;
    ink.imageSmoothingEnabled = false;
    ink.drawImage(this.sheet, picture.X(x0), picture.Y(y1), (x1 - x0) * sx, (y1 - y0) * sy);
    ink.imageSmoothingEnabled = true;
    ink.globalAlpha = before;
  }
  /**
   * Who is under a place of the view, {order, px, py}: the last that the server told, while a new answer is on its
   * way.
   */
  near(x, y, reach, t) {
    const wall = ReplayClock.wall();
    const { close } = this;
    if (
      wall - this.near_at >= NEAR_EVERY &&
      (!this.pointed || Math.hypot(this.pointed.x - x, this.pointed.y - y) > reach / 8 || this.pointed.t !== t)
    ) {
      this.near_at = wall;
      this.pointed = { x, y, t };
      this.send({ ask: "near", t, x, y, reach });
    }
    return close && close.order >= 0 && Math.hypot(close.px - x, close.py - y) <= 2 * reach ? close : null;
  }
  tell(m) {
    this.close = { order: m.order, px: m.x, py: m.y, tone: ON_TIME };
    this.came();
  }
}
/**
 * Colours of counts 0 to 255 as pixels: on a logarithmic scale, as crowds differ by tens; where there are but a few,
 * none of them is faint.
 */
function paletteOf(ramp, most) {
  const stops = ramp.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  const colours = new Uint32Array(256);
  for (let n = 1; n < 256; n++) {
    const share = most > 1 ? Math.min(1, Math.log(n) / Math.log(most)) : 1;
    const f = (FEW_CELLS > most ? (1 + share) / 2 : share) * (stops.length - 1);
    const i = Math.min(stops.length - 2, Math.floor(f));
    const [r, g, b] = stops[i].map((from, k) => Math.round(from + (f - i) * (stops[i + 1][k] - from)));
    colours[n] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return colours;
}
/** Give each lone pixel its four neighbours, at most half as strong. */
function grow(pixels, columns) {
  const seen = pixels.slice();
  const end = pixels.length - columns;
  for (let i = columns; i < end; i++) {
    if (!seen[i]) continue;
    const faint = ((seen[i] & 0xffffff) | (150 << 24)) >>> 0;
    for (const at of [i - 1, i + 1, i - columns, i + columns]) if (!pixels[at]) pixels[at] = faint;
  }
}

export { Crowd };
