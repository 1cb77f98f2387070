// The keys of the page itself, in one place; those of the replay are the transport's (twin/views/transport/keys.js).

import { TYPED_IN } from "../../views/shared/keys.js";
import { memory } from "../../views/shared/memory.js";

/**
 * Everything in the page that matches, shadow roots included, in document order.
 * @param {string} selector
 * @param {ParentNode} root
 * @param {Element[]} found
 * @returns {any[]}
 */
function findAll(selector, root = document, found = []) {
  for (const node of root.querySelectorAll("*")) {
    if (node.matches(selector)) found.push(node);
    if (node.shadowRoot) findAll(selector, node.shadowRoot, found);
  }
  return found;
}
/** Something open that closes on Escape by itself. */
const OPEN = ":popover-open:not(.quiet), dialog[open], .MuiModal-root:not(.MuiModal-hidden)";
const TYPES = `${TYPED_IN}, select`;
/** The page's keys, by the names that `pageKeys` is given actions for, and their lines in the help. */
const PAGE_KEYS = [
  { keys: ["f"], command: "fit", help: [[["F"], "Fit the map to the deliveries"]] },
  {
    keys: ["escape"],
    command: "back",
    help: [[["Esc"], "Close what opened last; then the order, the stage or group, the ghost"]],
  },
  { keys: ["c"], command: "link", help: [[["C"], "Copy a link to this moment"]] },
  { keys: ["r"], command: "report", help: [[["R"], "Save a picture for a report"]] },
  { keys: ["p"], command: "present", help: [[["P"], "Present in full screen"]] },
  { keys: ["t"], command: "theme", help: [[["T"], "Light or dark"]] },
  { keys: ["?"], command: "help", help: [[["?"], "This help"]] },
];
const SINGLE_KEYS_OFF = "twin-single-keys-off";

/**
 * Carry out `actions` {command: function} on their keys of `PAGE_KEYS`. Where the user types, or has something open
 * that takes keys itself, keys are left alone. WCAG 2.1.4: keys of a single character can be switched off
 * (`single`), for people whose dictation or tremor presses them; then they reach no view of the page at all.
 */
function pageKeys(actions) {
  const keys = { single: memory.get(SINGLE_KEYS_OFF) === null };
  const typing = (event) => {
    const focus = event.composedPath()[0];
    return focus instanceof Element && focus.matches(TYPES);
  };
  const guard = (event) => {
    const menu = event
      .composedPath()
      .some((node) => node instanceof Element && node.matches('[role="menu"], [role="listbox"]'));
    if (!keys.single && event.key.length === 1 && event.key !== " " && !typing(event) && !menu)
      event.stopImmediatePropagation();
  };
  const press = (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event))
      return;
    const act = actions[PAGE_KEYS.find(({ keys }) => keys.includes(event.key.toLowerCase()))?.command];
    if (!act || findAll(OPEN).length) return;
    if (event.key !== "Escape") event.preventDefault();
    act();
  };
  addEventListener("keydown", guard, true);
  document.addEventListener("keydown", press);
  keys.allow = (single) => {
    keys.single = single;
    memory.set(SINGLE_KEYS_OFF, single ? null : "yes");
  };
  keys.remove = () => {
    removeEventListener("keydown", guard, true);
    document.removeEventListener("keydown", press);
  };
  return keys;
}

export { findAll, PAGE_KEYS, pageKeys };
