// What stands around the map: buttons, the layers to choose from, the legend, scale and credit.

import { el, icon } from "../shared/elements.js";
import { groupChip } from "../shared/group_chip.js";
import { opened } from "../shared/keys.js";
import { AT_RISK, LATE, ON_TIME } from "./motion.js";
import { LATELY } from "./questions.js";

const LAYERS = {
  routes: [
    "Routes",
    "Ways of the drivers on the road: driven solid, ever brighter towards the driver; what remains dotted",
  ],
  customers: ["Customers", "Where the orders on the road go"],
  trails: ["Trails", "The last stretch of each driver's way"],
  radius: ["Delivery radius", "How far this kitchen delivers"],
  clusters: ["Group drivers", "Drivers that overlap stand together as one number, when more than 50 are on the road"],
};
const DENSITIES_OFFERED = {
  orders: ["Where orders go", "The places of all orders of the range"],
  waits: ["Where drivers wait", "At the kitchen until pick-up, and where they stand on the road; over the range"],
  slow: ["Slow streets", "Where drivers were slower in the last minutes than there at other times of the range"],
  ways: ["Ways driven", "Where drivers drove in the last minutes, whether or not they are still on the road"],
};

/**
 * `act` has home, fit, follow, zoom(factor), layer(name, on), density(changes), base(key). `show` are the layers that
 * are on.
 */
class Controls {
  constructor(model, show, selection, act) {
    this.model = model;
    this.show = show;
    this.act = act;
    const button = (name, drawn, label, onclick, text) => {
      const b = el("button", {
        type: "button",
        title: label,
        "aria-label": label,
        "data-testid": `map-${name}`,
        onclick,
      });
      b.append(icon(drawn, 15), text ?? "");
      return b;
    };
    this.fit = button(
      "fit",
      "fit",
      "Keep every active delivery in view (F). Moving the map by hand turns it off",
      act.fit,
      "Fit",
    );
    this.followed = button("follow", "car", "Keep the selected driver in view", act.follow, "Follow");
    this.followed.hidden = true;
    this.tools = el(
      "div",
      { class: "tools", role: "group", "aria-label": "Map view" },
      this.fit,
      button("home", "home", "The kitchen and its delivery area", act.home),
      button("in", "plus", "Zoom in", () => act.zoom(0.5)),
      button("out", "minus", "Zoom out", () => act.zoom(2)),
      this.followed,
    );
    this.opener = el(
      "button",
      {
        type: "button",
        class: "opener",
        "aria-expanded": "false",
        "data-testid": "map-layers",
        title: "What is shown on the map",
        onclick: () => this.open(this.popover.hidden),
      },
      "Layers",
    );
    this.opener.prepend(stackIcon());
    this.popover = el("div", {
      class: "popover",
      role: "group",
      "aria-label": "Shown on the map",
      hidden: true,
      "data-testid": "map-layer-list",
    });
    this.legend = el("ul", { class: "legend", "aria-label": "Legend", "data-testid": "map-legend" });
    this.foot = el("div", { class: "foot" }, this.popover, this.opener, this.legend);
    this.scale = el("div", { class: "scale", title: "Distance on the ground" });
    this.credit = el("span", { class: "credit", "data-testid": "map-credit" });
    this.capped = el("span", {
      class: "capped",
      hidden: true,
      "data-testid": "map-capped",
      title: "More would cover the map; the lists have all of them",
    });
    this.only = groupChip(selection, "map-only");
    this.edge = el("div", { class: "edge" }, this.only.node, this.capped, this.scale, this.credit);
    this.closing = (event) => {
      if (!this.popover.hidden && !event.composedPath().includes(this.foot)) this.open(false);
    };
    this.foot.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.popover.hidden) return;
      event.stopPropagation(); // Escape closes this list, not the selection
      this.open(false);
      this.opener.focus();
    });
    document.addEventListener("pointerdown", this.closing);
  }
  remove() {
    document.removeEventListener("pointerdown", this.closing);
    this.closed?.();
  }
  open(on) {
    this.closed?.();
    this.closed = on ? opened(() => this.open(false)) : null;
    this.popover.hidden = !on;
    this.opener.setAttribute("aria-expanded", String(on));
  }
  /** Show which of fit and follow is on, and whether there is a driver to follow. */
  modes({ fitting, following }, selected) {
    this.fit.setAttribute("aria-pressed", String(fitting));
    this.followed.setAttribute("aria-pressed", String(following));
    this.followed.hidden = !selected;
  }
  /**
   * Build the list of layers where there is something new to choose from; else only tick what is on, which leaves the
   * focus where it is.
   */
  fillLayers() {
    const { maps = {} } = this.model.base;
    const shown = this.model.base.chosen;
    const offered = Object.keys(maps).join();
    if (offered === this.offered) {
      for (const box of this.popover.querySelectorAll("input")) box.checked = !!this.show[box.value];
      const select = this.popover.querySelector(".base select");
      if (select && maps[shown]) select.value = shown;
      this.fillDensity();
      return;
    }
    this.offered = offered;
    const toggles = Object.entries(LAYERS).map(([name, [label, title]]) =>
      el(
        "label",
        { title },
        el("input", {
          type: "checkbox",
          value: name,
          checked: this.show[name],
          "data-testid": `map-${name}`,
          onchange: (event) => this.act.layer(name, event.target.checked),
        }),
        label,
      ),
    );
    const options = Object.entries({ ...maps, ...(maps[shown] ? {} : { none: { label: "No base map" } }) });
    const choice =
      Object.keys(maps).length < 2
        ? null
        : el(
            "label",
            { class: "base" },
            "Base map",
            el(
              "select",
              { "data-testid": "map-base", onchange: (event) => this.act.base(event.target.value) },
              ...options.map(([key, map]) =>
                el("option", { value: key, selected: key === shown || (key === "none" && !maps[shown]) }, map.label),
              ),
            ),
          );
    this.popover.replaceChildren(...toggles, this.densityField(), ...(choice ? [choice] : []), this.legend.cloneNode());
    this.fillDensity();
    this.fillLegend();
  }
  /** The choice of a layer of density, of its minutes and its strength. */
  densityField() {
    const { densities, spans } = this.model;
    const field = (words, control, testid) => {
      control.dataset.testid = testid;
      return el("label", { class: "density" }, words, control);
    };
    this.kind = el(
      "select",
      { onchange: () => this.act.density({ kind: this.kind.value }) },
      el("option", { value: "" }, "None"),
      ...densities.map((kind) =>
        el("option", { value: kind, title: DENSITIES_OFFERED[kind][1] }, DENSITIES_OFFERED[kind][0]),
      ),
    );
    this.span = el(
      "select",
      { onchange: () => this.act.density({ minutes: Number(this.span.value) }) },
      ...spans.map((minutes) => el("option", { value: minutes }, `${minutes} min`)),
    );
    this.strength = el("input", {
      type: "range",
      min: 20,
      max: 100,
      step: 10,
      oninput: () => this.act.density({ strength: Number(this.strength.value) }),
    });
    this.spanField = field("Of the last", this.span, "map-density-minutes");
    this.strengthField = field("Strength", this.strength, "map-density-strength");
    return el(
      "div",
      { class: "densities", role: "group", "aria-label": "Layer of density" },
      field("Density", this.kind, "map-density"),
      this.spanField,
      this.strengthField,
    );
  }
  fillDensity() {
    const { kind, minutes, strength } = this.model.density;
    this.kind.value = kind;
    this.span.value = String(minutes);
    this.strength.value = String(strength);
    this.spanField.hidden = !LATELY.includes(kind);
    this.strengthField.hidden = !kind;
  }
  /** Say how many pins are drawn of how many, where it is not all of them. */
  fillCapped(drawn, total) {
    const text =
      drawn < total ? `The newest ${drawn.toLocaleString("en")} of ${total.toLocaleString("en")} orders` : "";
    if (this.capped.textContent === text) return;
    this.capped.textContent = text;
    this.capped.hidden = !text;
  }
  fillCredit({ map, problem }) {
    this.credit.replaceChildren(
      problem ||
        (!map
          ? ""
          : map.link
            ? el("a", { href: map.link, target: "_blank", rel: "noopener noreferrer" }, map.credit)
            : map.credit),
    );
  }
  /**
   * Take the marks as they are drawn (canvases), so that the legend shows what the map shows; `density` its layer as
   * it was told.
   */
  fillLegend(
    marks = this.marks,
    density = this.density,
    minutes = this.minutes,
    crowd = this.crowd,
    ghost = this.ghost,
  ) {
    this.marks = marks;
    this.density = density;
    this.minutes = minutes;
    this.crowd = crowd;
    this.ghost = ghost;
    if (!marks?.colours.blue) return;
    const shown = (canvas) => {
      const own = el("canvas", { width: canvas.width, height: canvas.height });
      own.getContext("2d").drawImage(canvas, 0, 0);
      own.style.width = `${canvas.width / marks.ratio}px`;
      return own;
    };
    const entry = (mark, text, title) => el("li", { title }, mark, text);
    const done = el("i", { class: "done" });
    const way = el("i", { class: "way" });
    const many = () => [
      entry(
        el("i", {
          class: "heat",
          style: `background:linear-gradient(90deg, ${crowd.ramp.join(", ")})`,
          "data-testid": "map-crowd",
        }),
        `${crowd.n.toLocaleString("en")} drivers, few to many`,
        `So many are on the road that the map shows how many are where. Zoom in to see each of them`,
      ),
    ];
    const dense = () =>
      !this.model.density.kind
        ? []
        : density?.kind !== this.model.density.kind
          ? [entry("", "Drawing …", "The layer of density is being worked out")]
          : [
              entry(
                density.url
                  ? el("i", {
                      class: "heat",
                      style: `background:linear-gradient(90deg, transparent, ${density.colours.join(", ")})`,
                    })
                  : "",
                density.label,
                density.title,
              ),
            ];
    const haunted = () =>
      ghost
        ? [
            entry(
              shown(marks.ghost(ON_TIME, 6)),
              `Ghost: ${ghost}`,
              "Drivers of another day, at the same time of day. That day is over: nothing here is to come",
            ),
          ]
        : [];
    const entries = () =>
      crowd
        ? [...many(), ...haunted(), ...dense()]
        : [
            ...haunted(),
            entry(
              shown(marks.head(ON_TIME, false, 6)),
              "On time",
              `Order younger than ${minutes} min, and promised to arrive within them`,
            ),
            entry(
              shown(marks.head(AT_RISK, false, 6)),
              "Will be late",
              `Its promised arrival is more than ${minutes} min after the order`,
            ),
            entry(
              shown(marks.head(LATE, false, 6)),
              "Late",
              `On the road although the order is older than ${minutes} min`,
            ),
            entry(
              shown(marks.head(ON_TIME, true, 6)),
              "Inferred",
              "Position worked out along the route: no measurement for 2½ minutes or more. All others are measured",
            ),
            entry(
              done.cloneNode(),
              "Delivered",
              "Fades out over 30 seconds of kitchen time (at high speeds over half a second of yours)",
            ),
            ...(this.show.routes
              ? [
                  entry(
                    way.cloneNode(),
                    "Driven, to go",
                    "A route is solid where it was driven, brightest at the driver, and dotted where it remains",
                  ),
                ]
              : []),
            ...dense(),
          ];
    this.legend.replaceChildren(...entries());
    this.popover.querySelector(".legend")?.replaceChildren(...entries());
  }
  ruler(perMetre) {
    let length = 10 ** Math.floor(Math.log10(110 / perMetre));
    for (const k of [5, 2])
      if (k * length * perMetre <= 110) {
        length *= k;
        break;
      }
    this.scale.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
    this.scale.style.width = `${Math.round(length * perMetre)}px`;
  }
}
/** Sheets upon each other. */
function stackIcon() {
  const drawn = icon("box", 15);
  drawn.firstElementChild.setAttribute("d", "M12 4l9 5-9 5-9-5zM3 14l9 5 9-5");
  return drawn;
}

export { Controls };
