// The page's address: what of the replay stands in it, and what the browser's history remembers besides.

/**
 * What an address does not say of a replay: the moment of a running clock, that it runs, the section it plays.
 * `live`: it follows the latest events.
 * @typedef {{t: number, playing: boolean, speed: number, loop: boolean, start: number, end: number,
 *   live?: boolean}} ReplayState
 */

/** A query with its moment replaced, as the kitchen's clock has it. */
function queryAt(query, t, zone) {
  const search = new URLSearchParams(query);
  search.set("t", zone.addressText(t));
  return `?${search}`.replaceAll("%3A", ":").replaceAll("%2C", ",");
}

/**
 * Whether two queries show the same kitchen over the same range, or the same two beside each other, so that going from
 * one to the other is no step in the browser's history. An address without a range means whatever range it is opened
 * with.
 */
function isSameView(one, other) {
  const [a, b] = [new URLSearchParams(one), new URLSearchParams(other)];
  if (["location", "with"].some((name) => a.get(name) !== b.get(name))) return false;
  return ["start", "end", "with_start", "with_end"].every(
    (name) => !a.get(name) || !b.get(name) || a.get(name) === b.get(name),
  );
}

/** @returns {ReplayState | null} where a clock is, also one that was stopped because its server is lost */
function stateOf(clock) {
  const { anchor, halted } = clock;
  if (!anchor || !(anchor.end > anchor.start)) return null;
  const { speed, loop, start, end } = anchor;
  const live = anchor.live ? { live: true } : {};
  return { t: clock.now(), playing: halted ? halted.playing : clock.moving, speed, loop, start, end, ...live };
}

/**
 * Bring a clock to a state, by its verbs. A state of another range is left out.
 * @param {import("../shared/clock.js").ReplayClock} clock
 * @param {any} verbs
 * @param {ReplayState} state
 */
function resume(clock, verbs, state) {
  const { anchor } = clock;
  if (state.live && anchor?.edge !== undefined) {
    if (!anchor.live) verbs.follow();
    return;
  }
  if (!anchor || state.t < anchor.start || state.t > anchor.end) return;
  if (state.start >= anchor.start && state.end <= anchor.end && state.end - state.start < anchor.end - anchor.start)
    verbs.section(state.start, state.end);
  if (state.loop !== clock.anchor.loop) verbs.loop(state.loop);
  if (state.speed !== clock.anchor.speed) verbs.speed(state.speed);
  if (state.playing) verbs.play(state.t);
  else if (Math.abs(state.t - clock.now()) > 0.001) verbs.seek(state.t);
}

export { isSameView, queryAt, resume, stateOf };
