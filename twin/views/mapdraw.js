// The drawing of the map on a canvas between the figure's base map and its drivers: first the `ground` (routes, customers), a picture
// that may lag behind by a few frames when there is much to draw, then the `air` (trails, headings, fresh deliveries), each frame.

const GLYPHS_MOST = 250;                        // drivers drawn by Bokeh; more are drawn here, pixel by pixel, several times as fast
const SMALL_HEADS = 2500;                       // with more drivers the heads are dots
const STROKES_MOST = 120;                       // trails and headings drawn as strokes; more trails are drawn pixel by pixel
const ROUTES_MOST = 200;                        // with more on the road only the one pointed at has its route drawn
const PINS_MOST = 2000;
const TRAIL_WALL = 1.1, TRAIL_MIN = 25, TRAIL_MAX = 240;   // a trail is 1.1 s of playback, within these data seconds
const TRAIL_STEPS = 5;
const HEAD_PX = 7.5;

/** By how many are on the road: seconds between two drawings of the ground, and how loud its lines and pins are. */
const DENSITIES = [
  { most: 15, every: 0.03, way: 4, wayAlpha: 0.9, rest: 3, restAlpha: 0.95, pin: 7.5 },
  { most: 40, every: 0.05, way: 3, wayAlpha: 0.6, rest: 2.2, restAlpha: 0.7, pin: 6 },
  { most: 120, every: 0.1, way: 2.4, wayAlpha: 0.4, rest: 1.5, restAlpha: 0.4, pin: 4.5 },
  { most: 400, every: 0.25, way: 2, wayAlpha: 0.28, rest: 1.2, restAlpha: 0.22, pin: 3 },
  { most: Infinity, every: 0.5, way: 4, wayAlpha: 0.9, rest: 3, restAlpha: 0.95, pin: 0 },
];

const KITCHEN_STYLE = "position:absolute;left:-17px;top:-17px;width:34px;height:34px;border-radius:10px;display:grid;place-items:center;pointer-events:none;"
  + "background:var(--tw-ink);color:var(--tw-panel);border:2px solid var(--tw-panel);box-shadow:0 2px 8px rgb(0 0 0 / .4);box-sizing:border-box";

class Picture {
  constructor() {
    this.layer = el("canvas", { "data-layer": "motion" });
    this.air = this.layer.getContext("2d");
    this.ground = el("canvas").getContext("2d");   // not in the page: every layer there costs the browser a blend per frame
    this.colours = {};
    this.groundAt = -Infinity;
    this.kitchen = el("div", { style: KITCHEN_STYLE, "data-layer": "kitchen" }, icon("kitchen", 22));
    this.pins = new Map();
    this.stamps = new Map();
  }
  /** Put the canvases under the drivers' layer of the figure, where they are not already. */
  attach(pv) {
    const under = pv.canvas_view.overlays.el;
    if (under.previousSibling !== this.layer) under.before(this.layer);
    if (this.kitchen.parentNode !== pv.canvas_view.overlays_el) pv.canvas_view.overlays_el.append(this.kitchen);   // above the drivers
  }
  remove() { this.layer.remove(); this.kitchen.remove(); }
  recolour(node) {
    const of = (name) => token(node, name);
    this.colours = { blue: of("out_for_delivery-fill"), done: of("completed-fill"), ink: of("ink"), panel: of("panel"), accent: of("accent"), trail: of("out_for_delivery") };
    this.pixel = packed(this.colours.trail);
    this.pins.clear();
    this.stamps.clear();
    this.groundAt = -Infinity;
  }
  /** Take the figure's ranges: px = X(metres east of the kitchen). Returns whether the view has changed since the last time. */
  frame(pv, [kx, ky]) {
    const { x_range: xr, y_range: yr } = pv.model, { left, top, width, height } = pv.frame.bbox, ratio = devicePixelRatio || 1;
    const sx = width / (xr.end - xr.start), sy = height / (yr.end - yr.start);
    const view = { left, top, width, height, ratio, sx, sy, ox: (kx - xr.start) * sx, oy: (yr.end - ky) * sy };
    const old = this.view, changed = !old || Object.keys(view).some((key) => view[key] !== old[key]);
    if (changed) {
      this.layer.style.cssText = `position:absolute;pointer-events:none;left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
      const w = Math.round(width * ratio), h = Math.round(height * ratio);
      for (const { canvas } of [this.air, this.ground]) if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
      this.kitchen.style.transform = `translate(${left + view.ox}px, ${top + view.oy}px)`;
    }
    this.view = view;
    return changed;
  }
  X(x) { return this.view.ox + x * this.view.sx; }
  Y(y) { return this.view.oy - y * this.view.sy; }
  begin(ink) {
    const { ratio, width, height } = this.view;
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.globalAlpha = 1;
    ink.clearRect(0, 0, width, height);
    ink.translate(0.5, 0.5);   // as Bokeh's own canvas does
    ink.lineJoin = ink.lineCap = "round";
  }
  trace(ink, trip, from, to) {
    const { ox, oy, sx, sy } = this.view;
    trip.along(from, to, (x, y, first) => { if (first) ink.moveTo(ox + x * sx, oy - y * sy); else ink.lineTo(ox + x * sx, oy - y * sy); });
  }
  sees(x, y, margin) { const { width, height } = this.view; return x > -margin && y > -margin && x < width + margin && y < height + margin; }

  /** Draw the ground if it is due: what is on the road (trips at data time t), what of it to show, the trip pointed at. */
  drawGround(active, t, show, hovered, force) {
    const look = DENSITIES.find(({ most }) => active.length <= most), wall = ReplayClock.wall();
    if (!force && wall - this.groundAt < look.every) return;
    this.groundAt = wall;
    const ink = this.ground;
    this.begin(ink);
    const some = hovered?.t ? active.filter((trip) => trip === hovered) : show.routes && active.length <= ROUTES_MOST ? active : [];
    if (hovered?.t && show.routes && active.length <= ROUTES_MOST) this.routes(ink, active, t, { ...look, wayAlpha: look.wayAlpha * 0.35, restAlpha: look.restAlpha * 0.35 });
    if (some.length) this.routes(ink, some, t, hovered?.t ? DENSITIES[0] : look);
    if (show.customers && active.length <= PINS_MOST) for (const trip of active) this.customer(ink, trip.cx, trip.cy, look.pin);
    if (hovered?.t && active.includes(hovered)) this.customer(ink, hovered.cx, hovered.cy, DENSITIES[0].pin);
  }
  routes(ink, trips, t, look) {
    ink.strokeStyle = this.colours.trail;
    ink.globalAlpha = look.restAlpha; ink.lineWidth = look.rest;
    if (trips.length <= 120) ink.setLineDash([0.1, look.rest * 2.2]);   // dashes are dear to draw
    ink.beginPath();
    for (const trip of trips) this.trace(ink, trip, t - trip.start, Infinity);
    ink.stroke();
    ink.setLineDash([]);
    ink.strokeStyle = this.colours.blue;
    ink.globalAlpha = look.wayAlpha; ink.lineWidth = look.way;
    ink.beginPath();
    for (const trip of trips) this.trace(ink, trip, 0, t - trip.start);
    ink.stroke();
    ink.globalAlpha = 1;
  }
  /** A customer's pin, its point at the address; drawn once per size and copied. */
  customer(ink, cx, cy, r) {
    const x = this.X(cx), y = this.Y(cy);
    if (Number.isNaN(x) || !this.sees(x, y, 30)) return;
    if (!r) { ink.fillStyle = this.colours.ink; ink.fillRect(x - 1, y - 1, 2, 2); return; }
    const { ratio } = this.view, size = Math.ceil(4 * r + 4), key = `${r}/${ratio}`;
    let pin = this.pins.get(key);
    if (!pin) {
      pin = el("canvas");
      pin.width = pin.height = Math.ceil(size * ratio);
      const p = pin.getContext("2d");
      p.scale(ratio, ratio);
      p.translate(size / 2, size - 2);
      p.beginPath(); p.moveTo(0, 0);
      p.bezierCurveTo(-0.25 * r, -0.75 * r, -r, -1.15 * r, -r, -1.9 * r);
      p.arc(0, -1.9 * r, r, Math.PI, 0);
      p.bezierCurveTo(r, -1.15 * r, 0.25 * r, -0.75 * r, 0, 0);
      p.fillStyle = this.colours.panel; p.strokeStyle = this.colours.ink; p.lineWidth = r > 4 ? 1.5 : 1.1; p.lineJoin = "round";
      p.fill(); p.stroke();
      if (r > 4) { p.beginPath(); p.arc(0, -1.9 * r, r * 0.33, 0, 7); p.fillStyle = this.colours.ink; p.fill(); }
      this.pins.set(key, pin);
    }
    ink.drawImage(pin, x - size / 2, y - size + 2, size, size);
  }

  /** Draw what moves: trails, headings, fresh deliveries, and the drivers themselves where they are too many for glyphs. */
  drawAir(active, faded, t, speed, show, hovered) {
    const ink = this.air, { colours } = this, long = Math.min(TRAIL_MAX, Math.max(TRAIL_MIN, TRAIL_WALL * speed));
    this.begin(ink);
    if (active.length > STROKES_MOST) this.pixels(ink, active, t, show.trails ? (active.length > SMALL_HEADS ? long / 2 : long) : 0);
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.globalCompositeOperation = "destination-over";   // under the pixels
    ink.drawImage(this.ground.canvas, 0, 0);
    ink.globalCompositeOperation = "source-over";
    ink.setTransform(this.view.ratio, 0, 0, this.view.ratio, this.view.ratio / 2, this.view.ratio / 2);
    if (active.length <= STROKES_MOST && show.trails) this.trails(ink, active, t, long);
    const fade = fadeSpan(speed);
    ink.fillStyle = ink.strokeStyle = colours.done;
    for (const trip of faded) {
      const f = (t - trip.end) / fade, x = this.X(trip.px), y = this.Y(trip.py);
      ink.globalAlpha = 0.95 * (1 - f);
      ink.beginPath(); ink.arc(x, y, 5, 0, 7); ink.fill();
      ink.lineWidth = 1.5; ink.beginPath(); ink.arc(x, y, 5 + 9 * f, 0, 7); ink.stroke();
    }
    ink.globalAlpha = 1;
    if (active.length <= STROKES_MOST) this.headings(ink, active);
    if (hovered?.t && active.includes(hovered)) {
      ink.fillStyle = colours.accent; ink.globalAlpha = 0.35;
      ink.beginPath(); ink.arc(this.X(hovered.px), this.Y(hovered.py), 17, 0, 7); ink.fill();
      ink.globalAlpha = 1;
    }
  }
  trails(ink, active, t, long) {
    const step = long / TRAIL_STEPS, many = active.length > 60;
    ink.strokeStyle = this.colours.trail;
    ink.lineCap = "butt";   // the pieces meet without overlapping
    for (let k = TRAIL_STEPS - 1; k >= 0; k--) {
      ink.globalAlpha = (many ? 0.7 : 0.8) * (1 - k / TRAIL_STEPS) ** 1.4;
      ink.lineWidth = (many ? 3.5 : 6) * (1 - 0.6 * k / TRAIL_STEPS);
      ink.beginPath();
      for (const trip of active) {
        const to = t - trip.start - k * step;
        if (to > 0) this.trace(ink, trip, Math.max(0, to - step), to);
      }
      ink.stroke();
    }
    ink.globalAlpha = 1;
  }
  /** A small beak under each head, pointing where it goes. */
  headings(ink, active) {
    ink.fillStyle = this.colours.blue; ink.strokeStyle = "#ffffff"; ink.lineWidth = 2.5; ink.lineJoin = "round";
    ink.beginPath();
    for (const trip of active) {
      const [dx, dy] = trip.heading(), n = Math.hypot(dx, dy);
      if (!n) continue;
      const x = this.X(trip.px), y = this.Y(trip.py), ux = dx / n, uy = -dy / n, r = HEAD_PX + 5, s = HEAD_PX * 0.8;
      ink.moveTo(x + ux * r, y + uy * r);
      ink.lineTo(x + ux * 3 - uy * s, y + uy * 3 + ux * s);
      ink.lineTo(x + ux * 3 + uy * s, y + uy * 3 - ux * s);
      ink.closePath();
    }
    ink.stroke();
    ink.fill();
  }
  headStamp(r) {
    const key = `${r}/${this.view.ratio}`;
    if (!this.stamps.has(key)) this.stamps.set(key, stampOf(r, this.view.ratio, this.colours.blue));
    return this.stamps.get(key);
  }
  /** Write hundreds of trails and heads into one pixel buffer: thousands of small paths would cost ten times as much. */
  pixels(ink, active, t, long) {
    const { width: w, height: h } = ink.canvas, { ratio } = this.view;
    if (this.image?.width !== w || this.image?.height !== h) { this.image = ink.createImageData(w, h); this.buffer = new Uint32Array(this.image.data.buffer); }
    this.buffer.fill(0);
    if (long) for (const trip of active) this.pixelTrail(trip, t - trip.start, long, w, h, active.length <= SMALL_HEADS);
    if (active.length > GLYPHS_MOST) {
      const { reach, steps, colours } = this.headStamp(active.length > SMALL_HEADS ? 2.5 : 5, w), { buffer } = this;
      for (const trip of active) {
        const x = Math.round(this.X(trip.px) * ratio), y = Math.round(this.Y(trip.py) * ratio);
        if (!(x >= reach && y >= reach && x < w - reach && y < h - reach)) continue;
        for (let k = 0, at = y * w + x; k < steps.length; k++) buffer[at + steps[k]] = colours[k];
      }
    }
    ink.putImageData(this.image, 0, 0);
  }
  /** Write the trail of a driver found by place(): from the driver back over the knots, fading with the time passed. */
  pixelTrail(trip, now, long, w, h, wide) {
    const { t, x, y } = trip, { ratio, ox, oy, sx, sy } = this.view, { buffer } = this, blue = this.pixel;
    let qx = (ox + trip.px * sx) * ratio, qy = (oy - trip.py * sy) * ratio, qs = now;
    for (let i = trip.knot; i >= 0 && qs > now - long; i--) {
      let px = (ox + x[i] * sx) * ratio, py = (oy - y[i] * sy) * ratio, ps = t[i];
      if (ps >= qs) continue;
      if (ps < now - long) { const f = (now - long - ps) / (qs - ps); px += f * (qx - px); py += f * (qy - py); ps = now - long; }
      const dx = px - qx, dy = py - qy, far = Math.max(Math.abs(dx), Math.abs(dy)), flat = Math.abs(dx) > Math.abs(dy);
      const n = Math.min(600, Math.ceil(far)), side = flat ? w : 1;
      let strength = 1 - (now - qs) / long;
      const stepX = dx / n, stepY = dy / n, fall = (qs - ps) / long / n;
      for (let k = 0, fx = qx, fy = qy; k < n; k++, fx += stepX, fy += stepY, strength -= fall) {
        const cx = fx + 0.5 | 0, cy = fy + 0.5 | 0;
        if (cx < 0 || cy < 0 || cx >= w - 1 || cy >= h - 1) continue;
        const alpha = 200 * strength * strength | 0, at = cy * w + cx;
        if (buffer[at] >>> 24 < alpha) buffer[at] = blue | alpha << 24;
        if (wide && buffer[at + side] >>> 24 < alpha) buffer[at + side] = blue | alpha << 24;
      }
      qx = px; qy = py; qs = ps;
    }
  }
  headStamp(r, w) {
    const key = `${r}/${this.view.ratio}/${w}`;
    if (!this.stamps.has(key)) this.stamps.set(key, stampOf(r, this.view.ratio, this.colours.blue, w));
    return this.stamps.get(key);
  }
}
/** A driver's head of radius r, CSS pixels, in a buffer of width w: where each of its pixels is from the middle, and its colour. */
function stampOf(r, ratio, colour, w) {
  const size = Math.ceil((2 * r + 3) * ratio) | 1, half = size >> 1, ink = el("canvas", { width: size, height: size }).getContext("2d");
  ink.arc(size / 2, size / 2, r * ratio, 0, 7);
  ink.fillStyle = colour; ink.strokeStyle = "#ffffff"; ink.lineWidth = (r > 4 ? 1.8 : 1.2) * ratio;
  ink.fill(); ink.stroke();
  const pixels = new Uint32Array(ink.getImageData(0, 0, size, size).data.buffer), steps = [], colours = [];
  pixels.forEach((pixel, i) => { if (pixel >>> 24 > 100) { steps.push((Math.floor(i / size) - half) * w + i % size - half); colours.push(pixel); } });
  return { reach: half + 1, steps: Int32Array.from(steps), colours: Uint32Array.from(colours) };
}
/** A #rrggbb colour as the low 24 bits of a little-endian RGBA pixel. */
const packed = (hex) => { const n = parseInt(hex.slice(1, 7), 16); return (n & 0xff) << 16 | n & 0xff00 | n >> 16 & 0xff; };
