// What was known of troubles at a moment. The server looked at every fifth minute and sends what it found once; a later
// look is never used.

/**
 * A trouble as it was known at a look; `end` is the look while it is `going_on`.
 * @typedef {{rank: number, kind: string, stage: string, icon: string, start: number, end: number, at: number,
 *   when: string, title: string, sentence: string, why: string, going_on: boolean}} Trouble
 * @typedef {{start: number, end: number, changes: [number, Trouble[], boolean][]}} Block
 */

/**
 * What the last look at or before t found; null where nobody has looked yet.
 * @param {Block[]} blocks
 * @param {number} t
 * @returns {{t: number, troubles: Trouble[], partly: boolean} | null}
 */
function knownAt(blocks, t) {
  const block = blocks.find(({ start, end }) => start <= t && t < end);
  const found = block?.changes.findLast(([from]) => from <= t);
  if (!found) return null;
  const [from, troubles, partly] = found;
  return { t: from, troubles, partly };
}

/**
 * The last trouble that was known at or before t; null if there was none in what is sent.
 * @param {Block[]} blocks
 * @param {number} t
 * @returns {Trouble | null}
 */
function lastKnown(blocks, t) {
  const all = blocks.flatMap(({ changes }) => changes);
  return all.findLast(([from, troubles]) => from <= t && troubles.length)?.[1][0] ?? null;
}

/**
 * The trouble that was known to be going on at t where a moment of the whole range is; null: nobody knew of it.
 * @param {Block[]} blocks
 * @param {{kind: string, stage: string, start: number, end: number}} moment
 * @param {number} t
 * @returns {Trouble | null}
 */
function knownOf(blocks, moment, t) {
  const same = (one) => one.kind === moment.kind || (moment.stage !== "" && one.stage === moment.stage);
  const meets = (one) => one.start <= moment.end && moment.start <= one.end;
  return knownAt(blocks, t)?.troubles.find((one) => one.going_on && same(one) && meets(one)) ?? null;
}

export { knownAt, knownOf, lastKnown };
