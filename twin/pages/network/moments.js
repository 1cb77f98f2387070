// What went wrong at all kitchens, in one list: what goes on at the playhead, then what is over, the latest first.

import { el, icon } from "../../views/shared/elements.js";
import { plural } from "../../views/shared/numbers.js";

const MOST = 60;

class Moments {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.title = el("h2", {}, "Moments");
    this.list = el("ol", { class: "moments", "data-testid": "network-moments" });
    this.note = el("p", { class: "mute" });
    this.node = el(
      "section",
      { class: "card part", "aria-label": "Moments of all kitchens" },
      this.title,
      this.note,
      this.list,
    );
    this.shown = "";
  }

  /** The moments that may be told at the playhead. */
  get all() {
    const { clock, kitchens, bar } = this.page;
    const until = clock.hindsight ? Infinity : clock.now();
    return kitchens
      .matching(bar.query, bar.region)
      .flatMap((kitchen) => (kitchen.moments ?? []).map((moment) => ({ kitchen, moment })))
      .filter(({ moment }) => moment.now || moment.known <= until)
      .sort(
        (a, b) =>
          b.moment.now - a.moment.now ||
          (a.moment.now ? b.moment.severity - a.moment.severity : b.moment.start - a.moment.start),
      )
      .slice(0, MOST);
  }

  redraw() {
    const all = this.all;
    const some = this.page.model.state.many ? "Of the kitchens in view" : "Of the playhead’s day";
    const looked = this.page.kitchens.all.some(({ moments }) => moments);
    const none = looked ? `${some}: nothing stands out so far` : "Looking for what stands out …";
    const told = all.length ? `${some}, ${plural(all.length, "moment")}` : none;
    if (this.note.textContent !== told) this.note.textContent = told;
    const key = all
      .map(({ kitchen, moment }) => `${this.page.addressOf(kitchen, moment.at)} ${moment.sentence} ${moment.now}`)
      .join("|");
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(...all.map((one) => this.entry(one)));
  }

  /** A moment: a link to the kitchen's page then, and a button that goes there on this page. */
  entry({ kitchen, moment }) {
    const { page } = this;
    const name = kitchen.qualifier ? `${kitchen.name} ${kitchen.qualifier}` : kitchen.name;
    const here = el("button", {
      type: "button",
      class: "here",
      title: "Go to this moment on this page",
      "aria-label": `Go to this moment on this page: ${moment.title}, ${name}`,
      "data-testid": "network-moment-here",
      onclick: () => this.visit(kitchen, moment),
    });
    here.append(icon("clock", 16));
    return el(
      "li",
      { class: moment.now ? "is-now" : "" },
      el(
        "a",
        {
          href: page.addressOf(kitchen, moment.at),
          title: moment.sentence,
          "data-testid": "network-moment",
          onclick: () => page.leave(kitchen),
        },
        el("span", { class: "when" }, moment.now ? "Now" : moment.when),
        el("b", {}, moment.title),
        el("span", { class: "mute" }, name),
        el("span", { class: "sentence" }, moment.sentence),
      ),
      here,
    );
  }

  /** Go to a moment, with its kitchen's row active and in view. */
  visit(kitchen, moment) {
    const { list, verbs } = this.page;
    verbs.visit(moment.at);
    const at = list.items.findIndex(({ id }) => id === kitchen.id);
    if (at >= 0) list.activate(at);
  }

  /** Go to the next moment after the playhead, or to the one before it. Whether there is one. */
  jump(way) {
    const t = this.page.clock.now();
    const found = this.all
      .filter(({ moment }) => way * (moment.at - t) > 1)
      .sort((a, b) => way * (a.moment.at - b.moment.at))[0];
    if (!found) return false;
    this.visit(found.kitchen, found.moment);
    return true;
  }
}

export { Moments };
