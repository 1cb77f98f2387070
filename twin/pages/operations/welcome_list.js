// The choice among many kitchens: a field to search them, orders and groups, and a list as long as they are.

import { el, icon } from "../../views/shared/elements.js";
import { many } from "../../views/shared/numbers.js";
import { VirtualList } from "../../views/shared/virtual_list.js";
import { arranged, matching, withText } from "./kitchens.js";

const ROW = 56;

function chooser(label, name, options, change) {
  const node = el("select", { "data-testid": name, "aria-label": label, onchange: () => change(node.value) });
  node.append(...options.map(([value, text]) => el("option", { value }, text)));
  return el("label", { class: "chooser" }, el("span", { "aria-hidden": "true" }, label), node);
}

class WelcomeList {
  /**
   * @param {{cities: any[], choose: (id: string) => boolean,
   *   states: {ask: (id: string) => void, told: Map<string, {text: string}>}}} options
   *   `choose` returns whether the kitchen is opened; `states` has those of kitchens whose rows are drawn.
   */
  constructor({ cities, choose, states }) {
    this.states = states;
    this.cities = withText(cities);
    this.sort = "orders";
    this.group = "";
    this.chosen = "";
    this.field = el("input", {
      type: "search",
      role: "combobox",
      "aria-label": "Search the kitchens",
      "aria-expanded": "true",
      "aria-autocomplete": "list",
      placeholder: cities.some(({ place }) => place) ? "Name, city or id" : "Name or id",
      autocomplete: "off",
      spellcheck: "false",
      "data-testid": "welcome-search",
      oninput: () => this.show(true),
      onkeydown: (event) => this.list.press(event),
    });
    this.list = new VirtualList({
      label: "Kitchens",
      row: ROW,
      field: this.field,
      id: ({ id }) => `city-${id}`,
      draw: (item) => this.draw(item),
      choose: ({ id }) => {
        if (!choose(id)) return;
        this.chosen = id;
        this.list.redraw();
      },
    });
    this.status = el("span", { role: "status", class: "found", "data-testid": "welcome-found" });
    this.none = el("p", { class: "none", hidden: true });
    const groups = [
      ["", "none"],
      ...(cities.some(({ place }) => place) ? [["city", "city"]] : []),
      ["month", "last month"],
    ];
    const sign = el("span", { class: "glass" });
    sign.append(icon("search", 16));
    this.node = el(
      "div",
      { class: "card many" },
      el(
        "div",
        { class: "tools" },
        el("span", { class: "search" }, sign, this.field),
        chooser(
          "Sort by",
          "welcome-sort",
          [
            ["orders", "orders"],
            ["name", "name"],
            ["last", "last order"],
          ],
          (sort) => {
            this.sort = sort;
            this.show();
          },
        ),
        chooser("Group by", "welcome-group", groups, (group) => {
          this.group = group;
          this.show();
        }),
        this.status,
      ),
      this.none,
      this.list.node,
    );
    this.show();
  }

  /** @param {boolean} typed whether the first kitchen found is made active, so that Enter opens it */
  show(typed = false) {
    const query = this.field.value.trim();
    const found = matching(this.cities, query);
    const items = arranged(found, this.sort, this.group).flatMap(({ title, rows }) =>
      title ? [{ title, count: rows.length }, ...rows] : rows,
    );
    const first = items.find(({ title }) => title === undefined);
    this.list.set(items, (item) => typed && query !== "" && item === first);
    const all = many(this.cities.length);
    this.status.textContent = query ? `${many(found.length)} of ${all} kitchens` : `${all} kitchens`;
    this.none.hidden = found.length > 0;
    this.none.textContent = `No kitchen has “${query}” in its name, city or id.`;
    this.list.node.hidden = !found.length;
  }

  draw(item) {
    if (item.title !== undefined)
      return [el("span", {}, item.title), el("span", { class: "mute" }, ` · ${many(item.count)}`)];
    const { id, name, qualifier, place, range, orders, rejected } = item;
    const aside = qualifier || place;
    this.states.ask(id);
    const state = this.states.told.get(id)?.text;
    const words = state ? `${range} · ${state}` : range;
    const go = el("span", { class: "go" }, id === this.chosen ? "Opening" : "Open");
    go.append(icon("arrow", 15));
    return [
      el(
        "span",
        { class: "title" },
        el("span", { class: "name" }, name),
        aside ? el("span", { class: `aside ${qualifier ? "tells" : ""}` }, aside) : null,
      ),
      el("span", { class: "range", title: words }, words),
      rejected
        ? el("span", { class: "warning" }, `${many(rejected)} ${rejected === 1 ? "row" : "rows"} set aside`)
        : el("span", { class: "warning" }),
      el("span", { class: "orders" }, el("strong", {}, many(orders)), orders === 1 ? " order" : " orders"),
      go,
    ];
  }

  remove() {
    this.list.remove();
  }
}

export { WelcomeList };
