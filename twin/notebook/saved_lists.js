// The event feed and the list of orders of a saved page, as twin/views/feed/feed.py and order_list.py answer them.

import { STATES } from "#python/foundation/stages";
import { parseFilter } from "../views/feed/filter.js";
import { upperBound } from "../views/shared/rows.js";

const COMPLETED = STATES.indexOf("completed");
const TEXT = ["row", "id", "short", "began", "delivered", "brands", "dated"];

/** Both lists, from the recording and what says which orders are `within(state, t)`. */
class SavedLists {
  /**
   * @param {{lists: any, words: Record<string, any>}} recording
   * @param {(state: string, t: number) => number[][]} within [row, begin, until, since] of the orders in a state
   */
  constructor({ lists, words }, within) {
    this.lines = lists.lines;
    this.began = lists.began;
    this.mostRows = lists.mostRows;
    this.pageRows = lists.pageRows;
    this.rowsBefore = lists.rowsBefore;
    this.words = words;
    this.within = within;
    this.told = new Set();
    this.shown = "";
  }

  /** A page of the feed; null where it is not saved. */
  page({ serial, version, query, stage, row, t, first }) {
    const { lines } = this;
    if (!lines) return null;
    const wanted = parseFilter(query, lines.names, lines.names);
    const mask = lines.names.reduce((sum, name, bit) => sum | (wanted.groups.has(name) ? 1 << bit : 0), 0);
    const text = wanted.text.trim().toLowerCase();
    const of = STATES.includes(stage) ? new Set(this.within(stage, t).map(([one]) => one)) : null;
    const { t: times, order } = lines.rows;
    const found = [];
    for (let i = 0; i < times.length; i++) {
      if (!(lines.groups[i] & mask) || (wanted.only && row >= 0 && order[i] !== row)) continue;
      if (of && (times[i] > t || !of.has(order[i]))) continue;
      if (text && !this.contains(order[i], text)) continue;
      found.push(i);
    }
    const foundTimes = found.map((i) => times[i]);
    const top = upperBound(foundTimes, t);
    const start = first === undefined ? Math.max(0, top - this.rowsBefore) : Math.min(Math.max(0, first), found.length);
    const some = found.slice(start, start + this.pageRows);
    const until = Math.min(foundTimes[start + some.length] ?? Infinity, of ? t : Infinity);
    const rows = Object.fromEntries(
      Object.entries(lines.rows).map(([name, values]) => [name, some.map((i) => values[i])]),
    );
    return {
      tell: "feed",
      serial,
      version,
      total: found.length,
      top,
      first: start,
      until: Number.isFinite(until) ? until : null,
      oldest: foundTimes[0] ?? null,
      rows: JSON.stringify(rows),
    };
  }

  /** Whether an order's id, an item's name or a brand contains a text; addresses are not in the file. */
  contains(row, text) {
    const { name = "", words = "" } = this.words[row] ?? {};
    return name.toLowerCase().includes(text) || words.includes(text);
  }

  /** The list of orders, with the texts of those that are new in it; null while it is the same. */
  orders(t, stage, sort) {
    const counts = Object.fromEntries(STATES.map((state) => [state, this.within(state, t).length]));
    const listed = (stage ? [stage] : STATES.slice(0, COMPLETED)).flatMap((state) =>
      this.within(state, t).map(([row, , , since]) => ({ row, since, state: STATES.indexOf(state) })),
    );
    let some = listed;
    if (STATES.indexOf(stage) >= COMPLETED)
      some = [...listed].sort((a, b) => b.since - a.since).slice(0, this.mostRows);
    const way = sort.startsWith("-") ? -1 : 1;
    const key = {
      since: ({ since }) => since,
      age: ({ row }) => this.words[row].began,
      stage: ({ state }) => state,
      id: ({ row }) => row,
    }[sort.replace("-", "")];
    const shown = [...some]
      .sort((a, b) => way * (key(a) - key(b)) || a.since - b.since || a.row - b.row)
      .slice(0, this.mostRows);
    const rows = shown.map(({ row }) => row);
    const drawn = JSON.stringify([shown, listed.length, counts]);
    if (drawn === this.shown) return null;
    this.shown = drawn;
    const fresh = rows.filter((row) => !this.told.has(row));
    this.told = new Set(rows);
    const texts = fresh.map((row) => ({
      row,
      ...this.words[row],
      id: this.words[row].name,
      short: this.words[row].id,
    }));
    return {
      rows,
      stages: shown.map(({ state }) => state),
      since: shown.map(({ since }) => Math.round(10 * (since - this.began)) / 10),
      base: this.began,
      texts: Object.fromEntries(TEXT.map((name) => [name, texts.map((one) => one[name])])),
      counts,
      more: listed.length - rows.length,
    };
  }

  /** The browser has no texts any more. */
  forget() {
    this.told.clear();
    this.shown = "";
  }
}

export { SavedLists };
