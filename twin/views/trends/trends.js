// Trends: three figures of the whole range with their words. The playhead is moved here, by the clock; no figure is repainted.

import { clockFrom } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { twin } from "../shared/registry.js";
import { clockText, dayText, durationText } from "../shared/times.js";
import { selectionOf, verbsOf } from "../shared/verbs.js";
import { Held } from "./marks.js";

const MOVE_EVERY_MS = 100; // the playhead over the figures: finer steps than this would not be seen
const BUCKET_WORDS = {
  60: "minute",
  300: "5 min",
  600: "10 min",
  900: "15 min",
  1800: "30 min",
  3600: "hour",
  86400: "day",
  604800: "week",
};
const bucketWords = (s) => BUCKET_WORDS[s] ?? `${s / 3600} h`;
const number = (n) => n.toLocaleString("en-US");
const counted = (n, one, more = `${one}s`) => `${number(n)} ${n === 1 ? one : more}`;
const money = (n) =>
  n >= 100_000
    ? `$${(n / 1000).toFixed(0)}k`
    : n >= 10_000
      ? `$${(n / 1000).toFixed(1)}k`
      : `$${number(Math.round(n))}`;
const minuteText = (m) => (m >= 100 ? durationText(m * 60) : `${m.toFixed(1)} min`);
const TREND = { improving: ["↗", "improving"], declining: ["↘", "declining"], flat: ["→", "flat"], "": ["", "–"] };
const RANK = { improving: 3, flat: 2, declining: 1, "": 0 };
const COLUMNS = [
  ["orders", "Orders", "Orders of the range with something of this brand; one of several brands counts for each"],
  ["revenue", "Revenue", "Price × quantity of this brand’s own items"],
  ["minutes", "Delivery", "Mean time from created to delivered of those orders; durations over 4 h are left out"],
  [
    "trend",
    "Trend",
    "The brand’s orders in the later half of the kitchen’s orders against the earlier half: improving or declining where chance alone would do it less than once in a hundred times",
  ],
];

function render({ model, view: component }) {
  const clock = clockFrom(model);
  const verbs = verbsOf(model, clock);
  const selected = selectionOf(model);
  let timer = 0;
  let moved = -Infinity;
  let gone = false;
  let sorted = { key: "orders", down: true };

  const slot = (name) => el("div", { class: "slot", "data-testid": `trends-${name}-figure` });
  const slots = { volume: slot("volume"), stages: slot("stages"), brands: slot("brands") };
  const veil = el("div", { class: "veil" });
  const playhead = el("div", { class: "playhead", hidden: true, "data-testid": "trends-playhead" });
  const column = el("div", { class: "column", hidden: true });
  const tip = el("div", { class: "tip", hidden: true, role: "status", "data-testid": "trends-tip" });
  const over = el("div", { class: "over" }, veil, column, playhead);
  const rows = el("div", { class: "rows" });
  const body = el("tbody", {});
  const head = el("tr", {});
  const table = el(
    "table",
    {},
    el("caption", { class: "unseen" }, "Brands compared over the range"),
    el("thead", {}, head),
    body,
  );
  const more = el("p", { class: "mute more", hidden: true });
  const volumeKey = el("span", { class: "key" });
  const volumeUnit = el("span", { class: "mute" });
  const stageKey = el("span", { class: "key" });
  const leftOut = el("p", { class: "left-out", "data-testid": "trends-left-out" });
  const empty = (name) => el("p", { class: "empty", hidden: true, "data-testid": `trends-${name}-empty` });
  const empties = { volume: empty("volume"), stages: empty("stages"), brands: empty("brands") };
  const volumeFrame = el(
    "div",
    { class: "frame hit", role: "img", "data-testid": "trends-volume" },
    slots.volume,
    over,
  );
  const part = (name, title, explanation, heading, ...children) =>
    el(
      "section",
      { class: `part ${name}`, "aria-label": title },
      el("h4", { title: explanation }, title, ...heading),
      ...children,
      empties[name],
    );
  const scroll = el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Brands compared" },
    el("div", { class: "sheet" }, slots.brands, table),
    more,
  );
  const root = el(
    "div",
    { class: "trends", "data-testid": "trends" },
    el(
      "div",
      { class: "parts" },
      part(
        "volume",
        "Order volume",
        "Orders created in the range. The line: what is usual at that time. Shaded: what stands out. Click to go to a time.",
        [volumeUnit, volumeKey],
        volumeFrame,
      ),
      part(
        "stages",
        "Time in each stage",
        "Minutes that orders spent in a stage, of those that left it in the range; durations over 4 h are left out. Line: 5 to 95 of a hundred; box: the middle half; stroke: the median. Click a stage to see only its orders.",
        [el("span", { class: "mute" }, "minutes"), stageKey],
        el("div", { class: "frame" }, slots.stages, rows, leftOut),
      ),
      part("brands", "Brands", "Every brand with orders in the range", [], scroll),
    ),
    tip,
  );

  // ---- the volume and its playhead ---------------------------------------------------------------------------------------
  const volume = new Held(model, component, "volume", slots.volume, placeVolume);
  const stages = new Held(model, component, "stages", slots.stages, placeStages);
  const brands = new Held(model, component, "brands", slots.brands, () => {});
  const seen = () => model.active && !document.hidden && !gone;

  function placeVolume() {
    const { frame } = volume;
    if (!frame || !model.summary.volume) return;
    over.style.cssText = `left:${frame.left}px;top:${frame.top}px;width:${frame.width}px;height:${frame.height}px`;
    move();
  }
  /** Move the playhead and the veil over what is still to come: the compositor does it, nothing is painted anew. */
  function move() {
    clearTimeout(timer);
    timer = 0;
    const { frame } = volume;
    if (!seen() || !frame || !clock.anchor) return;
    moved = performance.now();
    const x = Math.min(Math.max(volume.x(clock.now()) - frame.left, 0), frame.width);
    const at = Math.round(x * devicePixelRatio) / devicePixelRatio;
    playhead.hidden = !model.summary.volume?.orders;
    playhead.style.transform = `translateX(${at}px)`;
    veil.style.transform = `scaleX(${(1 - x / frame.width).toFixed(5)})`;
    if (clock.moving) timer = setTimeout(move, MOVE_EVERY_MS);
  }
  function say(lines, event) {
    tip.replaceChildren(...lines.filter(Boolean).map(([text, strong]) => el(strong ? "b" : "p", {}, text)));
    tip.hidden = false;
    const box = root.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const left = x + 14 + tip.offsetWidth < box.width ? x + 14 : x - 14 - tip.offsetWidth;
    tip.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, Math.min(y + 12, box.height - tip.offsetHeight - 2))}px)`;
  }
  const unsay = () => {
    tip.hidden = column.hidden = true;
  };
  const timeAt = (event) => volume.valueAt(event.clientX - volumeFrame.getBoundingClientRect().left);
  function pointVolume(event) {
    const bars = volume.source("bars")?.data;
    const usual = volume.source("usual")?.data;
    if (!bars || !model.summary.volume?.orders) return;
    const t = timeAt(event);
    const n = bars.left.length;
    let i = 0;
    while (i < n - 1 && bars.right[i] <= t) i++;
    const x = volume.x(bars.left[i]) - volume.frame.left;
    column.hidden = false;
    column.style.cssText = `left:${x}px;width:${volume.x(bars.right[i]) - volume.frame.left - x}px`;
    const known = usual?.y?.length === n && !Number.isNaN(usual.y[i]);
    const until = bars.right[i] - bars.left[i] >= 86400 ? "" : `–${clockText(bars.right[i], false)}`;
    say(
      [
        [`${dayText(bars.left[i])} ${clockText(bars.left[i], false)}${until}`, true],
        [counted(bars.top[i], "order")],
        known ? [`usually ${usual.y[i].toFixed(usual.y[i] < 10 ? 1 : 0)}`] : null,
        ...(model.learnt.moments ?? [])
          .filter((m) => m.start <= bars.right[i] && m.end >= bars.left[i])
          .slice(0, 3)
          .map((m) => [`${m.title} · ${m.when}`]),
      ],
      event,
    );
  }
  volumeFrame.addEventListener("pointermove", pointVolume);
  volumeFrame.addEventListener("pointerleave", unsay);
  volumeFrame.addEventListener("click", (event) => {
    if (volume.frame && model.summary.volume?.orders) verbs.visit(timeAt(event));
  });

  function fillVolume() {
    const told = model.summary.volume;
    const { moments = [], usual } = model.learnt;
    const none = told && !told.orders;
    volumeUnit.textContent = told ? `per ${bucketWords(told.bucket)}` : "";
    volumeKey.replaceChildren(
      ...(usual ? [el("i", { class: "line" }), "usual"] : []),
      ...(moments.length ? [el("i", { class: "band" }), "stands out"] : []),
    );
    empties.volume.hidden = !none;
    empties.volume.textContent = "No orders in this range";
    volumeFrame.classList.toggle("blank", !!none);
    volumeFrame.setAttribute(
      "aria-label",
      told
        ? `${counted(told.orders, "order")} over the range, per ${bucketWords(told.bucket)}; click to go to a time`
        : "",
    );
  }

  // ---- the stages --------------------------------------------------------------------------------------------------------
  const marks = [];
  function fillStages() {
    const told = model.summary.stages ?? [];
    const some = told.some((stage) => stage.number);
    empties.stages.hidden = some || !told.length;
    empties.stages.textContent = told.some((stage) => stage.excluded)
      ? "Every stage lasted over 4 h here; such times are left out"
      : "No stage times in this data";
    slots.stages.parentNode.classList.toggle("blank", !some);
    const left = told.reduce((sum, stage) => sum + stage.excluded, 0);
    stageKey.replaceChildren(
      el("i", { class: "dot" }),
      "last 60 min",
      ...(model.now.some((n) => n[2] !== null) ? [el("i", { class: "tick" }), "usual"] : []),
      el("span", {}, "figure: median"),
    );
    leftOut.textContent = left ? `${number(left)} over 4 h left out` : "";
    rows.replaceChildren(
      ...told.map((stage, i) => {
        const dot = el("i", { class: "dot mark", hidden: true });
        const usual = el("i", { class: "tick mark", hidden: true });
        marks[i] = { dot, usual, key: stage.key };
        const row = el(
          "button",
          {
            type: "button",
            class: "row",
            "data-testid": `trends-stage-${stage.key}`,
            "aria-pressed": String(selected.stage === stage.key),
            onclick: () => selected.filter(stage.key),
            onpointermove: (event) => say(stageLines(i), event),
            onpointerleave: unsay,
          },
          el("span", { class: "name" }, stage.label),
          usual,
          dot,
          el("span", { class: "value" }, stage.number ? stage.quantiles[2] : "none"),
        );
        row.setAttribute(
          "aria-label",
          stageLines(i)
            .filter(Boolean)
            .map(([text]) => text)
            .join(". "),
        );
        return row;
      }),
    );
    placeStages();
  }
  function stageLines(i) {
    const stage = model.summary.stages[i];
    const [mean, orders, usual] = model.now[i] ?? [null, 0, null];
    const q = stage.quantiles;
    if (!stage.number)
      return [
        [stage.label, true],
        ["No order left this stage in the range"],
        stage.excluded ? [`${number(stage.excluded)} over 4 h left out`] : null,
      ];
    return [
      [stage.label, true],
      [`Half took ${q[1]} to ${q[3]}, the median ${q[2]}`],
      [`5 to 95 of a hundred: ${q[0]} to ${q[4]}`],
      [
        `${counted(stage.number, "order")} left it${stage.excluded ? `, ${number(stage.excluded)} over 4 h left out` : ""}`,
      ],
      mean === null ? null : [`Last 60 min: ${minuteText(mean)} on average, ${counted(orders, "order")}`],
      usual === null ? null : [`Usual at this time: ${minuteText(usual)}`],
    ];
  }
  function placeStages() {
    const { frame } = stages;
    if (!frame) return;
    rows.style.top = `${frame.top}px`;
    rows.style.height = `${frame.height}px`;
    marks.forEach(({ dot, usual }, i) => {
      const [mean, , normal] = model.now[i] ?? [null, 0, null];
      for (const [mark, value] of [
        [dot, mean],
        [usual, normal],
      ]) {
        const beyond = value !== null && value > stages.pv.model.x_range.end;
        mark.hidden = value === null || !model.summary.stages?.[i]?.number;
        mark.classList.toggle("beyond", beyond);
        if (!mark.hidden)
          mark.style.transform = `translateX(${stages.x(Math.min(value, stages.pv.model.x_range.end)).toFixed(1)}px)`;
      }
    });
  }
  const pressStages = () => {
    for (const [i, row] of [...rows.children].entries())
      row.setAttribute("aria-pressed", String(marks[i]?.key === selected.stage));
  };

  // ---- the brands --------------------------------------------------------------------------------------------------------
  function ordered() {
    const value = (brand) =>
      sorted.key === "trend" ? RANK[brand.trend] * 1e6 + (brand.later - brand.earlier) : (brand[sorted.key] ?? null);
    const sign = sorted.down ? -1 : 1;
    return (model.summary.brands ?? [])
      .map((brand, i) => ({ ...brand, i }))
      .sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x === null || y === null ? Number(x === null) - Number(y === null) : sign * (x - y) || a.i - b.i;
      });
  }
  function fillHead() {
    head.replaceChildren(
      el("th", { scope: "col", class: "brand" }, "Brands"),
      ...COLUMNS.map(([key, label, explanation]) => {
        const mine = sorted.key === key;
        return el(
          "th",
          { scope: "col", class: key, "aria-sort": mine ? (sorted.down ? "descending" : "ascending") : null },
          el(
            "button",
            {
              type: "button",
              title: `${explanation}. Click to sort.`,
              "data-testid": `trends-sort-${key}`,
              onclick: () => {
                sorted = mine ? { key, down: !sorted.down } : { key, down: key !== "minutes" };
                fillBrands();
                head.querySelector(`.${key} button`)?.focus();
              },
            },
            label,
            el("i", { class: "sort", "aria-hidden": "true" }, mine ? (sorted.down ? "▾" : "▴") : ""),
          ),
        );
      }),
    );
  }
  function fillBrands() {
    const brand = ordered();
    fillHead();
    empties.brands.hidden = brand.length > 0 || !model.summary.brands;
    empties.brands.textContent = "No brand names in this data";
    scroll.hidden = !brand.length;
    scroll.parentNode.querySelector("h4").hidden = !!brand.length; // the table has its own
    more.hidden = !model.summary.more;
    more.textContent = model.summary.more ? `and ${counted(model.summary.more, "brand")} with fewer orders` : "";
    body.replaceChildren(
      ...brand.map((b) => {
        const [arrow, word] = TREND[b.trend];
        const left = b.excluded ? `, ${number(b.excluded)} over 4 h left out` : "";
        return el(
          "tr",
          { "data-testid": "trends-brand" },
          el("th", { scope: "row", class: "brand", title: b.brand }, el("span", {}, b.brand)),
          el("td", {}, number(b.orders)),
          el("td", { title: `$${number(b.revenue)}` }, money(b.revenue)),
          el(
            "td",
            { title: `Mean of ${counted(b.deliveries, "delivery", "deliveries")}${left}` },
            b.minutes === null ? "–" : minuteText(b.minutes),
          ),
          el(
            "td",
            {
              class: `trend ${b.trend}`,
              title: b.trend
                ? `${number(b.earlier)} in the earlier half of the kitchen’s orders, ${number(b.later)} in the later`
                : "Too few orders to tell a trend",
            },
            el("i", { "aria-hidden": "true" }, arrow),
            ` ${word}`,
          ),
        );
      }),
    );
    slots.brands.style.height = `calc(var(--row) * ${brand.length})`;
    const bars = brands.source("brands");
    if (!bars || bars.data.right.length !== brand.length) return;
    brand.forEach((b, k) => {
      bars.data.right[k] = b.orders;
    }); // in place: nothing travels to the server
    bars.change.emit();
  }

  // ---- life --------------------------------------------------------------------------------------------------------------
  const fill = () => {
    fillVolume();
    fillStages();
    fillBrands();
    placeVolume();
  };
  const recolour = () =>
    requestAnimationFrame(() => {
      for (const held of [volume, stages, brands]) held.recolour();
    });
  const wake = () => {
    if (!seen()) return clearTimeout(timer);
    for (const held of [volume, stages, brands]) held.seek();
    placeVolume();
    placeStages();
  };
  const themes = new MutationObserver(recolour);
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
  const dropClock = clock.on(() => {
    if (!timer || performance.now() - moved > MOVE_EVERY_MS) move();
  });
  const dropSelection = selected.on(pressStages);
  document.addEventListener("visibilitychange", wake);
  model.on("summary", fill);
  model.on("learnt", fillVolume);
  model.on("now", () => {
    const usual = model.now.some((n) => n[2] !== null);
    if (usual !== !!stageKey.querySelector(".tick")) fillStages();
    else placeStages();
  });
  model.on("active", wake);
  model.on("dark", recolour);
  model.on("remove", () => {
    gone = true;
    clearTimeout(timer);
    dropClock();
    dropSelection();
    themes.disconnect();
    document.removeEventListener("visibilitychange", wake);
    for (const held of [volume, stages, brands]) held.remove();
    twin.trends?.delete(model.clock);
  });
  // for tests: what the figures hold now
  (twin.trends ??= new Map()).set(model.clock, {
    ready: () => [volume, stages].every((held) => held.frame),
    data: (held, renderer) => ({ volume, stages, brands })[held].source(renderer)?.data,
    figure: (held) => ({ volume, stages, brands })[held].pv,
  });
  fill();
  return root;
}

export { render };
