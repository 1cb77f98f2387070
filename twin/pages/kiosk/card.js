// What a wall screen says: caption, clock, place in the tour, and the title card between two places. It keeps the
// page's clock where the show is by epoch time, and tells the static page around it (kioskouter.js) how this one fares.

import { clockFrom } from "../../views/shared/clock.js";
import { el, say } from "../../views/shared/elements.js";
import { stateAt } from "../../views/shared/kitchen_state.js";
import { twin } from "../../views/shared/registry.js";
import { SignIn } from "../../views/shared/sign_in.js";
import { MONTHS } from "../../views/shared/times.js";
import { captionAt } from "./captions.js";
import { WallTime } from "./walltime.js";

const SMALLEST = 0.65; // of a caption's size, below which it is cut after all
const BEAT_MS = 250;
const OFF_S = 0.02; // the clock is put right when it is off by so many seconds of the viewer's time
const TITLE_MS = 2600; // a title card stays so long that it can be read
const TILES_MS = 12_000; // longer than this a scene does not wait for its streets
const STUCK_MS = 20_000; // a playing map that paints no frame for so long is broken
const REFUSAL_MS = 60_000; // whoever sets up a screen reads for so long why it has no logo
const COVERED_MS = 30_000; // a title card that has stayed so long hides something that will not come

/** "Thursday 16 October". */
const longDay = (t, zone) =>
  `${zone.longDayText(t)} ${zone.dateOf(t).getUTCDate()} ${MONTHS[zone.dateOf(t).getUTCMonth()]}`;
/**
 * The address of a picture, and why it is not loaded: a page's address may name pictures of this server, of origins
 * that the server's settings name, and those it carries itself.
 */
function pictureFrom(text, origins) {
  if (!text) return { address: "", refusal: "" };
  try {
    const url = new URL(text, document.baseURI);
    const own = [location.origin, ...origins].includes(url.origin) || url.href.startsWith("data:image/");
    if (own) return { address: url.href, refusal: "" };
    return { address: "", refusal: `The logo is not loaded from ${url.host}: TWIN_LOGO_ORIGINS does not name it.` };
  } catch {
    return { address: "", refusal: "The logo is not loaded: its address is not valid." };
  }
}

/** The caption of a wall screen, and what brings its clock to where the show is. */
class CityCards {
  constructor({ model, view }) {
    this.model = model;
    this.view = view;
    this.clock = clockFrom(this.model);
    this.heading = el("span", { class: "heading" });
    this.logo = el("img", { class: "logo", alt: "", hidden: true });
    this.who = el("div", { class: "who" }, this.logo, this.heading);
    this.headline = el("h1", { "data-testid": "kiosk-headline" });
    this.phase = el("b", { class: "phase", "data-testid": "kiosk-phase" });
    this.sentence = el("span", { "data-testid": "kiosk-detail" });
    this.detail = el("p", { class: "detail" }, this.phase, this.sentence);
    this.time = el("b", { class: "time", "data-testid": "kiosk-time" });
    this.day = el("span");
    this.kitchen = el("b", { class: "kitchen", "data-testid": "kiosk-state" });
    this.bars = el("div", { class: "bars graphic", "aria-hidden": "true" });
    this.title = el("p", { class: "title-headline" });
    this.under = el("p", { class: "title-detail" });
    this.veil = el(
      "div",
      { class: "veil closed", "data-testid": "kiosk-veil" },
      el("div", { class: "title" }, this.title, this.under),
    );
    this.covered = performance.now();
    this.captioned = 0;
    this.fills = [];
    this.painted = { frames: -1, at: performance.now() };
    this.wall = new WallTime(this.model, () => this.align());
    this.first = null;
    // a scene that cannot be loaded says why; nobody stands here to sign in
    this.signIn = new SignIn({ address: this.model.user, told: () => {} });
    if (this.model.user) this.signIn.look();
    this.listen();
    this.watchSize();
    this.assemble();
  }

  listen() {
    addEventListener("message", this.obey);
    this.view.model.document?.on_event("connection_lost", (_, event) => {
      const connection = event.connection?.deref();
      // this page is the last picture now; what its views would ask, nobody hears
      if (connection) connection.send = () => {};
      this.wall.close();
    });
    this.dropClock = this.clock.on(() => this.align());
    this.model.on("scene", () => {
      this.caption();
      this.align();
    });
    this.model.on("arrived", this.align);
    this.model.on("heading", this.dress);
    this.model.on("logo", this.dress);
  }

  watchSize() {
    const beating = setInterval(this.beat, BEAT_MS);
    const fitting = new ResizeObserver(this.fit);
    fitting.observe(this.headline.parentElement ?? this.headline);
    this.model.on("remove", () => {
      clearInterval(beating);
      fitting.disconnect();
      this.wall.remove();
      this.signIn.close();
      this.dropClock();
      removeEventListener("message", this.obey);
    });
    twin.kiosk = {
      wall: this.wall,
      now: () => this.clock.now(),
      epoch: () => this.wall.epoch(),
      scene: () => this.model.scene,
      ready: () => this.arrived() && this.isOpen(),
    }; // for tests
    document.body.inert = true; // nobody touches a wall: nothing in it takes the focus
    this.dress();
    this.caption();
  }

  assemble() {
    this.root = el(
      "header",
      { class: "card-root" },
      this.who,
      el("div", { class: "words" }, this.headline, this.detail),
      el("div", { class: "when" }, this.time, el("span", { class: "day" }, this.kitchen, this.day)),
      this.bars,
      this.veil,
    );
  }

  motion() {
    return twin.motion?.get(this.model.clock);
  }

  arrived() {
    return this.model.scene.number !== undefined && this.model.arrived === this.model.scene.number;
  }

  /** Seconds since the scene's begin, by epoch time. */
  elapsed() {
    const s = this.model.scene;
    return s.held ?? (this.wall.known ? this.wall.epoch() - s.began : NaN);
  }

  /**
   * Put the clock where the show is; while the server is lost, the last picture stands still, as nothing can be told
   * of what follows.
   */
  align = () => {
    if (!this.arrived() || !this.clock.anchor) return;
    const s = this.model.scene;
    const now = this.clock.now();
    if (this.wall.lost) {
      if (this.clock.anchor.playing) this.clock.set({ ...this.clock.anchor, t0: now, age: 0, playing: false }, true);
      return;
    }
    const seconds = this.elapsed();
    if (Number.isNaN(seconds) || s.live) return; // who follows the latest events is where they are
    const t0 = Math.min(s.t + s.speed * Math.max(0, seconds), s.end);
    const playing = s.held === undefined && t0 < s.end;
    if (Math.abs(t0 - now) > OFF_S * s.speed || playing !== this.clock.anchor.playing)
      this.clock.set({ ...this.clock.anchor, t0, age: 0, playing, speed: s.speed }, true);
  };

  /** Whether the map shows the moment, its streets included. */
  isMapped() {
    const drawn = this.motion();
    const figure = drawn?.figure();
    if (!this.model.scene.mapped || drawn?.nowhere) return true;
    if (!figure || !drawn.held || !(this.clock.now() >= drawn.held[0] && this.clock.now() <= drawn.held[1]))
      return false;
    const tiles = figure.model.renderers.map((renderer) => renderer.tile_source).find((source) => source?.tiles);
    const all = tiles ? [...tiles.tiles.values()] : [];
    return all.length > 0 && all.every((tile) => tile.loaded || tile.finished);
  }

  /** Write a long caption smaller rather than cut it. */
  fit = () => {
    this.headline.style.fontSize = "";
    const share = this.headline.clientWidth / this.headline.scrollWidth;
    if (share < 1) {
      const size = parseFloat(getComputedStyle(this.headline).fontSize);
      this.headline.style.fontSize = `${size * Math.max(SMALLEST, share)}px`;
    }
  };

  caption() {
    const s = this.model.scene;
    if (s.number === undefined) return;
    const fresh = this.captioned !== s.number;
    this.captioned = s.number;
    if (s.moves && fresh) {
      const { headline, detail } = captionAt(s, s.t);
      this.title.textContent = headline;
      this.under.textContent = detail;
      this.veil.classList.remove("closed", "lifted");
      this.veil.classList.add("drawn");
      this.covered = performance.now();
    }
    this.word();
    if (this.fills.length !== s.count)
      this.bars.replaceChildren(
        ...(this.fills = Array.from({ length: s.count }, () => el("i", {}))).map((fill) => el("span", {}, fill)),
      );
  }

  /** Write what the caption says at the clock's time. */
  word() {
    const told = this.told();
    this.tell(told);
    if (this.headline.textContent === told.headline && this.sentence.textContent === told.detail) return;
    this.headline.textContent = told.headline;
    say(this.sentence, told.detail);
    this.fit();
  }

  told() {
    return captionAt(this.model.scene, this.arrived() && this.clock.anchor ? this.clock.now() : null);
  }

  /** Say when the caption is not true at the clock's time: not yet, or no more; and colour a trouble while it lasts. */
  tell({ since, until, trouble, detail }) {
    const t = this.clock.anchor ? this.clock.now() : since;
    const ahead = since != null && t < since;
    const over = until != null && t >= until;
    const words = ahead
      ? `Coming at ${this.clock.zone.clockText(since, false)}`
      : over
        ? `Over since ${this.clock.zone.clockText(until, false)}`
        : "";
    const told = words && detail ? `${words} · ` : words;
    if (this.phase.textContent !== told) this.phase.textContent = told;
    const now = !trouble || ahead || !this.arrived() ? "" : over ? "over" : "on";
    if (this.root && this.root.dataset.trouble !== now) this.root.dataset.trouble = now;
  }

  /** Whether the scene is seen, and no title card before it. */
  isOpen() {
    return this.veil.classList.contains("lifted");
  }

  lift() {
    if (!this.arrived() || this.isOpen() || !this.clock.anchor) return;
    const since = performance.now() - this.covered;
    if (
      since > (this.model.scene.number === this.first ? 0 : TITLE_MS) &&
      (this.isMapped() || since > TITLE_MS + TILES_MS)
    ) {
      this.veil.classList.remove("drawn", "closed");
      this.veil.classList.add("lifted");
    }
  }

  beat = () => {
    const s = this.model.scene;
    const now = performance.now();
    const drawn = this.motion();
    this.wall.judge();
    if (this.arrived()) {
      this.first ??= s.number;
      this.align();
      this.lift();
    }
    const seconds = this.elapsed();
    this.fills.forEach((fill, i) => {
      const running = Number.isNaN(seconds) ? 0 : Math.min(100, (100 * seconds) / s.duration);
      fill.style.width = `${i < s.index ? 100 : i > s.index ? 0 : running}%`;
    });
    if (this.arrived() && this.clock.anchor) {
      const t = this.clock.now();
      const { zone } = this.clock;
      const told = zone.clockText(t, false);
      if (this.time.textContent !== told) this.time.textContent = told;
      const day = longDay(t, zone);
      if (this.day.textContent !== day) this.day.textContent = day;
      this.colour(stateAt(this.model.states, t));
      this.word();
    }
    const atEdge = s.live && this.clock.anchor && this.clock.now() >= this.clock.anchor.end; // it waits for events there
    if (!drawn || drawn.frames !== this.painted.frames || !this.clock.moving || atEdge || document.hidden)
      this.painted = { frames: drawn?.frames ?? -1, at: now };
    const stuck =
      now - this.painted.at > STUCK_MS ||
      (!this.isOpen() && !this.wall.lost && this.first !== null && now - this.covered > COVERED_MS);
    if (parent !== window)
      parent.postMessage(
        {
          twin: "beat",
          lost: this.wall.lost,
          closed: this.wall.closed,
          problem: this.model.problem || (now < REFUSAL_MS ? this.refusal : ""),
          remark: this.model.remark,
          ready: this.arrived() && this.isOpen(),
          stuck,
          number: s.number ?? null,
          remember: this.model.remember,
        },
        location.origin,
      );
  };

  /** The kitchen's state, as a word beside the day and as the caption's colour. */
  colour({ state, tone }) {
    const word = state && state !== "calm" ? `${state[0].toUpperCase()}${state.slice(1)} · ` : "";
    if (this.kitchen.textContent !== word) this.kitchen.textContent = word;
    const name = state && state !== "calm" ? tone : "";
    for (const one of ["warn", "bad"]) this.root.classList.toggle(one, one === name);
  }

  dress = () => {
    this.heading.textContent = this.model.heading;
    const { address, refusal } = pictureFrom(this.model.logo, this.model.logo_origins);
    this.refusal = refusal;
    this.logo.hidden = !address;
    this.who.hidden = !address && !this.model.heading;
    if (address) this.logo.src = address;
  };

  obey = (event) => {
    if (event.source !== parent || event.origin !== location.origin) return;
    if (event.data?.twin === "key") this.model.send_msg({ show: event.data.key });
    if (event.data?.twin === "anchor") this.model.send_msg({ show: "restore", anchor: event.data.anchor });
  };
}

function render(view) {
  return new CityCards(view).root;
}

export { render };
