// The keys of the replay, which work wherever the focus is. One table says what they do and how the help tells it.

import { SPEEDS } from "#python/replay/clock";
import { FocusOrigin, isSpaceFree, TYPED_IN } from "../shared/keys.js";
import { sharedState } from "../shared/shared_state.js";

const TYPING = `${TYPED_IN}, input, select`;
/** What uses the arrows itself. */
const ARROWED =
  '[role="slider"], [role="tab"], [role="radio"], [role="menuitem"], [role="option"], ' +
  '[role="combobox"], [role="spinbutton"], [role="dialog"] *';
/** What Space presses. */
const PRESSED =
  'button, a[href], summary, [role="button"], [role="switch"], [role="checkbox"], [role="tab"], ' +
  '[role="menuitem"], [role="dialog"] *';
/** Where letters choose. */
const CHOOSING = '[role="option"], [role="menuitem"], [role="combobox"], [role="listbox"], [role="dialog"] *';

/**
 * What a key does: `keys` as events name them, lower case; `act` gets the event and {model, clock, verbs, scrubber,
 * ghost}, and returns false where the key does nothing; `except`: where the focus has a use of its own for it; `help`:
 * its lines in the help.
 * @typedef {{keys: string[], except?: string, once?: boolean, act: Function, help: [string[], string][]}} Binding
 */

const step = ({ key, shiftKey }, { clock, verbs }) => {
  const way = key === "ArrowRight" || key === "ArrowUp" ? 1 : -1;
  verbs.hold(clock.now() + way * (shiftKey ? 10 : 1) * clock.anchor.step);
};

/** @type {Binding[]} */
const REPLAY_KEYS = [
  {
    keys: [" "],
    except: PRESSED,
    once: true,
    act: (_, { verbs }) => verbs.toggle(),
    help: [[["Space"], "Play or pause"]],
  },
  {
    keys: ["arrowleft", "arrowright"],
    except: ARROWED,
    act: step,
    help: [
      [["←", "→"], "Step back or forward"],
      [["Shift", "←", "→"], "Ten steps"],
    ],
  },
  {
    keys: ["home", "end"],
    except: CHOOSING,
    act: ({ key }, { clock, verbs }) => verbs.seek(key === "Home" ? clock.anchor.start : clock.anchor.end),
    help: [[["Home", "End"], "Start or end of the range"]],
  },
  {
    keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    act: ({ key }, { model, verbs }) => {
      const speed = model.speeds[Number(key) - 1];
      return speed !== undefined && verbs.speed(speed);
    },
    help: [[["1", "–", String(SPEEDS.length)], `Speed, ${SPEEDS[0]}× to ${SPEEDS.at(-1)}×`]],
  },
  {
    keys: ["m"],
    except: CHOOSING,
    act: ({ shiftKey }, { scrubber }) => scrubber.jump(shiftKey ? -1 : 1),
    help: [[["M"], "Next moment; Shift M the one before"]],
  },
  {
    keys: ["h"],
    except: CHOOSING,
    act: (_, { clock, verbs }) => verbs.hindsight(!clock.hindsight),
    help: [[["H"], "As it was known then, or with hindsight"]],
  },
  {
    keys: ["g"],
    except: CHOOSING,
    once: true,
    act: (_, { ghost }) => ghost.toggle(),
    help: [[["G"], "Another day over this one, or not"]],
  },
  {
    keys: ["l"],
    except: CHOOSING,
    act: (_, { model }) => sharedState(model.clock, "live").value?.jump() ?? false,
    help: [[["L"], "Jump to live: follow the latest events"]],
  },
  {
    keys: ["[", "]"],
    except: CHOOSING,
    act: ({ key }, { scrubber }) => scrubber.brush.setEdge(key === "[" ? "start" : "end"),
    help: [[["[", "]"], "Play in a loop from here, or up to here"]],
  },
  {
    keys: ["\\"],
    except: CHOOSING,
    act: (_, { verbs }) => verbs.wholeRange(),
    help: [[["\\"], "Leave the loop, play the whole range"]],
  },
];

/** The keys of the timeline while it has the focus; further arrows than those of the whole page. */
const TIMELINE_KEYS = [
  {
    keys: ["arrowright", "arrowup", "arrowleft", "arrowdown"],
    act: step,
    help: [],
  },
  {
    keys: ["pageup", "pagedown"],
    act: ({ key }, { clock, verbs }) => {
      const { start, end } = clock.anchor;
      verbs.seek(clock.now() + ((key === "PageUp" ? 1 : -1) * (end - start)) / 24);
    },
    help: [[["Page Up", "Page Down"], "On the timeline: a 24th of the range"]],
  },
];

/** Do what a key is bound to; whether the key was used. */
function press(event, replay) {
  const focus = event.composedPath()[0];
  const on = (selector) => typeof focus?.matches === "function" && focus.matches(selector);
  const binding = REPLAY_KEYS.find(({ keys }) => keys.includes(event.key.toLowerCase()));
  if (!binding || on(TYPING) || (binding.except && on(binding.except))) return false;
  return (event.repeat && binding.once) || binding.act(event, replay) !== false;
}

/** Listen to the keys of the page; returns a function that ends it. */
function listenToKeys(model, clock, verbs, scrubber, ghost) {
  const replay = { model, clock, verbs, scrubber, ghost };
  const origin = new FocusOrigin();
  let taken = false; // Space is down and was the replay's
  const usable = (event) => {
    const typed = event.getModifierState("AltGraph"); // brackets are typed so on some keyboards
    const command = event.ctrlKey || event.metaKey || event.altKey;
    return !event.defaultPrevented && (typed || !command) && !model.busy && clock.anchor;
  };
  /** In front of all that the focus is in: what was clicked would take Space for itself. */
  const first = (event) => {
    const path = event.composedPath();
    origin.key(event.key, path[0]);
    // what is outside of our views, as the rest of a notebook, has its own use of Space
    const ours = path.some((node) => node instanceof ShadowRoot);
    taken = event.key === " " && origin.clicked && ours && usable(event) && isSpaceFree(path);
    if (!taken) return;
    if (!event.repeat) verbs.toggle();
    event.preventDefault();
    event.stopPropagation();
  };
  const release = (event) => {
    if (event.key === " " && taken) event.preventDefault(); // in some browsers a button is pressed when the key goes up
    if (event.key === " ") taken = false;
  };
  const listener = (event) => {
    if (usable(event) && press(event, replay)) event.preventDefault();
  };
  const pointer = () => origin.press();
  addEventListener("pointerdown", pointer, true);
  addEventListener("keydown", first, true);
  addEventListener("keyup", release, true);
  document.addEventListener("keydown", listener);
  return () => {
    removeEventListener("pointerdown", pointer, true);
    removeEventListener("keydown", first, true);
    removeEventListener("keyup", release, true);
    document.removeEventListener("keydown", listener);
  };
}

export { listenToKeys, press, REPLAY_KEYS, TIMELINE_KEYS };
