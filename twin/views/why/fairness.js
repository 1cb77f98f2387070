// Was the promise fair? A small card: what was promised, what it took, what would have been fair, what was doomed.

import { HOW } from "#python/views/why/fairness";
import { el } from "../shared/elements.js";
import { plural } from "../shared/numbers.js";

const COLUMNS = [
  ["promised", "promised", "Minutes on average"],
  ["took", "took", "Minutes on average"],
  ["kept", "kept", "Share of the promises that were kept, to half a minute"],
  ["fair", "fair", HOW],
  ["doomed", "doomed", HOW],
];

/** What a row says in a column; "–" where too little was known. */
const cellText = (row, key) =>
  row[key] === null ? "–" : key === "kept" || key === "doomed" ? `${row[key]} %` : row[key].toFixed(1);

/** The card of a panel whose model has `promises`; it follows them by itself. */
function fairnessCard(model) {
  const body = el("tbody", {});
  const head = COLUMNS.map(([key, name, title]) => el("th", { scope: "col", class: key, title }, name));
  const table = el(
    "table",
    {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "unseen" }, "Promise")), ...head)),
    body,
  );
  const node = el(
    "section",
    { class: "fairness", "data-testid": "why-promise" },
    el("h4", { title: HOW }, "Was the promise fair?"),
    table,
  );
  const show = () => {
    node.hidden = !model.promises.length;
    body.replaceChildren(
      ...model.promises.map((row) =>
        el(
          "tr",
          { "data-kind": row.kind },
          el("th", { scope: "row", title: `${plural(row.orders, "order")}, ${row.judged} of them judged` }, row.label),
          ...COLUMNS.map(([key]) =>
            el(
              "td",
              {
                class: key === "doomed" && row.doomed >= 25 ? "bad" : null,
                title: row[key] === null ? "Too few earlier orders were known to judge it by" : null,
              },
              cellText(row, key),
            ),
          ),
        ),
      ),
    );
  };
  model.on("promises", show);
  show();
  return node;
}

export { fairnessCard };
