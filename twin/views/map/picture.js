// The drawing of the map on a canvas over the figure's base map: first the `ground` (density, routes, pins), a picture
// that may lag behind by a few frames when there is much to draw, then the `air` (trails, drivers, fresh deliveries),
// each frame.

import { ReplayClock } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { DIMMED, FADE_SHADES, GHOSTLY, HEAD_PX, Marks, PIN_PX } from "./marks.js";
import { AT_RISK, fadeSpan, LATE, ON_TIME } from "./motion.js";
import { Pixels, SMALL_HEADS } from "./pixels.js";

const STROKES_MOST = 120; // trails and headings drawn as strokes; more trails are drawn pixel by pixel
const ROUTES_MOST = 200; // with more on the road only the one pointed at has its route drawn
const PINS_MOST = 2000;
const TRAIL_WALL = 1.1;
const TRAIL_MIN = 25;
const TRAIL_MAX = 240; // a trail is 1.1 s of playback, within these data seconds
const TRAIL_STEPS = 5;
const PROGRESS_STEPS = 5; // shades of the way driven, from the kitchen (faint) to the driver (bright)
const PULSE = 1.6; // seconds of one pulse around the kitchen

/** By how many are on the road: seconds between two drawings of the ground, and how loud its lines and pins are. */
const DENSITIES = [
  { most: 15, every: 0.03, way: 4.5, wayAlpha: 0.95, rest: 3, restAlpha: 0.95, pin: PIN_PX },
  { most: 40, every: 0.05, way: 3.4, wayAlpha: 0.75, rest: 2.2, restAlpha: 0.7, pin: 6 },
  { most: 120, every: 0.1, way: 2.4, wayAlpha: 0.5, rest: 1.5, restAlpha: 0.4, pin: 4.5 },
  { most: 400, every: 0.25, way: 2, wayAlpha: 0.35, rest: 1.2, restAlpha: 0.22, pin: 3 },
  { most: Infinity, every: 0.5, way: 4, wayAlpha: 0.9, rest: 3, restAlpha: 0.95, pin: 0 },
];

const KITCHEN_STYLE =
  "position:absolute;left:-17px;top:-17px;width:34px;height:34px;border-radius:10px;" +
  "display:grid;place-items:center;pointer-events:none;" +
  ("background:var(--tw-ink);color:var(--tw-panel);border:2px solid var(--tw-panel);box-shadow:0 " +
    "2px 8px rgb(0 0 0 / .4);box-sizing:border-box");

/**
 * A moment to draw: {active, faded (trips), t, speed, show (layers), focus (trips picked out), faint (whether the
 * others are dimmed), ghosts (trips of another day), crowd (frames of drivers that are not told one by one; null:
 * none), pins (customers of a stage: {cx, cy}), stage, places (orders picked out that are not on the road:
 * {cx, cy, text, inside}), clusters, heat, pulse (wall seconds, null: still)}.
 */
class Picture {
  // so many heads are drawn one by one; more are written pixel by pixel, several times as fast (Settings.glyphs_to)
  glyphs = 0;
  beside = 0; // drivers that other maps of the page draw: how plainly is for all of them together
  constructor() {
    this.layer = el("canvas", { "data-layer": "motion" });
    this.air = this.layer.getContext("2d");
    // not in the page: every layer there costs the browser a blend per frame
    this.ground = el("canvas").getContext("2d");
    this.groundAt = -Infinity;
    this.bare = true; // whether nothing is on the ground: blending it costs as much as thousands of drivers
    this.kitchen = el("div", { style: KITCHEN_STYLE, "data-layer": "kitchen" }, icon("kitchen", 22));
    this.known = true;
    this.marks = new Marks();
    this.pixels = new Pixels(this.marks);
  }
  /** Put the canvases over the figure, where they are not already. */
  attach(pv) {
    const under = pv.canvas_view.overlays.el;
    if (under.previousSibling !== this.layer) under.before(this.layer);
    // above the drivers
    if (this.kitchen.parentNode !== pv.canvas_view.overlays_el) pv.canvas_view.overlays_el.append(this.kitchen);
  }
  remove() {
    this.layer.remove();
    this.kitchen.remove();
  }
  recolour(node) {
    this.marks.recolour(node);
    this.pixels.recolour();
    this.groundAt = -Infinity;
  }
  get colours() {
    return this.marks.colours;
  }
  /**
   * Take the figure's ranges: px = X(metres east of the kitchen). Returns whether the view has changed since the last
   * time.
   */
  frame(pv, [kx, ky], known = true) {
    this.known = known; // without the kitchen's place, the middle is that of its customers
    this.kitchen.style.display = known ? "grid" : "none";
    const { x_range: xr, y_range: yr } = pv.model;
    const { left, top, width, height } = pv.frame.bbox;
    const ratio = devicePixelRatio || 1;
    const sx = width / (xr.end - xr.start);
    const sy = height / (yr.end - yr.start);
    const view = { left, top, width, height, ratio, sx, sy, ox: (kx - xr.start) * sx, oy: (yr.end - ky) * sy };
    const old = this.view;
    const changed = !old || Object.keys(view).some((key) => view[key] !== old[key]);
    if (changed) {
      this.layer.style.cssText =
        `position:absolute;pointer-events:none;left:${left}px;top:${top}px;width:${width}px;` + `height:${height}px`;
      const w = Math.round(width * ratio);
      const h = Math.round(height * ratio);
      for (const { canvas } of [this.air, this.ground])
        if (canvas.width !== w || canvas.height !== h) {
          canvas.width = w;
          canvas.height = h;
        }
      this.kitchen.style.transform = `translate(${left + view.ox}px, ${top + view.oy}px)`;
      this.marks.ratio = ratio;
    }
    this.view = view;
    return changed;
  }
  X(x) {
    return this.view.ox + x * this.view.sx;
  }
  Y(y) {
    return this.view.oy - y * this.view.sy;
  }
  begin(ink) {
    const { ratio, width, height } = this.view;
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.globalAlpha = 1;
    ink.clearRect(0, 0, width, height);
    ink.translate(0.5, 0.5); // as Bokeh's own canvas does
    ink.lineJoin = ink.lineCap = "round";
  }
  trace(ink, trip, from, to) {
    const { ox, oy, sx, sy } = this.view;
    trip.along(from, to, (x, y, first) => {
      if (first) ink.moveTo(ox + x * sx, oy - y * sy);
      else ink.lineTo(ox + x * sx, oy - y * sy);
    });
  }
  sees(x, y, margin) {
    const { width, height } = this.view;
    return x > -margin && y > -margin && x < width + margin && y < height + margin;
  }

  /** Draw the ground of a moment if it is due. */
  drawGround(m, force) {
    const { active, focus, show } = m;
    const look = DENSITIES.find(({ most }) => active.length <= most);
    const wall = ReplayClock.wall();
    if (!force && wall - this.groundAt < look.every) return;
    this.groundAt = wall;
    const ink = this.ground;
    const others = focus.length ? active.filter((trip) => !focus.includes(trip)) : active;
    this.begin(ink);
    const dense = m.density?.picture;
    const routes = show.routes && active.length + this.beside <= ROUTES_MOST;
    const customers = show.customers && active.length <= PINS_MOST;
    this.bare =
      !dense &&
      !m.crowd &&
      !(others.length && (routes || customers)) &&
      !focus.length &&
      !m.pins.length &&
      !m.places.length;
    if (dense) {
      const [x0, y0, x1, y1] = m.density.extent;
      const { sx, sy } = this.view;
      ink.globalAlpha = m.strength / 100;
      ink.drawImage(dense, this.X(x0), this.Y(y1), (x1 - x0) * sx, (y1 - y0) * sy);
      ink.globalAlpha = 1;
    }
    m.crowd?.draw(ink, this);
    if (routes) this.routes(ink, others, m.t, look, m.faint || focus.length ? DIMMED : 1);
    this.routes(ink, focus, m.t, DENSITIES[0], 1);
    if (customers) this.pins(ink, others, look.pin, m.faint ? DIMMED : 1);
    const rim = this.colours.stages[m.stage] ?? this.colours.mute;
    if (m.stage === "completed") this.dots(ink, m.pins);
    else this.pins(ink, m.pins, PIN_PX, 1, rim);
    this.pins(ink, focus, PIN_PX + 1.5, 1, this.colours.accent);
    this.pins(ink, m.places, PIN_PX + 1.5, 1, this.colours.accent);
  }
  /**
   * Routes in the colour of how they keep time: driven solid and ever brighter towards the driver, what remains
   * dotted.
   */
  routes(ink, trips, t, look, strength) {
    for (const tone of [ON_TIME, AT_RISK, LATE]) {
      const some = trips.filter((trip) => trip.tone === tone);
      if (!some.length) continue;
      ink.strokeStyle = this.colours.trails[tone];
      ink.globalAlpha = look.restAlpha * strength;
      ink.lineWidth = look.rest;
      if (trips.length <= 120) ink.setLineDash([0.1, look.rest * 2.2]); // dashes are dear to draw
      ink.beginPath();
      for (const trip of some) this.trace(ink, trip, t - trip.start, Infinity);
      ink.stroke();
      ink.setLineDash([]);
      ink.strokeStyle = this.colours.tones[tone];
      ink.lineWidth = look.way;
      for (let k = 0; k < PROGRESS_STEPS; k++) {
        ink.globalAlpha = look.wayAlpha * strength * (0.22 + 0.78 * ((k + 1) / PROGRESS_STEPS) ** 1.5);
        ink.lineCap = k === PROGRESS_STEPS - 1 ? "round" : "butt"; // the pieces meet without overlapping
        ink.beginPath();
        for (const trip of some) {
          const piece = (t - trip.start) / PROGRESS_STEPS;
          this.trace(ink, trip, k * piece, (k + 1) * piece);
        }
        ink.stroke();
      }
    }
    ink.lineCap = "round";
    ink.globalAlpha = 1;
  }
  pins(ink, places, r, strength, rim) {
    ink.globalAlpha = strength;
    for (const { cx, cy } of places) {
      const x = this.X(cx);
      const y = this.Y(cy);
      if (!Number.isNaN(x) && this.sees(x, y, 30)) this.marks.drawPin(ink, x, y, r, rim);
    }
    ink.globalAlpha = 1;
  }
  dots(ink, places) {
    ink.fillStyle = this.colours.done;
    ink.strokeStyle = this.colours.panel;
    ink.lineWidth = 1.2;
    for (const { cx, cy } of places) {
      const x = this.X(cx);
      const y = this.Y(cy);
      if (Number.isNaN(x) || !this.sees(x, y, 10)) continue;
      ink.beginPath();
      ink.arc(x, y, 5, 0, 7);
      ink.fill();
      ink.stroke();
    }
  }

  /** Draw what moves: trails, headings, fresh deliveries, the drivers, and what is picked out. */
  drawAir(m) {
    if (!this.air.canvas.width || !this.air.canvas.height) return; // while the page is laid out
    const { active, focus, show, t } = m;
    const ink = this.air;
    const long = Math.min(TRAIL_MAX, Math.max(TRAIL_MIN, TRAIL_WALL * m.speed));
    const strength = m.faint ? DIMMED : 1;
    const all = active.length + this.beside;
    const many = all > Math.min(STROKES_MOST, this.glyphs);
    const { ratio } = this.view;
    this.marks.snap = many;
    this.begin(ink);
    if (many)
      this.pixels.draw(
        ink,
        this.view,
        active,
        t,
        show.trails ? long * Math.min(1, SMALL_HEADS / active.length) : 0,
        all > this.glyphs,
        strength,
        m.ghosts,
      );
    if (!this.bare) {
      ink.setTransform(1, 0, 0, 1, 0, 0);
      ink.globalCompositeOperation = "destination-over"; // under the pixels
      ink.drawImage(this.ground.canvas, 0, 0);
      ink.globalCompositeOperation = "source-over";
      ink.setTransform(ratio, 0, 0, ratio, ratio / 2, ratio / 2);
    }
    if (!many) this.ghosts(ink, m.ghosts);
    if (!many && show.trails) this.trails(ink, active, t, long, strength);
    this.deliveries(ink, m);
    const alone = all <= this.glyphs ? active.filter((trip) => !trip.cluster && !focus.includes(trip)) : [];
    if (!many) this.headings(ink, alone, strength);
    ink.globalAlpha = strength;
    for (const trip of alone) this.head(ink, trip);
    for (const c of m.clusters) this.marks.drawBubble(ink, c.sx, c.sy, c.r, c.n, c.shares);
    ink.globalAlpha = 1;
    for (const trip of focus) this.picked(ink, trip);
    for (const place of m.places) this.place(ink, place, m.pulse);
  }
  /** The drivers of another day: hollow, paler, under all others, and of nothing that can be picked out. */
  ghosts(ink, trips) {
    ink.globalAlpha = GHOSTLY;
    for (const trip of trips) {
      const x = this.X(trip.px);
      const y = this.Y(trip.py);
      if (this.sees(x, y, 12)) this.marks.drawGhost(ink, x, y, trip.tone);
    }
    ink.globalAlpha = 1;
  }
  head(ink, trip) {
    const x = this.X(trip.px);
    const y = this.Y(trip.py);
    if (this.sees(x, y, 12)) this.marks.drawHead(ink, x, y, trip.tone, trip.inferred);
  }
  /** A driver that is picked out: a halo, a ring, and who it is. */
  picked(ink, trip) {
    const x = this.X(trip.px);
    const y = this.Y(trip.py);
    const { accent } = this.colours;
    ink.fillStyle = ink.strokeStyle = accent;
    ink.globalAlpha = 0.28;
    ink.beginPath();
    ink.arc(x, y, 18, 0, 7);
    ink.fill();
    ink.globalAlpha = 1;
    ink.lineWidth = 2;
    ink.beginPath();
    ink.arc(x, y, 14, 0, 7);
    ink.stroke();
    this.headings(ink, [trip], 1);
    this.head(ink, trip);
    if (trip.label) this.marks.drawLabel(ink, trip.label, x, y - 19, this.view.width);
  }
  /**
   * An order that is picked out but not on the road: its name at the kitchen while it is there, else at its customer.
   */
  place(ink, { cx, cy, text, inside }, pulse) {
    const { width } = this.view;
    if (!inside || !this.known) {
      if (!Number.isNaN(cx)) this.marks.drawLabel(ink, text, this.X(cx), this.Y(cy) + 6, width, true);
      return;
    }
    const x = this.X(0);
    const y = this.Y(0);
    const f = pulse === null ? 0.35 : (pulse % PULSE) / PULSE;
    ink.strokeStyle = this.colours.accent;
    ink.lineWidth = 2.5;
    ink.globalAlpha = 1 - f;
    ink.beginPath();
    ink.arc(x, y, 22 + 16 * f, 0, 7);
    ink.stroke();
    ink.globalAlpha = 1;
    this.marks.drawLabel(ink, text, x, y + 26, width, true);
  }
  /** Fresh deliveries: a dot that fades under a ring that widens. */
  deliveries(ink, m) {
    const fade = fadeSpan(m.speed);
    for (const trip of m.faded) {
      const x = this.X(trip.px);
      const y = this.Y(trip.py);
      const shade = Math.floor((FADE_SHADES * (m.t - trip.end)) / fade);
      if (this.sees(x, y, 16)) this.marks.drawDelivery(ink, x, y, Math.max(0, Math.min(FADE_SHADES - 1, shade)));
    }
  }
  trails(ink, active, t, long, strength) {
    const step = long / TRAIL_STEPS;
    const many = active.length > 60;
    ink.lineCap = "butt"; // the pieces meet without overlapping
    for (const tone of [ON_TIME, AT_RISK, LATE]) {
      const some = active.filter((trip) => trip.tone === tone);
      if (!some.length) continue;
      ink.strokeStyle = this.colours.trails[tone];
      for (let k = TRAIL_STEPS - 1; k >= 0; k--) {
        ink.globalAlpha = strength * (many ? 0.7 : 0.8) * (1 - k / TRAIL_STEPS) ** 1.4;
        ink.lineWidth = (many ? 3.5 : 6) * (1 - (0.6 * k) / TRAIL_STEPS);
        ink.beginPath();
        for (const trip of some) {
          const to = t - trip.start - k * step;
          if (to > 0) this.trace(ink, trip, Math.max(0, to - step), to);
        }
        ink.stroke();
      }
    }
    ink.globalAlpha = 1;
  }
  /** A small beak under each head, pointing where it goes. */
  headings(ink, trips, strength) {
    ink.globalAlpha = strength;
    ink.strokeStyle = "#ffffff";
    ink.lineWidth = 2.5;
    ink.lineJoin = "round";
    for (const tone of [ON_TIME, AT_RISK, LATE]) {
      ink.fillStyle = this.colours.tones[tone];
      ink.beginPath();
      for (const trip of trips) {
        if (trip.tone !== tone) continue;
        const [dx, dy] = trip.heading();
        const n = Math.hypot(dx, dy);
        if (!n) continue;
        const x = this.X(trip.px);
        const y = this.Y(trip.py);
        const ux = dx / n;
        const uy = -dy / n;
        const r = HEAD_PX + 5;
        const s = HEAD_PX * 0.8;
        ink.moveTo(x + ux * r, y + uy * r);
        ink.lineTo(x + ux * 3 - uy * s, y + uy * 3 + ux * s);
        ink.lineTo(x + ux * 3 + uy * s, y + uy * 3 - ux * s);
        ink.closePath();
      }
      ink.stroke();
      ink.fill();
    }
  }
}

export { PINS_MOST, Picture };
