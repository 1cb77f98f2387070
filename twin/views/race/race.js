// A race: the lanes move with the clock, the leader above; below stands who took the lead when, once it has lasted.

import { clockFrom } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { many, NONE } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";

const LOOK_MS = 100; // the lanes glide in between, see race.css
const LISTED = 4; // changes of the lead that are told
const AHEAD = 1.25; // the track is so much longer than the longest lane, and grows in round steps

/** The end of a track on which the longest lane has a value: 1, 2 or 5 times a power of ten. */
function trackOf(value) {
  if (!(value > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(value * AHEAD));
  return ten * [1, 2, 5, 10].find((step) => step * ten >= value * AHEAD);
}

/** The lanes from first to last; those without a value yet last, equal ones in their own order. */
function rankingOf(values, least) {
  const key = (value) => (value === null ? Infinity : least ? value : -value);
  return values.map((_, lane) => lane).sort((a, b) => key(values[a]) - key(values[b]) || a - b);
}

class RaceTrack {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(model);
    this.heading = el("h2", {});
    this.track = el("div", { class: "track" });
    this.told = el("ol", { class: "leads", "data-testid": "race-leads", "aria-label": "Changes of the lead" });
    this.root = el("section", { class: "race", "data-testid": "race" }, this.heading, this.track, this.told);
    this.build();
    this.timer = setInterval(
      guarded(() => this.clock.moving && this.show()),
      LOOK_MS,
    );
    const off = this.clock.on(this.show);
    model.on("race", this.build);
    model.on("remove", () => {
      clearInterval(this.timer);
      off();
    });
  }

  build = () => {
    const { lanes = [], figure = "" } = this.model.race;
    this.heading.textContent = figure;
    this.lanes = lanes.map(({ name }, number) => {
      const parts = {
        rank: el("b", { class: "rank" }),
        bar: el("i", { class: "graphic" }),
        value: el("b", { class: "value" }),
      };
      parts.root = el(
        "div",
        { class: `lane lane-${number}`, "data-testid": "race-lane", style: `--of:${lanes.length}` },
        parts.rank,
        el("span", { class: "name" }, name),
        el("span", { class: "way" }, parts.bar),
        parts.value,
      );
      return parts;
    });
    this.track.replaceChildren(...this.lanes.map(({ root }) => root));
    this.known = "";
    this.show();
  };

  /** Seconds of the kitchen's clock since the race began. */
  get elapsed() {
    const { zone } = this.clock;
    return zone.local(this.clock.now()) - zone.local(this.model.race.start);
  }

  text(value) {
    if (value === null) return NONE;
    return this.model.race.percent ? `${(100 * value).toFixed(value < 0.995 ? 1 : 0)} %` : many(value);
  }

  show = () => {
    const { lanes, every, least } = this.model.race;
    if (!lanes || !this.clock.anchor) return;
    const { elapsed } = this;
    const row = Math.max(0, Math.floor(elapsed / every));
    const values = lanes.map(({ values }) => (elapsed < 0 ? null : (values[Math.min(row, values.length - 1)] ?? null)));
    const end = trackOf(Math.max(0, ...values.map((value) => value ?? 0)));
    rankingOf(values, least).forEach((lane, place) => {
      const { rank, bar, value, root } = this.lanes[lane];
      const words = this.text(values[lane]);
      if (value.textContent !== words) value.textContent = words;
      if (rank.textContent !== String(place + 1)) rank.textContent = String(place + 1);
      root.style.setProperty("--place", String(place));
      root.classList.toggle("first", place === 0 && (values[lane] ?? 0) > 0);
      bar.style.width = `${(100 * (values[lane] ?? 0)) / end}%`;
    });
    this.tell(elapsed);
  };

  /** List the changes of the lead that were known by now, the latest first. */
  tell(elapsed) {
    const { leads, lanes, hold, start } = this.model.race;
    const { zone } = this.clock;
    const known = leads.filter(([at]) => at + hold <= elapsed).slice(-LISTED);
    const key = known.map(([at]) => at).join();
    if (key === this.known) return;
    this.known = key;
    const line = ([at, leader, before, value]) =>
      el(
        "li",
        {},
        el("b", {}, zone.clockText(zone.fromLocal(zone.local(start) + at), false)),
        ` ${lanes[leader].name} ${before === null ? "leads first" : `takes the lead from ${lanes[before].name}`}`,
        el("span", { class: "mute" }, ` at ${this.text(value)}`),
      );
    this.told.replaceChildren(...known.reverse().map(line));
  }
}

function render(view) {
  return new RaceTrack(view).root;
}

export { rankingOf, render, trackOf };
