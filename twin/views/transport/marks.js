// The moments under the scrubber: a marker each, labels for the gravest, what happened on hover, a click goes there.

import { el, unbroken } from "../shared/elements.js";
import { toldAt } from "../shared/known.js";
import { laterMark } from "../shared/later.js";
import { clamp, snapped, svgNode } from "./axis.js";

/** Half a marker's width and the gap to its label, pixels. */
const MARK = 6;
const MARK_GAP = 2;
const NOTE_GAP = 8;
/** How long a moment that a key has jumped to explains itself, milliseconds. */
const EXPLAINED = 6000;

/**
 * `scale` is {x(t), width()}, `known()` what was known of troubles (known.js). Returns the row of markers, the note and
 * the band that explain the one pointed at.
 */
function buildMarks(model, clock, verbs, scale, known) {
  const row = el("div", { class: "marks", role: "group", "aria-label": "Moments", "data-testid": "moments" });
  const band = el("div", { class: "band", hidden: true });
  const note = el("div", { class: "note", hidden: true, "data-testid": "moment-note" });
  const spoken = el("div", { class: "spoken", role: "status" });
  let marks = [];
  let timer = 0;

  const hide = () => {
    clearTimeout(timer);
    band.hidden = note.hidden = true;
  };
  const explain = (moment) => {
    clearTimeout(timer);
    const told = toldAt(moment, clock.now(), known(), clock);
    const left = Math.max(0, scale.x(told.start));
    const right = Math.min(scale.width(), scale.x(told.end));
    band.hidden = note.hidden = false;
    band.style.cssText = `left:${left}px;width:${Math.max(2, right - left)}px`;
    band.classList.toggle("quiet", moment.quiet);
    note.replaceChildren(
      el("b", {}, told.title),
      el("span", { class: "when" }, told.words),
      told.later ? laterMark() : "",
      el("p", {}, ...unbroken(told.sentence)),
    );
    const size = note.offsetWidth;
    const beside = left - size - NOTE_GAP >= 0 ? left - size - NOTE_GAP : right + NOTE_GAP; // not over what it explains
    note.style.left = `${clamp(beside, 0, Math.max(0, scale.width() - size))}px`;
  };
  const build = () => {
    hide();
    marks = model.moments.map((moment, rank) => {
      const label = el("span", { class: "name" }, moment.label);
      const node = el("button", {
        class: `mark${moment.quiet ? " quiet" : ""}`,
        type: "button",
        "data-testid": "moment",
        "data-kind": moment.kind,
        style: `z-index:${model.moments.length - rank}`,
        "aria-label": `${moment.title}, ${moment.when}. ${moment.sentence}`,
        onclick: () => verbs.visit(moment.at),
        onfocus: () => explain(moment),
        onblur: hide,
        onpointerenter: () => explain(moment),
        onpointerleave: hide,
      });
      node.append(
        svgNode(
          "svg",
          { viewBox: "0 0 12 10", width: 12, height: 10, "aria-hidden": "true" },
          svgNode("path", { d: "M6 1L11 9H1Z" }),
        ),
        label,
      );
      return { moment, node, label };
    });
    // in the order of time, as the tab key and a reader go through them
    row.replaceChildren(...[...marks].sort((a, b) => a.moment.at - b.moment.at).map(({ node }) => node));
  };
  /**
   * Place the markers; a label is shown where it covers neither a marker nor a graver moment's label. Quiet markers
   * give way.
   */
  const draw = () => {
    const width = scale.width();
    const taken = [];
    for (const mark of marks) {
      mark.x = clamp(scale.x(mark.moment.at), 0, width);
      mark.node.style.left = `${snapped(mark.x)}px`;
      mark.label.hidden = false;
    }
    const sizes = marks.map(({ label }) => label.offsetWidth); // all read before the first is changed: one layout
    const free = (from, to) =>
      from >= -MARK &&
      to <= width + MARK &&
      taken.every(([low, high]) => to < low - MARK_GAP || from > high + MARK_GAP);
    const place = (quiet) => {
      const ranked = marks
        .map((mark, i) => ({ mark, size: sizes[i] }))
        .filter(({ mark }) => mark.moment.quiet === quiet);
      for (const { mark } of ranked) {
        mark.node.classList.toggle("covered", quiet && !free(mark.x - MARK, mark.x + MARK));
        taken.push([mark.x - MARK, mark.x + MARK]);
      }
      for (const { mark, size } of ranked) {
        const near = marks
          .filter(({ x, node }) => Math.abs(x - mark.x) < 2 * MARK && !node.classList.contains("covered"))
          .map(({ x }) => x); // a heap shares one label
        const right = Math.max(...near) + MARK + 2 * MARK_GAP;
        const left = Math.min(...near) - MARK - 2 * MARK_GAP;
        const side = free(right, right + size) ? "right" : free(left - size, left) ? "left" : "";
        mark.label.hidden = !side || mark.node.classList.contains("covered");
        mark.label.style.cssText =
          side === "left" ? `right:${mark.x - left + MARK * 2}px;left:auto` : `left:${right - mark.x + MARK * 2}px`;
        if (!mark.label.hidden) taken.push(side === "right" ? [right, right + size] : [left - size, left]);
      }
    };
    place(false);
    place(true);
  };
  /** Dim the markers of what lies after the playhead. */
  const move = (t) => {
    for (const { moment, node } of marks) node.classList.toggle("ahead", moment.at > t);
  };
  /** Go to the next moment after the playhead (way 1), or the one before (-1); from the last on to the first. */
  const jump = (way) => {
    const now = clock.now();
    const inTime = [...marks].sort((a, b) => way * (a.moment.at - b.moment.at));
    const next = inTime.find(({ moment }) => way * (moment.at - now) > 0.5) ?? inTime[0];
    if (!next) return;
    verbs.visit(next.moment.at);
    explain(next.moment);
    const told = toldAt(next.moment, clock.now(), known(), clock);
    spoken.textContent = `${told.title}, ${told.words}. ${told.sentence}`;
    timer = setTimeout(hide, EXPLAINED);
  };
  return { row, band, note, spoken, build, draw, move, jump, remove: () => clearTimeout(timer) };
}

export { buildMarks };
