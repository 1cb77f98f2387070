// The bar below the header for an alert that fires and that nobody has acknowledged yet.

import { clockFrom } from "../shared/clock.js";
import { el, icon } from "../shared/elements.js";
import { guarded } from "../shared/registry.js";
import { sharedState } from "../shared/shared_state.js";
import { whenText } from "./alarms.js";

class AlertBar {
  constructor({ model }) {
    this.clock = clockFrom(model);
    this.alarms = sharedState(model.clock, "alarms");
    this.title = el("b");
    this.words = el("span", { class: "words" });
    this.when = el("span", { class: "when" });
    this.others = el("span", { class: "others" });
    const sign = el("span", { class: "sign" });
    sign.append(icon("bell", 17));
    this.go = this.button("See where it began", "alert-bar-go", "", ({ go }, alert) => go(alert.since));
    this.acknowledge = this.button("Acknowledge", "alert-bar-acknowledge", "solid", ({ acknowledge }, alert) =>
      acknowledge(alert),
    );
    this.root = el(
      "section",
      { class: "bar", "aria-label": "Alert that is firing", "data-testid": "alert-bar", hidden: true },
      sign,
      el("p", {}, this.title, this.words, this.when, this.others),
      this.go,
      this.acknowledge,
    );
    const off = this.alarms.on(this.update);
    model.on("remove", off);
    this.update();
  }

  button(label, id, kind, act) {
    const press = () => {
      const { value } = this.alarms;
      if (value?.unseen.length) act(value, value.unseen[0]);
    };
    return el("button", { type: "button", class: kind, "data-testid": id, onclick: press }, label);
  }

  update = guarded(() => {
    const { unseen = [], now } = this.alarms.value ?? {};
    this.root.hidden = !unseen.length;
    if (!unseen.length) return;
    const [alert] = unseen;
    const write = (node, text) => {
      if (node.textContent !== text) node.textContent = text;
    };
    write(this.title, alert.title);
    write(this.words, alert.text);
    write(this.when, whenText(alert, this.clock.zone, now));
    const more = unseen.length - 1;
    write(this.others, more ? `and ${more} more` : "");
  });
}

function render(view) {
  return new AlertBar(view).root;
}

export { render };
