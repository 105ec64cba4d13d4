import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assign,
  fileSize,
  fill,
  fold,
  isField,
  isPlainClick,
  queryText,
  span,
  without,
} from "../../dashboard/client/shell/text.js";

const WORDS = {
  seconds: "{n} s",
  minutes: "{n} min",
  hours: "{n} h",
  hours_minutes: "{h} h {m} min",
  days: "{n} d",
};
const say = (key, values) => fill(WORDS[key], values);

test("a span is told in the unit that fits it", () => {
  const told = (seconds) => span(1000 * seconds, say);
  assert.deepEqual(
    [0, 59.9, 60, 3_599, 3_600, 5_400, 35_940, 36_060, 86_399, 86_400, 200_000].map(told),
    [
      "0 s",
      "59 s",
      "1 min",
      "59 min",
      "1 h",
      "1 h 30 min",
      "9 h 59 min",
      "10 h",
      "23 h",
      "1 d",
      "2 d",
    ],
  );
});

test("a span that lies ahead counts as nothing", () => {
  assert.equal(span(-5_000, say), "0 s");
});

test("words keep no placeholder, and unknown ones are empty", () => {
  assert.equal(fill("{a} and {b}", { a: 1 }), "1 and ");
  assert.equal(fill(undefined, { a: 1 }), "");
});

test("sizes are told in kB, then in MB", () => {
  assert.equal(fileSize(999_949, "en"), "999.9 kB");
  assert.equal(fileSize(1_250_000, "vi"), "1,3 MB");
});

test("what is searched for is found without tone marks", () => {
  assert.equal(fold("Phường Đông Hà"), "phuong dong ha");
});

test("an address stays readable", () => {
  const params = new URLSearchParams({ unit: "1,2", at: "a/b:c", q: "x y" });
  assert.equal(queryText(params), "unit=1,2&at=a/b:c&q=x+y");
  assert.equal(queryText(without(params, ["at", "q"])), "unit=1,2");
  assert.equal(params.get("q"), "x y");
  assert.equal(queryText(assign(params, { at: null, q: "", unit: "3" })), "unit=3");
});

test("keys are letters in fields only", () => {
  assert.ok(["INPUT", "SELECT", "TEXTAREA"].every((tagName) => isField({ tagName })));
  assert.ok(!isField({ tagName: "A" }) && !isField(null));
});

test("a click with a key or another button is the browser's", () => {
  const click = { button: 0, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
  assert.ok(isPlainClick(click));
  assert.ok(!isPlainClick({ ...click, button: 1 }) && !isPlainClick({ ...click, shiftKey: true }));
});
