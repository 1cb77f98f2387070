// The kitchens: what is known of each from the start, its row at the playhead, and its hours.

import { LISTED } from "#python/pages/network/shown";

/**
 * @typedef {{id: string, name: string, qualifier: string, region: string, lat: number | null, lon: number | null,
 *   text: string, levels: string, row: any, worst: any, moments: any[] | null}} Kitchen
 *   `levels`: a digit for each hour; `row`, `moments`: what the server said of it last, null: nothing yet
 */

class Kitchens {
  /** @param {{kitchens: string, start: number, end: number}} state */
  constructor({ kitchens, start, end }) {
    /** @type {Kitchen[]} in the order of the source */
    this.all = JSON.parse(kitchens).map((values) => {
      const one = Object.fromEntries(values.map((value, at) => [LISTED[at], value]));
      const text = [one.name, one.qualifier, one.region, one.id].join(" ").toLowerCase();
      return { ...one, text, levels: "", row: null, worst: null, moments: null };
    });
    this.byId = new Map(this.all.map((one) => [one.id, one]));
    this.order = this.all;
    this.start = start;
    this.end = end;
    this.first = start;
    this.late = [];
    this.deliveries = [];
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
      (one) => (!region || one.region === region) && words.every((word) => one.text.includes(word)),
    );
  }
  /** The level of the last full hour at t: a digit, "" where it is not known. */
  levelAt(one, t) {
    return one.levels[Math.floor((t - this.first) / 3600) - 1] ?? "";
  }
}

export { Kitchens };
