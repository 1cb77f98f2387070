// The transport: clock, buttons, speeds, the head over the scrubber, and the keys of the whole page.

import { followCards } from "../shared/cards.js";
import { clockOf } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { laterMark } from "../shared/later.js";
import { minutesText } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { exactText } from "../shared/times.js";
import { verbsOf } from "../shared/verbs.js";
import { bucketText } from "./axis.js";
import { sectionOf, wholeOf } from "./brush.js";
import { buildDock } from "./dock.js";
import { buildGhost } from "./ghost.js";
import { buildHindsight } from "./hindsight.js";
import { listenToKeys } from "./keys.js";
import { buildLiveEdge } from "./live_edge.js";
import { buildRange } from "./range_picker.js";
import { buildScrubber } from "./scrubber.js";

const PATIENCE_MS = 1000; // what takes longer can be cancelled
/** Between two texts of a clock that moves. Nobody reads sixty a second, and each costs a layout of the page. */
const TOLD_EVERY_MS = 100;

/** The bar with the clock, its buttons and speeds, the scrubber and the range. */
class TransportBar {
  constructor({ model }) {
    this.model = model;
    this.clock = clockOf(this.model.clock);
    this.verbs = verbsOf(this.model, this.clock);
    this.toldAt = -Infinity;
    this.buildControls();
    this.buildLegend();
    this.buildSummary();
    this.buildBar();
    this.begin();
    this.listen();
    this.watchSight();
  }

  buildControls() {
    this.time = el("div", { class: "clock", "data-testid": "clock" });
    this.day = el("span", {});
    this.zone = el("span", { class: "zone", "data-testid": "zone" });
    this.date = el("div", { class: "date mute", "data-testid": "date" }, this.day, this.zone);
    this.play = this.button("play", "Play", "", () => this.verbs.toggle());
    this.play.classList.add("primary");
    const steps = (n) => (event) => this.verbs.step(event.shiftKey ? 10 * n : n);
    this.back = this.button("back", "Step back", "", steps(-1), "step-back");
    this.forward = this.button("forward", "Step forward", "", steps(1), "step-forward");
    this.stop = this.button("stop", "Stop", "Stop: back to the start of the range", () => this.verbs.stop());
    this.loop = this.button("loop", "Loop", "Loop: go on from the start at the end", () =>
      this.verbs.loop(!this.clock.anchor.loop),
    );
    this.speeds = el("div", { class: "speeds", role: "group", "aria-label": "Speed" });
    this.live = buildLiveEdge(this.model, this.clock);
    this.scrubber = buildScrubber(this.model, this.clock, this.verbs, this.live);
    this.ghost = buildGhost(this.model, this.clock);
    this.range = buildRange(this.model, this.clock);
    this.dock = buildDock(this.model, this.clock, this.verbs, () => this.bar.scrollIntoView({ block: "center" }));
  }

  buildLegend() {
    this.legend = el("span", { class: "legend mute", role: "status", "data-testid": "legend" });
    const swatches = el(
      "i",
      { class: "swatches graphic", "aria-hidden": "true" },
      el("i", { class: "fine" }),
      el("i", { class: "tight" }),
      el("i", { class: "short" }),
    );
    this.rule = el(
      "span",
      { class: "rule mute", "data-testid": "ribbon-legend" },
      swatches,
      (this.ruleText = el("span", {}, "Meals waiting per driver")),
    );
    this.swatches = swatches;
    this.below = el(
      "button",
      {
        class: "below",
        type: "button",
        "data-testid": "late-toggle",
        title: "Show under the bars how many minutes were late each hour, and why, instead of the meals waiting",
        onclick: () => {
          this.model.below = this.model.below === "late" ? "waiting" : "late";
        },
      },
      "Late minutes",
    );
  }

  buildSummary() {
    this.summary = el("span", {
      class: "summary",
      role: "group",
      "data-testid": "summary",
      "aria-label": "The whole range",
    });
    this.cancel = el(
      "button",
      {
        class: "range cancel",
        type: "button",
        hidden: true,
        "data-testid": "cancel",
        onclick: () => this.model.send_msg({ verb: "cancel" }),
      },
      "Cancel",
    );
    this.patience = 0;
  }

  buildBar() {
    const controls = el("div", { class: "controls" }, this.back, this.play, this.stop, this.forward, this.loop);
    this.hindsight = buildHindsight(this.clock, this.verbs);
    this.left = el(
      "div",
      { class: "left" },
      el("div", { class: "time" }, this.time, el("div", { class: "dated" }, this.date, this.live.node)),
      this.hindsight.node,
      controls,
      this.speeds,
    );
    this.bar = el(
      "section",
      { class: "bar card", "aria-label": "Replay", "data-testid": "transport" },
      this.left,
      el(
        "div",
        { class: "right" },
        el(
          "div",
          { class: "head" },
          this.legend,
          this.cancel,
          this.rule,
          this.below,
          this.ghost.node,
          this.summary,
          this.scrubber.brush.clear,
          this.scrubber.brush.card,
          this.range.button,
        ),
        this.scrubber.node,
      ),
      this.range.sheet,
      this.dock.node,
    );
    this.bar.classList.toggle("docked", this.model.dock);
    this.frame = 0;
    this.seen = true;

    this.shownIcon = "play";

    this.resync = false;
  }

  begin() {
    this.buildSpeeds();
    this.summarise();
  }

  listen() {
    this.unsubscribe = this.clock.on(this.changed);
    this.model.on("remove", this.live.on(this.changed));
    this.model.on("remove", followCards(this.model, this.bar));
    this.take();
    this.sync();
    this.model.on("anchor", this.take);
    for (const name of ["window", "volume", "moments", "late", "ghost", "days"]) this.model.on(name, this.changed);
    this.model.on("below", () => {
      this.summarise();
      this.changed();
    });
    this.model.on("supply", () => {
      this.summarise();
      this.changed();
    });
    for (const name of ["summary", "so_far"]) this.model.on(name, this.summarise);
    this.model.on("speeds", () => {
      this.buildSpeeds();
      this.controlsOf();
    });
    this.model.on("source", () => {
      this.range.offer();
      this.scrubber.draw();
    });
    this.model.on("busy", this.waiting);
    this.model.on("problem", this.range.refuse);
    this.deafen = listenToKeys(this.model, this.clock, this.verbs, this.scrubber, this.ghost);
    document.addEventListener("visibilitychange", this.awake);
  }

  watchSight() {
    const looked = guarded(([entry]) => {
      this.seen = entry.isIntersecting;
      if (this.model.dock) this.dock.place();
      if (this.seen) this.wake();
    });
    const sight = new IntersectionObserver(looked);
    sight.observe(this.bar);
    this.model.on("remove", () => {
      cancelAnimationFrame(this.frame);
      this.seen = false;
      this.verbs.flush();
      this.unsubscribe();
      sight.disconnect();
      this.scrubber.remove();
      this.ghost.remove();
      this.dock.remove();
      this.range.remove();
      this.deafen();
      document.removeEventListener("visibilitychange", this.awake);
    });
  }

  button(name, label, title, act, id = name) {
    const node = el("button", {
      class: "button",
      type: "button",
      "aria-label": label,
      title,
      "data-testid": id,
      onclick: act,
    });
    node.append(icon(name, 17));
    return node;
  }

  write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  loaded() {
    return !!this.clock.anchor && this.clock.anchor.end > this.clock.anchor.start;
  }

  tick = guarded(() => {
    this.frame = 0;
    if (!this.clock.anchor) return;
    const t = this.clock.now();
    const wall = performance.now();
    if (!this.clock.moving || wall - this.toldAt >= TOLD_EVERY_MS) {
      this.toldAt = wall;
      this.tell(t);
    }
    this.scrubber.move(t);
    if (this.clock.moving && (this.seen || this.model.dock)) this.frame = requestAnimationFrame(this.tick);
    else this.controlsOf();
  });

  /** Write the moment and its clock. */
  tell(t) {
    const { zone } = this.clock;
    this.write(this.time, this.loaded() ? `${zone.dayText(t)} ${zone.bareClockText(t)}` : "--:--:--");
    this.dock.write(this.time.textContent);
    this.write(this.day, this.loaded() ? `${zone.dateText(t)} · ` : "Nothing loaded yet");
    const label = this.loaded() ? zone.label(t) : "";
    if (this.zone.textContent !== label || this.zone.of !== zone) this.explain(zone, t, label);
  }

  /** Write which clock it is; `of` is the zone that was written. */
  explain(zone, t, label) {
    this.zone.of = zone;
    this.zone.textContent = label;
    this.zone.title = label && zone.title(t);
  }

  wake() {
    if (!this.frame) this.frame = requestAnimationFrame(this.tick);
  }

  controlsOf() {
    const moving = this.clock.moving;
    const name = moving ? "pause" : "play";
    if (name !== this.shownIcon) this.play.replaceChildren(icon(name, 17));
    this.shownIcon = name;
    this.play.setAttribute("aria-label", moving ? "Pause" : "Play");
    this.play.title = this.clock.halted
      ? "Stopped: the server does not answer"
      : `${moving ? "Pause" : "Play"} (space)`;
    this.play.setAttribute("aria-disabled", String(!!this.clock.halted));
    this.back.title = `Back ${minutesText(this.clock.anchor.step)} (←, with shift ten times that)`;
    this.forward.title = `Forward ${minutesText(this.clock.anchor.step)} (→, with shift ten times that)`;
    this.loop.setAttribute("aria-pressed", String(!!this.clock.anchor?.loop));
    if (this.hindsight.show()) this.summarise();
    this.live.show();
    this.ghost.show();
    this.dock.show(!!this.model.busy || !this.loaded());
    for (const node of this.speeds.children)
      node.setAttribute(
        "aria-pressed",
        String(Number(node.dataset.speed) === this.clock.anchor?.speed && this.clock.state !== "live"),
      );
  }

  buildSpeeds() {
    this.dock.offer();
    return this.speeds.replaceChildren(
      ...this.model.speeds.map((speed, i) =>
        el(
          "button",
          {
            type: "button",
            "data-speed": speed,
            "data-testid": `speed-${speed}`,
            "aria-label": `${speed} times`,
            onclick: () => this.verbs.speed(speed),
            title:
              speed === 1 ? `As it happened (${i + 1})` : `${exactText(speed)} of kitchen time each second (${i + 1})`,
          },
          `${speed}×`,
        ),
      ),
    );
  }

  waiting = () => {
    const off = !!this.model.busy || !this.loaded();
    clearTimeout(this.patience);
    if (!this.model.busy) this.cancel.hidden = true;
    else if (this.cancel.hidden)
      this.patience = setTimeout(() => {
        this.cancel.hidden = false;
      }, PATIENCE_MS);
    this.bar.toggleAttribute("data-busy", !!this.model.busy);
    this.bar.setAttribute("aria-busy", String(!!this.model.busy));
    this.left.inert = off;
    this.dock.node.inert = off;
    this.scrubber.node.toggleAttribute("data-off", off);
    this.scrubber.slider.setAttribute("aria-disabled", String(off));
    const { edges } = this.model.volume;
    const inner = edges.length > 3 ? 1 : 0; // the first and the last bar may be shorter
    this.write(
      this.legend,
      this.model.busy || (edges.length > 1 ? `Orders per ${bucketText(edges[inner + 1] - edges[inner])}` : ""),
    );
  };

  /** The range in figures: those up to the playhead, or with hindsight those of all that is loaded. */
  summaryParts() {
    const { summary, so_far, window } = this.model;
    if (!this.clock.hindsight) {
      if (!so_far.parts) return [];
      const by = this.clock.zone.clockText(so_far.t, so_far.t % 60 !== 0);
      return [el("em", { title: "The figures of the loaded range, up to the playhead" }, `By ${by}`), so_far.parts];
    }
    if (!summary.length) return [];
    const title = "The figures of all that is loaded, also of what comes after the playhead";
    const head = el("em", { title }, "Range", this.clock.now() < window.end ? laterMark() : "");
    return [head, summary];
  }

  summarise = () => {
    const [head, parts = []] = this.summaryParts();
    this.summary.replaceChildren(
      ...(head ? [head] : []),
      ...parts.map(({ key, text, title }) => el("span", { title, class: key }, text)),
    );
    const late = this.model.below === "late";
    this.below.hidden = !this.model.explains;
    this.below.setAttribute("aria-pressed", String(late));
    this.rule.hidden = !this.model.supply.rule || late;
    this.rule.title = this.model.supply.rule ?? "";
    this.swatches.hidden = this.model.supply.unknown === true;
    this.ruleText.textContent = this.model.supply.unknown
      ? "Meals waiting per driver: – not in the data"
      : "Meals waiting per driver";
  };

  changed = () => {
    this.clock.window = wholeOf(this.model, this.clock);
    this.bar.toggleAttribute("data-section", !!sectionOf(this.model, this.clock));
    this.scrubber.draw();
    this.range.show();
    this.controlsOf();
    this.waiting();
    this.wake();
  };

  take = () => {
    const { epoch, step } = this.model.anchor;
    if (epoch !== undefined) this.clock.set(this.model.anchor, this.resync);
    // what was predicted does not know the steps of its range
    if (epoch === this.clock.anchor?.epoch) this.clock.anchor.step = step;
    this.resync = false;
    this.changed();
  };

  /**
   * The anchor's age was true when it was sent; a page that has just appeared or slept asks how far things have come.
   */
  sync() {
    if (this.clock.anchor?.playing) {
      this.resync = true;
      this.model.send_msg({ verb: "sync" });
    }
  }

  awake = () => {
    if (!document.hidden) {
      this.sync();
      this.wake();
    }
  };
}

function render(view) {
  return new TransportBar(view).bar;
}

export { render };
