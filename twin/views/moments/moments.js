import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { durationText } from "../shared/times.js";
import { verbsOf } from "../shared/verbs.js";

/** Milliseconds between two looks at which moment the playhead is in. */
const LOOK = 500;

function render({ model }) {
  const clock = clockFrom(model);
  const verbs = verbsOf(model, clock);
  let shown = "all";
  let byTime = false;
  let items = [];

  const choice = (key, label) =>
    el(
      "button",
      {
        type: "button",
        "data-testid": `moments-${key}`,
        onclick: () => {
          shown = key;
          build();
        },
      },
      label,
      el("span", { class: "number" }),
    );
  const choices = {
    all: choice("all", "All"),
    troubles: choice("troubles", "Troubles"),
    peaks: choice("peaks", "Peaks"),
  };
  const order = el("button", {
    type: "button",
    class: "order",
    "data-testid": "moments-order",
    onclick: () => {
      byTime = !byTime;
      build();
    },
  });
  const list = el("ol", { class: "list", "data-testid": "moments-list", "aria-label": "Moments" });
  const state = el("div", { class: "state", role: "status", "data-testid": "moments-state" });
  const judged = el("span");
  const footer = el(
    "details",
    { class: "how", "data-testid": "moments-how" },
    el("summary", {}, "How these are found"),
    el(
      "p",
      {},
      "Each ten minutes of the range are compared with ",
      judged,
      ": orders made, time in the kitchen, meals waiting, drivers who came late, driving and delivery times. What differs by more than chance explains, for long enough, is a moment; its rank grows with how far it is off, how long it lasts and how many orders it touched.",
    ),
  );
  const header = el(
    "header",
    {},
    el("div", { class: "choices", role: "group", "aria-label": "Which moments" }, ...Object.values(choices)),
    order,
  );

  const go = (moment) => verbs.visit(moment.at);
  const length = ({ start, end }) => durationText(end - start);
  function buildItem(moment) {
    const badge = el("span", { class: "badge" });
    badge.append(icon(moment.icon, 14));
    const bar = el("span", { class: "bar" }, el("i", { style: `width:${Math.round(100 * moment.severity)}%` }));
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
        onclick: () => go(moment),
      },
      badge,
      el(
        "span",
        { class: "words" },
        el("span", { class: "title" }, moment.title, now),
        el("span", { class: "when" }, moment.when, ` · ${length(moment)}`),
        el("span", { class: "sentence" }, moment.sentence),
      ),
      el(
        "span",
        {
          class: "rank",
          title: `Number ${moment.rank} of ${model.moments.length}, severity ${Math.round(100 * moment.severity)} of 100`,
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
        verbs.section?.(moment.start, moment.end);
        verbs.play(moment.start);
      },
    });
    loop.append(icon("loop", 13), "Loop it");
    return { moment, now, node: el("li", { class: moment.trouble ? "moment trouble" : "moment" }, main, loop) };
  }
  function build() {
    const all = model.moments;
    const known = all ?? [];
    const troubles = known.filter(({ trouble }) => trouble).length;
    const counts = { all: known.length, troubles, peaks: known.length - troubles };
    for (const [key, button] of Object.entries(choices)) {
      button.setAttribute("aria-pressed", String(key === shown));
      button.lastChild.textContent = all ? String(counts[key]) : "";
    }
    order.replaceChildren(icon(byTime ? "clock" : "rise", 13), byTime ? "By time" : "Ranked");
    order.title = byTime
      ? "In the order of time. Click: the most severe first"
      : "The most severe first. Click: in the order of time";
    const chosen = known.filter(({ trouble }) => shown === "all" || trouble === (shown === "troubles"));
    if (byTime) chosen.sort((a, b) => a.start - b.start);
    items = chosen.map(buildItem);
    list.replaceChildren(...items.map(({ node }) => node));
    judged.textContent = model.judged;
    header.hidden = !known.length;
    footer.hidden = !all;
    state.hidden = items.length > 0;
    state.className = all ? "state" : "state looking";
    state.replaceChildren(
      ...(!all
        ? [
            el("p", {}, "Looking for moments …"),
            el("p", { class: "mute" }, "The range is compared with what is usual here"),
          ]
        : !known.length
          ? [
              el("p", {}, "Nothing out of the ordinary in this range"),
              el("p", { class: "mute" }, `Compared with ${model.judged}`),
            ]
          : [
              el("p", {}, shown === "troubles" ? "No trouble in this range" : "No peak in this range"),
              el("p", { class: "mute" }, `Compared with ${model.judged}`),
            ]),
    );
    mark();
  }
  function mark() {
    if (document.hidden || !clock.anchor) return;
    const t = clock.now();
    for (const { moment, now, node } of items) {
      const inside = moment.start <= t && t <= moment.end;
      if (now.hidden === inside) {
        now.hidden = !inside;
        node.classList.toggle("current", inside);
        if (inside) node.firstChild.setAttribute("aria-current", "true");
        else node.firstChild.removeAttribute("aria-current");
      }
    }
  }
  list.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") event.stopPropagation(); // they press the moment, not Play
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const at = items.findIndex(({ node }) => node.contains(event.target));
    const next = items[at + by];
    event.preventDefault();
    event.stopPropagation();
    next?.node.firstChild.focus();
  });
  const timer = setInterval(() => {
    if (clock.moving) mark();
  }, LOOK);
  const off = clock.on(mark);
  model.on("moments", build);
  model.on("judged", build);
  model.on("remove", () => {
    clearInterval(timer);
    off();
  });
  build();
  return el(
    "section",
    { class: "card moments", "data-testid": "moments", "aria-label": "Moments" },
    header,
    state,
    list,
    footer,
  );
}

export { render };
