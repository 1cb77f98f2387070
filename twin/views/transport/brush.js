// The section: a part of the loaded range that is played alone, brushed on the strip over the bars.

import { cardButton } from "../shared/cards.js";
import { el, icon } from "../shared/elements.js";
import { clamp, snapped } from "./axis.js";

/** Pixels that a press must move to become a brush. */
const BRUSH_SLOP = 4;

/** All that is loaded, as far as events have come; the clock's range before anything said so. */
function wholeOf(model, clock) {
  const { start, end: told } = model.window;
  const end = told === undefined ? told : Math.max(told, clock.anchor?.edge ?? told);
  return end > start ? { start, end } : { start: clock.anchor?.start ?? 0, end: clock.anchor?.end ?? 0 };
}
/** The section that the clock is confined to; null if it plays all, or (between two messages) another range. */
function sectionOf(model, clock) {
  const whole = wholeOf(model, clock);
  const { start, end } = clock.anchor ?? whole;
  return start >= whole.start && end <= whole.end && end > start && (start > whole.start || end < whole.end)
    ? { start, end }
    : null;
}

/**
 * The strip with the section's bar and its two handles, what dims the rest, and the button that clears it.
 * `scale` is {x(t), time(event), unit(), usable(), width()}; `tell(section, x)` shows what is being brushed (null: no
 * more).
 */
function buildBrush(model, clock, verbs, scale, tell) {
  const handle = (edge, name) =>
    el("div", {
      class: `handle ${edge}`,
      role: "slider",
      tabindex: "0",
      "aria-label": name,
      "data-testid": `section-${edge}`,
      title: `${name}: drag it, or ${edge === "start" ? "[" : "]"} sets it at the playhead`,
    });
  const from = handle("start", "Start of the section");
  const to = handle("end", "End of the section");
  const bar = el("div", { class: "section" });
  const strip = el(
    "div",
    {
      class: "strip",
      "data-testid": "strip",
      title:
        "Drag here (or with shift on the bars) to play only a part, again and again. Keys: [ and ] " +
        "set its start and end at the playhead, \\ clears it.",
    },
    bar,
    from,
    to,
  );
  const before = el("div", { class: "outside" });
  const after = el("div", { class: "outside" });
  const words = el("span", {});
  const clear = el("button", {
    class: "clear",
    type: "button",
    hidden: true,
    "data-testid": "section-clear",
    title: "Play the whole range again (\\)",
    onclick: () => verbs.wholeRange(),
  });
  clear.append(icon("close", 12), words);
  const card = cardButton(model, "the part that is played", () => ({ ...sectionOf(model, clock), kind: "" }));
  card.hidden = true;
  let drag = null;

  const draw = () => {
    const section = drag?.section ?? sectionOf(model, clock);
    const none = !section;
    for (const node of [bar, from, to, before, after]) node.hidden = none;
    clear.hidden = card.hidden = !sectionOf(model, clock);
    if (none) return;
    const { start, end } = section;
    const left = snapped(scale.x(start));
    const right = snapped(scale.x(end));
    bar.style.cssText = `left:${left}px;width:${right - left}px`;
    before.style.cssText = `left:0;width:${left}px`;
    after.style.cssText = `left:${right}px;right:0`;
    for (const [node, x, t, low, high] of [
      [from, left, start, wholeOf(model, clock).start, end],
      [to, right, end, start, wholeOf(model, clock).end],
    ]) {
      node.style.left = `${x}px`;
      node.setAttribute("aria-valuemin", low);
      node.setAttribute("aria-valuemax", high);
      node.setAttribute("aria-valuenow", t);
      node.setAttribute("aria-valuetext", clock.zone.momentText(t));
    }
    words.textContent = `${clock.anchor.loop ? "Loop" : "Only"} ${clock.zone.spanText(start, end)}`;
    clear.setAttribute("aria-label", `Clear the section ${clock.zone.spanText(start, end)}`);
  };
  /** From a to b, in whatever order, on neat times, at least one unit long and inside the range. */
  const neat = (a, b) => {
    const whole = wholeOf(model, clock);
    const unit = scale.unit();
    const neat = (wall) => Math.round(wall / unit) * unit - wall; // on the kitchen's clock
    const round = (t) => clamp(t + neat(clock.zone.local(t)), whole.start, whole.end);
    let start = round(Math.min(a, b));
    let end = round(Math.max(a, b));
    if (end - start < unit) end = Math.min(whole.end, start + unit);
    if (end - start < unit) start = Math.max(whole.start, end - unit);
    return { start, end };
  };
  const over = () => {
    drag = null;
    tell(null);
    draw();
  };
  /**
   * Begin to brush where the pointer is pressed; with `fixed` the one edge stays there, as a handle's drag wants it.
   */
  const begin = (event, fixed = null) => {
    drag = {
      pointer: event.pointerId,
      x: event.clientX,
      t: fixed ?? scale.time(event),
      moved: fixed !== null,
      section: null,
    };
    strip.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  strip.addEventListener("pointermove", (event) => {
    if (drag?.pointer !== event.pointerId) return;
    drag.moved ||= Math.abs(event.clientX - drag.x) >= BRUSH_SLOP;
    if (!drag.moved) return;
    drag.section = neat(drag.t, scale.time(event));
    draw();
    tell(drag.section, scale.x(scale.time(event)));
  });
  const release = (event) => {
    if (drag?.pointer !== event.pointerId) return;
    const { section, moved, t } = drag;
    over();
    if (event.type !== "pointerup") return;
    if (section) verbs.section(section.start, section.end);
    else if (!moved) verbs.seek(t);
  };
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) strip.addEventListener(type, release);
  strip.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drag) {
      over();
      event.stopPropagation();
    }
  });
  for (const [node, edge] of [
    [from, "start"],
    [to, "end"],
  ]) {
    node.addEventListener("pointerdown", (event) => {
      const section = sectionOf(model, clock);
      if (event.button !== 0 || !section || !scale.usable()) return;
      event.stopPropagation();
      begin(event, edge === "start" ? section.end : section.start);
      node.focus({ preventScroll: true });
    });
    node.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      const section = sectionOf(model, clock);
      if (!way || !section || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const unit = scale.unit();
      const whole = wholeOf(model, clock);
      const moved = section[edge] + way * unit * (event.shiftKey ? 10 : 1);
      if (edge === "start") verbs.section(clamp(moved, whole.start, section.end - unit), section.end);
      else verbs.section(section.start, clamp(moved, section.start + unit, whole.end));
    });
  }
  /** Let the section begin or end at the playhead; the other edge stays if it can, else it is the range's own. */
  const setEdge = (edge) => {
    const whole = wholeOf(model, clock);
    const known = sectionOf(model, clock) ?? whole;
    const t = clock.now();
    const start = edge === "start" ? t : known.start < t ? known.start : whole.start;
    const end = edge === "end" ? t : known.end > t ? known.end : whole.end;
    if (end > start) verbs.section(start, end);
  };
  return {
    strip,
    outside: [before, after],
    clear,
    card,
    draw,
    begin,
    setEdge,
    /** The section does not reach where somebody wants to go: show what holds the playhead back. */
    refuse: () =>
      clear.animate?.(
        [
          { transform: "none" },
          { transform: "translateX(-3px)" },
          { transform: "translateX(3px)" },
          { transform: "none" },
        ],
        { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 220 },
      ),
  };
}

export { buildBrush, sectionOf, wholeOf };
