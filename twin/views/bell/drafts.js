// A rule as its sentence has it: whole minutes and percents, as people say them, and back. Pure.

/**
 * What can be watched: `unit` is "min" (the rule has seconds), "%" (it has shares) or what is counted.
 * @typedef {{name: string, label: string, unit: string, usual: boolean}} Figure
 */
/**
 * How a figure is compared, by the name of its choice: `under`: it fires below; `against`: "" an absolute limit, "from"
 * so far from what is usual, "of" percent of it; `said`: as the sentence has it before the number.
 * @type {Record<string, {under: boolean, against: "" | "from" | "of", said: string, back: string}>}
 */
const WAYS = {
  over: { under: false, against: "", said: "over", back: "under" },
  under: { under: true, against: "", said: "under", back: "over" },
  over_usual: { under: false, against: "from", said: "over usual by", back: "over usual by less than" },
  under_usual: { under: true, against: "from", said: "under usual by", back: "under usual by less than" },
  over_share: { under: false, against: "of", said: "over usual, at", back: "under" },
  under_share: { under: true, against: "of", said: "under usual, at", back: "over" },
};
/** Where a figure begins to be worth an alert, in its unit, by the unit. */
const FIRST = { min: 10, "%": 20 };
const FIRST_OF = { over_share: 150, under_share: 50 };
const two = (n) => String(n).padStart(2, "0");
/** Without the digits that binary fractions bring, as people write numbers, and as a rule has them. */
const tidy = (number) => Number(number.toFixed(3));
const exact = (number) => Number(number.toPrecision(12));

/** @param {Figure} figure */
const unitOf = (figure, way) => (WAYS[way].against === "of" ? "% of usual" : figure.unit);
/** How much of the rule's number one of the sentence's is. @param {Figure} figure */
function scaleOf(figure, way) {
  if (WAYS[way].against === "of") return 0.01;
  return { min: 60, "%": 0.01 }[figure.unit] ?? 1;
}

/** The limit that a new sentence begins with. @param {Figure} figure */
function firstLimit(figure, way) {
  return FIRST_OF[way] ?? (WAYS[way].against || figure.unit !== "min" ? (FIRST[figure.unit] ?? 10) : 45);
}
/** The recovery limit that goes with a limit while nobody has said another. */
function recoveryFor(way, limit) {
  const { under, against } = WAYS[way];
  if (against === "from") return tidy(limit / 2);
  if (against === "of") return tidy(limit + (100 - limit) * 0.3);
  const back = limit * (under ? 1.1 : 0.9);
  return limit >= 10 ? Math.round(back) : tidy(back);
}

const clockOf = (seconds) => `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}`;
/** Seconds after midnight; NaN where a field has no time. */
function secondsOf(clock) {
  const read = /^(\d{1,2}):(\d{2})/.exec(clock);
  return read ? 3600 * Number(read[1]) + 60 * Number(read[2]) : NaN;
}

/**
 * A sentence's fields. subject: "figure/NAME" or "trouble/KIND"; limit, recovery: in the sentence's unit; free: whether
 * the recovery limit follows the limit; least: orders of a trouble; where: ids of kitchens, none: all.
 * @typedef {{id: string, name: string, enabled: boolean, subject: string, way: string, limit: number, recovery: number,
 *   free: boolean, least: number, forMin: number, keepMin: number, where: string[], quiet: boolean, from: string,
 *   to: string}} Draft
 */

/** Minutes for which it must hold unless somebody says otherwise: a trouble has waited for its evidence already. */
const lastingOf = (subject) => (subject.startsWith("trouble/") ? 0 : 10);

/** A new sentence, for a kitchen. @returns {Draft} */
function newDraft(place) {
  return {
    id: "",
    name: "",
    enabled: true,
    subject: "figure/delivery_time",
    way: "over_usual",
    limit: 10,
    recovery: 5,
    free: true,
    least: 3,
    forMin: lastingOf("figure/delivery_time"),
    keepMin: 10,
    where: place ? [place] : [],
    quiet: false,
    from: "22:00",
    to: "08:00",
  };
}

/** @param {Figure[]} figures */
const figureOf = (draft, figures) => figures.find(({ name }) => draft.subject === `figure/${name}`);

/** The fields of a rule that is stored. @param {Figure[]} figures @returns {Draft} */
function draftOf(rule, figures) {
  const draft = {
    ...newDraft(""),
    id: rule.id,
    name: rule.name,
    enabled: rule.enabled,
    forMin: tidy(rule.for_s / 60),
    keepMin: tidy(rule.keep_s / 60),
    where: rule.locations,
    free: false,
  };
  if (rule.quiet) Object.assign(draft, { quiet: true, from: clockOf(rule.quiet.begin), to: clockOf(rule.quiet.end) });
  if (rule.trouble) return { ...draft, subject: `trouble/${rule.trouble.kind}`, least: rule.trouble.least_orders };
  const { figure, limit, recovery, under, of_usual, from_usual } = rule.figure;
  const against = of_usual ? "of" : from_usual ? "from" : "";
  const [way] = Object.entries(WAYS).find(([, one]) => one.under === under && one.against === against) ?? ["over"];
  const subject = `figure/${figure}`;
  const scale = scaleOf(figureOf({ subject }, figures) ?? figures[0], way);
  return { ...draft, subject, way, limit: tidy(limit / scale), recovery: tidy(recovery / scale) };
}

/** The rule that a sentence says, as the API takes it. @param {Draft} draft @param {Figure[]} figures */
function ruleOf(draft, figures) {
  const { under, against } = WAYS[draft.way];
  const figure = figureOf(draft, figures);
  const scale = figure ? scaleOf(figure, draft.way) : 1;
  const watched = figure
    ? {
        figure: {
          figure: figure.name,
          limit: exact(draft.limit * scale),
          recovery: exact(draft.recovery * scale),
          under,
          of_usual: against === "of",
          from_usual: against === "from",
        },
      }
    : { trouble: { kind: draft.subject.split("/")[1], least_orders: draft.least } };
  return {
    ...watched,
    for_s: draft.forMin * 60,
    keep_s: draft.keepMin * 60,
    quiet: draft.quiet ? { begin: secondsOf(draft.from), end: secondsOf(draft.to) } : null,
    locations: draft.where,
    name: draft.name.trim(),
    enabled: draft.enabled,
  };
}

/** What is missing in a sentence; "" if nothing is. @param {Draft} draft */
function missingIn(draft, figures) {
  const numbers = [
    draft.forMin,
    draft.keepMin,
    ...(figureOf(draft, figures) ? [draft.limit, draft.recovery] : [draft.least]),
  ];
  if (!numbers.every((one) => Number.isFinite(one) && one >= 0)) return "A number is missing in the sentence.";
  if (draft.quiet && !(secondsOf(draft.from) >= 0 && secondsOf(draft.to) >= 0))
    return "A time is missing in the sentence.";
  return "";
}

export { draftOf, figureOf, firstLimit, lastingOf, missingIn, newDraft, recoveryFor, ruleOf, unitOf, WAYS };
