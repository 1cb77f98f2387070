// Which of many kitchens a person looks for, and in what order they stand: pure functions of rows and choices.

/**
 * A kitchen: `place` is its city, `end` its last event in data seconds; `text` is what is searched, see `withText`.
 * @typedef {object} Kitchen
 * @property {string} id
 * @property {string} name
 * @property {string} [qualifier]
 * @property {string} [place]
 * @property {number} [orders]
 * @property {number} [end]
 * @property {string} [text]
 */

const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** A text without what people leave out when they type: case and accents. */
const folded = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ł", "l").replaceAll("ß", "ss");
/** The same without the spaces and dashes within a name or an id. */
const squeezed = (text) => text.replace(/[\s_\p{Pd}]+/gu, "");

/** Rows with the text that is searched, folded once. @param {Kitchen[]} kitchens */
function withText(kitchens) {
  return kitchens.map((kitchen) => {
    const parts = [kitchen.name, kitchen.id, kitchen.place ?? "", kitchen.qualifier ?? ""].map(folded);
    return { ...kitchen, text: [...parts, ...parts.map(squeezed)].join("\n") };
  });
}

/** The kitchens that hold every word of a query in name, id, city or qualifier. @param {Kitchen[]} kitchens */
function matching(kitchens, query) {
  const words = folded(query).split(/\s+/).filter(Boolean);
  if (!words.length) return kitchens;
  const whole = squeezed(words.join(""));
  return kitchens.filter(
    ({ text }) => words.every((word) => text.includes(word) || text.includes(squeezed(word))) || text.includes(whole),
  );
}

/** What was found, best first: names or ids that begin with the query, then those that hold it whole, each by name. */
function bestFirst(kitchens, query) {
  const whole = squeezed(folded(query));
  const rank = ({ name, id }) => {
    const at = [name, id].map((text) => squeezed(folded(text)).indexOf(whole)).filter((found) => found >= 0);
    return at.length ? Math.min(1, ...at) : 2;
  };
  const ranks = new Map(kitchens.map((kitchen) => [kitchen, rank(kitchen)]));
  return [...kitchens].sort((a, b) => ranks.get(a) - ranks.get(b) || byName.compare(a.name, b.name));
}

const months = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const month = (end) => months.format(end * 1000);

const SORTS = {
  orders: (a, b) => b.orders - a.orders || byName.compare(a.name, b.name),
  name: (a, b) => byName.compare(a.name, b.name) || byName.compare(a.id, b.id),
  last: (a, b) => b.end - a.end || byName.compare(a.name, b.name),
};
const GROUPS = {
  city: { of: ({ place }) => place || "No city in the data", order: (a, b) => byName.compare(a.title, b.title) },
  month: { of: ({ end }) => month(end), order: (a, b) => b.rows[0].end - a.rows[0].end },
};

/**
 * Kitchens in groups [{title, rows}], one with an empty title without grouping.
 * @param {Kitchen[]} kitchens
 * @param {string} sort one of `SORTS`
 * @param {string} group one of `GROUPS`, or "" for none
 */
function arranged(kitchens, sort, group) {
  const rows = [...kitchens].sort(SORTS[sort]);
  if (!group) return rows.length ? [{ title: "", rows }] : [];
  const { of, order } = GROUPS[group];
  const groups = new Map();
  for (const row of rows) {
    const title = of(row);
    if (!groups.has(title)) groups.set(title, { title, rows: [] });
    groups.get(title).rows.push(row);
  }
  return [...groups.values()].sort(order);
}

export { arranged, bestFirst, matching, withText };
