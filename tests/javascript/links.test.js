import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "../../twin/pages/operations/links.js";

const VALUES = { location: "a&b=c/../#é", start: "2025-10-17T16:00:00", end: "2025-10-17T20:00:00+02:00" };

test("what comes from the data stays within its place in the address", () => {
  const url = new URL(
    addressOf("https://ask.example/r/1?kitchen={location}&from={start}&to={end}&again={location}", VALUES),
  );
  assert.equal(url.host, "ask.example");
  assert.equal(url.pathname, "/r/1");
  assert.deepEqual(
    [...url.searchParams.entries()],
    [
      ["kitchen", VALUES.location],
      ["from", VALUES.start],
      ["to", VALUES.end],
      ["again", VALUES.location],
    ],
  );
  assert.equal(url.hash, "");
});

test("a kitchen that is called like a place of the address is only a name, and text of an address stays", () => {
  const named = { ...VALUES, location: "{start}$&" };
  assert.equal(addressOf("https://ask.example/{location}?q=$1", named), "https://ask.example/%7Bstart%7D%24%26?q=$1");
});
