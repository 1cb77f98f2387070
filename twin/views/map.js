// The map: the figure in its frame, drivers moved every animation frame, buttons, scale, credit and what the pointer is over.
// Drivers are a Bokeh glyph at level "overlay" whose arrays are changed in place; the rest is drawn by Picture, after the
// figure's own paint, so that both always show the same moment and the same ranges.

const WORLD = 20037508.342789244, TILE_M = 156543.03392804097;   // Web Mercator: half its width; metres per pixel at zoom 0
const NEAREST_M = 0.3, FARTHEST_M = 400;                          // zoom stops at these metres per pixel
const REACH_PX = 14;                                              // how near the pointer must be to a driver or a pin
const SETTLED_MS = 500;                                           // a moved view is told to the server when it rests
const BY_HAND_MS = 1000;                                          // a range that changes this soon after an input was moved by the user
const PROBE_MS = 6000;
const TILES_MS = 20_000;                                          // a tile that takes longer will be seen when the map is moved

const toLon = (x) => x / WORLD * 180, toLat = (y) => Math.atan(Math.sinh(y / WORLD * Math.PI)) * 180 / Math.PI;
const toX = (lon) => lon / 180 * WORLD, toY = (lat) => Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI * WORLD;

export function render({ model, view: component }) {
  const clock = clockFrom(model), picture = new Picture();
  const motion = new Motion(clock, (question) => model.send_msg(question));
  const show = { routes: true, customers: true, trails: true, ...model.layers };
  const HOME = { kitchen: true };   // what the pointer is over when it is the kitchen
  let pv = null, source = null, tiles = null, raf = 0, gone = false, frames = 0, dirty = true;
  let looking = null;               // the view that the map keeps: {x, y, metres (per pixel)}, Web Mercator
  let size = null, touched = -Infinity, told = [], settling = 0, following = 0, resting = 0;
  let hovered = null, pointer = null, detail = null, askedDetail = 0, problem = "";

  // ---- the frame around the figure ---------------------------------------------------------------------------------------
  const tip = el("div", { class: "tip", role: "status", hidden: true, "data-testid": "map-tip" });
  const scale = el("div", { class: "scale", title: "Distance on the ground" });
  const credit = el("span", { class: "credit", "data-testid": "map-credit" });
  const empty = el("div", { class: "empty", hidden: true, "data-testid": "map-empty" });
  const layers = el("div", { class: "layers", role: "group", "aria-label": "Shown on the map" });
  const holder = el("div", { class: "holder" });
  const button = (name, drawn, label, act, text) => {
    const b = el("button", { type: "button", title: label, "aria-label": label, "data-testid": `map-${name}`, onclick: act });
    b.append(icon(drawn, 15), text ?? "");
    return b;
  };
  const root = el("div", { class: "map", "data-testid": "map" }, holder,
    el("div", { class: "tools" }, button("fit", "fit", "Show the whole delivery area", home, "Fit"),
      button("in", "plus", "Zoom in", () => zoom(0.5)), button("out", "minus", "Zoom out", () => zoom(2))),
    layers, el("div", { class: "foot" }, scale, credit), tip, empty);
  holder.append(model.get_child("figure"));

  function fillLayers() {
    const { maps = {} } = model.base, shown = model.base.chosen;
    const toggle = (name, label) => el("label", {}, el("input", { type: "checkbox", checked: show[name], "data-testid": `map-${name}`, onchange: (event) => {
      show[name] = event.target.checked;
      model.layers = { ...show };
      redraw();
    } }), label);
    const choice = Object.keys(maps).length < 2 ? null : el("select", { title: "Base map", "aria-label": "Base map", "data-testid": "map-base",
      onchange: (event) => model.send_msg({ base: event.target.value, version: model.scene.version }) },
      ...Object.entries({ ...maps, ...(maps[shown] ? {} : { none: { label: "No base map" } }) }).map(([key, map]) => el("option", { value: key, selected: key === shown || (key === "none" && !maps[shown]) }, map.label)));
    layers.replaceChildren(...[toggle("routes", "Routes"), toggle("customers", "Customers"), toggle("trails", "Trails"), choice].filter(Boolean));
  }
  function fillCredit() {
    const map = model.base.maps?.[model.base.chosen];
    credit.replaceChildren(problem || (!map ? "" : map.link ? el("a", { href: map.link, target: "_blank", rel: "noopener noreferrer" }, map.credit) : map.credit));
  }

  // ---- the base map ------------------------------------------------------------------------------------------------------
  const addressOf = (map) => map.url.replace("{theme}", model.dark ? "dark" : "light").replace("{dense}", devicePixelRatio > 1.3 ? "@2x" : "");
  /** Show the chosen base map. One from elsewhere is tried first: Bokeh asks a server that cannot be reached again at every paint. */
  async function baseMap() {
    const key = model.base.chosen, map = model.base.maps?.[key];
    problem = "";
    fillLayers(); fillCredit();
    if (!tiles) return;
    if (map?.link && !(await reachable(map))) {
      if (gone || model.base.chosen !== key) return;
      problem = `${map.label} cannot be reached.`;
      tiles.setv({ visible: false }, { sync: false });
      return fillCredit();
    }
    if (gone || model.base.chosen !== key) return;
    if (map?.url) {
      const url = addressOf(map);
      if (tiles.tile_source.url !== url) tiles.tile_source.setv({ url, max_zoom: map.max_zoom }, { sync: false });
    }
    tiles.setv({ visible: !!map?.url }, { sync: false });
    followTiles();
  }
  /** Repaint until all tiles are shown: Bokeh does not, for one that it had begun to fetch ahead when it came into view. */
  function followTiles() {
    const since = performance.now();
    let shown = -1;
    clearInterval(following);
    following = setInterval(() => {
      const all = [...tiles.tile_source.tiles.values()], loaded = all.filter((tile) => tile.loaded).length;
      if (loaded !== shown) { shown = loaded; pv.request_repaint(); }
      else if (all.every((tile) => tile.loaded || tile.finished) || performance.now() - since > TILES_MS) clearInterval(following);
    }, 250);
  }
  function reachable(map) {
    const [kx, ky] = model.scene.kitchen ?? [0, 0], z = 10, n = 2 ** z;
    const column = Math.floor((kx / WORLD + 1) / 2 * n), row = Math.floor((1 - ky / WORLD) / 2 * n);
    return new Promise((tell) => {
      const picture = new Image();
      picture.onload = () => tell(true);
      picture.onerror = () => tell(false);
      setTimeout(() => tell(false), PROBE_MS);
      picture.src = map.url.replace("{Z}", z).replace("{X}", column).replace("{Y}", row);
    });
  }

  // ---- each frame --------------------------------------------------------------------------------------------------------
  const wake = () => { if (!raf && !gone && pv) raf = requestAnimationFrame(frame); };
  function frame() {
    raf = 0;
    clearTimeout(resting);
    if (gone || document.hidden || !pv) return;
    frames++;
    const moved = motion.advance();
    if (moved || dirty) {
      dirty = false;
      if (!heads()) paint(false);   // else Bokeh paints, and ours follows
    }
    if (hovered?.t && clock.moving && ReplayClock.wall() - askedDetail > 1) askDetail();
    if (clock.moving || motion.waiting) wake();
    else if (motion.later) resting = setTimeout(wake, REST * 1000 + 50);
  }
  /** Move the glyphs; true if the figure will be painted for it. */
  function heads() {
    const [kx, ky] = model.scene.kitchen ?? [0, 0], { active } = motion;
    const n = active.length <= GLYPHS_MOST ? active.length : 0;
    let { x, y } = source.data;
    if (!n && Number.isNaN(x[0])) return false;
    if (x.length < n || !(x instanceof Float64Array) || x.length > 4 * n + 64) {
      const room = 2 ** Math.ceil(Math.log2(n + 16));
      x = new Float64Array(room).fill(NaN); y = new Float64Array(room).fill(NaN);
      source.setv({ data: { x, y } }, { sync: false });
    }
    for (let i = 0; i < n; i++) { x[i] = kx + active[i].px; y[i] = ky + active[i].py; }
    x.fill(NaN, n); y.fill(NaN, n);
    source.change.emit();   // in place: nothing travels to the server
    return true;
  }
  function paint(force) {
    if (!model.scene.kitchen) return;
    const changed = picture.frame(pv, model.scene.kitchen);
    picture.drawGround(motion.active, motion.t, show, hovered, force || changed || !clock.moving);
    picture.drawAir(motion.active, motion.faded, motion.t, motion.speed, show, hovered);
    if (changed) { ruler(); if (tiles.visible) followTiles(); }
    if (hovered) hover();
  }
  function redraw() { dirty = true; picture.groundAt = -Infinity; wake(); }
  function onPainted() {
    if (gone) return;
    picture.attach(pv);
    keepView();
    paint(false);
  }

  // ---- where one looks ---------------------------------------------------------------------------------------------------
  /** Bokeh's tiles snap the ranges and its resizing stretches them: what the user did not do is undone. */
  function keepView() {
    const { width, height } = pv.frame.bbox, { x_range: xr, y_range: yr } = pv.model;
    if (!(width > 0 && height > 0) || !looking) return;
    if (!size || size.width !== width || size.height !== height) {
      const was = size;
      size = { width, height };
      if (!was && !told.length || looking.home) return home();
      return apply();
    }
    const metres = (xr.end - xr.start) / width, x = (xr.start + xr.end) / 2, y = (yr.start + yr.end) / 2;
    const off = Math.hypot(x - looking.x, y - looking.y) / metres + Math.abs(metres / looking.metres - 1) * width;
    const skewed = Math.abs((yr.end - yr.start) / height / metres - 1) * height > 0.5;
    if (off < 0.2 && !skewed) return;
    if (performance.now() - touched < BY_HAND_MS) {
      looking = { x, y, metres: Math.min(FARTHEST_M, Math.max(NEAREST_M, metres)) };
      settle();
      if (skewed || looking.metres !== metres) apply();
    } else apply();
  }
  function apply() {
    const { width, height } = pv.frame.bbox, { x, y, metres } = looking;
    pv.model.x_range.setv({ start: x - metres * width / 2, end: x + metres * width / 2 }, { sync: false });
    pv.model.y_range.setv({ start: y - metres * height / 2, end: y + metres * height / 2 }, { sync: false });
  }
  function home() {
    if (!pv || !model.scene.home) return;
    const [x0, y0, x1, y1] = model.scene.home, { width, height } = pv.frame.bbox;
    looking = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, metres: Math.max((x1 - x0) / width, (y1 - y0) / height), home: true };
    apply();
    settle();
  }
  function zoom(factor) {
    if (!looking) return;
    looking = { x: looking.x, y: looking.y, metres: Math.min(FARTHEST_M, Math.max(NEAREST_M, looking.metres * factor)) };
    apply();
    settle();
  }
  function settle() {
    clearTimeout(settling);
    settling = setTimeout(() => {
      told = looking.home ? [] : [toLon(looking.x), toLat(looking.y), Math.log2(TILE_M / looking.metres)].map((n) => Number(n.toFixed(5)));
      if (String(told) !== String(model.viewport)) model.viewport = told;
    }, SETTLED_MS);
  }
  /** Go to the view that was asked for, if it shows this kitchen's region at all; else home. */
  function firstView() {
    const [lon, lat, level] = model.viewport ?? [], [kx, ky] = model.scene.kitchen;
    if (level === undefined || Math.hypot(toX(lon) - kx, toY(lat) - ky) > 200_000) return home();
    told = [...model.viewport];
    looking = { x: toX(lon), y: toY(lat), metres: Math.min(FARTHEST_M, Math.max(NEAREST_M, TILE_M / 2 ** level)) };
    apply();
  }
  function ruler() {
    const perMetre = picture.view.sx / (model.scene.scale || 1);
    let length = 10 ** Math.floor(Math.log10(110 / perMetre));
    for (const k of [5, 2]) if (k * length * perMetre <= 110) { length *= k; break; }
    scale.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
    scale.style.width = `${Math.round(length * perMetre)}px`;
  }

  // ---- the pointer -------------------------------------------------------------------------------------------------------
  function under([x, y]) {
    if (!picture.view || !model.scene.kitchen) return null;
    let best = null, near = REACH_PX;
    for (const trip of motion.active) {
      const d = Math.hypot(picture.X(trip.px) - x, picture.Y(trip.py) - y) - (trip === hovered ? 3 : 0);
      if (d < near) { near = d; best = trip; }
    }
    if (best) return best;
    if (Math.max(Math.abs(picture.X(0) - x), Math.abs(picture.Y(0) - y)) < 17) return HOME;
    if (show.customers && motion.active.length <= PINS_MOST) for (const trip of motion.active) {
      const d = Math.hypot(picture.X(trip.cx) - x, picture.Y(trip.cy) - 12 - y);
      if (d < near) { near = d; best = trip; }
    }
    return best;
  }
  function askDetail() {
    askedDetail = ReplayClock.wall();
    model.send_msg({ ask: "order", order: hovered.order, t: motion.t, version: motion.version });
  }
  /** See what is under the pointer now: it may rest while the drivers move. */
  function hover() {
    const found = pointer && under(pointer);
    if (found !== hovered) {
      hovered = found;
      detail = null;
      if (hovered?.t) askDetail();
      pv.canvas_view.events_el.style.cursor = hovered ? "pointer" : "";
      redraw();
    }
    fillTip();
  }
  function fillTip() {
    tip.hidden = !hovered || !pointer;
    if (tip.hidden) return;
    const line = (text, strong) => text ? el("p", { class: strong ? "strong" : null }, text) : null;
    const on = motion.active.length, way = detail?.progress !== undefined && `${detail.progress} % of the way`;
    const lines = hovered === HOME ? [el("b", {}, `${model.scene.name} kitchen`), line(`${on} driver${on === 1 ? "" : "s"} on the road`)]
      : [el("b", {}, detail ? `Order ${detail.id}` : "Order …"), line(detail?.items, true), line(way || detail?.stage, true),
        line(detail?.eta ? `expected at ${clockText(detail.eta, false)}` : null, true), line(detail?.address),
        line(detail?.measured === undefined ? null : detail.measured ? "position measured" : "position inferred")];
    tip.replaceChildren(...lines.filter(Boolean));
    const at = hovered.t && motion.active.length <= GLYPHS_MOST ? [picture.X(hovered.px), picture.Y(hovered.py)] : pointer;
    const near = Math.hypot(at[0] - pointer[0], at[1] - pointer[1]) < 2 * REACH_PX ? at : pointer;
    const { width, height } = picture.view, w = tip.offsetWidth, h = tip.offsetHeight;
    const x = near[0] + 18 + w < width ? near[0] + 18 : near[0] - 18 - w;
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, Math.min(near[1] - 10, height - h - 6))}px)`;
  }
  function onPointer(event) {
    if (event.buttons) touched = performance.now();
    const box = pv.canvas_view.events_el.getBoundingClientRect();
    pointer = event.buttons && event.pointerType === "mouse" ? null : [event.clientX - box.left, event.clientY - box.top];
    hover();
  }
  const onLeave = () => { pointer = null; hover(); };
  const onTouch = () => { touched = performance.now(); };

  // ---- life --------------------------------------------------------------------------------------------------------------
  function restage() {
    const { version = 0, empty: text = "" } = model.scene;
    empty.hidden = !text;
    empty.textContent = text;
    root.classList.toggle("nowhere", !!text);
    hovered = detail = null;
    tip.hidden = true;
    motion.forget(text ? 0 : version);
    if (pv && model.scene.kitchen) { firstView(); baseMap(); }
    redraw();
  }
  function recolour() { if (pv) { picture.recolour(root); baseMap(); redraw(); } }
  function receive(event) {
    const m = event?.data ?? event;
    if (m.tell === "motion" && motion.receive(m)) wake();
    if (m.tell === "order" && hovered?.order === m.order) { detail = m; fillTip(); }
  }
  const wheres = ["wheel", "pointerdown", "touchmove", "keydown"];
  /** Wait until the figure is laid out, then take hold of it. */
  async function attach() {
    for (;;) {
      const found = component.get_child_view(component.model.data.figure);
      if (found?.frame?.bbox?.width > 1 && root.isConnected) { pv = found; break; }
      if (gone) return;
      await new Promise((done) => setTimeout(done, 25));
    }
    const named = (name) => pv.model.renderers.find((renderer) => renderer.name === name);
    source = named("drivers").data_source;
    tiles = named("tiles");
    pv.repainted.connect(onPainted);
    const { events_el } = pv.canvas_view;
    events_el.addEventListener("pointermove", onPointer);
    events_el.addEventListener("pointerdown", onPointer);
    events_el.addEventListener("pointerleave", onLeave);
    for (const name of wheres) events_el.addEventListener(name, onTouch, { passive: true, capture: true });
    picture.attach(pv);
    recolour();
    restage();
  }
  const onShown = () => { if (!document.hidden) { dirty = true; wake(); } };
  const themes = new MutationObserver(() => requestAnimationFrame(recolour));
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
  const dropClock = clock.on(wake);
  document.addEventListener("visibilitychange", onShown);
  model.on("msg:custom", receive);
  model.on("scene", restage);
  model.on("base", baseMap);
  model.on("dark", () => requestAnimationFrame(recolour));
  model.on("viewport", () => { if (pv && String(model.viewport) !== String(told)) { told = [...model.viewport]; if (model.scene.kitchen) firstView(); } });
  model.on("remove", () => {
    gone = true;
    cancelAnimationFrame(raf);
    clearTimeout(settling);
    clearInterval(following);
    clearTimeout(resting);
    dropClock();
    themes.disconnect();
    document.removeEventListener("visibilitychange", onShown);
    picture.remove();
    pv?.repainted.disconnect(onPainted);
    twin.motion?.delete(model.clock);
  });
  fillLayers();
  fillCredit();
  // for tests: what is drawn now, and what it cost
  (twin.motion ??= new Map()).set(model.clock, {
    positions() {
      const [kx, ky] = model.scene.kitchen ?? [0, 0], drawn = motion.active.length <= GLYPHS_MOST ? source.data : null;
      return motion.active.map((trip, i) => {
        const x = drawn ? drawn.x[i] : kx + trip.px, y = drawn ? drawn.y[i] : ky + trip.py;
        return { order: trip.order, x, y, lon: toLon(x), lat: toLat(y) };
      });
    },
    screen: (x, y) => { const [kx, ky] = model.scene.kitchen; return [picture.X(x - kx), picture.Y(y - ky)]; },
    figure: () => pv, time: () => motion.t,
    get held() { return motion.held && [motion.held.from, motion.held.to]; },
    get frames() { return frames; }, get asks() { return motion.asks; }, get looking() { return looking; },
  });
  attach();
  return root;
}
