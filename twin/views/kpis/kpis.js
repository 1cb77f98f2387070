// The KPI cards: two large ones with a drawing, three compact ones below.

import { STAGE_LABELS, STAGES } from "#python/foundation/stages";
import { LAST_HOUR, NOW, SINCE, TODAY } from "#python/foundation/windows";
import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import {
  figure,
  many,
  minutesText,
  moneyText,
  NONE,
  percentText,
  plural,
  put,
  reportAs,
  shortMany,
  wholeMinutes,
} from "../shared/numbers.js";
import { guarded } from "../shared/registry.js";
import { Histogram, label, Spark } from "./spark.js";

/** The stages of active orders. */
const ACTIVE = STAGES.slice(0, 4);
const DAY_S = 86400;
/** What colours a figure: how much customers are harmed, by its level (twin/analysis/limits.py). */
const TONES = ["", "warn", "bad"];
/** Deliveries from which the late ones are told as a share: longer numbers have no room beside the trend. */
const MOST_COUNTED = 100;
const TREND_SIGNS = { worse: "▲", better: "▼" };

/** The window of a card's figures; of a figure whose window is another, its own. */
const WINDOW_OF = {
  "orders-hour": LAST_HOUR,
  "delivery-time": LAST_HOUR,
  completion: SINCE,
  active: NOW,
  revenue: LAST_HOUR,
  "revenue-today": TODAY,
};
/** The cards beside whose figure that of the ghost stands. */
const HAUNTED = {
  orders: "orders-hour",
  delivery: "delivery-time",
  completion: "completion",
  active: "active",
  revenue: "revenue",
};
const windowOf = (id) => WINDOW_OF[id] ?? WINDOW_OF[Object.keys(WINDOW_OF).find((card) => id.startsWith(card))];

/** A card: heading with its window, value with a note beside it, lines of detail, and a drawing. */
function buildCard(id, heading, span, lines, drawing, axis) {
  const parts = {
    value: figure("value", `kpi-${id}-value`, WINDOW_OF[id]),
    note: el("span", { class: "note" }),
    span: el("span", { class: "window" }, span),
    left: el("span", { class: "left-out", "data-testid": `kpi-${id}-left-out`, hidden: true }),
  };
  parts.value.textContent = NONE;
  parts.heading = heading;
  parts.lines = lines;
  parts.root = el(
    "section",
    { class: "card kpi", "data-testid": `kpi-${id}`, "aria-label": heading },
    el("h4", {}, el("span", { class: "name" }, heading), parts.span, parts.left),
    el("div", { class: "row" }, parts.value, parts.note),
    ...lines.map((line) => el("p", { class: "detail" }, ...line)),
    drawing,
    axis,
  );
  return parts;
}
/** Tell how many orders a card leaves out, and why; nothing where it leaves out none. */
function leaveOut(card, reasons) {
  const number = reasons.reduce((sum, [n]) => sum + n, 0);
  card.left.hidden = !number;
  card.span.hidden = number > 0 && card.brief === true;
  put(
    card.left,
    number ? `${many(number)} left out` : "",
    reasons
      .filter(([n]) => n)
      .map(([n, why]) => `${plural(n, "order")} ${why}`)
      .join("; "),
    number,
  );
}
function tone(node, name, kind) {
  const value = kind ? `${name} ${kind}` : name;
  if (node.className !== value) node.className = value;
}

/** The five cards of figures at the playhead. */
class KpiCards {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(model);
    this.spark = new Spark("Orders per hour over the last 6 hours");
    this.histogram = new Histogram(this.model.bins, this.model.bin_s);
    this.f = Object.fromEntries(
      [
        "orders-hour-change",
        "orders-hour-usual",
        "delivery-time-trend",
        "delivery-time-over",
        "delivery-time-target",
        "delivery-time-p75",
        "delivery-time-p95",
        "delivery-time-late",
        "delivery-time-usual",
        "completion-due",
        "completion-change",
        "completion-before",
        "active-kitchen",
        "active-road",
        "revenue-today",
      ].map((id) => [id, figure("figure", `kpi-${id}`, windowOf(id))]),
    );
    this.goal = el("b", { class: "goal" });
    this.meter = el("i");
    this.stages = ACTIVE.map((key) =>
      el("i", { style: `background:var(--tw-${key}-fill)`, "data-testid": `kpi-active-${key}`, "data-window": NOW }),
    );
    this.buildCards();
    this.assemble();
    this.listen();
    this.offerReport();
  }

  buildCards() {
    this.mark = el("span", { class: "mark" });
    this.cards = {
      orders: buildCard(
        "orders-hour",
        "Orders / hour",
        LAST_HOUR,
        [[this.f["orders-hour-change"], this.f["orders-hour-usual"]]],
        this.spark.svg,
        el("div", { class: "axis", "aria-hidden": "true" }, el("span", {}, "6 h ago"), el("span", {}, "now")),
      ),
      delivery: buildCard(
        "delivery-time",
        "Delivery time",
        LAST_HOUR,
        [
          [this.f["delivery-time-over"], this.f["delivery-time-target"], this.f["delivery-time-usual"]],
          [this.f["delivery-time-p75"], this.f["delivery-time-p95"]],
        ],
        this.histogram.svg,
        el("div", { class: "axis", "aria-hidden": "true" }, el("span", {}, "0"), this.mark, el("span", {}, "60+ min")),
      ),
      completion: buildCard(
        "completion",
        "Completion",
        "",
        [[this.f["completion-change"], this.f["completion-before"]]],
        el("div", { class: "bar meter graphic" }, this.meter, this.goal),
      ),
      active: buildCard(
        "active",
        "Active orders",
        NOW,
        [[this.f["active-kitchen"], this.f["active-road"]]],
        el("div", { class: "bar split graphic" }, ...this.stages),
      ),
      revenue: buildCard("revenue", "Revenue", LAST_HOUR, [[this.f["revenue-today"]]]),
    };
    this.cards.delivery.brief = this.cards.orders.brief = this.cards.revenue.brief = true;
    this.cards.completion.note.replaceWith(this.f["completion-due"]);
    for (const [id, symbol] of [
      ["active-kitchen", "kitchen"],
      ["active-road", "car"],
    ])
      this.f[id].before(icon(symbol, 13));
    // how many were late comes first, the mean after it
    const { value, note, root } = this.cards.delivery;
    value.replaceWith(this.explained(this.f["delivery-time-late"]));
    note.replaceWith(this.f["delivery-time-trend"]);
    root.querySelector(".detail").prepend(value);
    value.className = "mean";
    this.ghosts = {};
    for (const [name, id] of Object.entries(HAUNTED)) {
      this.ghosts[name] = figure("ghost", `kpi-${id}-ghost`, WINDOW_OF[id]);
      // a share beside a share has no room in a narrow card: it stands below
      this.cards[name].root.querySelector(name === "completion" ? ".detail" : ".row").append(this.ghosts[name]);
    }
    this.show = {
      orders: (s) => this.showOrders(s),
      delivery: (s) => this.showDelivery(s),
      completion: (s) => this.showCompletion(s),
      active: (s) => this.showActive(s),
      revenue: (s) => this.showRevenue(s),
    };
    this.state = {};
    this.asked = 0;
  }

  /** The figure as a button that asks why deliveries were late, where the page can say so. */
  explained(figure) {
    if (!this.model.explains) return figure;
    const ask = () => this.model.send_msg({ why: true });
    const title = "Why late?";
    return el(
      "button",
      { type: "button", class: "why", "data-testid": "kpi-delivery-why", title, onclick: ask },
      figure,
    );
  }

  listen() {
    this.model.on("state", this.update);
    this.model.on("series", this.draw);
    // the playhead goes on where no figure changes
    this.cards.completion.root.addEventListener("pointerenter", this.update);
    this.model.on("remove", () => clearTimeout(this.asked));
    this.update();
    this.draw();
  }

  offerReport() {
    const accents = {
      delivery: this.f["delivery-time-late"],
      completion: this.f["completion-change"],
    };
    reportAs(this.model, "kpis", () =>
      Object.entries(this.cards).map(([name, card]) => ({
        heading: card.heading,
        value: card.value.textContent,
        tone: this.toneOf(accents[name]),
        lines:
          name === "active"
            ? [
                `${this.f["active-kitchen"].textContent} in the kitchen · ` +
                  `${this.f["active-road"].textContent} on the road`,
              ]
            : card.lines
                .map((line) =>
                  line
                    .filter((node) => node !== card.value)
                    .map((node) => node.textContent)
                    .filter(Boolean)
                    .join(line[0] === this.f["delivery-time-p75"] ? " · " : ""),
                )
                .filter(Boolean),
      })),
    );
  }

  assemble() {
    this.root = el("div", { class: "cards" }, ...Object.values(this.cards).map((card) => card.root));
  }

  showOrders(s) {
    const known = s.now !== null;
    const against = known ? (s.usual ?? s.before) : null;
    const difference = against === null ? null : s.now - against;
    put(
      this.cards.orders.value,
      known ? many(s.now) : NONE,
      known ? "Orders created in the last 60 minutes" : "The data does not tell when orders were created",
      s.now,
    );
    leaveOut(
      this.cards.orders,
      known
        ? [[s.undated, "first heard of in these 60 minutes, but the data does not tell when they were created"]]
        : [],
    );
    const arrow = difference > 0 ? "▲" : "▼";
    const share = against ? Math.round((100 * difference) / against) : 0;
    const change =
      difference === null
        ? ""
        : s.usual === null
          ? difference === 0
            ? "● same"
            : `${arrow} ${many(Math.abs(difference))}`
          : against < 1
            ? ""
            : share === 0
              ? "● as usual"
              : `${arrow} ${many(Math.abs(share))} %`;
    put(this.f["orders-hour-change"], change, undefined, difference);
    put(
      this.f["orders-hour-usual"],
      !known
        ? "not in the data"
        : s.usual !== null
          ? share || against < 1
            ? ` vs usual ${many(Math.round(s.usual))}`
            : ` (${many(Math.round(s.usual))})`
          : s.before === null
            ? ""
            : difference === 0
              ? " as the hour before"
              : " on the hour before",
      s.usual !== null
        ? `Usually ${many(Math.round(s.usual))} orders in these 60 minutes: the median of ${s.words}`
        : "The data holds too few other days to say what is usual: compared with the 60 minutes before",
      s.usual ?? s.before,
    );
  }

  showDelivery(s) {
    const known = s.mean !== null;
    const over = known ? wholeMinutes(s.mean) - wholeMinutes(s.target) : 0;
    const left = [
      [s.long, "took over 4 hours (or less than nothing)"],
      [s.undated, "were delivered, but the data does not tell when they were created"],
    ];
    put(
      this.cards.delivery.value,
      known ? minutesText(s.mean) : NONE,
      known
        ? `Average time from created to delivered, of the ${plural(s.count, "delivery", "deliveries")} ` +
            "of the last 60 minutes"
        : !s.dated
          ? "The data does not tell when orders were created"
          : s.recorded
            ? "No delivery in the last 60 minutes"
            : "The data never tells of a delivery",
      s.mean,
    );
    leaveOut(this.cards.delivery, left);
    put(
      this.f["delivery-time-over"],
      !known ? "" : over > 0 ? `${minutesText(over * 60)} over` : "",
      undefined,
      known ? s.mean - s.target : null,
    );
    tone(this.f["delivery-time-over"], "figure accent", over > 0 || !s.level ? TONES[s.level] : "");
    tone(this.f["delivery-time-late"], "figure value late", TONES[s.level]);
    const worse = s.level > 0 && s.trend in TREND_SIGNS;
    put(
      this.f["delivery-time-trend"],
      worse ? `${TREND_SIGNS[s.trend]} ${s.trend}` : "",
      s.trend
        ? `Of the hour to 20 minutes before ${{ worse: "fewer", better: "more" }[s.trend] ?? "as many"} were late`
        : "",
    );
    tone(this.f["delivery-time-trend"], "figure trend", s.trend === "worse" ? TONES[s.level] : "");
    put(
      this.f["delivery-time-target"],
      known
        ? ` target ${wholeMinutes(s.target)} min`
        : s.dated && s.recorded
          ? "none delivered in the hour"
          : "not in the data",
      `The target: ${minutesText(s.target)} from created to delivered`,
      s.target,
    );
    put(
      this.f["delivery-time-usual"],
      known && s.usual !== null ? ` · usual ${wholeMinutes(s.usual)} min` : "",
      s.usual === null ? "" : `Usually ${minutesText(s.usual)} at this time of day, on other days`,
      s.usual,
    );
    for (const [name, share] of [
      ["p75", "three quarters"],
      ["p95", "95 %"],
    ])
      put(
        this.f[`delivery-time-${name}`],
        known ? `${name.toUpperCase()} ${wholeMinutes(s[name])}${name === "p95" ? " min" : ""}` : "",
        known
          ? `Of ${plural(s.count, "delivery", "deliveries")} in the last 60 minutes ${share} took at most ` +
              `${minutesText(s[name])}`
          : "",
        s[name],
      );
    put(
      this.f["delivery-time-late"],
      s.count
        ? s.count < MOST_COUNTED && !this.model.shares
          ? `${many(s.over)} of ${many(s.count)} late`
          : `${percentText(s.over / s.count)} late`
        : NONE,
      s.count
        ? `${many(s.over)} of the ${plural(s.count, "delivery", "deliveries")} of the last 60 minutes ` +
            "took longer than the target, in whole minutes"
        : "",
      s.count ? s.over : null,
    );
    this.cards.delivery.root.classList.toggle("over", over > 0);
    this.histogram.draw(s.bins, s.target);
    label(
      this.histogram.svg,
      s.count
        ? `Delivery times of the last 60 minutes in steps of 5 minutes; ${many(s.over)} of ` +
            `${many(s.count)} over the target of ${wholeMinutes(s.target)} minutes`
        : "No delivery times in the last 60 minutes",
    );
    const place = Math.min(62, Math.max(12, 100 * this.histogram.across(s.target)));
    if (this.mark.style.left !== `${place}%`) this.mark.style.left = `${place}%`;
    put(this.mark, `target ${wholeMinutes(s.target)}`);
  }

  showCompletion(s) {
    const known = s.share !== null;
    const points =
      known && s.before !== null ? Math.round(1000 * s.share) / 10 - Math.round(1000 * s.before) / 10 : null;
    const size = points === null ? "" : Math.abs(points).toFixed(1);
    put(
      this.cards.completion.value,
      known ? percentText(s.share) : NONE,
      `${this.dueSince()}: the delivered share of the orders created from 24 hours to 90 minutes ago. ` +
        (!s.recorded
          ? "The data never tells of a delivery"
          : s.dated
            ? `${plural(s.not_due, "younger order")} may still be on the way and ` +
              `${s.not_due === 1 ? "is" : "are"} left out`
            : "The data tells of no order’s creation"),
      s.share,
    );
    put(
      this.f["completion-due"],
      known ? `of ${many(s.due)}` : "",
      known
        ? `${this.dueSince()}: ${plural(s.due, "order")} created from 24 hours to 90 minutes ago: ` +
            `${many(s.delivered)} delivered, ${many(s.cancelled)} cancelled, ` +
            `${many(s.due - s.delivered - s.cancelled)} open or stalled; ${many(s.not_due)} ` +
            "younger ones are not due yet"
        : "",
      known ? s.due : null,
    );
    put(this.cards.completion.span, known ? "last 24 h" : "");
    const same = size === "0.0";
    put(
      this.f["completion-change"],
      points === null ? "" : same ? "●" : `${points > 0 ? "▲" : "▼"} ${size}`,
      points === null ? "" : "Percentage points against 24 hours before",
      points === null ? null : s.share - s.before,
    );
    tone(this.f["completion-change"], "figure accent", TONES[s.level]);
    put(
      this.f["completion-before"],
      !known
        ? s.dated && s.recorded
          ? "nothing due yet"
          : "not in the data"
        : points === null
          ? "no day before"
          : same
            ? " as a day ago"
            : " in a day",
      points === null
        ? "The data does not reach back far enough to compare with 24 hours before"
        : `24 hours before it was ${percentText(s.before)} of ${plural(s.before_due, "order")}`,
      s.before,
    );
    this.meter.style.width = `${100 * (s.share ?? 0)}%`;
    this.meter.classList.toggle("below", s.level > 0);
    this.goal.style.left = `${100 * s.goal}%`;
    this.goal.title = `The target: ${Math.round(1000 * s.goal) / 10} %`;
  }

  /** Since when orders are due: the window of completion, which is written where one points at it. */
  dueSince() {
    const t = this.clock.now();
    const { zone } = this.clock;
    return `Since ${zone.dayText(t - DAY_S)} ${zone.clockText(t - DAY_S, false)}`;
  }

  showActive(s) {
    const keys = ACTIVE;
    const told = keys.filter((key) => s[key] !== null);
    const total = told.reduce((sum, key) => sum + s[key], 0);
    const kitchen = keys.slice(0, 3).some((key) => s[key] !== null) ? total - (s.out_for_delivery ?? 0) : null;
    const road = s.out_for_delivery;
    const words = told.map((key) => `${STAGE_LABELS[key]} ${many(s[key])}`).join(", ");
    const beside = s.cancelled + s.stalled;
    put(
      this.cards.active.value,
      told.length ? shortMany(total) : NONE,
      "Orders created and not yet delivered, cancelled or stalled: " +
        words +
        (beside ? `. Left out, since midnight: ${many(s.cancelled)} cancelled, ${many(s.stalled)} stalled` : ""),
      told.length ? total : null,
    );
    put(
      this.f["active-kitchen"],
      kitchen === null ? NONE : shortMany(kitchen),
      "In the kitchen: created, cooking or ready, not yet picked up",
      kitchen,
    );
    put(this.f["active-road"], road === null ? NONE : shortMany(road), "On the road: out for delivery", road);
    this.stages.forEach((bar, i) => {
      const n = s[keys[i]] ?? 0;
      bar.style.flexGrow = n;
      bar.hidden = !n;
      bar.title = `${STAGE_LABELS[keys[i]]}: ${plural(n, "order")}`;
      bar.dataset.value = n;
    });
  }

  showRevenue(s) {
    const known = s.hour !== null;
    put(
      this.cards.revenue.value,
      known ? moneyText(s.hour) : NONE,
      known
        ? "Price × quantity of all items of the orders created in the last 60 minutes"
        : "The data tells of no prices",
      s.hour,
    );
    put(
      this.f["revenue-today"],
      known ? `${moneyText(s.today)} ${TODAY}` : "no prices",
      known
        ? "The same of the orders created since " +
            `midnight${s.unpriced_today ? `; ${plural(s.unpriced_today, "order")} without a price left out` : ""}`
        : "",
      s.today,
    );
    leaveOut(this.cards.revenue, known ? [[s.unpriced, "created in the last 60 minutes, without a price"]] : []);
  }

  /** Beside each figure what it was on the other day at this time of day; nothing where none is chosen. */
  showGhost(g) {
    this.root.classList.toggle("haunted", !!g);
    const late = !g?.count ? null : g.late;
    const told = {
      orders: [g?.orders ?? null, (n) => many(Math.round(n)), "orders created in the 60 minutes"],
      delivery:
        late === null
          ? [g?.mean ?? null, minutesText, "the mean delivery time of the 60 minutes"]
          : [late, (n) => `${many(n)} of ${many(g.count)}`, "of the deliveries of the 60 minutes were late"],
      completion: [g?.completion ?? null, percentText, "of the orders due were delivered"],
      active: [g?.active ?? null, shortMany, "active orders"],
      revenue: [g?.revenue ?? null, moneyText, "of orders created in the 60 minutes"],
    };
    for (const [name, [value, text, words]] of Object.entries(told)) {
      const known = value !== null;
      put(
        this.ghosts[name],
        known ? text(value) : "",
        known ? `${g.label}, same time: ${text(value)} ${words}` : "",
        value,
      );
    }
  }

  draw = () => {
    const { orders = [], usual = [] } = JSON.parse(this.model.series);
    const now = this.state.orders ?? {};
    this.spark.draw(
      orders.length ? [...orders, now.now ?? null] : [],
      usual.length ? [...usual, now.usual ?? null] : [],
    );
    label(
      this.spark.svg,
      `Orders per hour over the last 6 hours${usual.some((v) => v !== null) ? "; dashed: usual" : ""}`,
    );
  };

  // the line follows its last point at most twice a second; a drawing is not worth more
  later() {
    this.asked ||= setTimeout(
      guarded(() => {
        this.asked = 0;
        this.draw();
      }),
      500,
    );
  }

  update = () => {
    const before = this.state.orders?.now;
    this.state = JSON.parse(this.model.state);
    const { ghost, ...cards } = this.state;
    for (const [name, figures] of Object.entries(cards)) this.show[name](figures);
    if (ghost || this.root?.classList.contains("haunted")) this.showGhost(ghost);
    if (this.state.orders?.now !== before) this.later();
  };

  toneOf(node) {
    return ["good", "warn", "bad"].find((name) => node?.classList.contains(name)) ?? "";
  }
}

function render(view) {
  return new KpiCards(view).root;
}

export { render };
