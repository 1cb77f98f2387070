// Times and durations as text. What a kitchen's clock shows at data seconds is its `Zone`'s business, which the server
// describes (twin/foundation/zones.py); the browser's own zone plays no part.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
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
const DAY = 86400;
const two = (n) => String(n).padStart(2, "0");
const dateOf = (local) => new Date(Math.floor(local * 1000));

/**
 * What the server tells of a zone: its IANA name, where it comes from, and its changes, ascending: from data seconds
 * on, the clock is so many seconds ahead of them and is called so. Of naive times nothing is told.
 * @typedef {{name?: string, origin?: string, changes?: [number, number, string][]}} SentZone
 */

/** A kitchen's clock. Naive times, which need none, are shown as they are. */
class Zone {
  /** @param {SentZone} [sent] */
  constructor(sent = {}) {
    this.sent = sent;
    this.changes = sent.changes ?? [];
  }
  get naive() {
    return !this.changes.length;
  }
  /** The change that holds at data seconds. */
  change(t) {
    let i = this.changes.length - 1;
    while (i > 0 && this.changes[i][0] > t) i--;
    return this.changes[i];
  }
  /** What the clock shows, as seconds since 1970 on that clock. */
  local(t) {
    return this.naive ? t : t + this.change(t)[1];
  }
  /**
   * The data seconds at which the clock shows `local`: of an hour that is shown twice the first, or with `later` the
   * second; an hour that is left out is counted on from before it.
   */
  fromLocal(local, later = false) {
    if (this.naive) return local;
    const pick = later ? Math.min : Math.max;
    let i = this.changes.length - 1;
    while (i > 0 && this.changes[i][0] + pick(this.changes[i][1], this.changes[i - 1][1]) > local) i--;
    return local - this.changes[i][1];
  }
  /** The number of the day since 1970. */
  day(t) {
    return Math.floor(this.local(t) / DAY);
  }
  /** The data seconds at which a day begins, by its number. */
  startOf(day) {
    return this.fromLocal(day * DAY);
  }
  midnight(t) {
    return this.startOf(this.day(t));
  }
  /** Whether a day begins at data seconds. */
  isMidnight(t) {
    return t === this.midnight(t);
  }
  /** The data seconds at which the clock of the day of t shows an hour. */
  atHour(t, hour) {
    return this.fromLocal(this.day(t) * DAY + hour * 3600);
  }
  /** What the clock shows, to be read with UTC getters alone. */
  dateOf(t) {
    return dateOf(this.local(t));
  }
  /** Whether the clock shows the same twice, so that it takes the zone to tell which. */
  doubled(t) {
    if (this.naive) return false;
    const local = this.local(t);
    return this.fromLocal(local) !== this.fromLocal(local, true);
  }
  /** The zone's abbreviation, or that these are the kitchen's times. */
  label(t) {
    return this.naive ? "kitchen time" : this.change(t)[2];
  }
  /** What the label means. */
  title(t) {
    if (this.naive) return "The kitchen’s own clock, as the data has it; the zone of your computer plays no part.";
    const { name, origin } = this.sent;
    return `The kitchen’s clock: ${name}${this.label(t) === name ? "" : ` (${this.label(t)})`}, ${origin}.`;
  }
  /** The clock without its zone, where that stands beside it. */
  bareClockText(t, seconds = true) {
    const d = this.dateOf(t);
    return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds ? `:${two(d.getUTCSeconds())}` : ""}`;
  }
  /** The clock; with the zone in the hour that it shows twice. */
  clockText(t, seconds = true) {
    return this.bareClockText(t, seconds) + (this.doubled(t) ? ` ${this.label(t)}` : "");
  }
  longDayText(t) {
    return DAYS[this.dateOf(t).getUTCDay()];
  }
  dayText(t) {
    return this.longDayText(t).slice(0, 3);
  }
  dateText(t) {
    const d = this.dateOf(t);
    return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
  }
  /** Thu 16 October 2025, 18:30:00. */
  momentText(t) {
    return `${this.dayText(t)} ${this.dateText(t)}, ${this.clockText(t)}`;
  }
  /** Thu 16. */
  shortDay(t) {
    return `${this.dayText(t)} ${this.dateOf(t).getUTCDate()}`;
  }
  /** 16 Oct. */
  shortDate(t) {
    return `${this.dateOf(t).getUTCDate()} ${MONTHS[this.dateOf(t).getUTCMonth()].slice(0, 3)}`;
  }
  /**
   * A range of time in words: Thu 16 Oct 2025 00:00 – 24:00; Mon 13 Oct – Thu 16 Oct 2025 for whole days; else both
   * moments.
   */
  rangeText(start, end) {
    const midnight = this.isMidnight(end);
    const last = midnight && end > start ? end - 1 : end; // a range that ends at midnight ends with that day
    const yearOf = (t) => this.dateOf(t).getUTCFullYear();
    const day = (t, year) => `${this.dayText(t)} ${this.shortDate(t)}${year ? ` ${yearOf(t)}` : ""}`;
    const until = last !== end ? "24:00" : this.clockText(end, false);
    const sameYear = yearOf(start) === yearOf(last);
    return this.day(start) === this.day(last)
      ? `${day(start, true)} ${this.clockText(start, false)} – ${until}`
      : midnight && this.isMidnight(start)
        ? `${day(start, !sameYear)} – ${day(last, true)}`
        : `${day(start, !sameYear)} ${this.clockText(start, false)} – ${day(last, true)} ${until}`;
  }
  /**
   * From one moment to another in few words: 18:10 – 18:50, Thu 23:00 – Fri 01:00; with seconds where minutes do not
   * tell.
   */
  spanText(start, end) {
    const seconds = start % 60 !== 0 || end % 60 !== 0;
    const sameDay = this.day(start) === this.day(end - 1);
    const until = sameDay && this.isMidnight(end) ? "24:00" : this.clockText(end, seconds);
    return sameDay
      ? `${this.clockText(start, seconds)} – ${until}`
      : `${this.dayText(start)} ${this.clockText(start, seconds)} – ${this.dayText(end)} ${until}`;
  }
  /** The clock as `<time>` and a datetime-local field have it, to the second. */
  localText(t) {
    return this.dateOf(t).toISOString().slice(0, 19);
  }
  /**
   * A time as an address has it, to the millisecond: 2025-10-16T18:30:00.25, with the offset where times are instants.
   */
  addressText(t) {
    const at = Math.round(t * 1000) / 1000;
    const offset = Math.round(this.local(at) - at);
    const text = new Date(Math.round((at + offset) * 1000))
      .toISOString()
      .slice(0, -1)
      .replace(/\.?0+$/, "");
    if (this.naive) return text;
    const minutes = Math.round(Math.abs(offset) / 60);
    return `${text}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
  /**
   * Data seconds in [start, end] at which the clock shows a multiple of `step` seconds; days and more are counted from
   * `origin`. Of an hour that is shown twice both are among them.
   */
  ticks(start, end, step, origin = 0) {
    if (step < DAY && !this.naive) return this.ticksWithin(start, end, step);
    const found = [];
    for (
      let local = origin + Math.ceil((this.local(start) - origin) / step) * step;
      this.fromLocal(local) <= end;
      local += step
    )
      if (this.fromLocal(local) >= start) found.push(this.fromLocal(local));
    return found;
  }
  ticksWithin(start, end, step) {
    const found = [];
    this.changes.forEach(([at, offset], i) => {
      const first = i ? Math.max(at, start) : start;
      const until = this.changes[i + 1]?.[0] ?? Infinity;
      for (let t = Math.ceil((first + offset) / step) * step - offset; t <= end && t < until; t += step) found.push(t);
    });
    return found;
  }
}

/** The clock of naive times. */
const NAIVE = new Zone();

/**
 * A duration to the second, where parts must add up to their whole, and for speeds: 60 and 100 times are not both a
 * minute.
 */
function exactText(duration) {
  const seconds = Math.max(0, Math.round(duration));
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  return [minutes && `${minutes} min`, (rest || !minutes) && `${rest} s`].filter(Boolean).join(" ");
}

export { DAY, exactText, MONTHS, NAIVE, two, Zone };
