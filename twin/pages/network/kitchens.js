// The kitchens: what is known of each from the start, its row at the playhead, and its hours.

import { LISTED } from "#python/pages/network/shown";

/**
 * @typedef {{id: string, name: string, qualifier: string, region: string, lat: number | null, lon: number | null,
 *   text: string, levels: string, row: any, worst: any, moments: any[] | null, past: any, streets: number[][]}} Kitchen
 *   `levels`: a digit for each hour; `row`, `moments`: what the server said of it last, null: nothing yet; `past`: the
 *   states of all hours; `streets`: routes around it
 */

class Kitchens {
  /** @param {{kitchens: string, start: number, end: number}} state */
  constructor({ kitchens, start, end }) {
    /** @type {Kitchen[]} in the order of the source */
    this.all = JSON.parse(kitchens).map((values) => {
      const one = Object.fromEntries(values.map((value, at) => [LISTED[at], value]));
      const text = [one.name, one.qualifier, one.region, one.id].join(" ").toLowerCase();
      return { ...one, text, levels: "", row: null, worst: null, moments: null, past: null, streets: [] };
    });
    this.byId = new Map(this.all.map((one) => [one.id, one]));
    this.order = this.all;
    this.start = start;
    this.end = end;
    this.first = start;
    this.late = [];
    this.deliveries = [];
    /** @type {Set<Kitchen> | null} Those that cook for the brand that is chosen; null: no brand is. */
    this.carry = null;
  }
  get regions() {
    return [...new Set(this.all.map(({ region }) => region).filter(Boolean))].sort();
  }
  /** @param {any[]} rows */
  take(rows) {
    for (const { location, worst, moments, ...row } of rows) {
      const one = this.byId.get(location);
      if (!one) continue;
      if (moments) Object.assign(one, { worst, moments });
      else one.row = row;
    }
  }
  /** Take what stays while the playhead moves. @param {any[]} rows */
  takeMore(rows) {
    for (const { location, ...more } of rows) Object.assign(this.byId.get(location) ?? {}, more);
  }
  /** Show those that cook for a brand, whose figures then come anew. @param {number[] | null} places null: all */
  narrow(places) {
    this.carry = places && new Set(places.map((at) => this.all[at]));
    for (const one of this.all) one.row = null;
  }
  takeHours({ first, levels, late, deliveries }) {
    Object.assign(this, { first, late, deliveries });
    for (const [at, one] of this.all.entries()) one.levels = levels[at];
  }
  /** Sort the kitchens; whether that changed anything. @param {number[]} order places in the source's order */
  arrange(order) {
    const before = this.order;
    this.order = order.map((at) => this.all[at]);
    return this.order.some((one, at) => one !== before[at]);
  }
  matching(query, region) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return this.order.filter(
      (one) =>
        (!region || one.region === region) &&
        (!this.carry || this.carry.has(one)) &&
        words.every((word) => one.text.includes(word)),
    );
  }
  /**
   * The harm of the states of each hour that is known: of the day shown by its timeline, of others by the times alone.
   * @param {Kitchen} one
   * @returns {Map<number, string>} digits (`HARM` in past_states.py) by the hour's begin, data seconds
   */
  statesOf(one) {
    const found = new Map();
    for (const hours of [one.past, one.row?.states])
      for (const [at, digit] of [...(hours?.digits ?? "")].entries()) {
        const from = hours.first + at * 3600;
        // where both know an hour they agree, but an hour in which a timeline begins is told in part
        if (digit !== "9" && digit >= (found.get(from) ?? "0")) found.set(from, digit);
      }
    return found;
  }
  /** The level of the last full hour at t: a digit, "" where it is not known. */
  levelAt(one, t) {
    return one.levels[Math.floor((t - this.first) / 3600) - 1] ?? "";
  }
}

export { Kitchens };
