// What was known of troubles at a moment. The server looked at every fifth minute and sends what it found once; a later
// look is never used.

import { minutesText, stretch } from "./numbers.js";

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

/** Whether a trouble that was known is a moment of the whole range, as far as anybody can say. */
function isOf(moment, one) {
  const same = one.kind === moment.kind || (moment.stage !== "" && one.stage === moment.stage);
  return same && one.start <= moment.end && moment.start <= one.end;
}

/**
 * The trouble that was known at t, going on or just over, where a moment of the whole range is; null: nobody knew of
 * it.
 * @param {Block[]} blocks
 * @param {{kind: string, stage: string, start: number, end: number}} moment
 * @param {number} t
 * @returns {Trouble | null}
 */
function knownOf(blocks, moment, t) {
  return knownAt(blocks, t)?.troubles.find((one) => isOf(moment, one)) ?? null;
}

/**
 * What is said of a moment of the whole range at t: with hindsight all of it; else what was known then, once it was
 * over what was known last, and all of it as soon as all that it counts has happened. What lies ahead is `later`.
 * @param {{kind: string, stage: string, trouble: boolean, start: number, end: number, settled: number, when: string,
 *   title: string, sentence: string, why: string}} moment `settled`: when the last of its orders was delivered
 * @param {number} t
 * @param {Block[]} blocks
 * @param {{hindsight: boolean, zone: any}} clock
 * @returns {{title: string, sentence: string, why: string, words: string, start: number, end: number, now: boolean,
 *   later: boolean}}
 */
function toldAt(moment, t, blocks, { hindsight, zone }) {
  const { title, sentence, why, start, end, when, settled } = moment;
  const whole = { title, sentence, why, start, end, now: false, later: settled > t, words: lasting(when, start, end) };
  if (hindsight) return { ...whole, now: start <= t && t <= end };
  const asOf = (from) => ` (as of ${zone.clockText(from, false)})`;
  const known = moment.trouble ? knownOf(blocks, moment, t) : null;
  if (known?.going_on) {
    const words = `since ${zone.dayText(known.start)} ${zone.clockText(known.start, false)}`;
    return {
      title: known.title,
      sentence: known.sentence + asOf(knownAt(blocks, t)?.t),
      why: known.why,
      start: known.start,
      end: Math.max(end, t),
      now: true,
      later: false,
      words: `${words} · ${minutesText(stretch(known.start, t))} so far`,
    };
  }
  if (known) return { ...whole, ...partOf(known), later: false, words: lasting(known.when, known.start, known.end) };
  if (end > t || settled <= t || !moment.trouble) return whole;
  const last = lastOf(blocks, moment, t);
  if (!last) return whole;
  const { title: lastTitle, sentence: lastSentence, why: lastWhy } = last.trouble;
  return { ...whole, title: lastTitle, sentence: lastSentence + asOf(last.t), why: lastWhy, later: false };
}

const partOf = ({ title, sentence, why, start, end }) => ({ title, sentence, why, start, end });
const lasting = (when, start, end) => `${when} · ${minutesText(stretch(start, end))}`;

/**
 * When drivers were short, as it is told at t: what was known then to go on, or to be just over, begins where alert and
 * list say that it did.
 * @param {[number, number, number][]} short [start, end, level] of moments of the whole range
 * @param {any[]} moments
 * @param {number} t
 * @param {Block[]} blocks
 * @returns {[number, number, number][]}
 */
function spellsAt(short, moments, t, blocks) {
  return short.map((spell) => {
    const [start, end, level] = spell;
    const moment = moments.find((one) => one.start === start && one.end === end);
    const known = moment && knownOf(blocks, moment, t);
    return known ? [known.start, known.going_on ? Math.max(end, known.end) : known.end, level] : spell;
  });
}

/** What was known last of a moment up to t, and when; null if nothing was. */
function lastOf(blocks, moment, t) {
  const all = blocks.flatMap(({ changes }) => changes).filter(([from]) => from <= t);
  for (const [from, troubles] of all.reverse()) {
    const trouble = troubles.find((one) => isOf(moment, one));
    if (trouble) return { t: from, trouble };
  }
  return null;
}

export { knownAt, lastKnown, spellsAt, toldAt };
