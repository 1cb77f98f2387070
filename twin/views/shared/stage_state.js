// The figures of the stages as the pipeline shows them, for views that speak of the same: they take them from here, so
// that the two cannot differ.

import { twin } from "./registry.js";

/**
 * The figures of one clock's stages, by key; null until a pipeline has shown any.
 * @typedef {Record<string, {count: number, age?: number | null, usual?: number | null}>} Stages
 */
class StageState {
  constructor() {
    /** @type {Stages | null} */
    this.stages = null;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }
  /** @param {Stages | null} stages */
  take(stages) {
    this.stages = stages;
    for (const listener of [...this.listeners]) listener();
  }
  on(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * @param {string} clock
 * @returns {StageState}
 */
function stageStateOf(clock) {
  const all = (twin.stages ??= new Map());
  if (!all.has(clock)) all.set(clock, new StageState());
  return all.get(clock);
}

export { stageStateOf };
