import { cardButton, followCards } from "../shared/cards.js";
import { clockFrom } from "../shared/clock.js";
import { el, icon, say } from "../shared/elements.js";
import { toldAt } from "../shared/known.js";
import { laterMark } from "../shared/later.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { verbsOf } from "../shared/verbs.js";

/** Milliseconds between two looks at which moment the playhead is in. */
const LOOK = 500;

/** What stands out in the range, ranked or in the order of time. */
class MomentsList {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
    this.known = sharedState(this.model.clock, "known");
    this.shown = "all";
    this.byTime = false;
    this.items = [];
    this.buildChoices();
    this.buildFooter();
    this.listen();
    this.assemble();
  }

  buildChoices() {
    this.choices = {
      all: this.choice("all", "All"),
      troubles: this.choice("troubles", "Troubles"),
      peaks: this.choice("peaks", "Peaks"),
    };
    this.order = el("button", {
      type: "button",
      class: "order",
      "data-testid": "moments-order",
      onclick: () => {
        this.byTime = !this.byTime;
        this.build();
      },
    });
    this.list = el("ol", { class: "list", "data-testid": "moments-list", "aria-label": "Moments" });
    this.failed = el("p", { class: "failed", role: "status", "data-testid": "moments-failed", hidden: true });
    this.state = el("div", { class: "state", role: "status", "data-testid": "moments-state" });
  }

  buildFooter() {
    this.judged = el("span");
    this.footer = el(
      "details",
      { class: "how", "data-testid": "moments-how" },
      el("summary", {}, "How these are found"),
      el(
        "p",
        {},
        "Each ten minutes of the range are compared with ",
        this.judged,
        ": orders made, time in the kitchen, meals waiting, drivers who came late, driving and " +
          "delivery times. What differs by more than chance explains, for long enough, is a moment; its " +
          "rank grows with how far it is off, how long it lasts and how many orders it touched.",
      ),
    );
    this.header = el(
      "header",
      {},
      el("div", { class: "choices", role: "group", "aria-label": "Which moments" }, ...Object.values(this.choices)),
      this.order,
    );
  }

  listen() {
    this.list.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // they press the moment, not Play
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!by) return;
      const at = this.items.findIndex(({ node }) => node.contains(event.target));
      const next = this.items[at + by];
      event.preventDefault();
      event.stopPropagation();
      next?.node.firstChild.focus();
    });
    const timer = setInterval(
      guarded(() => {
        if (this.clock.moving) this.mark();
      }),
      LOOK,
    );
    const offs = [this.clock.on(this.mark), this.known.on(this.mark)];
    for (const name of ["moments", "judged", "problem", "unexamined"]) this.model.on(name, this.build);
    this.model.on("remove", () => {
      clearInterval(timer);
      for (const off of offs) off();
    });
    this.build();
  }

  assemble() {
    this.root = el(
      "section",
      { class: "card moments", "data-testid": "moments", "aria-label": "Moments" },
      this.header,
      this.failed,
      this.state,
      this.list,
      this.footer,
    );
    this.model.on("remove", followCards(this.model, this.root));
  }

  choice(key, label) {
    return el(
      "button",
      {
        type: "button",
        "data-testid": `moments-${key}`,
        onclick: () => {
          this.shown = key;
          this.build();
        },
      },
      label,
      el("span", { class: "number" }),
    );
  }

  go(moment) {
    return this.verbs.visit(moment.at);
  }

  buildItem = (moment) => {
    const badge = el("span", { class: "badge" });
    badge.append(icon(moment.icon, 14));
    const bar = el("span", { class: "bar graphic" }, el("i", { style: `width:${Math.round(100 * moment.severity)}%` }));
    const parts = {
      title: el("span", {}, moment.title),
      now: el("span", { class: "now", hidden: true }, "now"),
      when: el("span", {}),
      later: laterMark(),
      sentence: el("span", { class: "sentence" }),
      why: el("span", { class: "sentence why", "data-testid": "moment-why" }),
    };
    const main = el(
      "button",
      {
        type: "button",
        class: "main",
        "data-testid": "moment",
        "data-kind": moment.kind,
        "data-rank": moment.rank,
        title: "Go to when it is at its worst",
        onclick: () => this.go(moment),
      },
      badge,
      el(
        "span",
        { class: "words" },
        el("span", { class: "title" }, parts.title, parts.now),
        el("span", { class: "when" }, parts.when, parts.later),
        parts.sentence,
        parts.why,
      ),
      el(
        "span",
        {
          class: "rank",
          title:
            `Number ${moment.rank} of ${this.model.moments.length}, severity ` +
            `${Math.round(100 * moment.severity)} of 100`,
        },
        el("span", { class: "figure" }, el("span", { class: "hash" }, "#"), String(moment.rank)),
        bar,
      ),
    );
    const loop = el("button", {
      type: "button",
      class: "loop",
      "aria-label": `Loop ${moment.title}, ${moment.when}`,
      title: "Play this moment again and again",
      "data-testid": "moment-loop",
      onclick: () => {
        this.verbs.section?.(moment.start, moment.end);
        this.verbs.play(moment.start);
      },
    });
    loop.append(icon("loop", 13), "Loop it");
    const card = cardButton(this.model, `${moment.title}, ${moment.when}`, () => moment);
    return { moment, parts, node: el("li", { class: moment.trouble ? "moment trouble" : "moment" }, main, loop, card) };
  };

  build = () => {
    const all = this.model.moments;
    const known = all ?? [];
    const troubles = known.filter(({ trouble }) => trouble).length;
    const counts = { all: known.length, troubles, peaks: known.length - troubles };
    for (const [key, button] of Object.entries(this.choices)) {
      button.setAttribute("aria-pressed", String(key === this.shown));
      button.lastChild.textContent = all ? String(counts[key]) : "";
    }
    this.order.replaceChildren(icon(this.byTime ? "clock" : "rise", 13), this.byTime ? "By time" : "Ranked");
    this.order.title = this.byTime
      ? "In the order of time. Click: the most severe first"
      : "The most severe first. Click: in the order of time";
    const chosen = known.filter(({ trouble }) => this.shown === "all" || trouble === (this.shown === "troubles"));
    if (this.byTime) chosen.sort((a, b) => a.start - b.start);
    this.items = chosen.map(this.buildItem);
    this.list.replaceChildren(...this.items.map(({ node }) => node));
    this.judged.textContent = this.model.judged;
    this.header.hidden = !known.length;
    this.footer.hidden = !all;
    this.state.hidden = this.items.length > 0;
    const { problem, unexamined } = this.model;
    this.failed.hidden = !unexamined.length;
    this.failed.textContent = `Not examined because of an error, which the log has: ${unexamined.join(", ")}.`;
    this.state.className = all || problem ? "state" : "state looking";
    this.state.replaceChildren(...this.stateTexts(all, known));
    this.mark();
  };

  stateTexts(all, known) {
    if (this.model.problem) {
      return [el("p", {}, "Moments could not be looked for"), el("p", { class: "mute" }, this.model.problem)];
    }
    const compared = el("p", { class: "mute" }, `Compared with ${this.model.judged}`);
    if (!all) {
      return [
        el("p", {}, "Looking for moments …"),
        el("p", { class: "mute" }, "The range is compared with what is usual here"),
      ];
    }
    if (known.length) {
      return [el("p", {}, this.shown === "troubles" ? "No trouble in this range" : "No peak in this range"), compared];
    }
    const none = this.model.unexamined.length ? "Nothing else out of the ordinary" : "Nothing out of the ordinary";
    return [el("p", {}, `${none} in this range`), compared];
  }

  /**
   * Write what each item says at the playhead. The list knows the whole range, because it is for finding; but of what
   * goes on it says what was known, and what nobody knew yet is drawn as ahead.
   */
  mark = () => {
    if (document.hidden || !this.clock.anchor) return;
    const t = this.clock.now();
    const blocks = this.known.value ?? [];
    for (const { moment, parts, node } of this.items) {
      const { title, words, sentence, why, now, later } = toldAt(moment, t, blocks, this.clock);
      put(parts.title, title);
      put(parts.when, words);
      say(parts.sentence, sentence);
      say(parts.why, why);
      parts.later.hidden = !later;
      node.classList.toggle("ahead", later && !now);
      if (parts.now.hidden === now) {
        parts.now.hidden = !now;
        node.classList.toggle("current", now);
        if (now) node.firstChild.setAttribute("aria-current", "true");
        else node.firstChild.removeAttribute("aria-current");
      }
    }
  };
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function render(view) {
  return new MomentsList(view).root;
}

export { render };
