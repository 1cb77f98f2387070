// Late minutes by hour and cause, in the ribbon's place: a stack for each hour, which explains itself when pointed at.
// A click, or Enter, goes to the hour's end and asks why; Escape goes back.

import { el } from "../shared/elements.js";
import { laterMark } from "../shared/later.js";
import { selectionOf } from "../shared/verbs.js";
import { clamp, snapped, svgNode } from "./axis.js";

/**
 * Late minutes of hours, as Why late? has them, and of their causes: key, name, minutes.
 * @typedef {{edges: number[], minutes: number[], causes: [string, string, number[]][], rule: string}} Late
 */

/** Causes that an hour's words name. */
const NAMED = 3;

/** The minutes that an hour's stack shows: what made up for others' delays takes nothing off it. */
const stacked = ({ causes }, hour) => causes.map(([, , minutes]) => Math.max(0, minutes[hour]));
const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);

/**
 * The stacks as one SVG path per cause, the first at the bottom; `height` pixels at the worst hour.
 * @param {Late} late
 * @param {(t: number) => number} x
 * @param {number} height
 */
function stackPaths(late, x, height) {
  const paths = late.causes.map(() => "");
  const hours = late.edges.length - 1;
  const most = Math.max(1, ...Array.from({ length: hours }, (_, hour) => sumOf(stacked(late, hour))));
  for (let hour = 0; hour < hours; hour++) {
    const left = snapped(x(late.edges[hour]));
    const right = Math.max(left + 1, snapped(x(late.edges[hour + 1])) - 1);
    let bottom = height;
    stacked(late, hour).forEach((minutes, k) => {
      const top = bottom - (minutes / most) * height;
      if (bottom - top > 0.1) paths[k] += `M${left} ${bottom}V${top}H${right}V${bottom}Z`;
      bottom = top;
    });
  }
  return { paths, most };
}

/**
 * The cause at a height of an hour's stack, as a share of the worst hour's; above it the largest.
 * @param {Late} late
 * @param {number} hour
 * @param {number} share
 * @param {number} most minutes of the worst hour
 */
function causeAt(late, hour, share, most) {
  const values = stacked(late, hour);
  let below = 0;
  for (const [k, value] of values.entries()) {
    below += value;
    if (value > 0 && share * most <= below) return k;
  }
  return values.indexOf(Math.max(...values));
}

/**
 * Build it; `scale` is {x(t), time(event), usable(), width()}, `put(x, ...words)` shows the tip and `unput()` hides it.
 */
function buildLateStrip(model, clock, verbs, scale, put, unput) {
  const selected = selectionOf(model);
  const stacks = svgNode("svg", { class: "stacks", "aria-hidden": "true" });
  const ahead = el("i", {});
  const cursor = el("span", { class: "cursor", hidden: true });
  const node = el(
    "button",
    { class: "late", type: "button", "data-testid": "late-strip", hidden: true },
    stacks,
    cursor,
    el("span", { class: "ahead", "aria-hidden": "true" }, ahead),
  );
  const legend = el("div", { class: "late-legend mute", hidden: true, "data-testid": "late-legend" });
  let at = { hour: -1, cause: 0 };
  let before = null; // where the playhead was before the click
  let most = 1;

  const late = () => /** @type {Late} */ (model.late);
  const ready = () => late().edges?.length > 1;
  const hourOf = (t) =>
    clamp(
      late().edges.findLastIndex((edge) => edge <= t),
      0,
      late().edges.length - 2,
    );
  /** In words: the hour, its late minutes and of what, the chosen cause first. */
  const words = ({ hour, cause }) => {
    const { edges, minutes, causes } = late();
    const values = stacked(late(), hour);
    const total = minutes[hour];
    const order = values
      .map((_, k) => k)
      .sort((a, b) => Number(b === cause) - Number(a === cause) || values[b] - values[a]);
    const named = order.filter((k) => values[k] >= 0.5).slice(0, NAMED);
    return {
      span: clock.zone.spanText(edges[hour], edges[hour + 1]),
      total: total ? `${total.toLocaleString("en-US")} late minutes` : "nothing late",
      causes: named.map((k) => `${causes[k][1].toLowerCase()} ${Math.round(values[k])}`),
    };
  };
  const show = () => {
    const { edges } = late();
    const left = Math.max(0, scale.x(edges[at.hour]));
    const right = Math.min(scale.width(), scale.x(edges[at.hour + 1]));
    cursor.hidden = false;
    cursor.style.cssText = `left:${left}px;width:${right - left}px`;
    const { span, total, causes } = words(at);
    const [first, ...others] = causes;
    node.setAttribute("aria-label", `${span}: ${total}${causes.length ? `, ${causes.join(", ")}` : ""}. Ask why`);
    put(
      (left + right) / 2,
      el("b", {}, span),
      edges[at.hour + 1] > clock.now() ? laterMark() : "",
      ` · ${total}`,
      el("br"),
      el("em", {}, first ?? ""),
      others.map((one) => ` · ${one}`).join(""),
    );
  };
  const hide = () => {
    cursor.hidden = true;
    unput();
  };
  const choose = (hour, cause) => {
    const causes = late().causes.length;
    at = { hour: clamp(hour, 0, late().edges.length - 2), cause: clamp(cause, 0, Math.max(0, causes - 1)) };
    show();
  };
  const point = (event) => {
    if (!ready() || !scale.usable()) return;
    const hour = hourOf(scale.time(event));
    const box = stacks.getBoundingClientRect();
    choose(hour, causeAt(late(), hour, (box.bottom - event.clientY) / Math.max(1, box.height), most));
  };
  const explain = () => {
    const { edges, causes } = late();
    const end = Math.min(edges[at.hour + 1], clock.window?.end ?? Infinity);
    before ??= clock.now();
    verbs.visit(end);
    model.send_msg({ verb: "why", part: causes[at.cause]?.[0] ?? "" });
    if (node.matches(":hover, :focus-visible")) show();
    else hide();
  };
  /** Go from hour to hour, at first from the playhead's, or to the next cause of the hour that has minutes. */
  const walk = (key) => {
    if (at.hour < 0) at = { hour: hourOf(clock.now()), cause: 0 };
    if (!key) return choose(at.hour, at.cause);
    if (key === "ArrowLeft" || key === "ArrowRight") return choose(at.hour + (key === "ArrowRight" ? 1 : -1), at.cause);
    const values = stacked(late(), at.hour);
    const some = values.map((_, k) => k).filter((k) => values[k] >= 0.5);
    const next = some[clamp(some.indexOf(at.cause) + (key === "ArrowUp" ? 1 : -1), 0, some.length - 1)];
    return choose(at.hour, next ?? at.cause);
  };

  node.addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(event));
  node.addEventListener("pointerleave", hide);
  node.addEventListener("focus", () => {
    if (ready() && node.matches(":focus-visible")) walk("");
  });
  node.addEventListener("blur", () => {
    before = null;
    hide();
  });
  node.addEventListener("click", (event) => {
    if (!ready() || !scale.usable()) return;
    if (event.detail) point(event); // a key has chosen before
    if (at.hour >= 0) explain();
  });
  node.addEventListener("keydown", (event) => {
    if (!ready() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^Arrow/.test(event.key)) walk(event.key);
    else if (event.key === "Escape" && before !== null) {
      verbs.visit(before);
      before = null;
      selected.showAll();
    } else return;
    event.preventDefault();
    event.stopPropagation(); // the arrows step the playhead elsewhere
  });

  /** Draw the stacks and the legend; `height` in pixels. */
  const draw = () => {
    const on = model.below === "late";
    node.hidden = legend.hidden = !on;
    if (!on) return;
    const { causes = [], rule = "" } = late();
    if (!ready()) {
      stacks.replaceChildren();
      legend.textContent = "Late minutes by hour: comparing with what is usual …";
      return;
    }
    node.title = "";
    const drawn = stackPaths(late(), scale.x, stacks.getBoundingClientRect().height);
    most = drawn.most;
    stacks.replaceChildren(...drawn.paths.map((d, k) => svgNode("path", { class: causes[k][0], d })));
    if (at.hour < 0) node.setAttribute("aria-label", "Late minutes by hour and cause: arrows choose, Enter asks why");
    legend.title = rule;
    legend.replaceChildren(
      el("span", {}, causes.length ? "Late minutes each hour:" : "No delivery was late in this range."),
      ...causes
        .filter(([, , minutes]) => minutes.some((some) => some > 0))
        .map(([key, name]) => el("span", { class: "cause" }, el("i", { class: `${key} graphic` }), name)),
    );
  };
  return {
    node,
    legend,
    draw,
    most: () => (ready() && model.below === "late" ? Math.round(most) : null),
    move: (x) => {
      ahead.style.transform = `translateX(${x}px)`;
    },
  };
}

export { buildLateStrip, causeAt, stackPaths };
