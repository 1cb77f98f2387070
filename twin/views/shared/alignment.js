// Where one range is while another is played: `Alignment` in twin/analysis/alignment.py, in the browser.

import { SAME } from "#python/analysis/alignment";

/**
 * Pieces in which the second range goes on as fast as the first (`moves`), or stands still: from `since`, in the
 * first's data seconds, it is at `shown`. The first ends at `end`.
 * @typedef {{since: number[], shown: number[], moves: number[], end: number}} Alignment
 */

/** @param {Alignment} all @param {number} t */
function pieceAt({ since }, t) {
  let [low, high] = [0, since.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (since[middle] <= t) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The second range's time at one of the first. */
function secondAt(all, t) {
  const i = pieceAt(all, t);
  return all.shown[i] + (all.moves[i] ? t - all.since[i] : 0);
}

/** Whether the second range goes on at a time of the first. */
const movesAt = (all, t) => !!all.moves[pieceAt(all, t)];

/** A time of the first range at which the second is at t: `near` if that is one, else the closest to it. */
function firstAt(all, t, near) {
  if (Math.abs(secondAt(all, near) - t) < SAME) return near;
  let best = { missed: Number.POSITIVE_INFINITY, away: Number.POSITIVE_INFINITY, at: near };
  all.since.forEach((since, i) => {
    const length = i + 1 < all.since.length ? all.since[i + 1] - since - SAME : Number.POSITIVE_INFINITY;
    const ahead = all.moves[i] ? Math.min(Math.max(t - all.shown[i], 0), Math.max(length, 0)) : 0;
    const far = Math.abs(all.shown[i] + ahead - t);
    const missed = far < SAME ? 0 : far;
    const away = Math.abs(since + ahead - near);
    if (missed < best.missed || (missed === best.missed && away < best.away))
      best = { missed, away, at: since + ahead };
  });
  return best.at;
}

export { firstAt, movesAt, secondAt };
