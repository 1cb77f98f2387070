// The state of the kitchen at a moment, from the stretches that kitchen_state.py sends once per range.

/** What colours a state. A calm kitchen with something over its limit, as on other days, is no green one. */
const TONES = { building: "warn", trouble: "bad", recovering: "warn" };

/**
 * @param {{t?: number[], state?: string[], head?: number[], heads?: string[]}} states
 * @param {number} t data seconds
 * @returns {{state: string, head: string, tone: string}} its name ("" if not known), words, and "good", "warn" or "bad"
 */
function stateAt(states, t) {
  const { t: begins = [], state = [], head = [], heads = [] } = states ?? {};
  if (!begins.length) return { state: "", head: "", tone: "" };
  let low = 0;
  for (let high = begins.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (begins[middle] <= t) low = middle;
    else high = middle;
  }
  const words = heads[head[low]];
  return { state: state[low], head: words, tone: TONES[state[low]] ?? (words ? "warn" : "good") };
}

export { stateAt };
