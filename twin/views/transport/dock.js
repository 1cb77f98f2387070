// On a phone: the clock, play and the speed in a bar at the bottom, which stays in reach while the page scrolls.

import { el, icon } from "../shared/elements.js";

/** The width up to which the operations page is one column that scrolls, as in its layout.css. */
const NARROW = "(max-width: 760px)";

/**
 * Build it; it opens itself while the page is narrow, if the page wants it (`model.dock`). It is a popover, so that it
 * stands on the window's edge whatever contains the transport. `top()` shows the transport's own controls.
 */
function buildDock(model, clock, verbs, top) {
  const time = el("button", { class: "dock-clock", type: "button", title: "Show the timeline", onclick: top });
  const play = el("button", { class: "button primary", type: "button", "data-testid": "dock-play" });
  play.addEventListener("click", () => verbs.toggle());
  const speed = el("select", { class: "dock-speed", "aria-label": "Speed", "data-testid": "dock-speed" });
  speed.addEventListener("change", () => verbs.speed(Number(speed.value)));
  const node = el(
    "div",
    { class: "dock", popover: "manual", role: "group", "aria-label": "Replay", "data-testid": "dock" },
    time,
    play,
    speed,
  );
  const narrow = matchMedia(NARROW);
  let moment = "";
  const fill = () => {
    if (narrow.matches && time.textContent !== moment) time.textContent = moment;
  };
  const place = () => {
    fill();
    if (!node.isConnected || !model.dock) return;
    if (node.matches(":popover-open") !== narrow.matches) node.togglePopover(narrow.matches);
  };
  narrow.addEventListener("change", place);
  let shown = "";
  return {
    node,
    place,
    write: (text) => {
      moment = text;
      fill();
    },
    offer: () => speed.replaceChildren(...model.speeds.map((n) => el("option", { value: n }, `${n}×`))),
    /** Show whether it plays, how fast, and whether anything can be played at all. */
    show: (off) => {
      const name = clock.moving ? "pause" : "play";
      if (name !== shown) play.replaceChildren(icon(name, 20));
      shown = name;
      play.setAttribute("aria-label", clock.moving ? "Pause" : "Play");
      if (clock.anchor) speed.value = String(clock.anchor.speed);
      node.inert = off;
    },
    remove: () => narrow.removeEventListener("change", place),
  };
}

export { buildDock };
