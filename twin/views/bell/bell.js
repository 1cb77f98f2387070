// The bell: how many alerts of the kitchen fire, their list, and the dialog in which one is acknowledged.

import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { memory } from "../shared/memory.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { verbsOf } from "../shared/verbs.js";
import { Acknowledging } from "./acknowledging.js";
import { firingOf, seenText, titled, whenText } from "./alarms.js";
import { beep } from "./sound.js";

const SOUND = "twin-alert-sound";
/**
 * The alerts that this page has told, by kitchen: what fires when one comes to a kitchen is no news; what has begun to
 * while the server was lost is, though another session shows it.
 * @type {Map<string, Set<string>>}
 */
const told = new Map();
/** The bells of this page by how many of their alerts wait: while a lost session is replaced there are two. */
const waiting = new Map();

class Bell {
  constructor({ model }) {
    this.model = model;
    this.clock = clockFrom(model);
    this.verbs = verbsOf(model, this.clock);
    this.alarms = sharedState(model.clock, "alarms");
    this.rules = sharedState(model.clock, "rules");
    this.written = "";
    this.acknowledging = new Acknowledging(model);
    this.build();
    this.update();
    for (const name of ["alerts", "problem"]) model.on(name, this.update);
    const offs = [this.clock.on(this.update), this.rules.on(this.update)];
    model.on("remove", () => {
      for (const off of offs) off();
      this.alarms.take(null);
      this.acknowledging.remove();
      waiting.delete(this);
      this.nameTab();
    });
  }

  build() {
    this.count = el("span", { class: "count", "data-testid": "bell-count" });
    // not .bell: Panel gives that class to its own wrapper
    this.button = el("button", { type: "button", class: "ring", "aria-expanded": "false", "data-testid": "bell" });
    this.button.append(icon("bell", 16), this.count);
    this.sound = el("input", {
      type: "checkbox",
      checked: memory.get(SOUND) !== null,
      "data-testid": "alert-sound",
      onchange: () => {
        memory.set(SOUND, this.sound.checked ? "yes" : null);
        if (this.sound.checked) beep();
      },
    });
    this.edit = el(
      "button",
      { type: "button", class: "small", "data-testid": "alert-rules", onclick: () => this.openRules() },
      "Rules",
    );
    this.list = el("div", { class: "list", "data-testid": "alert-list" });
    this.panel = el(
      "div",
      { class: "panel", popover: "auto", role: "dialog", "aria-label": "Alerts of this kitchen" },
      el("header", {}, el("h2", {}, "Alerts"), this.edit),
      this.list,
      el("footer", {}, el("label", { class: "switch" }, this.sound, "Sound for a new alert, in this browser")),
    );
    this.button.popoverTargetElement = this.panel;
    this.panel.addEventListener("toggle", (event) => {
      const open = event.newState === "open";
      this.button.setAttribute("aria-expanded", String(open));
      if (!open && this.panel.matches(":focus-within")) this.button.focus();
      const box = this.button.getBoundingClientRect();
      this.panel.style.top = `${box.bottom + 6}px`;
      const right = Math.min(innerWidth - box.right, innerWidth - this.panel.offsetWidth - 8);
      this.panel.style.right = `${Math.max(8, right)}px`;
    });
    this.spoken = el("span", { class: "spoken", role: "alert" });
    this.root = el("div", { class: "alarms" }, this.button, this.panel, this.spoken, this.acknowledging.node);
  }

  openRules() {
    this.panel.hidePopover();
    this.rules.value?.open();
  }

  /** Show the kitchen at a time, from another range if it has to be. */
  go = (t) => {
    if (this.panel.matches(":popover-open")) this.panel.hidePopover();
    const { start, end } = this.clock.window ?? this.clock.anchor;
    if (t >= start && t <= end) this.verbs.visit(t);
    else this.model.send_msg({ go: t });
  };

  update = guarded(() => {
    const { alerts, problem } = this.model;
    const now = this.clock.anchor?.edge;
    const { firing, unseen } = firingOf(alerts ?? []);
    this.alarms.take({ unseen, now, go: this.go, acknowledge: this.acknowledging.open });
    this.edit.hidden = !this.rules.value;
    const minute = now === undefined ? 0 : Math.floor(now / 60);
    const written = JSON.stringify([alerts, problem, minute, !!this.rules.value, this.clock.zone.sent]);
    if (written === this.written) return;
    this.written = written;
    this.count.textContent = firing.length ? String(firing.length) : "";
    this.button.classList.toggle("firing", firing.length > 0);
    this.button.classList.toggle("unseen", unseen.length > 0);
    const label = firing.length
      ? `Alerts: ${firing.length} firing, ${unseen.length} not acknowledged`
      : "Alerts: none is firing";
    this.button.title = label;
    this.button.setAttribute("aria-label", label);
    waiting.set(this, unseen.length);
    this.nameTab();
    if (alerts) this.announce(firing);
    this.fill(alerts, problem);
  });

  /** The tab's title says how many alerts wait. */
  nameTab() {
    document.title = titled(document.title, [...waiting.values()].at(-1) ?? 0);
  }

  /** Say and, if that is wanted, sound what has begun to fire. */
  announce(firing) {
    const { place } = this.model;
    const before = told.get(place);
    told.set(place, new Set([...(before ?? []), ...firing.map(({ id }) => id)]));
    const fresh = before ? firing.filter(({ id }) => !before.has(id)) : [];
    if (!fresh.length) return;
    this.spoken.textContent = fresh.map(({ title, text }) => `Alert: ${title}. ${text}`).join(" ");
    if (this.sound.checked) beep();
  }

  fill(alerts, problem) {
    if (problem) {
      this.list.replaceChildren(el("p", { class: "none" }, problem));
      return;
    }
    if (!alerts?.length) {
      this.list.replaceChildren(this.none(alerts));
      return;
    }
    const { firing } = firingOf(alerts);
    const past = alerts.filter(({ ended }) => ended !== null);
    const parts = [];
    if (firing.length) parts.push(el("h3", {}, "Firing now"), this.items(firing));
    if (past.length) parts.push(el("h3", {}, "Before"), this.items(past));
    this.list.replaceChildren(...parts);
  }

  none(alerts) {
    if (!alerts) return el("p", { class: "none" }, "Reading the alerts …");
    return el(
      "p",
      { class: "none" },
      "No alert has fired at this kitchen.",
      this.rules.value ? " Rules say what fires one." : "",
    );
  }

  items(alerts) {
    return el("ul", {}, ...alerts.map((alert) => this.item(alert)));
  }

  /** @param {import("./alarms.js").Alarm} alert */
  item(alert) {
    const { zone } = this.clock;
    const firing = alert.ended === null;
    const go = el(
      "button",
      {
        type: "button",
        class: "go",
        title: "Go to where it began",
        "data-testid": "alert-item",
        onclick: () => this.go(alert.since),
      },
      el("b", {}, alert.title),
      el("span", { class: "when" }, whenText(alert, zone, this.clock.anchor?.edge)),
    );
    const seen = el("p", { class: "seen", "data-testid": "alert-seen" }, seenText(alert));
    if (alert.seen_at) seen.title = `At ${new Date(1000 * alert.seen_at).toISOString().slice(0, 16)}Z`;
    const acknowledge = el(
      "button",
      {
        type: "button",
        class: "small",
        "aria-haspopup": "dialog",
        "data-testid": "alert-acknowledge",
        onclick: () => this.acknowledging.open(alert),
      },
      "Acknowledge",
    );
    return el(
      "li",
      { class: firing ? (alert.seen_by === null ? "firing" : "firing known") : "" },
      go,
      alert.text ? el("p", { class: "text" }, alert.text) : null,
      alert.seen_by === null ? (firing ? acknowledge : null) : seen,
    );
  }
}

function render(view) {
  return new Bell(view).root;
}

export { render };
