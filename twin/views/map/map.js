// The map: the figure in its frame, drivers moved every animation frame, and what the user does with it. The parts are
// in the files in front of this one; here they are put together. Ours is drawn from the ranges of the figure's last
// paint, so that both always show the same place.

import { clockFrom, ReplayClock } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { guarded, twin } from "../shared/registry.js";
import { selectionOf } from "../shared/verbs.js";
import { BaseMap } from "./basemap.js";
import { Camera, calm } from "./camera.js";
import { Clusters } from "./clusters.js";
import { Controls } from "./controls.js";
import { Fingers } from "./fingers.js";
import { Crowd } from "./fleet.js";
import { Ghost } from "./ghost.js";
import { inspectionOf } from "./inspection.js";
import { Motion, REST } from "./motion.js";
import { Names } from "./names.js";
import { Picture } from "./picture.js";
import { Pointer } from "./pointer.js";
import { Asked, placeText, stageAt, tagText } from "./questions.js";
import { legendOf, reportOf } from "./report.js";

const OVER_EVERY_MS = 1000; // what lies over the map is measured so often; measuring lays the page out

/** The figure in its frame and the parts that draw on it; the pointer asks it what is where. */
class MapFrame {
  constructor({ model, view: component }) {
    this.model = model;
    this.component = component;
    this.clock = clockFrom(this.model);
    this.selection = selectionOf(this.model);
    this.picture = new Picture();
    this.clusters = new Clusters();
    this.motion = new Motion(this.clock, this.send);
    this.ghost = new Ghost(this.clock, this.send);
    this.few = false; // whether so few of a crowd are in view that they may be told one by one
    this.motion.look = () => ({
      box: this.picture.view && (this.few || this.motion.held?.within) ? this.viewBox() : null,
      order: this.selection.row,
    });
    this.ghost.motion.look = () => ({ box: this.picture.view ? this.viewBox() : null, order: -1 });
    this.asked = new Asked(this.clock, this.send, () => {
      this.fillLegend();
      this.redraw();
    });
    this.crowd = new Crowd(
      this.model,
      this.send,
      () => this.follow(),
      () => this.redraw(),
    );
    this.show = { ...this.model.layers };
    this.told = 0;
    this.grouped = 0; // the group whose drivers were asked for
    this.pv = null;
    this.raf = 0;
    this.gone = false;
    this.frames = 0;
    this.dirty = true;
    this.paints = 0;
    this.resting = 0;
    this.overAt = -Infinity;
    this.overIt = [];
    this.overSize = "";
    this.moved = false;
    /** @type {any} what a tooltip would say of the order selected, last */
    this.detail = null;
    this.pins = [];
    this.shown = []; // the trips that are drawn: all that are under way, or those of a group of orders
    this.parts = null;
    this.buildParts();
    this.pointer = new Pointer(this);
    this.buildControls();
    this.buildFrame();
    this.listen();
    this.offerCommands();
    this.begin();
  }

  buildParts() {
    this.camera = new Camera(
      this.model,
      () => this.controls.modes(this.camera, this.selection.row >= 0),
      () => this.wake(),
      this.over,
    );
    this.names = new Names(this.model);
    this.base = new BaseMap(this.model, () => {
      this.names.show(this.base.map?.names, this.root);
      this.controls.fillLayers();
      this.controls.fillCredit(this.base);
    });
  }

  buildControls() {
    this.controls = new Controls(this.model, this.show, this.selection, {
      home: () => this.camera.home(),
      fit: () => this.camera.toggleFit(),
      follow: () => this.camera.toggleFollow(),
      zoom: (factor) => this.camera.zoom(factor),
      density: (changes) => {
        this.model.density = { ...this.model.density, ...changes };
        this.layersChanged();
      },
      layer: (name, on) => {
        this.show[name] = on;
        this.model.layers = { ...this.show };
        this.layersChanged();
      },
      base: (chosen) => this.send({ base: chosen }),
    });
  }

  buildFrame() {
    this.empty = el("div", { class: "empty", hidden: true, "data-testid": "map-empty" });
    this.note = el("p", { class: "note", hidden: true, "data-testid": "map-note" });
    const holder = el("div", { class: "holder" });
    this.root = el(
      "div",
      { class: "map", "data-testid": "map", role: "region", "aria-label": "Map of deliveries" },
      holder,
      this.controls.tools,
      this.controls.foot,
      this.controls.edge,
      this.pointer.tip,
      this.note,
      this.empty,
    );
    this.fingers = new Fingers(this.root, this.camera);
    holder.append(this.model.get_child("figure"));
  }

  listen() {
    const recolour = guarded(() => this.recolour());
    const themes = new MutationObserver(() => requestAnimationFrame(recolour));
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    const dropClock = this.clock.on(this.wake);
    const dropSelection = this.selection.on(this.onSelection);
    document.addEventListener("visibilitychange", this.onShown);
    this.model.on("msg:custom", this.receive);
    this.model.on("scene", this.restage);
    this.model.on("ghost", this.haunt);
    this.model.on("base", () => this.base.show());
    this.model.on("layers", () => {
      Object.assign(this.show, this.model.layers);
      this.layersChanged();
    });
    this.model.on("density", this.layersChanged);
    this.model.on("dark", () => requestAnimationFrame(recolour));
    this.model.on("viewport", () => {
      if (this.pv && String(this.model.viewport) !== String(this.camera.told) && this.model.scene.kitchen)
        this.camera.begin();
    });
    this.reports = twin.reports ??= new Map();
    this.commands = twin.mapcommands ??= new Map();
    this.drawn = twin.motion ??= new Map();
    this.model.on("remove", () => {
      this.gone = true;
      cancelAnimationFrame(this.raf);
      clearTimeout(this.resting);
      this.asked.forget();
      const parts = [this.camera, this.pointer, this.fingers, this.base, this.names, this.controls, this.picture];
      for (const part of parts) part.remove();
      dropClock();
      dropSelection();
      themes.disconnect();
      document.removeEventListener("visibilitychange", this.onShown);
      this.pv?.repainted.disconnect(this.onPainted);
      if (this.pointer.found?.order !== undefined) this.selection.hover(-1);
      for (const shared of [this.commands, this.drawn]) shared.delete(this.model.clock);
      this.reports.delete(`${this.model.clock}/map`);
    });
  }

  offerCommands() {
    this.controls.fillLayers();
    this.controls.fillCredit(this.base);
    this.controls.modes(this.camera, this.selection.row >= 0);
    this.commands.set(this.model.clock, {
      toggleFit: () => this.pv && this.camera.toggleFit(),
      home: () => this.pv && this.camera.home(),
      refetch: () => this.base.refetch(),
    });
    this.reports.set(`${this.model.clock}/map`, () =>
      this.pv && this.picture.view
        ? Object.assign(reportOf(this.pv, this.picture, this.controls.credit.textContent), {
            legend: legendOf(this.controls.legend, this.picture),
            ratio: this.picture.view.ratio,
          })
        : null,
    );
    this.drawn.set(this.model.clock, inspectionOf(this));
  }

  /** Take another ghost, or none. */
  haunt = () => {
    this.ghost.take(this.model.ghost, this.motion.target);
    this.root.classList.toggle("haunted", !!this.ghost.label);
    this.fillLegend();
    this.redraw();
  };

  begin() {
    this.haunt();
    this.restage(); // the first trips are asked for while the figure is still being laid out
    if (this.motion.version && this.clock.anchor) this.motion.want(this.clock.now());
    this.attach();
  }

  // ---- what the pointer asks of the map ---------------------------------------------------------------------------
  get name() {
    return this.model.scene.name;
  }

  get kitchen() {
    return this.model.scene.kitchen;
  }

  get known() {
    return this.model.scene.known !== false;
  }

  /**
   * Who of a crowd is at a place, as trips have it; null: nobody, or there is no crowd.
   * @param {number[]} place pixels of the map
   * @param {number} reach pixels
   */
  near([x, y], reach) {
    if (!this.motion.crowded || !this.crowd.frame || this.selection.group) return null;
    const { ox, oy, sx, sy } = this.picture.view;
    return this.crowd.near((x - ox) / sx, (oy - y) / sy, reach / sx, this.crowd.frame.t);
  }

  ask(order) {
    this.asked.detail(order, this.motion.t);
  }

  touch() {
    this.camera.touch();
  }

  /** Look at the drivers that one bubble stands for. */
  open(cluster) {
    const [kx, ky] = this.model.scene.kitchen;
    const inside = this.shown.filter((trip) => trip.cluster === cluster);
    const xs = inside.map((trip) => trip.px + kx);
    const ys = inside.map((trip) => trip.py + ky);
    this.camera.lookAt([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
  }

  send = (question) => this.model.send_msg({ ...question, version: this.model.scene.version });

  // ---- each frame -------------------------------------------------------------------------------------------------
  wake = () => {
    if (!this.raf && !this.gone && this.pv) this.raf = requestAnimationFrame(this.frame);
  };

  frame = guarded(() => {
    this.raf = 0;
    clearTimeout(this.resting);
    if (this.gone || document.hidden || !this.pv || !this.model.scene.kitchen) return;
    this.frames++;
    const gliding = this.camera.step();
    const advanced = this.motion.advance();
    const haunted = this.ghost.advance(this.motion.t);
    const going = this.follow();
    const moved = advanced && !(this.motion.crowded && !this.motion.active.length);
    if (moved || haunted || this.dirty || going) {
      this.dirty = false;
      this.paint(going);
    }
    const followed = this.selection.row >= 0 ? this.motion.trip(this.selection.row) : null;
    const wait = this.motion.held?.crowd ? 0 : this.camera.consider(this.motion.active, followed, this.clock.moving);
    if (this.pointer.found?.order !== undefined && this.pointer.at && this.clock.moving)
      this.asked.detail(this.pointer.found.order, this.motion.t);
    if (
      this.clock.moving ||
      this.motion.waiting ||
      this.ghost.waiting ||
      gliding ||
      this.camera.glide ||
      going ||
      this.motion.stale ||
      (this.motion.crowded && this.crowd.waiting)
    )
      this.wake();
    else if (wait || this.motion.later)
      this.resting = setTimeout(this.wake, Math.max(wait, this.motion.later ? REST * 1000 + 50 : 0));
  });

  /** What lies over the map, in its pixels: its own tools and legend, and what the page puts there, as the alert. */
  over = () => {
    const now = performance.now();
    const map = this.root.getBoundingClientRect();
    const size = `${map.width} ${map.height}`; // all of it stands elsewhere once the map has another size
    if (now - this.overAt < OVER_EVERY_MS && size === this.overSize) return this.overIt;
    this.overAt = now;
    this.overSize = size;
    const root = /** @type {any} */ (this.root.getRootNode());
    const page = [...(root.host?.parentNode?.children ?? [])].filter((node) => node !== root.host);
    const { tools, foot, edge } = this.controls;
    this.overIt = [tools, foot, edge, ...page]
      .filter((node) => getComputedStyle(node).visibility !== "hidden") // a closed panel keeps its place
      .map((node) => node.getBoundingClientRect())
      .filter(({ width, height }) => width > 0 && height > 0)
      .map(({ left, top, right, bottom }) => [left - map.left, top - map.top, right - map.left, bottom - map.top]);
    return this.overIt;
  };

  /** What is seen, metres east and north of the kitchen. */
  viewBox() {
    const { ox, oy, sx, sy, width, height } = this.picture.view;
    return [-ox / sx, (oy - height) / sy, (width - ox) / sx, oy / sy];
  }

  /** Ask for the frames of a crowd, or for its drivers one by one where they are few. Whether frames are fading. */
  follow() {
    const { held } = this.motion;
    const n = this.motion.crowded ? held.crowd : 0;
    if (!this.picture.view || !held) return false;
    if (n) {
      const { sx } = this.picture.view;
      const box = this.viewBox();
      this.crowd.want(this.clock.now(), box, 1 / sx, this.motion.speed, this.clock.moving);
      if (this.few !== this.crowd.few && !this.motion.waiting) {
        this.few = this.crowd.few;
        if (this.few) this.motion.again();
      }
    } else if (held.crowd && this.motion.outgrown(this.viewBox())) this.motion.again();
    if (n !== this.told) {
      this.told = n;
      this.fillLegend();
    }
    return !n && this.crowd.leave();
  }

  /** The orders picked out, here or in another panel: those on the road as trips, the others as places. */
  pickedOut() {
    const focus = [];
    const places = [];
    for (const order of new Set([this.selection.row, this.selection.hovered])) {
      if (order < 0) continue;
      const trip = this.motion.trip(order);
      const chosen = order === this.selection.row;
      const place = chosen || !trip ? this.asked.place(order) : null;
      if (trip) {
        trip.label = !chosen || !place ? "" : this.camera.following ? this.tag(place) : place.id;
        focus.push(trip);
        const followed = chosen && this.camera.following ? this.detail : null;
        const detail = order === this.pointer.found?.order ? this.pointer.detail : followed;
        const [cx, cy] = detail?.live_at ?? [NaN, NaN];
        if (detail?.live_at) places.push({ cx, cy, text: "shown here live", inside: false });
        continue;
      }
      if (!place || Number.isNaN(this.motion.t)) continue;
      const stage = stageAt(place, this.motion.t);
      const [cx, cy] = place.customer ?? [NaN, NaN];
      places.push({ cx, cy, text: placeText(place, this.motion.t, this.clock.zone), inside: stage >= 0 && stage < 3 });
    }
    return { focus, places };
  }

  /** Beside the driver that is followed; asks for the arrival while it changes, unless a tooltip asks for another's. */
  tag(place) {
    const pointed = this.pointer.found?.order;
    if (pointed === undefined || pointed === place.order) this.asked.detail(place.order, this.motion.t);
    return tagText(place, this.detail, this.clock.zone);
  }

  /** The customers who had ordered by now and to whom nobody is on the way. */
  waiting(pins) {
    const onWay = new Set(this.shown.map((trip) => trip.order));
    return pins.filter(({ begin, order }) => begin <= this.motion.t && !onWay.has(order));
  }

  paint(force) {
    if (!this.model.scene.kitchen || !this.picture.view) return;
    const { stage } = this.selection;
    const { focus, places } = this.pickedOut();
    const wall = ReplayClock.wall();
    const filtered = stage !== "" && stage !== "out_for_delivery";
    const { drawn, total } =
      filtered && !Number.isNaN(this.motion.t) ? this.asked.pinsAt(stage, this.motion.t) : { drawn: [], total: 0 };
    const group = this.selection.group && this.asked.groupOf(this.selection.group);
    const isShown = (trip) => !group || group.rows.has(trip.order);
    this.shown = group ? this.motion.active.filter(isShown) : this.motion.active;
    this.pins = group ? this.waiting(group.all) : drawn;
    this.controls.fillCapped(drawn.length, total);
    this.controls.only.show();
    this.clusters.update(this.shown, this.picture, this.show.clusters, focus, wall, this.motion.t, this.moved);
    const moment = {
      active: this.shown,
      faded: group ? this.motion.faded.filter(isShown) : this.motion.faded,
      t: this.motion.t,
      speed: this.motion.speed,
      show: this.show,
      focus,
      places,
      pins: this.pins,
      stage,
      faint: this.selection.row >= 0 || filtered,
      ghosts: this.ghost.drivers,
      clusters: this.clusters.list,
      density: this.asked.densityOf(this.model.density, this.motion.t),
      strength: this.model.density.strength,
      crowd: this.crowd.frame && !group ? this.crowd : null,
      pulse: this.clock.moving && !calm() ? wall : null,
    };
    this.picture.beside = this.besides();
    this.picture.drawGround(moment, force || this.moved || !this.clock.moving);
    this.picture.drawAir(moment);
    this.moved = false;
    if (this.pointer.at) this.pointer.look();
  }

  /** How many drivers the other maps of the page draw that are seen. */
  besides() {
    let sum = 0;
    for (const [clock, map] of this.drawn) if (clock !== this.model.clock) sum += map.seen();
    return sum;
  }

  redraw() {
    this.dirty = true;
    this.picture.groundAt = -Infinity;
    this.wake();
  }

  onPainted = guarded(() => {
    if (this.gone || !this.model.scene.kitchen) return;
    this.paints++;
    this.picture.attach(this.pv);
    this.camera.keep();
    if (this.picture.frame(this.pv, this.model.scene.kitchen, this.known)) {
      this.moved = true;
      if (this.motion.held?.crowd) this.wake();
      this.controls.ruler(this.picture.view.sx / (this.model.scene.scale || 1));
      this.base.follow();
    }
    this.paint(false);
  });

  // ---- life -------------------------------------------------------------------------------------------------------
  fillLegend() {
    return this.controls.fillLegend(
      this.picture.marks,
      this.asked.density,
      Math.round(this.motion.target / 60),
      this.motion.crowded ? { n: this.motion.held.crowd, ramp: this.crowd.ramp } : null,
      this.ghost.label,
    );
  }

  layersChanged = () => {
    this.controls.fillLayers();
    this.fillLegend();
    this.root.classList.toggle("hot", !!this.model.density.kind); // a longer legend
    for (const name of ["radius", "rings"]) this.parts?.[name]?.setv({ visible: this.show.radius }, { sync: false });
    this.redraw();
  };

  restage = () => {
    const { version = 0, empty: text = "", note = "", target, glyphs = 0, inserted } = this.model.scene;
    if (inserted && this.motion.version) {
      // the same kitchen, extended: what is drawn stays until the trips come, which is in this very message
      this.motion.renew(version, inserted);
      return;
    }
    this.note.hidden = !note;
    this.note.textContent = note;
    this.empty.hidden = !text;
    this.empty.textContent = text;
    this.root.classList.toggle("nowhere", !!text);
    this.pointer.forget();
    this.asked.forget();
    this.crowd.forget();
    // else it has been asked for already
    if (this.motion.version !== (text ? 0 : version)) this.motion.forget(text ? 0 : version);
    this.motion.target = this.ghost.motion.target = target ?? Infinity;
    this.picture.glyphs = glyphs;
    this.fillLegend();
    if (this.pv && this.model.scene.kitchen) {
      this.camera.begin();
      this.base.show();
      this.pv.request_repaint();
    }
    this.redraw();
  };

  recolour = () => {
    if (!this.pv) return;
    this.picture.recolour(this.root);
    this.asked.forgetDensity();
    this.crowd.colour();
    this.fillLegend();
    this.base.show();
    this.redraw();
  };

  receive = (event) => {
    const m = event?.data ?? event;
    if (m.tell === "motion") {
      if (m.grown) this.asked.renew(m.inserted, [this.selection.row, this.selection.hovered]);
      if (this.motion.receive(m)) this.wake();
    } else if (m.tell === "ghost") {
      if (this.ghost.receive(m)) this.wake();
    } else if (m.version !== this.model.scene.version) return;
    else if (m.tell === "order") {
      if (m.order === this.selection.row) {
        this.detail = m;
        if (this.camera.following) this.redraw();
      }
      this.pointer.tell(m);
    } else if (m.tell === "crowd") this.crowd.receive(m);
    else if (m.tell === "near") this.crowd.tell(m);
    else this.asked.receive(m);
  };

  onSelection = () => {
    if (this.selection.row < 0) this.camera.following = false;
    this.controls.modes(this.camera, this.selection.row >= 0);
    const { row, group } = this.selection;
    const missing = (row >= 0 && !this.motion.held?.orders.has(row)) || (group && group.number !== this.grouped);
    this.grouped = group?.number ?? 0;
    if (this.motion.held?.crowd && missing) this.motion.again();
    this.redraw();
  };

  /** Wait until the figure is laid out, then take hold of it. */
  attach = guarded(async () => {
    for (;;) {
      if (this.gone) return;
      const found = this.component.get_child_view(this.component.model.data.figure);
      if (found?.frame?.bbox?.width > 1 && this.root.isConnected) {
        this.pv = found;
        break;
      }
      await new Promise((done) => setTimeout(done, 25));
    }
    this.hold();
  });

  /** Take hold of the figure: guarded by itself, as nothing after an `await` listens on behalf of this panel. */
  hold = guarded(() => {
    this.parts = Object.fromEntries(this.pv.model.renderers.map((renderer) => [renderer.name, renderer]));
    this.camera.pv = this.base.pv = this.pv;
    this.base.tiles = this.parts.tiles;
    this.pv.repainted.connect(this.onPainted);
    this.pointer.attach(this.pv.canvas_view.events_el);
    this.fingers.attach(this.pv.canvas_view.events_el);
    this.picture.attach(this.pv);
    this.names.attach(this.pv);
    this.recolour();
    this.layersChanged();
    this.restage();
  });

  onShown = () => {
    if (!document.hidden) this.redraw();
  };
}

function render(view) {
  return new MapFrame(view).root;
}

export { render };
