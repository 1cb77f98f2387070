// What the map asks for beside the drivers' ways: where an order belongs, the customers of a stage, a layer of density.

import { ORDER_LABELS, STATES } from "#python/foundation/stages";
import { ReplayClock } from "../shared/clock.js";
import { guarded } from "../shared/registry.js";
import { movedRow } from "../shared/rows.js";
import { unpack } from "./wire.js";

const PLACES_MOST = 500;
const PINS_WALL = 10;
const PINS_MIN = 600; // the pins of a stage are asked for so long ahead: viewer's seconds, at least data seconds
const PINS_GAP = 1; // at most one question a second
const DETAIL_GAP = 1;
const LATELY = ["slow", "ways"]; // layers of the last minutes, which change with the playhead ...
const DENSITY_STEP = 60;
const DENSITY_GAP = 2; // ... by whole minutes of data, at most every two seconds of the viewer's
const DENSITY_LOST = 20; // seconds after which an answer is not waited for any more

class Asked {
  /**
   * `send(question)` passes a question to the server; `came()` is called when an answer has changed what is to be
   * drawn.
   */
  constructor(clock, send, came) {
    this.clock = clock;
    this.send = send;
    this.came = came;
    this.forget();
  }
  forget() {
    this.places = new Map();
    this.pins = null;
    /** @type {{number: number, rows: Set<number>, all: any[]} | null} the orders of a group and their customers */
    this.group = null;
    this.groupAsked = 0;
    this.forgetDensity();
    this.pinsAsked = this.detailAsked = -Infinity;
    this.detailOf = -1;
  }
  /**
   * Go on with an extended timeline: what is seen is shown until it is asked for anew.
   * @param {number[]} inserted the rows of further orders
   * @param {number[]} seen the orders, by their rows now, whose places are shown
   */
  renew(inserted, seen) {
    const known = new Map([...this.places].map(([order, place]) => [movedRow(order, inserted), place]));
    this.places = new Map();
    for (const order of new Set(seen)) {
      const place = known.get(order);
      if (!place) continue;
      this.places.set(order, { ...place, order });
      this.send({ ask: "place", order });
    }
    this.detailOf = movedRow(this.detailOf, inserted);
    for (const pin of [...(this.pins?.all ?? []), ...(this.group?.all ?? [])])
      pin.order = movedRow(pin.order, inserted);
    if (this.group) this.group.rows = new Set(this.group.all.map((pin) => pin.order));
    if (this.pins) this.pins.to = -Infinity;
  }
  /** Where an order belongs: {id, customer, enter, closed}; null until the answer is here. */
  place(order) {
    if (!this.places.has(order)) {
      if (this.places.size > PLACES_MOST) this.places.clear();
      this.places.set(order, null);
      this.send({ ask: "place", order });
    }
    return this.places.get(order);
  }
  /** Ask what a tooltip says of an order at t, again and again while it changes. */
  detail(order, t) {
    const wall = ReplayClock.wall();
    if (order === this.detailOf && wall - this.detailAsked < DETAIL_GAP) return;
    this.detailOf = order;
    this.detailAsked = wall;
    this.send({ ask: "order", order, t });
  }
  /**
   * The customers of the orders in `stage` at t: the pins to draw, and of how many (some may be too many); those
   * known, while more are being asked for.
   */
  pinsAt(stage, t) {
    const { pins } = this;
    const wall = ReplayClock.wall();
    const speed = this.clock.rate;
    const ahead = Math.max(PINS_MIN, PINS_WALL * speed);
    const short =
      pins?.stage !== stage ||
      t < pins.from ||
      t > pins.to ||
      (this.clock.moving && t > pins.to - ahead / 4 && pins.to < this.clock.anchor.end);
    if (short && (wall - this.pinsAsked > PINS_GAP || this.pinsFor !== stage)) {
      this.pinsAsked = wall;
      this.pinsFor = stage;
      this.send({ ask: "stage", stage, from: t - 60, to: t + ahead });
    }
    if (pins?.stage !== stage) return { drawn: [], total: 0 };
    const here = pins.all.filter((pin) => pin.begin <= t && t < pin.until);
    const older = pins.hidden.reduce((sum, [until, n]) => sum + (t < until ? n : 0), 0);
    return { drawn: pins.most === null ? here : here.slice(-pins.most), total: here.length + older };
  }
  /** The orders of a group with their customers, {rows, all}; null until the answer is here. */
  groupOf({ number }) {
    if (this.groupAsked !== number) {
      this.groupAsked = number;
      this.send({ ask: "group", number });
    }
    return this.group?.number === number ? this.group : null;
  }
  /** The layer of density chosen, at t; what is known of it while another moment of it is being drawn. */
  densityOf({ kind, minutes }, t) {
    if (!kind || Number.isNaN(t)) return null;
    const wall = ReplayClock.wall();
    const { density, flying } = this;
    const lately = LATELY.includes(kind);
    const until = lately ? Math.floor(t / DENSITY_STEP) * DENSITY_STEP : null;
    const here = density?.kind === kind && (!lately || density.minutes === minutes);
    const since = wall - this.densityAsked;
    const wanted = `${kind} ${lately ? `${minutes} ${until}` : ""}`;
    if (
      (here && density.until === until) ||
      (flying && since < DENSITY_LOST && (here || flying.startsWith(`${kind} `)))
    )
      return here ? density : null;
    if (here && since < DENSITY_GAP)
      this.densityTimer ||= setTimeout(
        guarded(() => {
          this.densityTimer = 0;
          this.came();
        }),
        1000 * (DENSITY_GAP - since),
      );
    else {
      this.flying = wanted;
      this.densityAsked = wall;
      this.send({ ask: "density", kind, minutes, t });
    }
    return here ? density : null;
  }
  forgetDensity() {
    this.density = null;
    this.flying = "";
    this.densityAsked = -Infinity;
    clearTimeout(this.densityTimer);
    this.densityTimer = 0;
  }
  receive(m) {
    if (m.tell === "place") this.places.set(m.order, m);
    else if (m.tell === "stage")
      this.pins = { stage: m.stage, from: m.from, to: m.to, most: m.most, hidden: m.hidden, all: pinsOf(m) };
    else if (m.tell === "group") {
      const all = pinsOf(m);
      this.group = { number: m.number, rows: new Set(all.map((pin) => pin.order)), all };
    } else if (m.tell === "density") {
      const taken = (picture) => {
        this.flying = "";
        this.density = { ...m, picture };
        this.came();
      };
      if (!m.url) return taken(null);
      const picture = new Image();
      picture.onload = () => taken(picture);
      picture.onerror = () => taken(null); // a canvas refuses a broken picture, in every frame
      picture.src = m.url;
      return;
    } else return;
    this.came();
  }
}
/** The customers of a stage, in the order in which they came into it. */
function pinsOf(message) {
  const { order, begin, until, cx, cy } = unpack(message);
  return Array.from(order, (row, i) => ({ order: row, begin: begin[i], until: until[i], cx: cx[i], cy: cy[i] }));
}
/**
 * The number of the stage that an order is in at t; -1 before it is known, 5 while it is cancelled, 6 while it has
 * stalled.
 */
function stageAt({ enter, closed, stalls }, t) {
  let stage = -1;
  enter.forEach((entered, k) => {
    if (entered !== null && entered <= t) stage = k;
  });
  if (closed !== null && closed <= t && stage < 4) return 5;
  return stalls.some(([from, to]) => from <= t && (to === null || t < to)) ? 6 : stage;
}
/** What the map writes beside an order that is not on the road at t. */
function placeText(place, t, zone) {
  const stage = stageAt(place, t);
  const words =
    stage < 0
      ? "not ordered yet"
      : stage === 4
        ? `${ORDER_LABELS.completed} at ${zone.clockText(place.enter[4], false)}`
        : ORDER_LABELS[STATES[stage]];
  return `${place.id} · ${words}`;
}

/** What the map writes beside a driver that is followed: the order, and its arrival as the tooltip has it. */
function tagText(place, detail, zone) {
  const eta = detail && detail.order === place.order ? detail.eta : null;
  return eta ? `${place.id} · expected at ${zone.clockText(eta, false)}` : place.id;
}

export { Asked, LATELY, placeText, stageAt, tagText };
