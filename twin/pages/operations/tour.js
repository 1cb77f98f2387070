// The guided tour: a light on one part of the page after the other, with a sentence on what it tells. Parts that a page
// does not show are left out.

import { el } from "../../views/shared/elements.js";
import { memory } from "../../views/shared/memory.js";
import { dialogOf, iconButton } from "./help.js";
import { findAll } from "./keys.js";

const STOPS = [
  {
    at: ["stage-created", "stage-completed"],
    title: "Where every order is",
    text:
      "Five stages from created to completed. Number, mean time, and how long the oldest order has " +
      "waited: yellow is slow, red needs help. Click a stage to follow its orders alone.",
  },
  {
    at: ["map"],
    title: "Who is on the road",
    text:
      "Drivers move as they did that day. Click a driver or a customer to open the order; press F " +
      "to fit the map to the deliveries.",
  },
  {
    at: ["kpi-orders-hour", "kpi-delivery-time", "kpi-completion", "kpi-active", "kpi-revenue"],
    title: "How it is going",
    text:
      "The figures of the last hour against the target and the usual. Rest the pointer on a number " +
      "and it explains itself.",
  },
  {
    at: ["tab-moments", "moments-list"],
    title: "What stood out",
    text:
      "The moments list ranks what was unusual: short drivers, slow kitchens, sudden demand. One " +
      "click takes you there.",
  },
  {
    at: ["feed", "tab-events"],
    title: "What just happened",
    text: "Every event in plain words, newest first. Click one to go to that moment and its order.",
  },
  {
    at: ["scrubber", "transport"],
    title: "Any moment you like",
    text: "Drag along the day, or press space to play it, up to a thousand times as fast. All panels follow.",
  },
  {
    at: ["link", "report", "present", "help", "more"],
    title: "Show it to others",
    text:
      "Copy a link to exactly this moment, save a picture for a report, or present in full screen. " +
      "Press ? for all keys.",
  },
];
const TOURED = "twin-toured";
const AROUND = 8;
const BESIDE = 14;

/** The part of the page with that name, if it is shown at all; it may lie below the window's edge. */
const partOf = (name) =>
  findAll(`[data-testid="${name}"]`).find(
    (node) => node.checkVisibility({ visibilityProperty: true }) && node.offsetWidth > 0,
  );

/** The rectangle around all parts of a stop, clipped to the window; null if none is in it. */
function litRect(names) {
  const boxes = names
    .map(partOf)
    .filter(Boolean)
    .map((node) => node.getBoundingClientRect());
  if (!boxes.length) return null;
  const left = Math.max(AROUND, Math.min(...boxes.map((b) => b.left)) - AROUND);
  const right = Math.min(innerWidth - AROUND, Math.max(...boxes.map((b) => b.right)) + AROUND);
  const top = Math.max(AROUND, Math.min(...boxes.map((b) => b.top)) - AROUND);
  const bottom = Math.min(innerHeight - AROUND, Math.max(...boxes.map((b) => b.bottom)) + AROUND);
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

/** Where a card of this size stands beside the light: below, above, right, left, else over its lower end. */
function cardPlace(lit, width, height) {
  const inside = (x, most) => Math.min(Math.max(x, BESIDE), Math.max(BESIDE, most - BESIDE));
  const x = inside((lit.left + lit.right - width) / 2, innerWidth - width);
  const y = inside((lit.top + lit.bottom - height) / 2, innerHeight - height);
  if (lit.bottom + BESIDE + height <= innerHeight) return [x, lit.bottom + BESIDE];
  if (lit.top - BESIDE - height >= 0) return [x, lit.top - BESIDE - height];
  if (lit.right + BESIDE + width <= innerWidth) return [lit.right + BESIDE, y];
  if (lit.left - BESIDE - width >= 0) return [lit.left - BESIDE - width, y];
  return [x, inside(lit.bottom - height - BESIDE, innerHeight - height)];
}

function buildTour() {
  let stops = [];
  let at = 0;
  const light = el("div", { class: "light", "aria-hidden": "true" });
  const count = el("span", { class: "mute" });
  const title = el("h2", { id: "tour-title" });
  const text = el("p", {});
  const back = el(
    "button",
    { type: "button", class: "button", onclick: () => go(at - 1), "data-testid": "tour-back" },
    "Back",
  );
  const next = el(
    "button",
    { type: "button", class: "button solid", onclick: () => go(at + 1), "data-testid": "tour-next" },
    "Next",
  );
  const card = el(
    "div",
    { class: "card tour-card", "aria-live": "polite" },
    el(
      "header",
      {},
      count,
      iconButton("close", "End the tour", () => node.close(), { "data-testid": "tour-end" }),
    ),
    title,
    text,
    el("footer", {}, back, next),
  );
  const node = dialogOf(
    { class: "tour", "aria-labelledby": "tour-title", "data-testid": "tour", "data-backdrop": "stay" },
    light,
    card,
  );

  const place = () => {
    const lit = node.open ? litRect(stops[at].at) : null;
    if (!lit) return;
    light.style.cssText =
      `left:${lit.left}px;top:${lit.top}px;width:${lit.right - lit.left}px;` + `height:${lit.bottom - lit.top}px`;
    const [x, y] = cardPlace(lit, card.offsetWidth, card.offsetHeight);
    card.style.left = `${x}px`;
    card.style.top = `${y}px`;
  };
  const go = (n) => {
    if (n >= stops.length) {
      node.close();
      return;
    }
    at = Math.max(0, n);
    const stop = stops[at];
    count.textContent = `${at + 1} of ${stops.length}`;
    title.textContent = stop.title;
    text.textContent = stop.text;
    back.disabled = at === 0;
    next.textContent = at === stops.length - 1 ? "Done" : "Next";
    // on a phone the panels lie below each other: all of what is named, or if it is too high for the window its begin
    for (const name of [...stop.at].reverse()) partOf(name)?.scrollIntoView({ block: "nearest" });
    place();
    next.focus({ preventScroll: true });
  };
  node.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key !== "Escape" && event.key !== "Tab") event.stopPropagation(); // not a step of the replay
    if (by) {
      event.preventDefault();
      if (at + by < stops.length) go(at + by);
    }
  });
  addEventListener("resize", place);
  return {
    node,
    start() {
      memory.set(TOURED, "yes");
      stops = STOPS.map((stop) => ({ ...stop, at: stop.at.filter(partOf) })).filter((stop) => stop.at.length);
      if (!stops.length) return;
      node.open_();
      go(0);
    },
    remove: () => removeEventListener("resize", place),
  };
}

export { buildTour, TOURED };
