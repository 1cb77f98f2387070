// The lifecycle of one order as a small Gantt: a bar per stage over the usual one, and the playhead that moves over
// them.

import { STAGE_LABELS, STALLED_AFTER } from "#python/foundation/stages";
import { el, icon } from "../shared/elements.js";
import { laterMark } from "../shared/later.js";
import { minutesText } from "../shared/numbers.js";
import { STATE_ICONS } from "../shared/stages.js";
import { exactText } from "../shared/times.js";
import { driverWait, shared } from "./ledger.js";

/** The stages that have a length, and the words beside their bars. */
const STAGE_ROWS = {
  created: STAGE_LABELS.created,
  cooking: STAGE_LABELS.cooking,
  ready: STAGE_LABELS.ready,
  out_for_delivery: STAGE_LABELS.out_for_delivery,
};
/** A stage stands out when it took half as long again as usual, and at least two minutes longer. */
const slow = (took, usual) => usual !== null && took > 1.5 * usual && took - usual >= 120;

/** What an order is at t: [state, since], null before its first event. As Timeline.at counts it. */
function stateAt(story, t) {
  if (t < story.first) return null;
  if (story.delivered !== null && story.delivered <= t) return ["completed", story.delivered];
  if (story.cancelled !== null && story.cancelled <= t) return ["cancelled", story.cancelled];
  const stall = story.stalls.find(({ start, end }) => start <= t && (end === null || end > t));
  if (stall) return ["stalled", stall.start];
  const stage = story.stages.findLast(({ start }) => start <= t);
  return stage ? [stage.key, stage.start] : null;
}

/** What is usual in a stage (seconds, null if unknown) by the hour of t in it, as the pipeline has it for that hour. */
function usualAt({ start, end, usual }, t) {
  const inside = Math.max(start, end === null ? t : Math.min(t, end));
  return usual.findLast(([from]) => from <= inside)?.[1] ?? null;
}

/** How long from one moment to another, to the second: the seconds that the clock shows, so that parts add up. */
const spent = (start, end) => Math.floor(end) - Math.floor(start);

/** Build the chart of a story; `visit(t)` is called with the moment of what is clicked. Returns {node, show(t)}. */
function ganttOf(story, visit, zone) {
  const open = story.delivered === null && story.cancelled === null;
  const keys = Object.keys(STAGE_ROWS);
  const last = Math.max(-1, ...story.stages.map(({ key }) => keys.indexOf(key)));
  const reached = (key) => keys.indexOf(key) < last;
  const rows = Object.entries(STAGE_ROWS)
    .map(([key, label]) => {
      const symbol = STATE_ICONS[key];
      const span = story.stages.find((stage) => stage.key === key);
      if (!span)
        return {
          node: el(
            "li",
            { class: "lane none" },
            el("span", { class: "lane-name" }, icon(symbol, 13), label),
            el("span", { class: "track" }),
            el("span", { class: "took mute" }, story.cut && open && !reached(key) ? "not yet" : "not seen"),
          ),
        };
      const { start, end } = span;
      const known = span.usual.length > 0;
      const done = el("i", { class: "done" });
      const ghost = known ? el("i", { class: "ghost" }) : null;
      const wait = el("i", { class: "driver-wait", hidden: true, "data-testid": `driver-wait-${key}` });
      const gap = el("i", { class: "gap-mark", hidden: true, "data-testid": `gap-${key}` });
      const bar = el(
        "button",
        {
          type: "button",
          class: "bar",
          "data-testid": `bar-${key}`,
          style: `--fill:var(--tw-${key}-fill)`,
          onclick: () => visit(start),
        },
        done,
      );
      const took = el("span", { class: "took" }, el("span", {}), el("small", {}));
      const usually = known ? el("span", { class: "usual" }) : null;
      const node = el(
        "li",
        { class: "lane", "data-testid": `lane-${key}` },
        el("span", { class: "lane-name", style: `--text:var(--tw-${key})` }, icon(symbol, 13), label),
        el("span", { class: "track" }, bar, ghost, gap, wait),
        el("span", { class: "numbers" }, took, usually),
      );
      return { key, label, start, end, span, node, bar, done, ghost, gap, wait, took, usually };
    })
    .filter(Boolean);
  const marks = [];
  const mark = (lane, t, symbol, text, className) => {
    if (t === null || !lane?.bar) return;
    const node = el("button", {
      type: "button",
      class: `mark ${className}`,
      "aria-label": `${text}, ${zone.clockText(t)}`,
      title: `${text} ${zone.clockText(t)}`,
      "data-testid": `mark-${className}`,
      onclick: () => visit(t),
    });
    node.append(icon(symbol, 12));
    lane.node.querySelector(".track").append(node);
    marks.push({ node, t });
  };
  const laneAt = (t) => rows.findLast((lane) => lane.bar && lane.start <= t) ?? rows.find((lane) => lane.bar);
  if (story.arrived !== null) mark(laneAt(story.arrived), story.arrived, "car", "Driver arrived", "arrived");
  if (story.cancelled !== null) mark(laneAt(story.cancelled), story.cancelled, "close", "Cancelled", "cancelled");
  const due = story.created === null ? null : story.created + story.target;
  const line = el("i", { class: "now", "data-testid": "order-now" });
  const limit = el("i", { class: "limit" });
  const from = el(
    "button",
    { type: "button", class: "edge", onclick: () => visit(story.first) },
    zone.clockText(story.first, false),
  );
  const until = el("button", { type: "button", class: "edge until", onclick: () => visit(story.last) });
  const limitText = el("span", { class: "limit-text", title: "Created + the delivery target" }, "target");
  const node = el(
    "div",
    { class: "gantt graphic", role: "group", "aria-label": "Lifecycle of the order", "data-testid": "order-gantt" },
    el("ol", {}, ...rows.map((row) => row.node)),
    el("div", { class: "over", "aria-hidden": "true" }, limit, line),
    el("div", { class: "axis" }, el("span", { class: "ends" }, from, limitText, until)),
  );

  const place = (t, d0, d1) => `${(100 * Math.min(Math.max((t - d0) / (d1 - d0), 0), 1)).toFixed(2)}%`;
  const put = (target, text) => {
    if (target.textContent !== text) target.textContent = text;
  };
  const set = (target, name, value) => {
    if (target.style.getPropertyValue(name) !== value) target.style.setProperty(name, value);
  };
  /** Lay what lasted [start, end] over a lane that lasts until `to`, as far as it is in it; returns the seconds. */
  const lay = (mark, lane, to, stretch, d0, d1) => {
    const seconds = stretch ? shared(stretch, [lane.start, to]) : 0;
    mark.hidden = seconds < 1;
    if (mark.hidden) return 0;
    const from = Math.max(stretch[0], lane.start);
    set(mark, "left", place(from, d0, d1));
    set(mark, "width", place(d0 + seconds, d0, d1));
    return seconds;
  };
  function show(now) {
    const d0 = story.first;
    const waited = driverWait(story, now);
    const gaps = story.ledger.at(-1)?.gaps ?? [];
    const promised = story.cut && open && due !== null ? due : 0; // the axis would grow with every tick
    const reach = Math.max(story.last, open ? Math.min(now, story.last + STALLED_AFTER) : 0, promised);
    const d1 = Math.max(reach, d0 + 60);
    for (const lane of rows) {
      if (!lane.bar) continue;
      const end = lane.end ?? (story.cut ? Math.min(now, d1) : d1);
      const past = Math.min(Math.max((now - lane.start) / Math.max(end - lane.start, 1), 0), 1);
      set(lane.bar, "left", place(lane.start, d0, d1));
      set(lane.bar, "width", `max(4px, ${place(d0 + end - lane.start, d0, d1)})`);
      set(lane.done, "width", `${(100 * past).toFixed(1)}%`);
      const usual = usualAt(lane.span, now);
      if (lane.ghost) {
        lane.ghost.hidden = usual === null;
        set(lane.ghost, "left", place(lane.start, d0, d1));
        set(lane.ghost, "width", place(Math.min(d0 + (usual ?? 0), d1 - lane.start + d0), d0, d1));
        lane.ghost.classList.toggle("cut", lane.start + (usual ?? 0) > d1);
        put(lane.usually, usual === null ? "" : `usual ${minutesText(usual)}`);
      }
      const later = now < lane.start;
      const going = !later && (lane.end === null || now < lane.end);
      const took = spent(lane.start, going ? now : end);
      const figure = later && lane.end === null ? "" : exactText(took);
      const kind = later ? "later" : going ? "so far" : "";
      put(lane.took.firstChild, figure);
      put(lane.took.lastChild, kind);
      lane.took.lastChild.classList.toggle("later-mark", later);
      const bad = !later && slow(took, usual);
      lane.node.classList.toggle("later", later);
      lane.node.classList.toggle("slow", bad);
      const stood = lay(lane.wait, lane, end, waited, d0, d1);
      const hole = gaps.find((one) => shared([one.start, one.end], [lane.start, end]) >= 1);
      const lost = lay(lane.gap, lane, end, hole ? [hole.start, hole.end] : null, d0, d1);
      const words =
        `${lane.label}: ${figure} ` +
        `${kind}${usual === null ? "" : `, usual ${minutesText(usual)}`}` +
        `${bad ? ", much longer than usual" : ""}` +
        `${lost ? `, of it ${minutesText(lost)} not recorded` : ""}` +
        `${stood ? `, of it ${minutesText(stood)} the driver waiting for the food` : ""}, ` +
        `from ${zone.clockText(lane.start)}`;
      if (lane.bar.title !== words) {
        lane.bar.title = words;
        lane.bar.setAttribute("aria-label", `${words}. Go there`);
      }
    }
    for (const { node: dot, t } of marks) {
      set(dot, "left", place(t, d0, d1));
      dot.classList.toggle("later", now < t);
    }
    set(line, "left", place(now, d0, d1));
    line.hidden = now < d0 || now > d1;
    limit.hidden = limitText.hidden = due === null || due > d1;
    if (!limit.hidden) {
      set(limit, "left", place(due, d0, d1));
      set(limitText, "left", place(due, d0, d1));
    }
    const share = due === null ? 0 : (due - d0) / (d1 - d0);
    limitText.classList.toggle("tight", share < 0.24 || share > 0.6);
    const later = now < d1 && !story.cut;
    if (until.dataset.t !== String(d1) || until.classList.contains("later") !== later) {
      until.dataset.t = String(d1);
      until.classList.toggle("later", later);
      until.replaceChildren(zone.clockText(d1, false), ...(later ? [laterMark()] : []));
    }
  }
  return { node, show };
}

export { ganttOf, spent, stateAt };
