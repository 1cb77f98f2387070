// What a wall screen says: caption, clock, place in the tour, and the title card between two places. It keeps the page's clock
// where the show is by epoch time, and tells the static page around it (kioskouter.js) how this one fares.

import { clockFrom } from "../../views/shared/clock.js";
import { el } from "../../views/shared/elements.js";
import { twin } from "../../views/shared/registry.js";
import { clockText, dateOf, MONTHS } from "../../views/shared/times.js";
import { WallTime } from "./walltime.js";

const SMALLEST = 0.65; // of a caption's size, below which it is cut after all
const BEAT_MS = 250;
const OFF_S = 0.02; // the clock is put right when it is off by so many seconds of the viewer's time
const TITLE_MS = 2600; // a title card stays so long that it can be read
const TILES_MS = 12_000; // longer than this a scene does not wait for its streets
const STUCK_MS = 20_000; // a playing map that paints no frame for so long is broken
const COVERED_MS = 30_000; // a title card that has stayed so long hides something that will not come

/** "Thursday 16 October". */
const longDay = (t) =>
  `${["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"][dateOf(t).getUTCDay()]} ${dateOf(t).getUTCDate()} ${MONTHS[dateOf(t).getUTCMonth()]}`;
/** An address for a picture; only what a page may fetch, or carries itself. */
function pictureFrom(text) {
  if (!text) return "";
  try {
    const url = new URL(text, document.baseURI);
    return ["http:", "https:"].includes(url.protocol) || url.href.startsWith("data:image/") ? url.href : "";
  } catch {
    return "";
  }
}

function render({ model, view }) {
  const clock = clockFrom(model);
  const heading = el("span", { class: "heading" });
  const logo = el("img", { class: "logo", alt: "", hidden: true });
  const who = el("div", { class: "who" }, logo, heading);
  const headline = el("h1", { "data-testid": "kiosk-headline" });
  const detail = el("p", { class: "detail", "data-testid": "kiosk-detail" });
  const time = el("b", { class: "time", "data-testid": "kiosk-time" });
  const day = el("span", { class: "day" });
  const bars = el("div", { class: "bars", "aria-hidden": "true" });
  const title = el("p", { class: "title-headline" });
  const under = el("p", { class: "title-detail" });
  const veil = el(
    "div",
    { class: "veil closed", "data-testid": "kiosk-veil" },
    el("div", { class: "title" }, title, under),
  );
  let covered = performance.now();
  let captioned = 0;
  let fills = [];
  let painted = { frames: -1, at: performance.now() };

  const motion = () => twin.motion?.get(model.clock);
  const arrived = () => model.scene.number !== undefined && model.arrived === model.scene.number;
  const wall = new WallTime(model, () => align());
  /** Seconds since the scene's begin, by epoch time. */
  const elapsed = () => {
    const s = model.scene;
    return s.held ?? (wall.known ? wall.epoch() - s.began : NaN);
  };

  /** Put the clock where the show is; while the server is lost, the last picture stands still, as nothing can be told of what follows. */
  function align() {
    if (!arrived() || !clock.anchor) return;
    const s = model.scene;
    const now = clock.now();
    if (wall.lost) {
      if (clock.anchor.playing) clock.set({ ...clock.anchor, t0: now, age: 0, playing: false }, true);
      return;
    }
    const seconds = elapsed();
    if (Number.isNaN(seconds)) return;
    const t0 = Math.min(s.t + s.speed * Math.max(0, seconds), s.end);
    const playing = s.held === undefined && t0 < s.end;
    if (Math.abs(t0 - now) > OFF_S * s.speed || playing !== clock.anchor.playing)
      clock.set({ ...clock.anchor, t0, age: 0, playing, speed: s.speed }, true);
  }
  /** Whether the map shows the moment, its streets included. */
  function isMapped() {
    const drawn = motion();
    const figure = drawn?.figure();
    if (!model.scene.mapped || drawn?.nowhere) return true;
    if (!figure || !drawn.held || !(clock.now() >= drawn.held[0] && clock.now() <= drawn.held[1])) return false;
    const tiles = figure.model.renderers.map((renderer) => renderer.tile_source).find((source) => source?.tiles);
    const all = tiles ? [...tiles.tiles.values()] : [];
    return all.length > 0 && all.every((tile) => tile.loaded || tile.finished);
  }
  /** Write a long caption smaller rather than cut it. */
  function fit() {
    headline.style.fontSize = "";
    const share = headline.clientWidth / headline.scrollWidth;
    if (share < 1)
      headline.style.fontSize = `${parseFloat(getComputedStyle(headline).fontSize) * Math.max(SMALLEST, share)}px`;
  }
  function caption() {
    const s = model.scene;
    if (s.number === undefined) return;
    const fresh = captioned !== s.number;
    captioned = s.number;
    if (s.moves && fresh) {
      title.textContent = s.headline;
      under.textContent = s.detail;
      veil.classList.remove("closed", "lifted");
      veil.classList.add("drawn");
      covered = performance.now();
    }
    headline.textContent = s.headline;
    detail.textContent = s.detail;
    fit();
    if (fills.length !== s.count)
      bars.replaceChildren(
        ...(fills = Array.from({ length: s.count }, () => el("i", {}))).map((fill) => el("span", {}, fill)),
      );
  }
  /** Whether the scene is seen, and no title card before it. */
  const isOpen = () => veil.classList.contains("lifted");
  function lift() {
    if (!arrived() || isOpen() || !clock.anchor) return;
    const since = performance.now() - covered;
    if (since > (model.scene.number === first ? 0 : TITLE_MS) && (isMapped() || since > TITLE_MS + TILES_MS)) {
      veil.classList.remove("drawn", "closed");
      veil.classList.add("lifted");
    }
  }
  let first = null;
  function beat() {
    const s = model.scene;
    const now = performance.now();
    const drawn = motion();
    wall.judge();
    if (arrived()) {
      first ??= s.number;
      align();
      lift();
    }
    const seconds = elapsed();
    fills.forEach((fill, i) => {
      fill.style.width = `${i < s.index ? 100 : i > s.index || Number.isNaN(seconds) ? 0 : Math.min(100, (100 * seconds) / s.duration)}%`;
    });
    if (arrived() && clock.anchor) {
      const t = clock.now();
      const told = clockText(t, false);
      if (time.textContent !== told) time.textContent = told;
      if (day.textContent !== longDay(t)) day.textContent = longDay(t);
    }
    if (!drawn || drawn.frames !== painted.frames || !clock.moving || document.hidden)
      painted = { frames: drawn?.frames ?? -1, at: now };
    const stuck =
      now - painted.at > STUCK_MS || (!isOpen() && !wall.lost && first !== null && now - covered > COVERED_MS);
    if (parent !== window)
      parent.postMessage(
        {
          twin: "beat",
          lost: wall.lost,
          closed: wall.closed,
          problem: model.problem,
          ready: arrived() && isOpen(),
          stuck,
          number: s.number ?? null,
          remember: model.remember,
        },
        location.origin,
      );
  }
  function dress() {
    heading.textContent = model.heading;
    const address = pictureFrom(model.logo);
    logo.hidden = !address;
    who.hidden = !address && !model.heading;
    if (address) logo.src = address;
  }
  const obey = (event) => {
    if (event.source === parent && event.origin === location.origin && event.data?.twin === "key")
      model.send_msg({ show: event.data.key });
  };
  addEventListener("message", obey);
  view.model.document?.on_event("connection_lost", (_, event) => {
    const connection = event.connection?.deref();
    if (connection) connection.send = () => {}; // this page is the last picture now; what its views would ask, nobody hears
    wall.close();
  });
  const dropClock = clock.on(() => align());
  model.on("scene", () => {
    caption();
    align();
  });
  model.on("arrived", align);
  model.on("heading", dress);
  model.on("logo", dress);
  const beating = setInterval(beat, BEAT_MS);
  const fitting = new ResizeObserver(fit);
  fitting.observe(headline.parentElement ?? headline);
  model.on("remove", () => {
    clearInterval(beating);
    fitting.disconnect();
    wall.remove();
    dropClock();
    removeEventListener("message", obey);
  });
  twin.kiosk = {
    wall,
    now: () => clock.now(),
    epoch: () => wall.epoch(),
    scene: () => model.scene,
    ready: () => arrived() && isOpen(),
  }; // for tests
  document.body.inert = true; // nobody touches a wall: nothing in it takes the focus
  dress();
  caption();
  return el(
    "header",
    { class: "card-root" },
    who,
    el("div", { class: "words" }, headline, detail),
    el("div", { class: "when" }, time, day),
    bars,
    veil,
  );
}

export { render };
