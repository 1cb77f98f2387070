// What an order's time was made of, as a table that adds up: each part against what is usual, what goes on so far.

import { PARTS } from "#python/analysis/ledger";
import { PART_NAMES } from "#python/analysis/order_ledger";
import { el } from "../shared/elements.js";
import { minutesText, put } from "../shared/numbers.js";
import { exactText } from "../shared/times.js";

const LEAST_SHOWN_S = 30; // what is usually less is nothing in whole minutes

const signed = (seconds) => {
  const minutes = Math.abs(seconds / 60).toFixed(1);
  return minutes === "0.0" ? "0.0" : `${seconds > 0 ? "+" : "−"}${minutes}`;
};

/**
 * The parts of an order's time at `now`: [part, seconds, whether it goes on], and their sum; null where there are none.
 * Each part is the difference of two moments in whole seconds, as the stages' times, so that what is read adds up, too.
 */
function accountUntil(story, now) {
  const entry = story.ledger.at(-1);
  if (!entry || story.created === null) return null;
  const seconds = { ...entry.parts };
  if (entry.part) seconds[entry.part] = (seconds[entry.part] ?? 0) + Math.max(0, now - entry.since);
  let at = story.created;
  let shown = Math.floor(at);
  const rows = [];
  for (const part of PARTS) {
    if (seconds[part] === undefined && part !== entry.part) continue;
    at += seconds[part] ?? 0;
    // what is summed as floats may lie a hair below the second that it is
    const until = Math.floor(at + 1e-4);
    rows.push([part, until - shown, part === entry.part]);
    shown = until;
  }
  return { rows, total: shown - Math.floor(story.created), entry };
}

/** How long a driver had stood there while the food was not ready, at `now`: [start, end] in data seconds, or null. */
function driverWait(story, now) {
  if (story.arrived === null) return null;
  const road = story.stages.find(({ key }) => key === "out_for_delivery");
  const ends = [story.ready, road?.start ?? null, story.delivered, story.cancelled].filter((time) => time !== null);
  const end = Math.min(now < story.arrived ? Number.POSITIVE_INFINITY : now, ...ends);
  return Number.isFinite(end) && end > story.arrived ? [story.arrived, end] : null;
}

/** The seconds that two stretches share. */
const shared = ([a, b], [c, d]) => Math.max(0, Math.min(b, d) - Math.max(a, c));

/** The table of an order's story; `show(now)` brings it to the playhead. */
function ledgerOf(story) {
  const usual = story.expected;
  const body = el("tbody", {});
  const total = el("tr", { "data-testid": "ledger-total" });
  const wait = el("p", { class: "note", "data-testid": "ledger-driver" });
  const table = el(
    "table",
    { class: "ledger", "data-testid": "order-ledger" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, el("span", { class: "unseen" }, "Part")),
        el("th", { scope: "col", class: "number" }, "took"),
        ...(usual
          ? [
              el(
                "th",
                {
                  scope: "col",
                  class: "number",
                  title: "Mean of the orders of that hour on other days; means, as only these add up",
                },
                "usual",
              ),
              el("th", { scope: "col", class: "number", title: "Minutes more or less than usual" }, "± min"),
            ]
          : []),
      ),
    ),
    body,
    el("tfoot", {}, total),
  );
  const node = el("section", { class: "made-of" }, el("h4", {}, "What its time was made of"), table, wait);
  const cells = (name, took, mark, typical, more) => [
    el("th", { scope: "row" }, name, mark ? el("small", {}, mark) : null),
    el("td", { class: "number" }, took),
    ...(usual
      ? [
          el("td", { class: "number mute" }, typical === null ? "–" : minutesText(typical)),
          el("td", { class: `number ${more >= 60 ? "bad" : ""}` }, more === null ? "" : signed(more)),
        ]
      : []),
  ];
  let written = "";
  function show(now) {
    const account = accountUntil(story, now);
    node.hidden = account === null || now < story.created;
    if (node.hidden) return;
    const { rows, total: took, entry } = account;
    const told = JSON.stringify([rows, took]);
    if (told === written) return;
    written = told;
    body.replaceChildren(
      ...rows.map(([part, seconds, goesOn]) =>
        el(
          "tr",
          { "data-part": part, class: part === "not_recorded" ? "gap-row" : null },
          ...cells(
            PART_NAMES[PARTS.indexOf(part)],
            exactText(seconds),
            goesOn ? "so far" : "",
            usual?.[part] ?? null,
            goesOn && seconds < (usual?.[part] ?? 0) ? null : seconds - (usual?.[part] ?? 0),
          ),
        ),
      ),
      ...othersOf(rows, usual, entry.ended).map(([part, words]) =>
        el(
          "tr",
          { "data-part": part, class: "gap-row" },
          ...cells(PART_NAMES[PARTS.indexOf(part)], words, "", usual[part], null),
        ),
      ),
    );
    const typical = usual ? Object.values(usual).reduce((sum, value) => sum + value, 0) : null;
    const ends = { "": "so far", cancelled: "until it was cancelled", stalled: "until it stalled" };
    const over = entry.ended === "delivered" && usual ? took - typical : null;
    total.replaceChildren(...cells("Together", exactText(took), ends[entry.ended] ?? "", typical, over));
    const stood = driverWait(story, now);
    wait.hidden = !stood;
    if (stood)
      put(
        wait,
        `Meanwhile the driver waited ${exactText(Math.floor(stood[1]) - Math.floor(stood[0]))} for the food: ` +
          "on the bars, as it is no part of the order’s time",
      );
  }
  return { node, show };
}

/**
 * The parts that usually take time and that an order has not had, each with what stands in the place of its time: with
 * them what is usual adds up to the whole's.
 * @param {[string, number, boolean][]} rows the parts that it has had @param {Record<string, number> | null} usual seconds
 * @param {string} ended how it ended, "" while it is open
 * @returns {[string, string][]}
 */
function othersOf(rows, usual, ended) {
  const last = Math.max(-1, ...rows.map(([part]) => PARTS.indexOf(part)).filter((i) => PARTS[i] !== "not_recorded"));
  return PARTS.filter((part) => usual?.[part] >= LEAST_SHOWN_S && !rows.some(([one]) => one === part)).map((part) => [
    part,
    !ended && PARTS.indexOf(part) > last ? "not yet" : "–",
  ]);
}

export { accountUntil, driverWait, ledgerOf, othersOf, shared };
