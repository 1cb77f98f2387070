import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { minutesText } from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { verbsOf } from "../shared/verbs.js";

/** Milliseconds between two looks at which moment the playhead is in. */
const LOOK = 500;

/** What stands out in the range, ranked or in the order of time. */
class MomentsList {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
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
    const off = this.clock.on(this.mark);
    for (const name of ["moments", "judged", "problem", "unexamined"]) this.model.on(name, this.build);
    this.model.on("remove", () => {
      clearInterval(timer);
      off();
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

  /** As long as its two clocks say: 18:10 – 18:40 are 30 minutes, whatever the seconds. */
  length({ start, end }) {
    return minutesText(60 * (Math.floor(end / 60) - Math.floor(start / 60)));
  }

  buildItem = (moment) => {
    const badge = el("span", { class: "badge" });
    badge.append(icon(moment.icon, 14));
    const bar = el("span", { class: "bar graphic" }, el("i", { style: `width:${Math.round(100 * moment.severity)}%` }));
    const now = el("span", { class: "now", hidden: true }, "now");
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
        el("span", { class: "title" }, moment.title, now),
        el("span", { class: "when" }, moment.when, ` · ${this.length(moment)}`),
        el("span", { class: "sentence" }, moment.sentence),
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
    return { moment, now, node: el("li", { class: moment.trouble ? "moment trouble" : "moment" }, main, loop) };
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

  mark = () => {
    if (document.hidden || !this.clock.anchor) return;
    const t = this.clock.now();
    for (const { moment, now, node } of this.items) {
      const inside = moment.start <= t && t <= moment.end;
      if (now.hidden === inside) {
        now.hidden = !inside;
        node.classList.toggle("current", inside);
        if (inside) node.firstChild.setAttribute("aria-current", "true");
        else node.firstChild.removeAttribute("aria-current");
      }
    }
  };
}

function render(view) {
  return new MomentsList(view).root;
}

export { render };
