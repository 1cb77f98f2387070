// How big a trouble is at this moment, in the figures of the stage that it is seen in: those that the pipeline shows.

import { many, wholeMinutes } from "../shared/numbers.js";

/** How the orders of a stage are counted in a sentence, one and many. */
const COUNTED = {
  created: ["order waiting to be started", "orders waiting to be started"],
  cooking: ["order cooking", "orders cooking"],
  ready: ["meal waiting", "meals waiting"],
  out_for_delivery: ["order on the road", "orders on the road"],
};
/**
 * "31 meals waiting, 5 min over usual"; empty where the trouble is of no stage, or nothing shows the stages.
 * @param {{stage: string}} trouble
 * @param {Record<string, {count: number, age?: number | null, usual?: number | null}> | null} stages by key
 */
function nowText({ stage }, stages) {
  const figures = stages?.[stage];
  if (!figures || !COUNTED[stage]) return "";
  const { count, age, usual } = figures;
  const [one, several] = COUNTED[stage];
  const words = `Now ${many(count)} ${count === 1 ? one : several}`;
  if (age === null || age === undefined || usual === null || usual === undefined) return words;
  const over = wholeMinutes(age) - wholeMinutes(usual);
  return over > 0 ? `${words}, ${over} min over usual` : words;
}

export { nowText };
