// The scrubber: the range's orders as bars, beneath them the ribbon of waiting meals, and the playhead that can be
// dragged.

import { el } from "../shared/elements.js";
import { knownAt, spellsAt } from "../shared/known.js";
import { laterMark } from "../shared/later.js";
import { minutesText } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { DAY } from "../shared/times.js";
import {
  axisTicks,
  barsPath,
  clamp,
  counted,
  countTicks,
  hatching,
  PRESSURE_TICKS,
  ribbonHeight,
  ribbonPaths,
  ribbonText,
  snapped,
  svgNode,
  TICKS,
} from "./axis.js";
import { buildBrush, sectionOf, wholeOf } from "./brush.js";
import { stepPath } from "./ghost.js";
import { TIMELINE_KEYS } from "./keys.js";
import { buildLateStrip } from "./late_strip.js";
import { CORRECTED, PROVISIONAL } from "./live_edge.js";
import { buildMarks } from "./marks.js";

/** Pixels around the playhead's knob where a press takes the knob, not the strip it stands on. */
const KNOB = 9;
/** Pixels that a finger goes before it drags. */
const TOUCH_SLOP = 6;
/** Pixels that a section's edge snaps to, in neat units of time. */
const SNAP = 1;
const moved = (from, to) => Math.abs(to.clientX - from.clientX) > TOUCH_SLOP;

/** Build it; `slider` is what takes keys and the focus, `brush` the section, `jump(way)` goes from moment to moment. */
function buildScrubber(model, clock, verbs, live) {
  const rest = svgNode("path", {});
  const running = svgNode("path", { class: "running", "data-testid": "running-bar" });
  const done = svgNode("path", {});
  const levels = ["fine", "tight", "short"].map((name) => svgNode("path", { class: name }));
  const ghostLine = svgNode("path", { class: "ghost-line", "data-testid": "ghost-line" });
  const ghostRibbon = svgNode("path", { class: "ghost-line" });
  const bars = (...paths) => svgNode("svg", { class: "bars", "aria-hidden": "true" }, ...paths);
  const lines = el("div", { class: "lines" });
  const labels = el("div", { class: "labels", "aria-hidden": "true" });
  const counts = el("div", { class: "scale", "data-testid": "count-scale", "aria-hidden": "true" });
  const pressures = el("div", { class: "scale", "data-testid": "ribbon-scale", "aria-hidden": "true" });
  const lateStrip = el("div", { class: "scale", "data-testid": "late-scale", "aria-hidden": "true" });
  const inner = el("div", { class: "inner" }, bars(done));
  const played = el("div", { class: "played" }, inner);
  const column = el("div", { class: "column", hidden: true });
  const tip = el("div", { class: "tip", hidden: true, "data-testid": "tip" });
  const playhead = el("div", { class: "playhead", "data-testid": "playhead" });
  const empty = el("p", { class: "empty", hidden: true, "data-testid": "empty" });
  const levelLines = el("div", { class: "lines" });
  const track = el(
    "div",
    { class: "track" },
    lines,
    levelLines,
    bars(rest, running),
    played,
    bars(ghostLine),
    live.band,
    live.corrections,
  );
  const ribbon = svgNode(
    "svg",
    { class: "ribbon", "data-testid": "ribbon", "aria-hidden": "true" },
    hatching(),
    ...levels,
    ghostRibbon,
  );
  const ahead = el("i", {});
  const slider = el(
    "div",
    { class: "slider", role: "slider", tabindex: "0", "aria-label": "Playhead", "data-testid": "scrubber" },
    track,
    ribbon,
    el("div", { class: "ahead", "aria-hidden": "true" }, ahead),
  );
  let width = 0;
  let height = 0;
  let ribbonHeightNow = 0;
  let drawnX = null;
  let pointer = null;
  let resume = false;
  let spoken = -1;

  const whole = () => wholeOf(model, clock);
  const xOf = (t) => {
    const { start, end } = whole();
    return end > start ? ((t - start) / (end - start)) * width : 0;
  };
  const timeAt = (event) => {
    const { start, end } = whole();
    return (
      start + clamp((event.clientX - track.getBoundingClientRect().left) / Math.max(1, width), 0, 1) * (end - start)
    );
  };
  const usable = () => whole().end > whole().start && !model.busy;
  const scale = {
    x: xOf,
    time: timeAt,
    usable,
    width: () => width,
    unit: () => {
      const { start, end } = whole();
      const pixel = (SNAP * (end - start)) / Math.max(1, width);
      return TICKS.find((s) => s >= pixel) ?? TICKS.at(-1);
    },
  };
  const put = (x, ...words) => {
    tip.replaceChildren(...words);
    tip.hidden = false;
    tip.style.left = `${clamp(x - tip.offsetWidth / 2, 0, Math.max(0, width - tip.offsetWidth))}px`;
  };
  const brush = buildBrush(model, clock, verbs, scale, (section, x) => {
    node.classList.toggle("brushing", !!section);
    if (section)
      put(
        x,
        el("b", {}, clock.zone.spanText(section.start, section.end)),
        ` · ${minutesText(section.end - section.start)}, again and again`,
      );
    else tip.hidden = true;
  });
  const shared = sharedState(model.clock, "known");
  const known = () => shared.value ?? [];
  const marks = buildMarks(model, clock, verbs, scale, known);
  const late = buildLateStrip(model, clock, verbs, scale, put, () => {
    tip.hidden = true;
  });
  const plot = el(
    "div",
    { class: "plot" },
    brush.strip,
    slider,
    counts,
    pressures,
    lateStrip,
    late.node,
    late.legend,
    marks.row,
    labels,
    ...brush.outside,
    column,
    marks.band,
    playhead,
    empty,
    tip,
    marks.note,
    marks.spoken,
  );
  const node = el("div", { class: "scrubber graphic" }, plot);

  const short = () => {
    const spells = model.supply.short ?? [];
    return clock.hindsight || !clock.anchor ? spells : spellsAt(spells, model.moments, clock.now(), known());
  };
  /** What the ribbon's spells are of: when was looked last, and whether the whole range is told. */
  const lookedAt = (t) => (clock.hindsight ? "hindsight" : knownAt(known(), t)?.t);
  let looked;
  const drawRibbon = (t) => {
    looked = lookedAt(t);
    const supply = { ...model.supply, short: short() };
    for (const [i, d] of ribbonPaths(supply, model.volume.edges, xOf, ribbonHeightNow).entries())
      levels[i].setAttribute("d", d);
  };
  /** The orders of the fullest bar, the ghost's among them. */
  const fullest = () => Math.max(0, ...model.volume.counts, ...(model.ghost.counts ?? []).map((n) => n ?? 0));
  /** The other day as a line over the bars, and over the ribbon. */
  const drawGhost = (edges, most) => {
    const { counts = [], waiting = [], road = [] } = model.ghost;
    const fits = (values) => (values.length === edges.length - 1 ? values : []);
    const heights = fits(counts).map((n) => (n === null ? null : n / most));
    ghostLine.setAttribute("d", stepPath(edges, heights, xOf, height));
    const pressure = fits(waiting).map((meals, i) => (meals === null ? null : ribbonHeight(meals, road[i])));
    ghostRibbon.setAttribute("d", stepPath(edges, pressure, xOf, ribbonHeightNow));
  };
  const drawBars = () => {
    const { edges, counts } = model.volume;
    const most = Math.max(1, fullest());
    const over = live.running ? counts.slice(0, -1) : counts; // the last bar of a live kitchen still grows
    const path = barsPath({ edges, counts: over }, xOf, height, most);
    rest.setAttribute("d", path);
    done.setAttribute("d", path);
    const last = { edges: edges.slice(-2), counts: counts.slice(over.length) };
    running.setAttribute("d", barsPath(last, xOf, height, most));
    live.draw(xOf, width);
    drawRibbon(clock.anchor ? clock.now() : 0);
    drawGhost(edges, most);
    const { start, end } = model.source;
    empty.hidden = !model.volume.counts.length || model.volume.counts.some((n) => n > 0);
    const covered = start === undefined ? "" : `: the data covers ${clock.zone.rangeText(start, end)}`;
    empty.textContent = `No orders in this range${covered}.`;
  };
  /** Write both scales: two numbers of orders beside the bars, with a line each, and the ends of the ribbon. */
  const drawScales = () => {
    const most = fullest();
    const top = slider.offsetTop;
    const at = (share, of) => `${(1 - share) * of}px`;
    const ticks = width ? countTicks(most) : [];
    counts.style.top = `${top + track.offsetTop}px`;
    counts.replaceChildren(
      ...ticks.map((n) => el("b", { style: `top:${at(n / most, height)}` }, n.toLocaleString("en-US"))),
    );
    levelLines.replaceChildren(...ticks.map((n) => el("u", { style: `top:${snapped((1 - n / most) * height)}px` })));
    const worst = late.most();
    lateStrip.hidden = worst === null;
    lateStrip.style.top = `${late.node.offsetTop + 2}px`;
    lateStrip.replaceChildren(el("b", { style: "top:6px" }, String(worst)));
    pressures.hidden = !model.supply.waiting || model.below === "late";
    pressures.style.top = `${top + track.offsetTop + height + 2}px`;
    pressures.replaceChildren(
      ...PRESSURE_TICKS.map(([meals, share]) => el("b", { style: `top:${at(share, ribbonHeightNow)}` }, String(meals))),
    );
  };
  const drawAxis = () => {
    const { start, end } = whole();
    if (!(end > start) || !width) {
      labels.replaceChildren();
      lines.replaceChildren();
      return;
    }
    const ticks = axisTicks(start, end, width, clock.zone);
    labels.replaceChildren(
      ...ticks.map(({ t, label, day }) => {
        const x = xOf(t);
        const edge = x < 18 ? " first" : x > width - 18 ? " last" : "";
        return el("span", { class: `label${day ? " day" : ""}${edge}`, style: `left:${x}px` }, label);
      }),
    );
    const midnights = [];
    if ((end - start) / DAY <= 62)
      for (const t of clock.zone.ticks(start + 1, end - 1, DAY))
        midnights.push(el("i", { class: "day", style: `left:${snapped(xOf(t))}px` }));
    lines.replaceChildren(
      ...ticks.filter(({ day }) => !day).map(({ t }) => el("i", { style: `left:${snapped(xOf(t))}px` })),
      ...midnights,
    );
  };
  const drawn = {};
  /** Draw what does not move; only when the data, the range or the size changed. */
  const draw = (force = false) => {
    const now = {
      volume: model.volume,
      supply: model.supply,
      late: model.late,
      below: model.below,
      moments: model.moments,
      ghost: model.ghost,
      source: model.source,
      state: clock.state,
      final: live.final(),
      ...whole(),
    };
    brush.draw();
    const { start, end } = clock.anchor ?? whole();
    slider.setAttribute("aria-valuemin", start);
    slider.setAttribute("aria-valuemax", end);
    if (!force && Object.keys(now).every((key) => drawn[key] === now[key])) return;
    if (drawn.moments !== now.moments) marks.build();
    Object.assign(drawn, now);
    drawnX = null;
    node.classList.toggle("with-late", model.below === "late");
    late.draw();
    drawBars();
    drawScales();
    drawAxis();
    marks.draw();
  };
  /** Move the playhead; nothing is touched before it has come a device pixel further. */
  const move = (t) => {
    const x = snapped(xOf(t));
    if (x !== drawnX) {
      drawnX = x;
      playhead.style.transform = `translateX(${x}px)`;
      // a window of full width, pushed left with its content held in place: the compositor moves it, nothing is painted
      played.style.transform = `translateX(${x - width}px)`;
      inner.style.transform = `translateX(${width - x}px)`;
      ahead.style.transform = `translateX(${x}px)`;
      late.move(x);
      marks.move(t);
    }
    if (lookedAt(t) !== looked) drawRibbon(t);
    const second = Math.floor(performance.now() / 1000);
    if (second !== spoken || !clock.moving) {
      spoken = second;
      slider.setAttribute("aria-valuenow", Math.round(t));
      slider.setAttribute("aria-valuetext", clock.zone.momentText(t));
    }
  };

  const inside = (t) => {
    const section = sectionOf(model, clock);
    return !section || (t >= section.start && t <= section.end);
  };
  const point = (event) => {
    const { edges, counts } = model.volume;
    const t = timeAt(event);
    let i = 0;
    while (i < counts.length - 1 && edges[i + 1] <= t) i++;
    const known = counts.length > 0 && t >= edges[0];
    column.hidden = !known;
    if (known) {
      const left = Math.max(0, xOf(edges[i]));
      column.style.left = `${left}px`;
      column.style.width = `${Math.min(width, xOf(edges[i + 1])) - left}px`;
    }
    const seconds = whole().end - whole().start < 7200;
    const words = [el("b", {}, `${clock.zone.dayText(t)} ${clock.zone.clockText(t, seconds)}`)];
    if (t > clock.now()) words.push(laterMark());
    if (known) words.push(` · ${counted(counts[i], "order", "orders")} ${clock.zone.spanText(edges[i], edges[i + 1])}`);
    const other = model.ghost.counts?.[i] ?? null;
    if (known && other !== null) words.push(el("em", {}, ` · ${model.ghost.label}: ${other.toLocaleString("en-US")}`));
    if (known && model.supply.waiting) {
      const [averages, level] = ribbonText({ ...model.supply, short: short() }, i, t, clock.zone);
      words.push(el("br"), averages, el("em", {}, level && ` · ${level}`));
    }
    if (known && live.running && i === counts.length - 1) words.push(el("em", {}, " so far"));
    if (!inside(t)) words.push(el("em", {}, " · outside the section"));
    if (live.isProvisional(t)) words.push(el("br"), el("em", {}, PROVISIONAL));
    else if (known && live.isCorrected(edges[i], edges[i + 1])) words.push(el("br"), el("em", {}, CORRECTED));
    put(xOf(t), ...words);
  };
  const unpoint = () => {
    column.hidden = true;
    tip.hidden = true;
  };
  const hold = (t) => {
    if (!inside(t)) brush.refuse();
    verbs.hold(t);
  };

  const scrub = (event) => {
    pointer = event.pointerId;
    resume = clock.moving;
    slider.setPointerCapture(pointer);
    node.classList.add("dragging");
    hold(timeAt(event));
    point(event);
  };
  const pressed = (event) => event.button === 0 && pointer === null && usable();
  // a finger that goes up or down scrolls the page: what it pressed is a scrub only once it goes sideways, or lifts
  let finger = null;
  slider.addEventListener("pointerdown", (event) => {
    if (!pressed(event)) return;
    if (event.pointerType === "touch") finger = event;
    else (event.shiftKey ? brush.begin : scrub)(event);
  });
  const settleFinger = (event) => {
    if (event.pointerId !== finger?.pointerId) return;
    const began = event.type !== "pointercancel" && (event.type === "pointerup" || moved(finger, event));
    if (event.type === "pointermove" && !began) return;
    finger = null;
    if (began) scrub(event);
  };
  for (const type of ["pointermove", "pointerup", "pointercancel"]) slider.addEventListener(type, settleFinger);
  brush.strip.addEventListener("pointerdown", (event) => {
    if (!pressed(event)) return;
    const knob = Math.abs(event.clientX - playhead.getBoundingClientRect().left) <= KNOB;
    (knob ? scrub : brush.begin)(event);
  });
  slider.addEventListener("pointermove", (event) => {
    if (!usable()) return;
    if (event.pointerId === pointer) verbs.hold(timeAt(event));
    if (event.pointerId === pointer || event.pointerType === "mouse") point(event);
  });
  const release = (event) => {
    if (event.pointerId !== pointer) return;
    // what a finger pressed first has it until it goes sideways, and loses it then to the slider
    if (event.type === "lostpointercapture" && event.target !== slider) return;
    pointer = null;
    node.classList.remove("dragging");
    if (event.pointerType !== "mouse") unpoint();
    const { t0, end, loop } = clock.anchor;
    if (resume && (t0 < end || loop)) verbs.play(t0);
    else verbs.flush();
  };
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) slider.addEventListener(type, release);
  slider.addEventListener("pointerleave", () => {
    if (pointer === null) unpoint();
  });
  slider.addEventListener("keydown", (event) => {
    if (!usable() || event.ctrlKey || event.metaKey || event.altKey) return;
    const binding = TIMELINE_KEYS.find(({ keys }) => keys.includes(event.key.toLowerCase()));
    if (!binding) return;
    event.preventDefault();
    binding.act(event, { clock, verbs });
  });

  const resized = guarded(() => {
    const box = track.getBoundingClientRect();
    const low = ribbon.getBoundingClientRect().height;
    if (box.width === width && box.height === height && low === ribbonHeightNow) return;
    ({ width, height } = box);
    ribbonHeightNow = low;
    draw(true);
    if (clock.anchor) move(clock.now());
  });
  const observer = new ResizeObserver(resized);
  observer.observe(track);
  const off = shared.on(() => clock.anchor && drawRibbon(clock.now()));
  return {
    node,
    slider,
    draw,
    move,
    brush,
    jump: marks.jump,
    remove: () => {
      observer.disconnect();
      off();
      marks.remove();
    },
  };
}

export { buildScrubber };
