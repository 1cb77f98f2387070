// What the kitchen that is seen can be put beside, in one menu: each choice leads to the page of two sides.

import { el, icon } from "../../views/shared/elements.js";
import { guarded } from "../../views/shared/registry.js";

const DAYS = "A day and the one a week before"; // as in twin/pages/ranges.py: so many that they stand in a row

/**
 * Build the menu; `addressOf(fields)` is that of the other page with what is seen now, and these fields in place of it.
 * @param {{beside: [string, string, Record<string, string>][], on: Function}} model
 * @param {(fields: Record<string, string>) => string} addressOf
 */
function buildBeside(model, addressOf) {
  const node = el("div", {
    class: "menu beside",
    popover: "auto",
    role: "group",
    "aria-label": "Put this beside",
    "data-testid": "beside",
  });
  const linkOf = (words, fields, kind = "item") => {
    const link = el("a", { class: kind, "data-testid": "beside-link" }, words);
    const aim = () => {
      link.href = addressOf(fields);
    };
    aim();
    link.addEventListener("pointerdown", aim); // the playhead has gone on since
    link.addEventListener("click", aim);
    return link;
  };
  const fill = () => {
    const groups = new Map();
    for (const [group, words, fields] of model.beside) {
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(linkOf(words, fields, group === DAYS ? "day" : "item"));
    }
    const other = linkOf("Choose both sides …", {});
    other.append(icon("arrow", 15));
    node.replaceChildren(
      ...[...groups].flatMap(([group, links]) => [
        el("h3", {}, group),
        group === DAYS ? el("div", { class: "days" }, ...links) : el("div", {}, ...links),
      ]),
      other,
    );
  };
  node.addEventListener(
    "beforetoggle",
    guarded((event) => event.newState === "open" && fill()),
  );
  return node;
}

export { buildBeside };
