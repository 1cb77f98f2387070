// Times and durations as text. Data time is naive: seconds since 1970 that are read as UTC, whatever the browser's
// zone.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const two = (n) => String(n).padStart(2, "0");
/** Data time is naive: always read with the UTC getters, never in the browser's zone. */
const dateOf = (t) => new Date(t * 1000);
function clockText(t, seconds = true) {
  const d = dateOf(t);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds ? `:${two(d.getUTCSeconds())}` : ""}`;
}
const dayText = (t) => DAYS[dateOf(t).getUTCDay()];
const dateText = (t) => {
  const d = dateOf(t);
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
};
/**
 * A range of time in words: Thu 16 Oct 2025 00:00 – 24:00; Mon 13 Oct – Thu 16 Oct 2025 for whole days; else both
 * moments.
 */
function rangeText(start, end) {
  const midnight = end % 86400 === 0;
  const last = midnight && end > start ? end - 1 : end; // a range that ends at midnight ends with that day
  const day = (t, year) =>
    `${dayText(t)} ${dateOf(t).getUTCDate()} ` +
    `${MONTHS[dateOf(t).getUTCMonth()].slice(0, 3)}${year ? ` ${dateOf(t).getUTCFullYear()}` : ""}`;
  const until = last !== end ? "24:00" : clockText(end, false);
  const sameYear = dateOf(start).getUTCFullYear() === dateOf(last).getUTCFullYear();
  return day(start) === day(last) && sameYear && last - start < 86400
    ? `${day(start, true)} ${clockText(start, false)} – ${until}`
    : midnight && start % 86400 === 0
      ? `${day(start, !sameYear)} – ${day(last, true)}`
      : `${day(start, !sameYear)} ${clockText(start, false)} – ${day(last, true)} ${until}`;
}
/** A duration in the shortest honest words: 42 s, 7 min, 1 h 05. */
function durationText(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))}`;
}

export { clockText, dateOf, dateText, dayText, durationText, MONTHS, rangeText, two };
