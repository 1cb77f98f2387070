// The page's bar: what the clock shows, how it plays, what is filtered, and the range of all kitchens as a timeline.

import { badgeOf } from "../../views/live/words.js";
import { ReplayClock } from "../../views/shared/clock.js";
import { el, icon } from "../../views/shared/elements.js";
import { many, plural } from "../../views/shared/numbers.js";
import { guarded } from "../../views/shared/registry.js";
import { token } from "../../views/shared/tokens.js";
import { TIMELINE_KEYS } from "../../views/transport/keys.js";

const button = (name, label, id, act) => {
  const node = el("button", {
    type: "button",
    class: "tool",
    title: label,
    "aria-label": label,
    "data-testid": id,
    onclick: act,
  });
  node.append(icon(name, 16));
  return node;
};

class Bar {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    const { model, kitchens } = page;
    const asked = new URLSearchParams(location.search);
    this.time = el("time", { class: "clock", "data-testid": "network-clock" });
    this.play = button("play", "Play", "network-play", () => page.verbs.toggle());
    this.speed = el(
      "select",
      {
        "aria-label": "Speed",
        "data-testid": "network-speed",
        onchange: () => page.verbs.speed(Number(this.speed.value)),
      },
      ...model.speeds.map((speed) => el("option", { value: speed }, `${speed}×`)),
    );
    this.hindsight = button("clock", "With hindsight: show what lies after this moment, too", "network-hindsight", () =>
      page.verbs.hindsight(!page.clock.hindsight),
    );
    this.field = el("input", {
      type: "search",
      placeholder: "Filter kitchens",
      "aria-label": "Filter kitchens by name, city or id",
      autocomplete: "off",
      spellcheck: "false",
      "data-testid": "network-filter",
      value: asked.get("q") ?? "",
      oninput: () => page.filter(),
      onkeydown: (event) => this.typed(event),
    });
    const { regions } = kitchens;
    this.select = el(
      "select",
      {
        "aria-label": "Region",
        "data-testid": "network-region",
        hidden: regions.length < 2,
        onchange: () => page.filter(),
      },
      el("option", { value: "" }, "All regions"),
      ...regions.map((region) => el("option", { value: region }, region)),
    );
    if (regions.includes(asked.get("region"))) this.select.value = asked.get("region");
    this.brands = el(
      "select",
      {
        "aria-label": "Brand",
        "data-testid": "network-brand",
        hidden: true,
        onchange: () => page.chooseBrand(this.brands.value),
      },
      el("option", { value: "" }, "All brands"),
    );
    this.badgeText = el("b");
    this.badgeMore = el("span", { class: "more" });
    this.badge = el(
      "button",
      { type: "button", class: "badge", hidden: true, "data-testid": "network-live", onclick: () => page.jumpToEdge() },
      el("i", { class: "dot-live", "aria-hidden": "true" }),
      this.badgeText,
      this.badgeMore,
    );
    this.sent = 0;
    this.found = el("span", { class: "found mute", role: "status", "data-testid": "network-found" });
    this.makeTimeline();
    this.assemble();
  }

  assemble() {
    const { page } = this;
    const step = (way) => () => page.verbs.step(way);
    this.node = el(
      "header",
      { class: "bar" },
      el(
        "div",
        { class: "line" },
        el("h1", {}, "All kitchens"),
        el("a", { class: "way", href: "./", "data-testid": "network-cards" }, "Choose a kitchen"),
        el("span", { class: "gap" }),
        this.found,
        this.select,
        this.brands,
        this.field,
        button("theme", "Light or dark", "network-theme", () => this.turnTheme()),
      ),
      el(
        "div",
        { class: "line transport" },
        button("back", "Step back", "network-back", step(-1)),
        this.play,
        button("forward", "Step forward", "network-forward", step(1)),
        this.speed,
        this.hindsight,
        this.time,
        this.badge,
        this.track,
      ),
    );
  }

  makeTimeline() {
    const { page } = this;
    this.canvas = el("canvas", { class: "graphic", "aria-hidden": "true" });
    this.head = el("i", { class: "head", "aria-hidden": "true" });
    this.days = el("span", { class: "days mute", "aria-hidden": "true" });
    this.track = el(
      "div",
      {
        class: "track",
        role: "slider",
        tabindex: 0,
        "aria-label": "Time of all kitchens",
        "data-testid": "network-timeline",
        title: "Late deliveries of all kitchens by hour. Drag to go through time.",
        onkeydown: (event) => this.steer(event),
      },
      this.canvas,
      this.days,
      this.head,
    );
    const seek = guarded((event) => {
      const { left, width } = this.track.getBoundingClientRect();
      const { start, end } = page.kitchens;
      page.verbs.hold(start + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (end - start));
    });
    this.track.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.track.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.track.addEventListener("pointermove", (event) => {
      if (this.track.hasPointerCapture(event.pointerId)) seek(event);
    });
  }

  steer(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const binding = TIMELINE_KEYS.find(({ keys }) => keys.includes(event.key.toLowerCase()));
    if (!binding) return;
    event.preventDefault();
    event.stopPropagation();
    binding.act(event, this.page);
  }

  typed(event) {
    if (event.key === "Escape" && this.field.value) {
      this.field.value = "";
      this.page.filter();
    } else if (this.page.list.press(event)) return;
    event.stopPropagation(); // letters and spaces are the field's
  }

  turnTheme() {
    const { dataset } = document.documentElement;
    dataset.theme = dataset.theme === "dark" ? "light" : "dark";
    this.page.redraw();
  }

  /** Take the brands that can be chosen. @param {string[]} names */
  nameBrands(names) {
    const { value } = this.brands;
    const [all] = this.brands.options;
    this.brands.replaceChildren(all, ...names.map((name) => el("option", { value: name }, name)));
    this.brands.value = names.includes(value) ? value : "";
    this.brands.hidden = !names.length;
  }

  /** Whether the playhead follows the latest events, how old these are, or how far it is behind. */
  showEdge() {
    const { clock, model } = this.page;
    const now = model.now.pace ? model.now : null;
    const age = now ? now.age + ReplayClock.wall() - this.sent : 0;
    const behind = Math.max(0, (clock.anchor.edge ?? 0) - clock.now());
    const { text, more, tone, title } = badgeOf(clock.state, now, { age, behind, since: 0, offered: false });
    this.badge.hidden = !text;
    this.badge.dataset.tone = tone;
    this.badge.disabled = clock.state === "live";
    this.badge.title = title;
    if (this.badgeText.textContent !== text) this.badgeText.textContent = text;
    const said = tone === "behind" ? "" : more; // events are not counted here
    if (this.badgeMore.textContent !== said) this.badgeMore.textContent = said;
  }

  get query() {
    return this.field.value.trim();
  }
  get region() {
    return this.select.value;
  }

  count(found, all) {
    this.found.textContent = found === all ? plural(all, "kitchen") : `${many(found)} of ${plural(all, "kitchen")}`;
  }

  /** The clock's own parts, in every frame. */
  tick() {
    const { clock, kitchens } = this.page;
    const t = clock.now();
    const { moving, hindsight, zone, anchor } = clock;
    const text = `${zone.dayText(t)} ${zone.shortDate(t)} ${zone.clockText(t, false)}`;
    if (this.time.textContent !== text) {
      this.time.textContent = text;
      this.time.title = `${zone.momentText(t)}, ${zone.label(t)}. Figures are those of the last whole minute.`;
      this.time.dateTime = zone.localText(t);
    }
    const { start, end } = kitchens;
    const share = Math.min(1, Math.max(0, (t - start) / (end - start)));
    this.head.style.left = `${(100 * share).toFixed(3)}%`;
    this.track.setAttribute("aria-valuemin", String(start));
    this.track.setAttribute("aria-valuemax", String(end));
    this.track.setAttribute("aria-valuenow", String(Math.round(t)));
    this.track.setAttribute("aria-valuetext", text);
    if (this.play.dataset.moving !== String(moving)) {
      this.play.dataset.moving = String(moving);
      this.play.replaceChildren(icon(moving ? "pause" : "play", 16));
      this.play.title = moving ? "Pause" : "Play";
      this.play.setAttribute("aria-label", this.play.title);
    }
    this.showEdge();
    this.hindsight.setAttribute("aria-pressed", String(hindsight));
    if (this.speed.value !== String(anchor.speed)) {
      if (![...this.speed.options].some(({ value }) => value === String(anchor.speed)))
        this.speed.append(el("option", { value: anchor.speed }, `${anchor.speed}×`));
      this.speed.value = String(anchor.speed);
    }
  }

  /** Late deliveries of all kitchens by hour, up to the playhead unless with hindsight; days below. */
  redraw() {
    const { clock, kitchens } = this.page;
    const { start, end, first, late, deliveries } = kitchens;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const context = this.canvas.getContext("2d");
    if (!context || !width) return;
    context.scale(scale, scale);
    const until = clock.hindsight ? Infinity : clock.now();
    const most = Math.max(1, ...deliveries);
    const x = (t) => ((t - start) / (end - start)) * width;
    const [edge, bad] = ["edge", "bad"].map((name) => token(this.track, name));
    deliveries.forEach((number, at) => {
      const from = first + 3600 * at;
      const wide = Math.max(1, x(from + 3600) - x(from) - 1);
      const bar = (count) => {
        const high = (count / most) * height;
        context.fillRect(x(from), height - high, wide, high);
      };
      context.globalAlpha = 0.4;
      context.fillStyle = edge;
      bar(number);
      context.globalAlpha = 1;
      context.fillStyle = bad;
      if (from + 3600 <= until) bar(late[at]);
    });
    this.nameDays(x, width);
  }

  nameDays(x, width) {
    const { clock, kitchens } = this.page;
    const midnights = clock.zone.ticks(kitchens.start, kitchens.end, 86400);
    const room = width / Math.max(1, midnights.length);
    this.days.replaceChildren(
      ...midnights
        .filter((t) => x(t) < width - 40)
        .map((t) =>
          el("span", { style: `left: ${x(t)}px` }, room > 64 ? clock.zone.shortDay(t) : clock.zone.dayText(t)),
        ),
    );
  }
}

export { Bar };
