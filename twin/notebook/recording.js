// A saved replay: this stands in for the server. It sets what the server would have set as the clock goes on, and
// answers what the views ask, from a recording that Python made of the same answers (saved.py).

import { bytesOf } from "../views/map/wire.js";
import { clockFrom } from "../views/shared/clock.js";
import { el } from "../views/shared/elements.js";
import { selectionOf } from "../views/shared/verbs.js";
import { SavedLists } from "./saved_lists.js";

/** As the session's tick: twice a second while it plays, and at once after a verb. */
const SHOW_EVERY = 500;
const MOST_LISTED = 200;

/** The recording: JSON, gzipped, in base64. */
async function openRecording(text) {
  const bytes = bytesOf(text);
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

/** The last of [[step, value], …] at or before a step; undefined before the first. */
function valueAt(changes, step) {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle][0] <= step) low = middle + 1;
    else high = middle;
  }
  return changes[low - 1]?.[1];
}

class Answers {
  constructor(recording) {
    this.start = recording.start;
    this.step = recording.step;
    this.changes = recording.changes;
    this.motion = recording.motion;
    this.places = recording.places;
    this.words = recording.words;
    this.labels = recording.labels;
    this.densities = recording.densities;
    this.spells = recording.spells;
    this.stories = recording.stories;
    this.lists = new SavedLists(recording, (state, t) => this.within(state, t));
    /** Rows in the order in which their orders began, as the order panel counts them. */
    this.rows = Object.values(this.stories)
      .sort((a, b) => a.place.number - b.place.number || a.row - b.row)
      .map(({ row }) => row);
    this.packed = bytesOf(recording.motion.packed);
    this.pins = Object.fromEntries(
      Object.entries(recording.pins).map(([stage, pins]) => [stage, { ...pins, packed: bytesOf(pins.packed) }]),
    );
  }
  /** Answer a view's question; null where a saved page has no answer. */
  answer(question) {
    const { version, order } = question;
    if (question.loads !== undefined && question.ask === "stage") return this.list(question);
    switch (question.ask) {
      case "motion":
        return {
          tell: "motion",
          version,
          number: question.number,
          after: null,
          from: -Infinity,
          to: Infinity,
          ...this.motion,
          packed: this.packed,
        };
      case "place":
        return this.places[order] ? { tell: "place", version, ...this.places[order] } : null;
      case "order":
        return {
          tell: "order",
          version,
          order,
          ...this.words[order],
          stage: this.labels[this.stateOf(order, question.t)] ?? "",
        };
      case "stage":
        return this.pins[question.stage] ? { tell: "stage", version, ...this.pins[question.stage] } : null;
      case "feed":
        return this.lists.page(question);
      case "density":
        return this.densities[question.kind] ? { tell: "density", version, ...this.densities[question.kind] } : null;
      default:
        return null;
    }
  }
  /** The row that comes after a step through the orders; that of the last one at either end. */
  beside(row, step) {
    return this.rows[this.rows.indexOf(row) + step] ?? row;
  }
  /** [row, begin, until, since] of the orders in a state at t. */
  within(state, t) {
    return (this.spells[state] ?? []).filter(([, begin, until]) => begin <= t && t < until);
  }
  stateOf(order, t) {
    return Object.keys(this.spells).find((state) => this.within(state, t).some(([row]) => row === order));
  }
  /** The orders of a stage, as twin/views/pipeline/stage_orders.py lists them. */
  list({ stage, t, loads }) {
    const closed = stage === "completed" || stage === "cancelled";
    const found = this.within(stage, t).sort((a, b) => (closed ? b[3] - a[3] : a[3] - b[3]));
    const listed = found.slice(0, MOST_LISTED);
    const words = listed.map(([row]) => this.words[row]);
    const rows = {
      row: listed.map(([row]) => row),
      id: words.map(({ name }) => name),
      since: listed.map(([, , , since]) => since),
      total: words.map(({ whole }) => (stage === "completed" ? whole : null)),
      basket: words.map(({ basket }) => basket),
    };
    return { tell: "stage", stage, t, loads, total: found.length, rows };
  }
}

function render({ model, view }) {
  const clock = clockFrom(model);
  const root = el("span", { hidden: true });
  const { document: page } = view.model;
  let timer = 0;
  let off = null;
  let gone = false;
  const views = new Map(
    [...page.all_models].filter((one) => one.data?.clock === model.clock).map((one) => [one.class_name, one]),
  );
  const opening = openRecording(model.recording).then((recording) => new Answers(recording));
  const panel = views.get("OrderPanel")?.data;
  const orders = views.get("OrderList")?.data;
  const chosen = selectionOf(model);
  /** Set the list of orders to what it is at the playhead. */
  const showOrders = async () => {
    const { lists } = await opening;
    const state = !gone && orders && lists.orders(clock.now(), chosen.stage, orders.sort);
    if (state) orders.setv({ state });
  };
  orders?.properties.sort.change.connect(showOrders);
  const dropChosen = chosen.on(async ({ row }) => {
    showOrders();
    const story = (await opening).stories[row] ?? {};
    if (panel && !gone && chosen.row === row) panel.setv({ story });
  });
  for (const component of views.values()) {
    page.event_manager.subscribed_models.add(component);
    component.on_event("data_event", async ({ data }) => {
      // as from a server: not before the question has been put
      const answers = await opening;
      if (data?.ask === "texts") {
        answers.lists.forget();
        showOrders();
      }
      if (data?.close) chosen.clear();
      if (data?.neighbour) chosen.show(answers.beside(chosen.row, data.neighbour));
      const told = data?.ask ? answers.answer(data) : null;
      if (told) component.trigger_event({ event_name: "esm_event", data: told });
    });
  }
  opening.then(({ start, step, changes }) => {
    if (gone) return;
    const show = () => {
      showOrders();
      const now = Math.floor((clock.now() - start) / step);
      for (const [name, params] of Object.entries(changes)) {
        const { data } = views.get(name);
        for (const [param, values] of Object.entries(params)) {
          const value = valueAt(values, now);
          if (value !== undefined && value !== data[param]) data.setv({ [param]: value });
        }
      }
    };
    off = clock.on(show);
    timer = setInterval(() => {
      if (!document.hidden) show();
    }, SHOW_EVERY);
    show();
  });
  model.on("remove", () => {
    gone = true;
    clearInterval(timer);
    off?.();
    dropChosen();
  });
  return root;
}

export { render };
