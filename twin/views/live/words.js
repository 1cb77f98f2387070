// What is said of the edge of a live kitchen: pure, from the facts that live.py sends.

/**
 * @typedef {{age: number, pace: number, gap: number | null, after: number | null, until: number | null, final: number,
 *   corrected?: number[][], problem: string}} Now
 */

/** Seconds of the viewer's below which nothing is said of silence: a batch of a fast demonstration may take so long. */
const LEAST_S = 20;

/** A duration in the largest unit that is not idle, short: 3 s, 4 min, 2 h. */
function shortText(seconds) {
  if (seconds < 59.5) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** Seconds of silence that are worth a word, as a sentence; empty: they are usual. @param {Now} now */
function silenceText({ pace, gap, after, until }, age) {
  const silent = age * pace;
  if (age < LEAST_S || after === null || silent < after || (until !== null && silent >= until)) return "";
  return `no events for ${shortText(silent)}; usually every ${shortText(Math.max(1, gap ?? 1))}`;
}

/** A number of events, as a subject: "1 event", "1,214 events". */
const eventsText = (n) => `${n.toLocaleString("en-US")} ${n === 1 ? "event" : "events"}`;

/**
 * What the badge says, of the seconds since the newest event came (`age`) and the data seconds to it (`behind`);
 * `unknown` events of the moment shown came in later, so that live did not show them.
 * @param {"live" | "behind" | "replay"} state
 * @param {Now | null} now null: nothing is followed
 * @param {{age: number, behind: number, since: number, unknown?: number, offered: boolean}} seen
 * @returns {{text: string, more: string, tone: "" | "live" | "warn" | "behind", title: string}} `more` goes where there
 *   is no room; an empty text: nothing is said
 */
function badgeOf(state, now, { age, behind, since, unknown = 0, offered }) {
  if (state === "replay" || !now) {
    const title = "Follow the latest events of this kitchen (L)";
    return { text: offered ? "Jump to live" : "", more: "", tone: "behind", title };
  }
  const silence = silenceText(now, age);
  if (state === "behind") {
    const more = `${eventsText(since)} since`;
    const text = `${shortText(behind)} behind`;
    if (!unknown) return { text, more, tone: "behind", title: "Jump to live (L)" };
    const why = `${more}. Live did not show ${eventsText(unknown)} of this moment: they came in later.`;
    return { text, more: `live lacked ${eventsText(unknown)}`, tone: "behind", title: `${why} Jump to live (L)` };
  }
  if (now.problem) return { text: "LIVE", more: "the source does not answer", tone: "warn", title: now.problem };
  if (silence) return { text: "LIVE", more: silence, tone: "warn", title: `LIVE, but ${silence}` };
  return {
    text: "LIVE",
    more: shortText(age),
    tone: "live",
    title: `What is shown follows the latest events; the newest came ${shortText(age)} ago`,
  };
}

export { badgeOf, shortText, silenceText };
