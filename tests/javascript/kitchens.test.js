import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, bestFirst, matching, withText } from "../../twin/pages/operations/kitchens.js";

const OCTOBER = Date.UTC(2025, 9, 20) / 1000;
const KITCHENS = withText([
  { id: "k1", name: "Łódź Central", place: "Łódź", orders: 5, end: OCTOBER },
  { id: "san_jose-2", name: "San José 10", place: "San José", orders: 9, end: OCTOBER + 40 * 86_400 },
  { id: "k3", name: "San José 2", place: "San José", qualifier: "Oct 2025, id k3", orders: 9, end: OCTOBER + 1 },
  { id: "K-4", name: "Perth", place: "", orders: 7, end: OCTOBER + 41 * 86_400 },
]);
const ids = (kitchens) => kitchens.map(({ id }) => id);

test("a kitchen is found by every word of name, id, city or qualifier, whatever the case, accents and dashes", () => {
  for (const [query, found] of [
    ["", ["k1", "san_jose-2", "k3", "K-4"]],
    ["lodz", ["k1"]],
    ["CENTRAL łódź", ["k1"]],
    ["san jose", ["san_jose-2", "k3"]],
    ["san-jose-2", ["san_jose-2", "k3"]],
    ["sanjose2", ["san_jose-2", "k3"]],
    ["k4", ["K-4"]],
    ["october", []],
    ["oct jose", ["k3"]],
  ])
    assert.deepEqual(ids(matching(KITCHENS, query)), found, query);
});

test("of what is found those that begin with the query come first, then those that hold it whole", () => {
  const kitchens = withText(
    ["Mill Perth", "Big Perth Mill 2", "Perth Mill 10", "Perth Mill 2"].map((name) => ({ id: name, name })),
  );
  assert.deepEqual(ids(bestFirst(kitchens, "perth mill")), [
    "Perth Mill 2",
    "Perth Mill 10",
    "Big Perth Mill 2",
    "Mill Perth",
  ]);
});

test("they stand by orders, name or last order, in groups if wanted", () => {
  assert.deepEqual(ids(arranged(KITCHENS, "orders", "")[0].rows), ["k3", "san_jose-2", "K-4", "k1"]);
  assert.deepEqual(ids(arranged(KITCHENS, "name", "")[0].rows), ["k1", "K-4", "k3", "san_jose-2"]);
  assert.deepEqual(ids(arranged(KITCHENS, "last", "")[0].rows), ["K-4", "san_jose-2", "k3", "k1"]);
  assert.deepEqual(
    arranged(KITCHENS, "name", "city").map(({ title, rows }) => [title, ids(rows)]),
    [
      ["Łódź", ["k1"]],
      ["No city in the data", ["K-4"]],
      ["San José", ["k3", "san_jose-2"]],
    ],
  );
  assert.deepEqual(
    arranged(KITCHENS, "orders", "month").map(({ title, rows }) => [title, ids(rows)]),
    [
      ["November 2025", ["san_jose-2", "K-4"]],
      ["October 2025", ["k3", "k1"]],
    ],
  );
  assert.deepEqual(arranged([], "name", ""), []);
});
