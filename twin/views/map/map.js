// The map: the figure in its frame, drivers moved every animation frame, and what the user does with it. The parts are in the files
// in front of this one; here they are put together. Ours is drawn from the ranges of the figure's last paint, so that both always
// show the same place.

import { clockFrom, ReplayClock } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { twin } from "../shared/registry.js";
import { selectionOf } from "../shared/verbs.js";
import { BaseMap } from "./basemap.js";
import { Camera, calm, toLat, toLon } from "./camera.js";
import { Clusters } from "./clusters.js";
import { Controls } from "./controls.js";
import { Crowd } from "./fleet.js";
import { Motion, REST } from "./motion.js";
import { Picture } from "./picture.js";
import { Pointer } from "./pointer.js";
import { Asked, placeText, stageAt } from "./questions.js";
import { reportOf } from "./report.js";

function render({ model, view: component }) {
  const clock = clockFrom(model);
  const selection = selectionOf(model);
  const picture = new Picture();
  const clusters = new Clusters();
  const send = (question) => model.send_msg({ ...question, version: model.scene.version });
  const motion = new Motion(clock, send);
  let near = false; // whether so few of a crowd are in view that they may be told one by one
  motion.look = () => ({ box: picture.view && (near || motion.held?.within) ? viewBox() : null, order: selection.row });
  const asked = new Asked(clock, send, () => {
    fillLegend();
    redraw();
  });
  const crowd = new Crowd(
    model,
    send,
    () => follow(),
    () => redraw(),
  );
  const show = { ...model.layers };
  let told = 0;
  let pv = null;
  let raf = 0;
  let gone = false;
  let frames = 0;
  let dirty = true;
  let paints = 0;
  let resting = 0;
  let moved = false;
  let pins = [];
  let parts = null;

  const camera = new Camera(
    model,
    () => controls.modes(camera, selection.row >= 0),
    () => wake(),
  );
  const base = new BaseMap(model, () => {
    controls.fillLayers();
    controls.fillCredit(base);
  });
  const pointer = new Pointer({
    picture,
    motion,
    show,
    clusters,
    selection,
    get pins() {
      return pins;
    },
    get name() {
      return model.scene.name;
    },
    get kitchen() {
      return model.scene.kitchen;
    },
    near([x, y], reach) {
      if (!motion.crowded || !crowd.frame) return null;
      const { ox, oy, sx, sy } = picture.view;
      return crowd.near((x - ox) / sx, (oy - y) / sy, reach / sx, crowd.frame.t);
    },
    ask: (order) => asked.detail(order, motion.t),
    redraw: () => redraw(),
    touch: () => camera.touch(),
    open(cluster) {
      const [kx, ky] = model.scene.kitchen;
      const inside = motion.active.filter((trip) => trip.cluster === cluster);
      const xs = inside.map((trip) => trip.px + kx);
      const ys = inside.map((trip) => trip.py + ky);
      camera.lookAt([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
    },
  });
  const controls = new Controls(model, show, {
    home: () => camera.home(),
    fit: () => camera.toggleFit(),
    follow: () => camera.toggleFollow(),
    zoom: (factor) => camera.zoom(factor),
    density(changes) {
      model.density = { ...model.density, ...changes };
      layersChanged();
    },
    layer(name, on) {
      show[name] = on;
      model.layers = { ...show };
      layersChanged();
    },
    base: (chosen) => send({ base: chosen }),
  });
  const empty = el("div", { class: "empty", hidden: true, "data-testid": "map-empty" });
  const holder = el("div", { class: "holder" });
  const root = el(
    "div",
    { class: "map", "data-testid": "map", role: "region", "aria-label": "Map of deliveries" },
    holder,
    controls.tools,
    controls.foot,
    controls.edge,
    pointer.tip,
    empty,
  );
  holder.append(model.get_child("figure"));

  // ---- each frame --------------------------------------------------------------------------------------------------------
  const wake = () => {
    if (!raf && !gone && pv) raf = requestAnimationFrame(frame);
  };
  function frame() {
    raf = 0;
    clearTimeout(resting);
    if (gone || document.hidden || !pv || !model.scene.kitchen) return;
    frames++;
    const gliding = camera.step();
    const advanced = motion.advance();
    const going = follow();
    if ((advanced && !(motion.crowded && !motion.active.length)) || dirty || going) {
      dirty = false;
      paint(going);
    }
    const wait = motion.held?.crowd
      ? 0
      : camera.consider(motion.active, selection.row >= 0 ? motion.trip(selection.row) : null);
    if (pointer.found?.order !== undefined && pointer.at && clock.moving) asked.detail(pointer.found.order, motion.t);
    if (
      clock.moving ||
      motion.waiting ||
      gliding ||
      camera.glide ||
      going ||
      motion.stale ||
      (motion.crowded && crowd.waiting)
    )
      wake();
    else if (wait || motion.later) resting = setTimeout(wake, Math.max(wait, motion.later ? REST * 1000 + 50 : 0));
  }
  /** What is seen, metres east and north of the kitchen. */
  function viewBox() {
    const { ox, oy, sx, sy, width, height } = picture.view;
    return [-ox / sx, (oy - height) / sy, (width - ox) / sx, oy / sy];
  }
  /** Ask for the frames of a crowd, or for its drivers one by one where they are few. Whether frames are fading. */
  function follow() {
    const { held } = motion;
    const n = motion.crowded ? held.crowd : 0;
    if (!picture.view || !held) return false;
    if (n) {
      const { sx } = picture.view;
      const box = viewBox();
      crowd.want(clock.now(), box, 1 / sx, motion.speed, clock.moving);
      if (near !== crowd.few && !motion.waiting) {
        near = crowd.few;
        if (near) motion.again();
      }
    } else if (held.crowd && motion.outgrown(viewBox())) motion.again();
    if (n !== told) {
      told = n;
      fillLegend();
    }
    return !n && crowd.leave();
  }
  /** The orders picked out, here or in another panel: those on the road as trips, the others as places. */
  function pickedOut() {
    const focus = [];
    const places = [];
    for (const order of new Set([selection.row, selection.hovered])) {
      if (order < 0) continue;
      const trip = motion.trip(order);
      const chosen = order === selection.row;
      const place = chosen || !trip ? asked.place(order) : null;
      if (trip) {
        trip.label = chosen && place ? place.id : "";
        focus.push(trip);
        continue;
      }
      if (!place || Number.isNaN(motion.t)) continue;
      const stage = stageAt(place, motion.t);
      const [cx, cy] = place.customer ?? [NaN, NaN];
      places.push({ cx, cy, text: placeText(place, motion.t), inside: stage >= 0 && stage < 3 });
    }
    return { focus, places };
  }
  function paint(force) {
    if (!model.scene.kitchen || !picture.view) return;
    const { stage } = selection;
    const { focus, places } = pickedOut();
    const wall = ReplayClock.wall();
    const filtered = stage !== "" && stage !== "out_for_delivery";
    const { drawn, total } =
      filtered && !Number.isNaN(motion.t) ? asked.pinsAt(stage, motion.t) : { drawn: [], total: 0 };
    pins = drawn;
    controls.fillCapped(drawn.length, total);
    clusters.update(motion.active, picture, show.clusters, focus, wall, motion.t, moved);
    const moment = {
      active: motion.active,
      faded: motion.faded,
      t: motion.t,
      speed: motion.speed,
      show,
      focus,
      places,
      pins,
      stage,
      faint: selection.row >= 0 || filtered,
      clusters: clusters.list,
      density: asked.densityOf(model.density, motion.t),
      strength: model.density.strength,
      crowd: crowd.frame ? crowd : null,
      pulse: clock.moving && !calm() ? wall : null,
    };
    picture.drawGround(moment, force || moved || !clock.moving);
    picture.drawAir(moment);
    moved = false;
    if (pointer.at) pointer.look();
  }
  function redraw() {
    dirty = true;
    picture.groundAt = -Infinity;
    wake();
  }
  function onPainted() {
    if (gone || !model.scene.kitchen) return;
    paints++;
    picture.attach(pv);
    camera.keep();
    if (picture.frame(pv, model.scene.kitchen)) {
      moved = true;
      if (motion.held?.crowd) wake();
      controls.ruler(picture.view.sx / (model.scene.scale || 1));
      base.follow();
    }
    paint(false);
  }

  // ---- life --------------------------------------------------------------------------------------------------------------
  const fillLegend = () =>
    controls.fillLegend(
      picture.marks,
      asked.density,
      Math.round(motion.target / 60),
      motion.crowded ? { n: motion.held.crowd, ramp: crowd.ramp } : null,
    );
  function layersChanged() {
    controls.fillLayers();
    fillLegend();
    root.classList.toggle("hot", !!model.density.kind); // a longer legend
    for (const name of ["radius", "rings"]) parts?.[name]?.setv({ visible: show.radius }, { sync: false });
    redraw();
  }
  function restage() {
    const { version = 0, empty: text = "", target, glyphs = 0 } = model.scene;
    empty.hidden = !text;
    empty.textContent = text;
    root.classList.toggle("nowhere", !!text);
    pointer.forget();
    asked.forget();
    crowd.forget();
    if (motion.version !== (text ? 0 : version)) motion.forget(text ? 0 : version); // else it has been asked for already
    motion.target = target ?? Infinity;
    picture.glyphs = glyphs;
    fillLegend();
    if (pv && model.scene.kitchen) {
      camera.begin();
      base.show();
      pv.request_repaint();
    }
    redraw();
  }
  function recolour() {
    if (!pv) return;
    picture.recolour(root);
    asked.forgetDensity();
    crowd.colour();
    fillLegend();
    base.show();
    redraw();
  }
  function receive(event) {
    const m = event?.data ?? event;
    if (m.tell === "motion") {
      if (motion.receive(m)) wake();
    } else if (m.version !== model.scene.version) return;
    else if (m.tell === "order") pointer.tell(m);
    else if (m.tell === "crowd") crowd.receive(m);
    else if (m.tell === "near") crowd.tell(m);
    else asked.receive(m);
  }
  function onSelection() {
    if (selection.row < 0) camera.following = false;
    controls.modes(camera, selection.row >= 0);
    if (motion.held?.crowd && selection.row >= 0 && !motion.held.orders.has(selection.row)) motion.again();
    redraw();
  }
  /** Wait until the figure is laid out, then take hold of it. */
  async function attach() {
    for (;;) {
      const found = component.get_child_view(component.model.data.figure);
      if (found?.frame?.bbox?.width > 1 && root.isConnected) {
        pv = found;
        break;
      }
      if (gone) return;
      await new Promise((done) => setTimeout(done, 25));
    }
    parts = Object.fromEntries(pv.model.renderers.map((renderer) => [renderer.name, renderer]));
    camera.pv = base.pv = pv;
    base.tiles = parts.tiles;
    pv.repainted.connect(onPainted);
    pointer.attach(pv.canvas_view.events_el);
    picture.attach(pv);
    recolour();
    layersChanged();
    restage();
  }
  const onShown = () => {
    if (!document.hidden) redraw();
  };
  const themes = new MutationObserver(() => requestAnimationFrame(recolour));
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
  const dropClock = clock.on(wake);
  const dropSelection = selection.on(onSelection);
  document.addEventListener("visibilitychange", onShown);
  model.on("msg:custom", receive);
  model.on("scene", restage);
  model.on("base", () => base.show());
  model.on("layers", () => {
    Object.assign(show, model.layers);
    layersChanged();
  });
  model.on("density", layersChanged);
  model.on("dark", () => requestAnimationFrame(recolour));
  model.on("viewport", () => {
    if (pv && String(model.viewport) !== String(camera.told) && model.scene.kitchen) camera.begin();
  });
  const reports = (twin.reports ??= new Map());
  const commands = (twin.mapcommands ??= new Map());
  const drawn = (twin.motion ??= new Map());
  model.on("remove", () => {
    gone = true;
    cancelAnimationFrame(raf);
    clearTimeout(resting);
    asked.forget();
    for (const part of [camera, base, controls, picture]) part.remove();
    dropClock();
    dropSelection();
    themes.disconnect();
    document.removeEventListener("visibilitychange", onShown);
    pv?.repainted.disconnect(onPainted);
    if (pointer.found?.order !== undefined) selection.hover(-1);
    for (const shared of [commands, drawn]) shared.delete(model.clock);
    reports.delete(`${model.clock}/map`);
  });
  controls.fillLayers();
  controls.fillCredit(base);
  controls.modes(camera, selection.row >= 0);
  commands.set(model.clock, { toggleFit: () => pv && camera.toggleFit(), home: () => pv && camera.home() });
  reports.set(`${model.clock}/map`, () =>
    pv && picture.view ? reportOf(pv, picture, controls.credit.textContent) : null,
  );
  // for tests: what is drawn now, and what it cost
  drawn.set(model.clock, {
    positions() {
      const [kx, ky] = model.scene.kitchen ?? [0, 0];
      return motion.active.map((trip) => ({
        order: trip.order,
        x: kx + trip.px,
        y: ky + trip.py,
        lon: toLon(kx + trip.px),
        lat: toLat(ky + trip.py),
        tone: trip.tone,
        inferred: trip.inferred,
        merged: !!trip.cluster,
      }));
    },
    screen: (x, y) => {
      const [kx, ky] = model.scene.kitchen;
      return [picture.X(x - kx), picture.Y(y - ky)];
    },
    clusters: () => clusters.list.map(({ sx, sy, n, r }) => ({ x: sx, y: sy, n, r })),
    faded: () => motion.faded.map((trip) => trip.order),
    pins: () => pins.map((pin) => pin.order),
    figure: () => pv,
    time: () => motion.t,
    get held() {
      return motion.held && [motion.held.from, motion.held.to];
    },
    get frames() {
      return frames;
    },
    get paints() {
      return paints;
    },
    get asks() {
      return motion.asks;
    },
    get pushes() {
      return motion.pushes;
    },
    get looking() {
      return camera.view;
    },
    get gliding() {
      return !!camera.glide;
    },
    get fitting() {
      return camera.fitting;
    },
    get density() {
      return asked.density && { kind: asked.density.kind, until: asked.density.until, drawn: !!asked.density.picture };
    },
    get crowd() {
      return motion.held?.crowd ?? 0;
    },
    get within() {
      return motion.held?.within ?? null;
    },
    get onRoad() {
      return motion.onRoad;
    },
    frame: () => crowd.frame && { ...crowd.frame, cells: Array.from(crowd.frame.cells) },
    get framesShown() {
      return crowd.shown;
    },
    get frameAt() {
      return crowd.frame?.t;
    },
  });
  restage(); // the first trips are asked for while the figure is still being laid out
  if (motion.version && clock.anchor) motion.want(clock.now());
  attach();
  return root;
}

export { render };
