// What one view has from the server and others speak of, too: they take it from here, so that the two cannot differ,
// and the server sends it once.

import { twin } from "./registry.js";

/** Something that views of one clock share; null until one of them has it. */
class SharedState {
  constructor() {
    /** @type {any} */
    this.value = null;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }
  take(value) {
    this.value = value;
    for (const listener of [...this.listeners]) listener();
  }
  on(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * What is shared on a clock: the `stages` of the pipeline, as it shows them; what was `known` of troubles (known.js);
 * `cards`: how to open an incident card (cards.js); `live`: what is said of the edge of a live kitchen (live.js);
 * `alarms`: the alerts that wait for somebody (bell.js); `rules`: how to open their rules (rules.js); `ghost`: how to
 * take the other day off this one (transport/ghost.js).
 * @param {string} clock
 * @param {"stages" | "known" | "cards" | "live" | "alarms" | "rules" | "ghost"} name
 * @returns {SharedState}
 */
function sharedState(clock, name) {
  const all = (twin.shared ??= new Map());
  const key = `${clock}/${name}`;
  if (!all.has(key)) all.set(key, new SharedState());
  return all.get(key);
}

export { sharedState };
