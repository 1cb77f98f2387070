// A swipe of one finger across the page leads to the neighbour of what is shown, as the tabs and their arrow keys do.

import { guarded } from "../../views/shared/registry.js";

const LEAST_PX = 60; // to the side; less is a tap that slipped
const STEEPEST = 0.6; // up or down, of the way to the side; more scrolls the page
const LONGEST_MS = 800; // slower is a finger that follows the lines it reads
const OWN = "input, select, textarea, [role=slider], .map.taken, dialog, [popover]"; // what has a use of its own for it

/**
 * Where a finger and when: page pixels, milliseconds.
 * @typedef {{x: number, y: number, at: number}} Place
 */

/**
 * To which neighbour a finger leads that went from one place to another: 1 the next (it went left), -1 the one
 * before, 0 none.
 * @param {Place} from
 * @param {Place} to
 */
function swipeOf(from, to) {
  const aside = to.x - from.x;
  const far = Math.abs(aside) >= LEAST_PX && Math.abs(to.y - from.y) <= STEEPEST * Math.abs(aside);
  return far && to.at - from.at <= LONGEST_MS ? -Math.sign(aside) : 0;
}

/** Whether an element does something itself with a finger that goes sideways. */
function takesIt(node) {
  if (!(node instanceof Element)) return false;
  const scrolls = node.scrollWidth > node.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(node).overflowX);
  return scrolls || node.matches(OWN);
}

/**
 * Call `go(by)` for each swipe over the page while `bar` is seen; returns how to stop.
 * @param {HTMLElement} bar
 * @param {(by: number) => void} go
 */
function listenToSwipes(bar, go) {
  /** @type {Place | null} */
  let from = null;
  const placeOf = ({ clientX, clientY }, at) => ({ x: clientX, y: clientY, at });
  const begin = guarded((event) => {
    const alone = event.touches.length === 1 && bar.checkVisibility() && !event.composedPath().some(takesIt);
    from = alone ? placeOf(event.touches[0], event.timeStamp) : null;
  });
  const end = guarded((event) => {
    const by = from ? swipeOf(from, placeOf(event.changedTouches[0], event.timeStamp)) : 0;
    from = null;
    if (by) go(by);
  });
  const cancel = () => {
    from = null;
  };
  const listeners = { touchstart: begin, touchend: end, touchcancel: cancel };
  // early, as the map keeps to itself what happens on it
  for (const [name, act] of Object.entries(listeners))
    document.addEventListener(name, act, { capture: true, passive: true });
  return () => {
    for (const [name, act] of Object.entries(listeners)) document.removeEventListener(name, act, { capture: true });
  };
}

export { listenToSwipes, swipeOf };
