// What the list of events is narrowed to, as text for the address.

/**
 * @typedef {{groups: Set<string>, only: boolean, text: string}} Filter the groups of events listed, whether only those
 *   of the selected order, and a text that the order contains
 */

/**
 * Read a filter as twin/analysis/event_index.py does.
 * @param {string} query
 * @param {string[]} groups all there are, in their order
 * @param {string[]} usual those listed without a filter
 * @returns {Filter}
 */
function parseFilter(query, groups, usual) {
  const [head, ...rest] = `;${query}`.split(";text=");
  const parts = head.split(";").filter(Boolean);
  const types = parts.find((part) => part.startsWith("types="));
  return {
    groups: new Set(
      types === undefined
        ? usual
        : types
            .slice(6)
            .split(",")
            .filter((group) => groups.includes(group)),
    ),
    only: parts.includes("only"),
    text: rest.join(";text="),
  };
}
/**
 * Write a filter, the usual one as nothing.
 * @param {Filter} filter
 * @param {string[]} order all groups in their order
 * @param {string[]} usual those listed without a filter
 * @returns {string}
 */
function filterText({ groups, only, text }, order, usual) {
  const same = groups.size === usual.length && usual.every((group) => groups.has(group));
  return [
    same ? null : `types=${order.filter((group) => groups.has(group)).join(",")}`,
    only ? "only" : null,
    text ? `text=${text}` : null,
  ]
    .filter(Boolean)
    .join(";");
}

export { filterText, parseFilter };
