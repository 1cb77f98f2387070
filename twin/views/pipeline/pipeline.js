// The kitchen's pipeline: five stages, and between them the orders per hour that pass from one to the next.

import { STAGE_LABELS } from "#python/foundation/stages";
import { LAST_HOUR, NOW, TODAY } from "#python/foundation/windows";
import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { closeLast } from "../shared/keys.js";
import { figure, LONG_COUNT, many, minutesText, NONE, plural, put, reportAs } from "../shared/numbers.js";
import { sharedState } from "../shared/shared_state.js";
import { STATE_ICONS } from "../shared/stages.js";
import { selectionOf } from "../shared/verbs.js";
import { StageList } from "./stage_orders.js";

const PIPELINE = [
  { key: "created", meaning: "ordered, not cooking yet", passed: "created" },
  { key: "cooking", meaning: "being cooked", passed: "went into cooking" },
  { key: "ready", meaning: "cooked, waiting for the driver", passed: "became ready" },
  { key: "out_for_delivery", meaning: "on the road", passed: "were picked up" },
  { key: "completed", meaning: "delivered since midnight of this day", passed: "were delivered" },
];
const labelOf = (key) => (key === "completed" ? `${STAGE_LABELS.completed} ${TODAY}` : STAGE_LABELS[key]);
/** Pixels between the dots of a flow, by its level: one level for each doubling of the orders per hour, none at 0. */
const DOT_GAPS = [0, 46, 34, 26, 20, 15, 11, 8];
/** Pixels a second at which dots move: slow enough to be ignored. */
const DOT_SPEED = 11;
const flowLevel = (flow) =>
  flow > 0 ? Math.min(DOT_GAPS.length - 1, 1 + Math.max(0, Math.floor(Math.log2(flow / 4)))) : 0;
const LEVELS = ["", "amber", "red"];
const SIGNS = ["", "clock", "alert"];

function buildStage({ key, meaning, passed }) {
  const label = labelOf(key);
  const parts = {
    key,
    label,
    meaning,
    passed,
    count: figure("count", `stage-${key}-count`, key === "completed" ? TODAY : NOW),
    rate: figure("rate", `stage-${key}-flow`, LAST_HOUR),
    dots: el("i", { class: "dots" }),
  };
  parts.count.textContent = NONE;
  const badge = el("span", { class: "badge" });
  badge.append(icon(STATE_ICONS[key], 13));
  parts.pick = el(
    "button",
    {
      type: "button",
      class: "pick",
      "aria-pressed": "false",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      "data-testid": `stage-${key}-pick`,
      title: "Show only the orders of this stage, and list them",
    },
    badge,
    el("span", { class: "name" }, label),
  );
  parts.here = el("span", {
    class: "here graphic",
    role: "img",
    "aria-label": "The selected order is in this stage",
    title: "The selected order is in this stage",
    "data-testid": `stage-${key}-here`,
    hidden: true,
  });
  parts.only = el("span", {
    class: "only",
    title: "Map, events and lists show only this stage; click again, or press Escape, to show all",
    "data-testid": `stage-${key}-only`,
    hidden: true,
  });
  parts.only.append(icon("filter", 11), "only");
  parts.lead = figure("lead", `stage-${key}-lead`, TODAY);
  parts.first = el("p", { class: "first" });
  parts.second = el("p", { class: `second${key === "completed" ? " closed-today" : ""}` });
  if (key === "completed") {
    parts.closed = figure("closed", "stage-completed-closed", TODAY);
    parts.beside = ["cancelled", "stalled"].map((name) =>
      el("button", {
        type: "button",
        class: "beside",
        "data-testid": `stage-${name}`,
        "data-window": TODAY,
        hidden: true,
      }),
    );
    parts.first.append(parts.closed);
    parts.second.append(...parts.beside);
  } else {
    // what is here now comes first, what has left in the second place, each with its window
    for (const [name, window] of [
      ["age", NOW],
      ["oldest", NOW],
      ["service", LAST_HOUR],
      ["usual", NOW],
    ])
      parts[name] = figure(name, `stage-${key}-${name}`, window);
    parts.sign = el("span", { class: "sign" });
    parts.first.append(parts.age, parts.oldest);
    parts.second.append(parts.service);
  }
  // the third line: what the drivers do, at the two stages between which they come
  parts.third = el("p", { class: "third" });
  if (key === "ready") {
    parts.gap = figure("gap", "drivers-gap", LAST_HOUR);
    parts.rates = figure("rates", "drivers-rates", LAST_HOUR);
    parts.third.append(parts.gap, parts.rates);
  }
  if (key === "out_for_delivery") {
    parts.road = figure("road", "drivers-road", NOW);
    parts.waiting = figure("waiting", "drivers-waiting", NOW);
    parts.third.append(parts.road, parts.waiting);
  }
  parts.flow = el(
    "div",
    { class: "flow" },
    parts.rate,
    el("span", { class: "pipe graphic" }, el("span", { class: "lane" }, parts.dots)),
  );
  parts.tile = el(
    "div",
    { class: "tile" },
    el("h3", {}, parts.pick, parts.sign, parts.here, parts.lead, parts.usual, parts.only),
    el("div", { class: "row" }, parts.count, el("div", { class: "more" }, parts.first, parts.second, parts.third)),
  );
  parts.root = el(
    "li",
    { class: "stage", "data-testid": `stage-${key}`, style: `--text:var(--tw-${key});--fill:var(--tw-${key}-fill)` },
    parts.flow,
    parts.tile,
  );
  return parts;
}

/** By how many orders this day leads the ghost at a stage, since midnight; nothing without one. */
function showLead(parts, lead, ghost) {
  const known = ghost !== "" && typeof lead === "number";
  const words = !known ? "" : lead === 0 ? "level" : `${many(Math.abs(lead))} ${lead > 0 ? "ahead" : "behind"}`;
  const than = lead > 0 ? "more order" : "fewer order";
  const by = lead === 0 ? "as many orders" : plural(Math.abs(lead), than);
  const against = `${parts.passed} ${lead === 0 ? "as" : "than"} by this time on the other day: ${ghost}`;
  put(parts.lead, words, known ? `Since midnight ${by} ${against}` : "", known ? lead : null);
}

function showFlow(parts, s) {
  put(parts.rate, s.told ? `${many(s.flow)}/h` : "", undefined, s.told ? s.flow : null);
  const title = s.told
    ? `${plural(s.flow, "order")} ${parts.passed} in the last 60 minutes`
    : "The data tells nothing of this step";
  if (parts.flow.title !== title) parts.flow.title = title;
  const level = s.told ? flowLevel(s.flow) : 0;
  if (parts.level === level) return;
  parts.level = level;
  const gap = DOT_GAPS[level];
  parts.flow.classList.toggle("dry", level === 0);
  parts.dots.style.cssText = gap ? `--gap:${gap}px;animation-duration:${(gap / DOT_SPEED).toFixed(2)}s` : "";
}

function showStage(parts, s, limits, usualWords) {
  put(
    parts.count,
    s.told ? many(s.count) : NONE,
    s.told ? `${plural(s.count, "order")} ${parts.meaning}` : "The data tells nothing of this stage",
    s.told ? s.count : null,
  );
  parts.count.classList.toggle("long", s.count >= LONG_COUNT);
  showFlow(parts, s);
  if (parts.key === "completed") return showCompleted(parts, s);
  const left = s.excluded ? `; ${plural(s.excluded, "order")} over 4 hours left out` : "";
  const [service, age, oldest] = s.levels;
  const [amber, red] = limits;
  const limit =
    amber === null || red === null ? "" : `; marked from ${minutesText(amber)} on, red from ${minutesText(red)}`;
  const here = `${plural(s.count, "order")} here now`;
  const sameUnit = s.oldest !== null && minutesText(s.oldest).endsWith(" min");
  putAverage(
    parts.age,
    s.age === null ? "" : `${NOW} avg ${minutesText(s.age)}`,
    sameUnit,
    s.age === null ? "" : `How long the ${here} have been here so far, on average${limit}`,
    s.age,
  );
  put(
    parts.oldest,
    s.oldest === null ? (s.told ? `none ${NOW}` : "not in the data") : `oldest ${minutesText(s.oldest)}`,
    s.oldest === null ? "No order is in this stage now" : `The one of the ${here} that has been here longest${limit}`,
    s.oldest,
  );
  putAverage(
    parts.service,
    !s.told ? "" : s.service === null ? `${LAST_HOUR}: none left` : `${LAST_HOUR}: avg ${minutesText(s.service)}`,
    false,
    s.service === null
      ? `No order moved on from this stage in the last 60 minutes${left}`
      : `Average time in this stage of the ${plural(s.served, "order")} that moved on in the last 60 ` +
          `minutes, of others than are here now${left}` +
          `${service === 2 ? "; well over what is usual, or over the limit" : ""}`,
    s.service,
  );
  put(
    parts.usual,
    s.usual === null ? "" : `usual ${minutesText(s.usual)}`,
    s.usual === null ? "" : `Usual time in this stage at this hour: the median of ${usualWords}, other days`,
    s.usual,
  );
  parts.service.className = `service ${LEVELS[service]}`;
  for (const name of LEVELS.slice(1)) parts.age.classList.toggle(name, LEVELS[age] === name);
  parts.oldest.className = `oldest ${LEVELS[oldest]}`;
  if (parts.signed !== oldest) {
    parts.signed = oldest;
    parts.sign.className = `sign ${LEVELS[oldest]}`;
    parts.sign.title = oldest ? `Over ${minutesText(oldest === 2 ? red : amber)}` : "";
    parts.sign.replaceChildren(...(oldest ? [icon(SIGNS[oldest], 12)] : []));
  }
  parts.root.classList.toggle("trouble", service === 2 || age === 2);
}

/** Drivers and the gap at pick-up, in a third line of two stages; nothing where the data does not tell of them. */
function showDrivers(stages, d) {
  const ready = stages.find(({ key }) => key === "ready");
  const out = stages.find(({ key }) => key === "out_for_delivery");
  const marked = d?.gap > 0 ? LEVELS[d.level] : "";
  const pace = !d ? "" : d.gap > 0 ? `${many(d.gap)}/h behind` : d.gap < 0 ? `catch up ${many(-d.gap)}/h` : "keep up";
  const gap = pace && `drivers ${pace}`;
  if (ready.gap.textContent !== gap)
    ready.gap.replaceChildren(...(gap ? [el("span", { class: "noun" }, "drivers "), pace] : []));
  put(
    ready.gap,
    gap,
    d && "Meals that became ready in the last 60 minutes, minus those that drivers picked up in them",
    d?.gap ?? null,
  );
  put(
    ready.rates,
    d ? `${many(d.picked_up)} of ${many(d.ready)} fetched` : "",
    d && `In the last 60 minutes ${plural(d.ready, "meal")} became ready, and ${many(d.picked_up)} were picked up`,
    d?.picked_up ?? null,
  );
  ready.gap.className = `gap ${marked}`;
  put(
    out.road,
    d ? plural(d.on_road, "driver") : "",
    d && "Drivers on the road, with an order between pick-up and delivery. Who is free the data does not tell",
    d?.on_road ?? null,
  );
  const waiting =
    d && d.waiting !== null ? [many(d.waiting), d.waiting === 1 ? " driver" : " drivers", " at kitchen"] : ["", "", ""];
  if (out.waiting.textContent !== waiting.join("")) {
    const [number, noun, place] = waiting;
    // the noun: where no other stands before
    out.waiting.replaceChildren(number, el("span", { class: "noun" }, noun), place);
  }
  put(
    out.waiting,
    waiting.join(""),
    d && "Drivers who have arrived at the kitchen and not picked up their order yet",
    d?.waiting ?? null,
  );
}

/**
 * Write an average. "avg" stands apart, and the unit where the same one follows: a narrow tile shows them to who points
 * at it, reads it aloud or copies it.
 */
function putAverage(node, words, unitFollows, title, value) {
  const unit = unitFollows && words.endsWith(" min") ? " min" : "";
  if (node.textContent !== words) {
    const [before, after] = words.split(" avg");
    const rest =
      after === undefined ? [] : [el("span", { class: "word" }, " avg"), after.slice(0, after.length - unit.length)];
    node.replaceChildren(
      ...(after === undefined ? [words] : [before, ...rest]),
      unit && el("span", { class: "unit" }, unit),
    );
  }
  put(node, words, title, value);
}

const BESIDE_TITLES = {
  cancelled: "Orders cancelled since midnight: show and list them",
  stalled: "Orders without any event for 4 hours, since midnight: show and list them",
  silent:
    "Orders without any event for 4 hours, since midnight: show and list them. The data never tells of a delivery, " +
    "so nothing is known to be wrong with them",
};

function showCompleted(parts, s) {
  const closed = s.count + s.cancelled + s.stalled;
  put(
    parts.closed,
    s.told ? `of ${many(closed)} closed` : "",
    `Closed since midnight: ${many(s.count)} completed, ${many(s.cancelled)} cancelled, ${many(s.stalled)} stalled`,
    s.told ? closed : null,
  );
  for (const [i, name] of ["cancelled", "stalled"].entries()) {
    const button = parts.beside[i];
    button.hidden = !s[name];
    // where no delivery is ever told, that nothing more is told of an order says nothing of it
    const silent = name === "stalled" && !s.delivers;
    button.classList.toggle("is-quiet", silent);
    const words = silent ? "without an end" : name;
    put(button, `${many(s[name])} ${words}`, BESIDE_TITLES[silent ? "silent" : name], s[name]);
  }
}

/** The stages side by side, what flows between them, and the list of the one that is picked. */
class PipelineStrip {
  constructor({ model }) {
    this.model = model;
    this.stages = PIPELINE.map(buildStage);
    this.clock = clockFrom(this.model);
    this.selection = selectionOf(this.model);
    this.buildStrip();
    this.listenToUser();
    this.listen();
  }

  buildStrip() {
    this.strip = el(
      "ol",
      { class: "card strip", "aria-label": "Kitchen pipeline" },
      ...this.stages.map(({ root }) => root),
    );
    this.root = el("div", { class: "root" }, this.strip);
    this.pressed = null;
    this.list = new StageList(this.model, this.clock, this.selection, () => this.pressed?.focus());
    this.root.append(this.list.sheet);
  }

  listenToUser() {
    for (const parts of this.stages)
      parts.tile.addEventListener("click", (event) =>
        this.choose(parts.key, parts.label, parts.pick, parts.tile, event),
      );
    for (const [i, name] of ["cancelled", "stalled"].entries()) {
      const button = this.stages[4].beside[i];
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        this.choose(name, STAGE_LABELS[name], button, this.stages[4].tile, event);
      });
    }
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      // a view alone has no page around it to take back what was chosen
      if (closeLast() || this.selection.back()) event.preventDefault();
    });
  }

  listen() {
    for (const name of ["state", "limits", "usual_words", "ghost"]) this.model.on(name, this.show);
    this.model.on("here", this.here);
    this.model.on("loads", () => {
      if (this.model.extended === this.model.loads) this.list.renew();
      else this.list.close();
    });
    this.model.on("msg:custom", (message) => {
      if (message.tell === "stage") this.list.take(message);
    });
    const offs = [
      this.clock.on(() => {
        this.move();
        this.list.ask();
      }),
      this.selection.on(this.follow),
    ];
    this.model.on("remove", () => {
      this.list.close();
      for (const off of offs) off();
    });
    reportAs(this.model, "pipeline", () =>
      this.stages.map((parts) => {
        const text = (node) => node?.textContent ?? "";
        const style = getComputedStyle(parts.root);
        return {
          label: parts.label,
          count: text(parts.count),
          colour: style.getPropertyValue("--text").trim(),
          trouble: parts.root.classList.contains("trouble"),
          lines: [
            [text(parts.age), text(parts.oldest)].filter(Boolean).join(", ") || text(parts.closed),
            text(parts.service),
            [text(parts.usual), text(parts.rate) && `${text(parts.rate)} in`].filter(Boolean).join(" · "),
          ].filter(Boolean),
        };
      }),
    );
    this.show();
    this.here();
    this.follow();
    this.move();
  }

  /** Filter by a stage and list its orders; the same again shows all. */
  choose(key, label, button, tile, event) {
    const on = this.selection.stage !== key;
    this.selection.filter(key);
    this.pressed = button;
    if (on)
      this.list.show(key, label, `var(--tw-${key}, var(--tw-bad))`, tile, event.detail === 0); // 0: by the keyboard
    else this.list.close();
    this.follow();
  }

  follow = () => {
    if (this.list.open && this.list.stage !== this.selection.stage) this.list.close();
    const { stage } = this.selection;
    this.strip.classList.toggle("picked", stage !== "");
    for (const parts of this.stages) {
      const on = stage === parts.key;
      parts.root.classList.toggle("on", on);
      parts.pick.setAttribute("aria-pressed", String(on));
      parts.pick.setAttribute("aria-expanded", String(this.list.stage === parts.key));
      parts.only.hidden = !on;
    }
    for (const [i, name] of ["cancelled", "stalled"].entries())
      this.stages[4].beside[i].setAttribute("aria-pressed", String(stage === name));
    this.list.mark();
  };

  show = () => {
    const state = JSON.parse(this.model.state);
    sharedState(this.model.clock, "stages").take(state);
    for (const parts of this.stages)
      if (state[parts.key])
        showStage(parts, state[parts.key], this.model.limits[parts.key] ?? [null, null], this.model.usual_words);
    for (const parts of this.stages) showLead(parts, state[parts.key]?.lead, this.model.ghost);
    showDrivers(this.stages, state.drivers);
    this.strip.classList.toggle("with-drivers", !!state.drivers);
  };

  move() {
    return this.strip.classList.toggle("moving", this.clock.moving);
  }

  here = () => {
    for (const parts of this.stages) parts.here.hidden = parts.key !== this.model.here;
  };
}

function render(view) {
  return new PipelineStrip(view).root;
}

export { render };
