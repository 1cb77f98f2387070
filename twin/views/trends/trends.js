// Trends: three figures of the whole range with their words. The playhead is moved here, by the clock; no figure is
// repainted.

import { clockFrom } from "../shared/clock.js";
import { el } from "../shared/elements.js";
import { laterMark, rangeMark } from "../shared/later.js";
import { minutesText } from "../shared/numbers.js";
import { guarded, twin } from "../shared/registry.js";
import { DAY } from "../shared/times.js";
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
/** Seconds of the day on which a clock is put forward by an hour. */
const SHORTEST_DAY = 23 * 3600;
const bucketWords = (s) => BUCKET_WORDS[s] ?? `${s / 3600} h`;
const number = (n) => n.toLocaleString("en-US");
const counted = (n, one, more = `${one}s`) => `${number(n)} ${n === 1 ? one : more}`;
const amount = (n) =>
  n >= 100_000
    ? `$${(n / 1000).toFixed(0)}k`
    : n >= 10_000
      ? `$${(n / 1000).toFixed(1)}k`
      : `$${number(Math.round(n))}`;
/** Money in short, a minus before the sign of the currency. */
const money = (n) => (n <= -0.5 ? `−${amount(-n)}` : amount(Math.max(0, n)));
const minuteText = (m) => minutesText(m * 60);
const TREND = {
  improving: ["↗", "improving"],
  declining: ["↘", "declining"],
  flat: ["→", "flat"],
  "": ["", "–"],
};
const RANK = { improving: 3, flat: 2, declining: 1, "": 0 };
const COLUMNS = [
  ["orders", "Orders", "Orders of the range with something of this brand; one of several brands counts for each"],
  ["revenue", "Revenue", "Price × quantity of this brand’s own items"],
  ["minutes", "Delivery", "Mean time from created to delivered of those orders; durations over 4 h are left out"],
  [
    "cold",
    "Cold",
    "Share of those orders’ finished meals that stood too long before they were picked up; meals of which the record " +
      "does not say when they were finished are left out",
  ],
  [
    "trend",
    "Trend",
    "The brand’s orders in the later half of the kitchen’s orders against the earlier half: " +
      "improving or declining where chance alone would do it less than once in a hundred times",
  ],
];

/** The share of a brand's meals that were cold; "–" where none of them counts. */
const coldText = ({ cold }) => (cold === null ? "–" : `${cold} %`);
/** What stands behind that share, or why there is none. */
const shelfText = ({ meals, chilled, stood }, after) =>
  meals
    ? `${number(chilled)} of ${counted(meals, "meal")} stood over ${after} before they were picked up; ` +
      `half of them up to ${stood}`
    : "The record has no gk_finished or gk_ready of these orders, so nobody knows how long their meals stood";

/** What is around and over the figures of the trends: words, marks, the table of brands. */
class TrendsFrame {
  constructor({ model, view: component }) {
    this.model = model;
    this.component = component;
    this.clock = clockFrom(this.model);
    this.verbs = verbsOf(this.model, this.clock);
    this.selected = selectionOf(this.model);
    this.timer = 0;
    this.moved = -Infinity;
    this.gone = false;
    this.sorted = { key: "orders", down: true };
    this.buildParts();
    this.buildVolume();
    this.assemble();
    this.listenToPointer();
    this.listen();
  }

  buildParts() {
    this.slots = { volume: this.slot("volume"), stages: this.slot("stages"), brands: this.slot("brands") };
    this.veil = el("div", { class: "veil" });
    this.playhead = el("div", { class: "playhead", hidden: true, "data-testid": "trends-playhead" });
    this.column = el("div", { class: "column", hidden: true });
    this.tip = el("div", { class: "tip", hidden: true, role: "status", "data-testid": "trends-tip" });
    this.over = el("div", { class: "over" }, this.veil, this.column, this.playhead);
    this.rows = el("div", { class: "rows" });
    this.body = el("tbody", {});
    this.head = el("tr", {});
    this.table = el(
      "table",
      {},
      el("caption", { class: "unseen" }, "Brands compared over the range"),
      el("thead", {}, this.head),
      this.body,
    );
    this.more = el("p", { class: "mute more", hidden: true });
    /** The words that figures are of the whole range, and the mark that some of it lies ahead; in both headings. */
    this.ranges = [rangeMark(), rangeMark()];
  }

  buildVolume() {
    this.volumeKey = el("span", { class: "key" });
    this.volumeUnit = el("span", { class: "mute" });
    this.stageKey = el("span", { class: "key" });
    this.leftOut = el("p", { class: "left-out", "data-testid": "trends-left-out" });
    const empty = (name) => el("p", { class: "empty", hidden: true, "data-testid": `trends-${name}-empty` });
    this.empties = { volume: empty("volume"), stages: empty("stages"), brands: empty("brands") };
    this.volumeFrame = el(
      "div",
      { class: "frame hit", role: "img", "data-testid": "trends-volume" },
      this.slots.volume,
      this.over,
    );
  }

  assemble() {
    this.scroll = el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Brands compared" },
      el("div", { class: "sheet" }, this.slots.brands, this.table),
      this.more,
    );
    this.root = el(
      "div",
      { class: "trends", "data-testid": "trends" },
      el(
        "div",
        { class: "parts" },
        this.part(
          "volume",
          "Order volume",
          "Orders created in the range. The line: what is usual at that time. Shaded: what stands out. " +
            "Click to go to a time.",
          [this.volumeUnit, this.volumeKey],
          this.volumeFrame,
        ),
        this.part(
          "stages",
          "Time in each stage",
          "Minutes that orders spent in a stage, of those that left it in the range; durations over 4 h " +
            "are left out. Line: 5 to 95 of a hundred; box: the middle half; stroke: the mean. Click a " +
            "stage to see only its orders.",
          [el("span", { class: "mute" }, "minutes"), this.ranges[0], this.stageKey],
          el("div", { class: "frame" }, this.slots.stages, this.rows, this.leftOut),
        ),
        this.part("brands", "Brands", "Every brand with orders in the range", [], this.scroll),
      ),
      this.tip,
    );

    // ---- the volume and its playhead ------------------------------------------------------------------------------
    this.volume = new Held(this.model, this.component, "volume", this.slots.volume, this.placeVolume);
    this.stages = new Held(this.model, this.component, "stages", this.slots.stages, this.placeStages);
    this.brands = new Held(this.model, this.component, "brands", this.slots.brands, () => {});
  }

  listenToPointer() {
    this.volumeFrame.addEventListener("pointermove", this.pointVolume);
    this.volumeFrame.addEventListener("pointerleave", this.unsay);
    this.volumeFrame.addEventListener("click", (event) => {
      if (this.volume.frame && this.model.summary.volume?.orders) this.verbs.visit(this.timeAt(event));
    });

    // ---- the stages -----------------------------------------------------------------------------------------------
    this.marks = [];
  }

  listen() {
    const themes = new MutationObserver(guarded(this.recolour));
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    const dropClock = this.clock.on(() => {
      if (!this.timer || performance.now() - this.moved > MOVE_EVERY_MS) this.move();
    });
    const dropSelection = this.selected.on(this.pressStages);
    document.addEventListener("visibilitychange", this.wake);
    this.model.on("summary", this.fill);
    this.model.on("learnt", this.fillVolume);
    this.model.on("now", () => {
      const usual = this.model.now.some((n) => n[2] !== null);
      if (usual !== !!this.stageKey.querySelector(".tick")) this.fillStages();
      else this.placeStages();
    });
    this.model.on("active", this.wake);
    this.model.on("dark", this.recolour);
    this.model.on("remove", () => {
      this.gone = true;
      clearTimeout(this.timer);
      dropClock();
      dropSelection();
      themes.disconnect();
      document.removeEventListener("visibilitychange", this.wake);
      for (const held of [this.volume, this.stages, this.brands]) held.remove();
      twin.trends?.delete(this.model.clock);
    });
    // for tests: what the figures hold now
    (twin.trends ??= new Map()).set(this.model.clock, {
      ready: () => [this.volume, this.stages].every((held) => held.frame),
      data: (held, renderer) =>
        ({ volume: this.volume, stages: this.stages, brands: this.brands })[held].source(renderer)?.data,
      figure: (held) => ({ volume: this.volume, stages: this.stages, brands: this.brands })[held].pv,
    });
    this.fill();
  }

  slot(name) {
    return el("div", { class: "slot", "data-testid": `trends-${name}-figure` });
  }

  part(name, title, explanation, heading, ...children) {
    return el(
      "section",
      { class: `part ${name}`, "aria-label": title },
      el("h4", { title: explanation }, title, ...heading),
      ...children,
      this.empties[name],
    );
  }

  seen() {
    return this.model.active && !document.hidden && !this.gone;
  }

  placeVolume = () => {
    const { frame } = this.volume;
    if (!frame || !this.model.summary.volume) return;
    this.over.style.cssText = `left:${frame.left}px;top:${frame.top}px;width:${frame.width}px;height:${frame.height}px`;
    this.move();
  };

  /** Move the playhead and the veil over what is still to come: the compositor does it, nothing is painted anew. */
  move = guarded(() => {
    clearTimeout(this.timer);
    this.timer = 0;
    const { frame } = this.volume;
    if (!this.seen() || !frame || !this.clock.anchor) return;
    this.moved = performance.now();
    this.markAhead();
    const x = Math.min(Math.max(this.volume.x(this.clock.now()) - frame.left, 0), frame.width);
    const at = Math.round(x * devicePixelRatio) / devicePixelRatio;
    this.playhead.hidden = !this.model.summary.volume?.orders;
    this.playhead.style.transform = `translateX(${at}px)`;
    this.veil.style.transform = `scaleX(${(1 - x / frame.width).toFixed(5)})`;
    if (this.clock.moving) this.timer = setTimeout(this.move, MOVE_EVERY_MS);
  });

  /** When the range ends, of which the figures are: all of it is loaded, also where a section of it plays. */
  get end() {
    return this.clock.window?.end ?? this.clock.anchor?.end ?? 0;
  }

  /** Dim and mark the figures of the range while a part of it is still to come. */
  markAhead() {
    const ahead = this.clock.now() < this.end;
    if (ahead !== this.root.classList.contains("with-ahead")) this.root.classList.toggle("with-ahead", ahead);
  }

  /** Each line is [text, whether it is the heading, whether what it says lies after the playhead]. */
  say(lines, event) {
    this.tip.replaceChildren(
      ...lines
        .filter(Boolean)
        .map(([text, strong, later]) => el(strong ? "b" : "p", {}, text, later ? laterMark() : null)),
    );
    this.tip.hidden = false;
    const box = this.root.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const left = x + 14 + this.tip.offsetWidth < box.width ? x + 14 : x - 14 - this.tip.offsetWidth;
    this.tip.style.transform =
      `translate(${Math.max(2, left)}px, ` +
      `${Math.max(2, Math.min(y + 12, box.height - this.tip.offsetHeight - 2))}px)`;
  }

  unsay = () => {
    this.tip.hidden = this.column.hidden = true;
  };

  timeAt(event) {
    return this.volume.valueAt(event.clientX - this.volumeFrame.getBoundingClientRect().left);
  }

  pointVolume = (event) => {
    const bars = this.volume.source("bars")?.data;
    const usual = this.volume.source("usual")?.data;
    if (!bars || !this.model.summary.volume?.orders) return;
    const t = this.timeAt(event);
    const n = bars.left.length;
    let i = 0;
    while (i < n - 1 && bars.right[i] <= t) i++;
    const x = this.volume.x(bars.left[i]) - this.volume.frame.left;
    this.column.hidden = false;
    this.column.style.cssText = `left:${x}px;width:${this.volume.x(bars.right[i]) - this.volume.frame.left - x}px`;
    const known = usual?.y?.length === n && !Number.isNaN(usual.y[i]);
    const { zone } = this.clock;
    const day = zone.naive ? DAY : SHORTEST_DAY;
    const now = this.clock.now();
    const until = bars.right[i] - bars.left[i] >= day ? "" : `–${zone.clockText(bars.right[i], false)}`;
    this.say(
      [
        [`${zone.dayText(bars.left[i])} ${zone.clockText(bars.left[i], false)}${until}`, true, bars.right[i] > now],
        [counted(bars.top[i], "order")],
        known ? [`usually ${usual.y[i].toFixed(usual.y[i] < 10 ? 1 : 0)}`] : null,
        ...(this.model.learnt.moments ?? [])
          .filter((m) => m.start <= bars.right[i] && m.end >= bars.left[i])
          .slice(0, 3)
          .map((m) => [`${m.title} · ${m.when}`, false, m.end > now]),
      ],
      event,
    );
  };

  fillVolume = () => {
    const told = this.model.summary.volume;
    const { moments = [], usual } = this.model.learnt;
    const none = told && !told.orders;
    this.volumeUnit.textContent = told ? `per ${bucketWords(told.bucket)}` : "";
    this.volumeKey.replaceChildren(
      ...(usual ? [el("span", {}, el("i", { class: "line" }), "usual")] : []),
      ...(moments.length ? [el("span", {}, el("i", { class: "band" }), "stands out")] : []),
    );
    this.empties.volume.hidden = !none;
    this.empties.volume.textContent = "No orders in this range";
    this.volumeFrame.classList.toggle("blank", !!none);
    this.volumeFrame.setAttribute(
      "aria-label",
      told
        ? `${counted(told.orders, "order")} over the range, per ${bucketWords(told.bucket)}; click to go to a time`
        : "",
    );
  };

  fillStages() {
    const told = this.model.summary.stages ?? [];
    const some = told.some((stage) => stage.number);
    this.empties.stages.hidden = some || !told.length;
    this.empties.stages.textContent = told.some((stage) => stage.excluded)
      ? "Every stage lasted over 4 h here; such times are left out"
      : "No stage times in this data";
    this.slots.stages.parentNode.classList.toggle("blank", !some);
    const left = told.reduce((sum, stage) => sum + stage.excluded, 0);
    this.stageKey.replaceChildren(
      el("span", {}, el("i", { class: "box" }), "middle half"),
      el("span", {}, el("i", { class: "whisker" }), "5–95 %"),
      el("span", {}, el("i", { class: "dot" }), "last 60 min"),
      ...(this.model.now.some((n) => n[2] !== null) ? [el("span", {}, el("i", { class: "tick" }), "usual")] : []),
      el("span", {}, "range: average"),
    );
    this.leftOut.textContent = left ? `${number(left)} over 4 h left out` : "";
    this.rows.replaceChildren(
      ...told.map((stage, i) => {
        const dot = el("i", { class: "dot mark", hidden: true });
        const usual = el("i", { class: "tick mark", hidden: true });
        this.marks[i] = { dot, usual, key: stage.key };
        const row = el(
          "button",
          {
            type: "button",
            class: "row",
            "data-testid": `trends-stage-${stage.key}`,
            "aria-pressed": String(this.selected.stage === stage.key),
            onclick: () => this.selected.filter(stage.key),
            onpointermove: (event) => this.say(this.stageLines(i), event),
            onpointerleave: this.unsay,
          },
          el("span", { class: "name" }, stage.label),
          usual,
          dot,
          el("span", { class: "value" }, stage.number ? stage.mean : "none"),
        );
        row.setAttribute(
          "aria-label",
          this.stageLines(i)
            .filter(Boolean)
            .map(([text]) => text)
            .join(". "),
        );
        return row;
      }),
    );
    this.placeStages();
  }

  stageLines(i) {
    const stage = this.model.summary.stages[i];
    const [mean, orders, usual] = this.model.now[i] ?? [null, 0, null];
    const q = stage.quantiles;
    if (!stage.number)
      return [
        [stage.label, true],
        ["No order left this stage in the range"],
        stage.excluded ? [`${number(stage.excluded)} over 4 h left out`] : null,
      ];
    const ahead = this.clock.anchor && this.clock.now() < this.end;
    return [
      [stage.label, true],
      [`Range: ${stage.mean} on average, half took ${q[1]} to ${q[2]}`, false, ahead],
      [`5 to 95 of a hundred: ${q[0]} to ${q[3]}`],
      [
        `${counted(stage.number, "order")} left ` +
          `it${stage.excluded ? `, ${number(stage.excluded)} over 4 h left out` : ""}`,
      ],
      mean === null ? null : [`Last 60 min: ${minuteText(mean)} on average, ${counted(orders, "order")}`],
      usual === null ? null : [`Usual at this time: ${minuteText(usual)}`],
    ];
  }

  placeStages = () => {
    const { frame } = this.stages;
    if (!frame) return;
    this.rows.style.top = `${frame.top}px`;
    this.rows.style.height = `${frame.height}px`;
    this.marks.forEach(({ dot, usual }, i) => {
      const [mean, , normal] = this.model.now[i] ?? [null, 0, null];
      for (const [mark, value] of [
        [dot, mean],
        [usual, normal],
      ]) {
        const beyond = value !== null && value > this.stages.pv.model.x_range.end;
        mark.hidden = value === null || !this.model.summary.stages?.[i]?.number;
        mark.classList.toggle("beyond", beyond);
        if (!mark.hidden) {
          const x = this.stages.x(Math.min(value, this.stages.pv.model.x_range.end));
          mark.style.transform = `translateX(${x.toFixed(1)}px)`;
        }
      }
    });
  };

  pressStages = () => {
    for (const [i, row] of [...this.rows.children].entries())
      row.setAttribute("aria-pressed", String(this.marks[i]?.key === this.selected.stage));
  };

  // ---- the brands -------------------------------------------------------------------------------------------------
  ordered() {
    const value = (brand) =>
      this.sorted.key === "trend"
        ? RANK[brand.trend] * 1e6 + (brand.later - brand.earlier)
        : (brand[this.sorted.key] ?? null);
    const sign = this.sorted.down ? -1 : 1;
    return (this.model.summary.brands ?? [])
      .map((brand, i) => ({ ...brand, i }))
      .sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x === null || y === null ? Number(x === null) - Number(y === null) : sign * (x - y) || a.i - b.i;
      });
  }

  fillHead() {
    this.head.replaceChildren(
      el("th", { scope: "col", class: "brand" }, "Brands", this.ranges[1]),
      ...COLUMNS.map(([key, label, explanation]) => {
        const mine = this.sorted.key === key;
        return el(
          "th",
          { scope: "col", class: key, "aria-sort": mine ? (this.sorted.down ? "descending" : "ascending") : null },
          el(
            "button",
            {
              type: "button",
              title: `${explanation}. Click to sort.`,
              "data-testid": `trends-sort-${key}`,
              onclick: () => {
                this.sorted = mine ? { key, down: !this.sorted.down } : { key, down: key !== "minutes" };
                this.fillBrands();
                this.head.querySelector(`.${key} button`)?.focus();
              },
            },
            label,
            el("i", { class: "sort", "aria-hidden": "true" }, mine ? (this.sorted.down ? "▼" : "▲") : ""),
          ),
        );
      }),
    );
  }

  fillBrands() {
    const brand = this.ordered();
    this.fillHead();
    this.empties.brands.hidden = brand.length > 0 || !this.model.summary.brands;
    this.empties.brands.textContent = "No brand names in this data";
    this.scroll.hidden = !brand.length;
    this.scroll.parentNode.querySelector("h4").hidden = !!brand.length; // the table has its own
    this.more.hidden = !this.model.summary.more;
    this.more.textContent = this.model.summary.more
      ? `and ${counted(this.model.summary.more, "brand")} with fewer orders`
      : "";
    this.body.replaceChildren(
      ...brand.map((b) => {
        const [arrow, word] = TREND[b.trend];
        const left = b.excluded ? `, ${number(b.excluded)} over 4 h left out` : "";
        return el(
          "tr",
          { "data-testid": "trends-brand" },
          el("th", { scope: "row", class: "brand", title: b.brand }, el("span", {}, b.brand)),
          el("td", {}, number(b.orders)),
          b.revenue === null
            ? el("td", { title: "No item of this brand has a price in the data" }, "–")
            : el("td", { title: `${b.revenue < 0 ? "−" : ""}$${number(Math.abs(b.revenue))}` }, money(b.revenue)),
          el(
            "td",
            { title: `Mean of ${counted(b.deliveries, "delivery", "deliveries")}${left}` },
            b.minutes === null ? "–" : minuteText(b.minutes),
          ),
          el("td", { class: "cold", title: shelfText(b, this.model.summary.cold_after) }, coldText(b)),
          el(
            "td",
            {
              class: `trend ${b.trend}`,
              title: b.trend
                ? `${number(b.earlier)} in the earlier half of the kitchen’s orders, ${number(b.later)} in the later`
                : "Too few orders to tell a trend",
            },
            el("i", { "aria-hidden": "true" }, arrow),
            el("span", { class: "word" }, ` ${word}`),
          ),
        );
      }),
    );
    this.slots.brands.style.height = `calc(var(--row) * ${brand.length})`;
    const bars = this.brands.source("brands");
    if (!bars || bars.data.right.length !== brand.length) return;
    brand.forEach((b, k) => {
      bars.data.right[k] = b.orders;
    }); // in place: nothing travels to the server
    bars.change.emit();
  }

  // ---- life -------------------------------------------------------------------------------------------------------
  fill = () => {
    this.fillVolume();
    this.fillStages();
    this.fillBrands();
    this.placeVolume();
  };

  recolour = () =>
    requestAnimationFrame(
      guarded(() => {
        for (const held of [this.volume, this.stages, this.brands]) held.recolour();
      }),
    );

  wake = () => {
    if (!this.seen()) return clearTimeout(this.timer);
    for (const held of [this.volume, this.stages, this.brands]) held.seek();
    this.placeVolume();
    this.placeStages();
  };
}

function render(view) {
  return new TrendsFrame(view).root;
}

export { render };
