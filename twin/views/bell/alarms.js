// What is said of alerts, and what is sent about them: pure but for the requests.

import { minutesText } from "../shared/numbers.js";

/**
 * An alert of the kitchen: times are data seconds, `seen_at` seconds since 1970; seen_by: null while nobody has
 * acknowledged it, "" if he gave no name.
 * @typedef {{id: string, title: string, sentence: string, text: string, since: number, began: number,
 *   ended: number | null, seen_by: string | null, seen_at: number | null, note: string}} Alarm
 */

/** Those that fire, and of these those that nobody has acknowledged. @param {Alarm[]} alerts */
function firingOf(alerts) {
  const firing = alerts.filter(({ ended }) => ended === null);
  return { firing, unseen: firing.filter((one) => one.seen_by === null) };
}

/** The page's title with how many alerts wait for somebody. */
const titled = (title, number) => (number ? `(${number}) ` : "") + title.replace(/^\(\d+\) /, "");

/**
 * Since when an alert's condition held, and for how long it fired.
 * @param {Alarm} alert
 * @param {import("../shared/times.js").Zone} zone
 * @param {number | undefined} now the live edge; undefined: not known
 */
function whenText({ since, began, ended }, zone, now) {
  const day = `${zone.dayText(since)} ${zone.shortDate(since)}`;
  const from = zone.clockText(since, false);
  if (ended !== null) return `${day}, ${from}; fired for ${minutesText(ended - began)}`;
  return now === undefined || now < since
    ? `Since ${day}, ${from}`
    : `Since ${from}, ${minutesText(now - since)} so far`;
}

/** Who has seen an alert, in words. @param {Alarm} alert */
function seenText({ seen_by, note }) {
  const who = seen_by ? `Acknowledged by ${seen_by}` : "Acknowledged";
  return note ? `${who}: “${note}”` : who;
}

/** Send a request; returns the answer's JSON, or throws an Error with a sentence. */
async function request(address, method, given) {
  let answer;
  try {
    answer = await fetch(address, {
      method,
      headers: { "X-Twin-Request": "1", ...(given && { "Content-Type": "application/json" }) },
      body: given && JSON.stringify(given),
      cache: "no-store",
      redirect: "manual",
    });
  } catch {
    throw new Error("The server does not answer. Try again.");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw new Error(body.detail ?? "Your sign-in has expired: reload the page.");
}

export { firingOf, request, seenText, titled, whenText };
