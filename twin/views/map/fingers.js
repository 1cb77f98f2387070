// The map under fingers, on a page that scrolls: one finger scrolls the page, two move the map, or one after a tap.

import { el } from "../shared/elements.js";

/** The width up to which a page with a map is one column that scrolls, as in its layout.css. */
const NARROW = "(max-width: 760px)";
const TAP_PX = 8; // a touch that moves farther is no tap
const HINT_MS = 1800;

const between = ([a, b]) => [(a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2];
const apart = ([a, b]) => Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY));

class Fingers {
  /** `root` holds the map; `camera` moves it. */
  constructor(root, camera) {
    this.root = root;
    this.camera = camera;
    this.narrow = matchMedia(NARROW);
    this.taken = false; // one finger moves the map
    this.pair = null; // {middle, distance} of two fingers
    this.tapped = null;
    this.timer = 0;
    this.hint = el("p", { class: "touch-hint", hidden: true, "data-testid": "map-touch-hint" });
    this.hint.textContent = "Two fingers move the map, or one after a tap";
    root.append(this.hint);
    const early = { capture: true, passive: false };
    root.addEventListener("touchstart", this.start, early);
    root.addEventListener("touchmove", this.move, early);
    root.addEventListener("touchend", this.end, early);
    root.addEventListener("touchcancel", this.end, early);
    root.addEventListener("pointermove", this.held, early);
    this.narrow.addEventListener("change", this.tune);
    document.addEventListener("pointerdown", this.outside, true);
  }
  /** Bokeh's layer of events lets no finger scroll; what is said on the element itself counts. */
  attach(events) {
    this.events = events;
    this.tune();
  }
  tune = () => {
    this.events?.style.setProperty(
      "touch-action",
      this.narrow.matches && !this.taken ? "pan-x pan-y" : "none",
      "important",
    );
    this.root.classList.toggle("taken", this.narrow.matches && this.taken);
  };
  take(taken) {
    if (this.taken === taken) return;
    this.taken = taken;
    this.tune();
  }
  start = (event) => {
    const { touches } = event;
    this.tapped = touches.length === 1 ? [touches[0].clientX, touches[0].clientY] : null;
    if (touches.length !== 2) return;
    if (event.cancelable) event.preventDefault();
    this.pair = { middle: between(touches), distance: apart(touches) };
  };
  move = (event) => {
    const { touches } = event;
    const [first] = touches;
    if (this.tapped && Math.hypot(first.clientX - this.tapped[0], first.clientY - this.tapped[1]) > TAP_PX) {
      this.tapped = null;
      if (this.narrow.matches && !this.taken && event.composedPath().includes(this.events)) this.explain();
    }
    if (!this.pair || touches.length !== 2) return;
    if (event.cancelable) event.preventDefault();
    const [middle, distance] = [between(touches), apart(touches)];
    const box = this.root.getBoundingClientRect();
    const on = (at) => [at[0] - box.left, at[1] - box.top];
    this.camera.carry(on(this.pair.middle), on(middle), this.pair.distance / distance);
    this.pair = { middle, distance };
  };
  end = (event) => {
    if (event.touches.length < 2) this.pair = null;
    if (event.type === "touchend" && this.tapped && event.composedPath().includes(this.events)) this.take(true);
    this.tapped = null;
  };
  /** Bokeh would zoom with two fingers, too, and move the map a little before the browser takes one for a scroll. */
  held = (event) => {
    if (event.pointerType === "touch" && (this.pair || (this.narrow.matches && !this.taken))) event.stopPropagation();
  };
  outside = (event) => {
    if (!event.composedPath().includes(this.root)) this.take(false);
  };
  explain() {
    clearTimeout(this.timer);
    this.hint.hidden = false;
    this.timer = setTimeout(() => {
      this.hint.hidden = true;
    }, HINT_MS);
  }
  remove() {
    clearTimeout(this.timer);
    this.narrow.removeEventListener("change", this.tune);
    document.removeEventListener("pointerdown", this.outside, true);
  }
}

export { Fingers };
