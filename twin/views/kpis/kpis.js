// The KPI cards: two large ones with a drawing, three compact ones below.

import { STAGE_LABELS, STAGES } from "#python/foundation/stages";
import { el, icon } from "../shared/elements.js";
import {
  averageText,
  figure,
  LONG_COUNT,
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
import { dayText } from "../shared/times.js";
import { Histogram, label, Spark } from "./spark.js";

/** The stages of active orders. */
const ACTIVE = STAGES.slice(0, 4);
const DAY_S = 86400;
/** Late share of an hour's deliveries from which it is marked, and a mean on target is no longer good news. */
const MANY_LATE = 1 / 4;

/** A card: heading with its window, value with a note beside it, lines of detail, and a drawing. */
function buildCard(id, heading, span, lines, drawing, axis) {
  const parts = {
    value: figure("value", `kpi-${id}-value`),
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
const weekday = (day) => dayText(day * DAY_S);

function render({ model }) {
  const spark = new Spark("Orders per hour over the last 6 hours");
  const histogram = new Histogram(model.bins, model.bin_s);
  const f = Object.fromEntries(
    [
      "orders-hour-change",
      "orders-hour-usual",
      "delivery-time-over",
      "delivery-time-target",
      "delivery-time-p50",
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
    ].map((id) => [id, figure("figure", `kpi-${id}`)]),
  );
  const goal = el("b", { class: "goal" });
  const meter = el("i");
  const stages = ACTIVE.map((key) =>
    el("i", { style: `background:var(--tw-${key}-fill)`, "data-testid": `kpi-active-${key}` }),
  );
  const mark = el("span", { class: "mark" });
  const cards = {
    orders: buildCard(
      "orders-hour",
      "Orders / hour",
      "last 60 min",
      [[f["orders-hour-change"], f["orders-hour-usual"]]],
      spark.svg,
      el("div", { class: "axis", "aria-hidden": "true" }, el("span", {}, "6 h ago"), el("span", {}, "now")),
    ),
    delivery: buildCard(
      "delivery-time",
      "Delivery time",
      "last 60 min",
      [
        [f["delivery-time-over"], f["delivery-time-target"], f["delivery-time-usual"]],
        [f["delivery-time-p50"], f["delivery-time-p75"], f["delivery-time-p95"]],
      ],
      histogram.svg,
      el("div", { class: "axis", "aria-hidden": "true" }, el("span", {}, "0"), mark, el("span", {}, "60+ min")),
    ),
    completion: buildCard(
      "completion",
      "Completion",
      "",
      [[f["completion-change"], f["completion-before"]]],
      el("div", { class: "bar meter" }, meter, goal),
    ),
    active: buildCard(
      "active",
      "Active orders",
      "",
      [[f["active-kitchen"], f["active-road"]]],
      el("div", { class: "bar split" }, ...stages),
    ),
    revenue: buildCard("revenue", "Revenue", "60 min", [[f["revenue-today"]]]),
  };
  cards.delivery.brief = cards.orders.brief = cards.revenue.brief = true;
  cards.completion.span.replaceWith(f["completion-due"]);
  f["completion-due"].classList.add("window");
  for (const [id, symbol] of [
    ["active-kitchen", "kitchen"],
    ["active-road", "car"],
  ])
    f[id].before(icon(symbol, 13));
  f["delivery-time-late"].classList.add("note");
  cards.delivery.note.replaceWith(f["delivery-time-late"]);

  const show = {
    orders(s) {
      const known = s.now !== null;
      const against = known ? (s.usual ?? s.before) : null;
      const difference = against === null ? null : s.now - against;
      put(
        cards.orders.value,
        known ? many(s.now) : NONE,
        known ? "Orders created in the last 60 minutes" : "The data does not tell when orders were created",
        s.now,
      );
      leaveOut(
        cards.orders,
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
      put(f["orders-hour-change"], change, undefined, difference);
      tone(f["orders-hour-change"], "figure accent", difference > 0 ? "good" : difference < 0 ? "bad" : "");
      put(
        f["orders-hour-usual"],
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
    },
    delivery(s) {
      const known = s.mean !== null;
      const over = known ? wholeMinutes(s.mean) - wholeMinutes(s.target) : 0;
      const left = [
        [s.long, "took over 4 hours (or less than nothing)"],
        [s.undated, "were delivered, but the data does not tell when they were created"],
      ];
      put(
        cards.delivery.value,
        known ? minutesText(s.mean) : NONE,
        known
          ? `Average time from created to delivered, of the ${plural(s.count, "delivery", "deliveries")} of the last 60 minutes`
          : s.dated
            ? "No delivery in the last 60 minutes"
            : "The data does not tell when orders were created",
        s.mean,
      );
      leaveOut(cards.delivery, left);
      put(
        f["delivery-time-over"],
        !known
          ? ""
          : over > 0
            ? `${minutesText(over * 60).replace(" min", "")} over`
            : over < 0
              ? `${-over} under`
              : "on",
        undefined,
        known ? s.mean - s.target : null,
      );
      const manyLate = s.count > 0 && s.over / s.count >= MANY_LATE; // a mean on target does not make up for them
      tone(f["delivery-time-over"], "figure accent", known ? (over > 0 ? "bad" : manyLate ? "" : "good") : "");
      tone(f["delivery-time-late"], "figure note", manyLate ? "bad" : "");
      put(
        f["delivery-time-target"],
        known ? ` target ${wholeMinutes(s.target)}` : s.dated ? "none delivered in the hour" : "not in the data",
        `The target: ${minutesText(s.target)} from created to delivered`,
        s.target,
      );
      put(
        f["delivery-time-usual"],
        known && s.usual !== null ? ` · usual ${wholeMinutes(s.usual)}` : "",
        s.usual === null ? "" : `Usually ${averageText(s.usual)} at this time of day, on other days`,
        s.usual,
      );
      for (const [name, share] of [
        ["p50", "half"],
        ["p75", "three quarters"],
        ["p95", "95 %"],
      ])
        put(
          f[`delivery-time-${name}`],
          known ? `${name.toUpperCase()} ${wholeMinutes(s[name])}` : "",
          known
            ? `Of ${plural(s.count, "delivery", "deliveries")} in the last 60 minutes ${share} took at most ${minutesText(s[name])}`
            : "",
          s[name],
        );
      put(
        f["delivery-time-late"],
        s.count
          ? s.count < LONG_COUNT
            ? `${many(s.over)} of ${many(s.count)} late`
            : `${percentText(s.over / s.count)} late`
          : "",
        s.count
          ? `${many(s.over)} of the ${plural(s.count, "delivery", "deliveries")} of the last 60 minutes took longer than the target, in whole minutes`
          : "",
        s.count ? s.over : null,
      );
      cards.delivery.root.classList.toggle("over", over > 0);
      histogram.draw(s.bins, s.target);
      label(
        histogram.svg,
        s.count
          ? `Delivery times of the last 60 minutes in steps of 5 minutes; ${many(s.over)} of ${many(s.count)} over the target of ${wholeMinutes(s.target)} minutes`
          : "No delivery times in the last 60 minutes",
      );
      const place = Math.min(62, Math.max(12, 100 * histogram.across(s.target)));
      if (mark.style.left !== `${place}%`) mark.style.left = `${place}%`;
      put(mark, `target ${wholeMinutes(s.target)}`);
    },
    completion(s) {
      const known = s.share !== null;
      const points =
        known && s.before !== null ? Math.round(1000 * s.share) / 10 - Math.round(1000 * s.before) / 10 : null;
      const size = points === null ? "" : Math.abs(points).toFixed(1);
      put(
        cards.completion.value,
        known ? percentText(s.share) : NONE,
        `Delivered share of the orders created from 24 hours to 90 minutes ago. ${s.dated ? `${plural(s.not_due, "younger order")} may still be on the way and ${s.not_due === 1 ? "is" : "are"} left out` : "The data tells of no order’s creation"}`,
        s.share,
      );
      put(
        f["completion-due"],
        known ? `of ${many(s.due)}` : "",
        known
          ? `${plural(s.due, "order")} created from 24 hours to 90 minutes ago; ${many(s.not_due)} younger ones are not due yet`
          : "",
        known ? s.due : null,
      );
      const same = size === "0.0";
      put(
        f["completion-change"],
        points === null ? "" : same ? "● same" : `${points > 0 ? "▲" : "▼"} ${size}`,
        points === null ? "" : "Percentage points against 24 hours before",
        points === null ? null : s.share - s.before,
      );
      tone(f["completion-change"], "figure accent", points === null || same ? "" : points > 0 ? "good" : "bad");
      put(
        f["completion-before"],
        !known
          ? s.dated
            ? "nothing due yet"
            : "not in the data"
          : points === null
            ? "no day before"
            : same
              ? ` as ${weekday(s.day)}`
              : ` vs ${weekday(s.day)}`,
        points === null
          ? "The data does not reach back far enough to compare with 24 hours before"
          : `24 hours before it was ${percentText(s.before)} of ${plural(s.before_due, "order")}`,
        s.before,
      );
      meter.style.width = `${100 * (s.share ?? 0)}%`;
      meter.classList.toggle("below", known && s.share < s.goal);
      goal.style.left = `${100 * s.goal}%`;
      goal.title = `The target: ${Math.round(1000 * s.goal) / 10} %`;
    },
    active(s) {
      const keys = ACTIVE;
      const told = keys.filter((key) => s[key] !== null);
      const total = told.reduce((sum, key) => sum + s[key], 0);
      const kitchen = keys.slice(0, 3).some((key) => s[key] !== null) ? total - (s.out_for_delivery ?? 0) : null;
      const road = s.out_for_delivery;
      const words = told.map((key) => `${STAGE_LABELS[key]} ${many(s[key])}`).join(", ");
      const beside = s.cancelled + s.stalled;
      put(
        cards.active.value,
        told.length ? shortMany(total) : NONE,
        `Orders created and not yet delivered, cancelled or stalled: ${words}${beside ? `. Left out, since midnight: ${many(s.cancelled)} cancelled, ${many(s.stalled)} stalled` : ""}`,
        told.length ? total : null,
      );
      put(
        f["active-kitchen"],
        kitchen === null ? NONE : shortMany(kitchen),
        "In the kitchen: created, cooking or ready, not yet picked up",
        kitchen,
      );
      put(f["active-road"], road === null ? NONE : shortMany(road), "On the road: out for delivery", road);
      stages.forEach((bar, i) => {
        const n = s[keys[i]] ?? 0;
        bar.style.flexGrow = n;
        bar.hidden = !n;
        bar.title = `${STAGE_LABELS[keys[i]]}: ${plural(n, "order")}`;
        bar.dataset.value = n;
      });
    },
    revenue(s) {
      const known = s.hour !== null;
      put(
        cards.revenue.value,
        known ? moneyText(s.hour) : NONE,
        known
          ? "Price × quantity of all items of the orders created in the last 60 minutes"
          : "The data tells of no prices",
        s.hour,
      );
      put(
        f["revenue-today"],
        known ? `${moneyText(s.today)} today` : "no prices",
        known
          ? `The same of the orders created since midnight${s.unpriced_today ? `; ${plural(s.unpriced_today, "order")} without a price left out` : ""}`
          : "",
        s.today,
      );
      leaveOut(cards.revenue, known ? [[s.unpriced, "created in the last 60 minutes, without a price"]] : []);
    },
  };
  let state = {};
  const draw = () => {
    const { orders = [], usual = [] } = JSON.parse(model.series);
    const now = state.orders ?? {};
    spark.draw(orders.length ? [...orders, now.now ?? null] : [], usual.length ? [...usual, now.usual ?? null] : []);
    label(spark.svg, `Orders per hour over the last 6 hours${usual.some((v) => v !== null) ? "; dashed: usual" : ""}`);
  };
  let asked = 0;
  // the line follows its last point at most twice a second; a drawing is not worth more
  const later = () => {
    asked ||= setTimeout(() => {
      asked = 0;
      draw();
    }, 500);
  };
  const update = () => {
    const before = state.orders?.now;
    state = JSON.parse(model.state);
    for (const [name, figures] of Object.entries(state)) show[name](figures);
    if (state.orders?.now !== before) later();
  };
  model.on("state", update);
  model.on("series", draw);
  model.on("remove", () => clearTimeout(asked));
  update();
  draw();
  const toneOf = (node) => ["good", "bad"].find((name) => node?.classList.contains(name)) ?? "";
  const accents = {
    orders: f["orders-hour-change"],
    delivery: f["delivery-time-over"],
    completion: f["completion-change"],
  };
  reportAs(model, "kpis", () =>
    Object.entries(cards).map(([name, card]) => ({
      heading: card.heading,
      value: card.value.textContent,
      tone: toneOf(accents[name]),
      lines:
        name === "active"
          ? [`${f["active-kitchen"].textContent} in the kitchen · ${f["active-road"].textContent} on the road`]
          : card.lines
              .map((line) =>
                line
                  .map((node) => node.textContent)
                  .filter(Boolean)
                  .join(line[0] === f["delivery-time-p50"] ? " · " : ""),
              )
              .filter(Boolean),
    })),
  );
  return el("div", { class: "cards" }, ...Object.values(cards).map((card) => card.root));
}

export { render };
