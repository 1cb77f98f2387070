// What the pointer is over: a driver, a bubble of drivers, the kitchen or a customer. Hovering tells, clicking selects.

import { el } from "../shared/elements.js";
import { minutesText } from "../shared/numbers.js";
import { AT_RISK, LATE, ON_TIME } from "./motion.js";
import { PINS_MOST } from "./picture.js";

const REACH_PX = 14; // how near the pointer must be to a driver or a pin
const CLICK_PX = 5; // a press that moves farther is a drag

class Pointer {
  /**
   * `host` has near(place, reach): who of a crowd is there, as trips have it; picture, motion, show, shown, pins,
   * clusters, selection, name, kitchen; and ask(order), look(box), redraw(), touch().
   */
  constructor(host) {
    this.host = host;
    this.tip = el("div", { class: "tip", role: "status", hidden: true, "data-testid": "map-tip" });
    this.at = null; // where it is, pixels of the map
    this.found = null; // {kind, key, order?, trip?, cluster?}
    this.detail = null; // what the server told of the order under it
    this.pressed = null;
    this.listening = new AbortController();
  }
  /** Listen to the figure until `remove`: it outlives a drawing of the panel. */
  attach(events_el) {
    const { signal } = this.listening;
    this.events = events_el;
    for (const [name, act] of Object.entries({
      pointermove: this.move,
      pointerdown: this.press,
      pointerup: this.release,
      pointerleave: this.leave,
    }))
      events_el.addEventListener(name, act, { signal });
    for (const name of ["wheel", "pointerdown", "touchmove", "keydown"])
      events_el.addEventListener(name, () => this.host.touch(), { passive: true, capture: true, signal });
  }
  remove() {
    this.listening.abort();
  }
  forget() {
    this.found = this.detail = null;
    this.tip.hidden = true;
  }
  /**
   * What is at a place, {kind, key, order?, trip?, cluster?}; null: nothing.
   * @param {number[]} at pixels of the map
   */
  under([x, y]) {
    const { picture, show, shown, clusters, pins } = this.host;
    if (!picture.view || !this.host.kitchen) return null;
    let best = null;
    let near = REACH_PX;
    for (const trip of shown) {
      if (trip.cluster) continue;
      const d = Math.hypot(picture.X(trip.px) - x, picture.Y(trip.py) - y) - (trip === this.found?.trip ? 3 : 0);
      if (d < near) {
        near = d;
        best = trip;
      }
    }
    if (best) return { kind: "driver", key: best.order, order: best.order, trip: best };
    const other = this.host.near([x, y], REACH_PX);
    if (other) return { kind: "driver", key: other.order, order: other.order, trip: other };
    const cluster = clusters.under([x, y]);
    if (cluster) return { kind: "cluster", key: cluster, cluster };
    if (this.host.known && Math.max(Math.abs(picture.X(0) - x), Math.abs(picture.Y(0) - y)) < 17)
      return { kind: "kitchen", key: "kitchen" };
    const customers = show.customers && shown.length <= PINS_MOST ? [...pins, ...shown] : pins;
    for (const pin of customers) {
      const d = Math.hypot(picture.X(pin.cx) - x, picture.Y(pin.cy) - 12 - y);
      if (d < near) {
        near = d;
        best = pin;
      }
    }
    return (
      best && {
        kind: "customer",
        key: `to ${best.order}`,
        order: best.order,
        trip: best.px === undefined ? null : best,
      }
    );
  }
  /** See what is under the pointer now: it may rest while the drivers move. */
  look() {
    const found = this.at && this.under(this.at);
    const { selection } = this.host;
    if (found?.key !== this.found?.key) {
      const was = this.found;
      this.found = found;
      this.detail = null;
      if (found?.order !== undefined) this.host.ask(found.order);
      if (found?.order !== undefined || was?.order !== undefined) selection.hover(found?.order ?? -1);
      this.events.style.cursor = found ? "pointer" : "";
      this.host.redraw();
    } else if (found) this.found = found;
    this.fillTip();
  }
  move = (event) => {
    if (event.buttons) this.host.touch();
    const box = this.events.getBoundingClientRect();
    this.at =
      event.buttons && event.pointerType === "mouse" ? null : [event.clientX - box.left, event.clientY - box.top];
    this.look();
  };
  press = (event) => {
    this.pressed = [event.clientX, event.clientY];
    this.move(event);
  };
  release = (event) => {
    const { pressed } = this;
    this.pressed = null;
    if (!pressed || event.button || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > CLICK_PX)
      return;
    const box = this.events.getBoundingClientRect();
    this.at = [event.clientX - box.left, event.clientY - box.top];
    const found = this.under(this.at);
    if (found?.order !== undefined) this.host.selection.select(found.order);
    else if (found?.cluster) this.host.open(found.cluster);
    this.look();
  };
  leave = () => {
    this.at = null;
    this.look();
  };
  tell(detail) {
    if (this.found?.order === detail.order) {
      this.detail = detail;
      this.fillTip();
    }
  }
  fillTip() {
    const { tip, found, detail, at } = this;
    const { picture, motion } = this.host;
    tip.hidden = !found || !at;
    if (tip.hidden) return;
    const line = (text, strong) => (text ? el("p", { class: strong ? "strong" : null }, text) : null);
    const count = (n) => `${n.toLocaleString("en")} driver${n === 1 ? "" : "s"}`;
    let lines;
    if (found.kind === "kitchen")
      lines = [el("b", {}, `${this.host.name} kitchen`), line(`${count(motion.onRoad)} on the road`)];
    else if (found.cluster) {
      const { n, shares } = found.cluster;
      const of = [shares[LATE] && `${shares[LATE]} late`, shares[AT_RISK] && `${shares[AT_RISK]} will be late`].filter(
        Boolean,
      );
      lines = [el("b", {}, count(n)), line(of.join(" · ") || "all on time", true), line("Click to zoom in")];
    } else {
      const way = detail?.progress !== undefined ? `${detail.stage} · ${detail.progress} % of the way` : detail?.stage;
      lines = [
        el("b", {}, detail ? `Order ${detail.id}` : "Order …"),
        line(detail?.items, true),
        line(way, true),
        line(detail?.eta ? `Expected at ${this.host.clock.zone.clockText(detail.eta, false)}` : null, true),
        line(this.verdict(detail), true),
        line(detail?.address),
        line(detail?.measured === undefined ? null : detail.measured ? "Position measured" : "Position inferred"),
        line(detail?.live, true),
      ];
      lines[4]?.classList.add(LATE_CLASSES[found.trip?.tone ?? ON_TIME]);
    }
    tip.replaceChildren(...lines.filter(Boolean));
    const on =
      found.trip && motion.active.length + picture.beside <= picture.glyphs
        ? [picture.X(found.trip.px), picture.Y(found.trip.py)]
        : at;
    const near = Math.hypot(on[0] - at[0], on[1] - at[1]) < 2 * REACH_PX ? on : at;
    const { width, height } = picture.view;
    const w = tip.offsetWidth;
    const h = tip.offsetHeight;
    const x = near[0] + 18 + w < width ? near[0] + 18 : near[0] - 18 - w;
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, Math.min(near[1] - 10, height - h - 6))}px)`;
  }
  /** How an order on the road keeps time, as its colour says. */
  verdict(detail) {
    const { motion } = this.host;
    const trip = this.found.order === undefined ? null : motion.trip(this.found.order);
    if (!trip || !detail || Number.isNaN(trip.created)) return null;
    const due = trip.created + motion.target;
    return trip.tone === LATE
      ? `Late: ${minutesText(motion.t - trip.created)} since the order, target ${minutesText(motion.target)}`
      : trip.tone === AT_RISK
        ? `Will be late: ${minutesText(trip.promised - due)} over the target of ${minutesText(motion.target)}`
        : null;
  }
}
const LATE_CLASSES = ["fine", "risk", "late"];

export { Pointer };
