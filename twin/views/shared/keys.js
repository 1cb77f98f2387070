// Whose key it is: what Space operates, and what Escape closes.

import { twin } from "./registry.js";

/** Where text is typed; every key is the field's. */
const TYPED_IN =
  'input:not([type="checkbox"], [type="radio"], [type="range"], [type="button"]), textarea, ' +
  '[contenteditable=""], [contenteditable="true"]';
/** Open in front of the page, so that keys are its own: dialogs and popovers that close by themselves. */
const IN_FRONT = 'dialog[open], [popover="auto"], [role="menu"], [role="listbox"]';
/** Keys that let the focus wander; all others leave it where it is, or where a script puts it. */
const WANDERS = new Set([
  "Tab",
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "Home",
  "End",
  "PageUp",
  "PageDown",
]);

/**
 * Whether what has the focus was clicked. Who clicked a button and then presses Space means Play; who came to it by
 * Tab or arrows means the button. Focus events say too little (none leaves a shadow root when the focus stays within
 * it), so it is seen at the keys: what has the focus at the first key after a press of the pointer was clicked, until a
 * key has moved the focus elsewhere. Escape gives the focus back to what opened something, and so changes nothing.
 */
class FocusOrigin {
  constructor() {
    this.clicked = false;
    /** @type {any} what had the focus at the last key */
    this.focus = null;
    this.wandered = false;
  }
  press() {
    this.clicked = true;
    this.focus = null;
    this.wandered = false;
  }
  /** Take a key that went down where the focus is. */
  key(name, focus) {
    if (name === "Escape") return;
    if (this.wandered && focus !== this.focus) this.clicked = false;
    this.wandered = WANDERS.has(name);
    this.focus = focus;
  }
}

/**
 * Whether Space is the replay's where the focus has been clicked: everywhere but where one types and in what stands in
 * front of the page.
 * @param {any[]} path what the event passes, innermost first
 */
function isSpaceFree(path) {
  const elements = path.filter((node) => typeof node?.matches === "function");
  return !elements[0]?.matches(TYPED_IN) && !elements.some((node) => node.matches(IN_FRONT));
}

/**
 * Something has opened that Escape closes by `close` although it has not the focus. Returns a function to call when it
 * has closed.
 * @param {() => void} close
 */
function opened(close) {
  twin.open ??= [];
  const { open } = twin;
  open.push(close);
  return () => {
    const at = open.indexOf(close);
    if (at >= 0) open.splice(at, 1);
  };
}

/** Close what opened last. Whether there was anything. */
function closeLast() {
  const close = twin.open?.pop();
  close?.();
  return close !== undefined;
}

/**
 * A line of the help: the keys as they are shown, and what they do.
 * @typedef {[string[], string]} HelpLine
 */

/** The lines of the help of all bindings of a table, in order. @returns {HelpLine[]} */
const helpOf = (bindings) => bindings.flatMap(({ help }) => help);

/** What lists, tabs and buttons do with keys, as is usual for them, while they have the focus. */
const FOCUS_KEYS = [
  { keys: ["arrowup", "arrowdown", "home", "end"], help: [[["↑", "↓"], "Walk a list of orders, events, moments"]] },
  { keys: ["enter", " "], help: [[["Enter", "Space"], "Open the row, press the button"]] },
  { keys: ["arrowleft", "arrowright"], help: [[["←", "→"], "Next tab; on an end of the loop: move it"]] },
  { keys: ["tab"], help: [[["Tab"], "Go to the next panel or button"]] },
];

export { closeLast, FOCUS_KEYS, FocusOrigin, helpOf, isSpaceFree, opened, TYPED_IN };
