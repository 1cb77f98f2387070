// A row of the list of events, or its bones while it is on its way.

import { el, icon } from "../shared/elements.js";

function buildRow(row, zone) {
  if (!row)
    return el(
      "li",
      { class: "item" },
      el(
        "div",
        { class: "row bones", "aria-hidden": "true" },
        el("span", { class: "badge" }),
        el("div", {}, el("i"), el("i")),
      ),
    );
  const { t, order, icon: symbol, colour, problem, title, detail } = row;
  const badge = el("span", {
    class: "badge",
    style: `--text:var(--tw-${colour});--fill:var(--tw-${colour}-fill, var(--tw-${colour}))`,
  });
  badge.append(icon(symbol, 13));
  const at = title.indexOf(" · ");
  const heading = at < 0 ? [title] : [title.slice(0, at), el("span", { class: "id" }, title.slice(at))];
  return el(
    "li",
    { class: "item" },
    el(
      "button",
      {
        type: "button",
        class: problem ? "row problem" : "row",
        "data-colour": colour,
        "data-testid": "feed-row",
        "data-t": t,
        "data-order": order,
        tabindex: "-1",
        title: `${detail ? `${detail}\n` : ""}${zone.momentText(t)}\nClick: go to this moment and this order`,
      },
      badge,
      el(
        "span",
        { class: "words" },
        el("span", { class: "title" }, ...heading),
        el("span", { class: "detail" }, detail),
      ),
      el(
        "span",
        { class: "when" },
        el("time", { class: "age", datetime: zone.localText(t) }),
        el("span", { class: "at" }, zone.clockText(t)),
      ),
    ),
  );
}

export { buildRow };
