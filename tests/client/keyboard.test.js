import assert from "node:assert/strict";
import { test } from "node:test";

import { meaning } from "../../dashboard/client/shell/keyboard.js";
import { fileName, nextPlace } from "../../dashboard/client/shell/records.js";

const key = (name, more = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});
const NOW = { typing: false, open: false, begun: false };

test("Ctrl+K searches, even where somebody types", () => {
  assert.equal(meaning(key("k", { ctrlKey: true }), { ...NOW, typing: true }), "search");
  assert.equal(meaning(key("K", { metaKey: true }), NOW), "search");
});

test("where somebody types, keys are letters", () => {
  for (const name of ["/", "g", "?"]) {
    assert.equal(meaning(key(name), { ...NOW, typing: true }), "");
  }
});

test("g and a letter lead to a page; no other key does", () => {
  assert.equal(meaning(key("g"), NOW), "begin");
  assert.equal(meaning(key("M"), { ...NOW, begun: true }), "go:m");
  assert.equal(meaning(key("Shift"), { ...NOW, begun: true }), "");
  assert.equal(meaning(key("m"), NOW), "");
});

test("the help is opened by a question mark, and no search below it", () => {
  assert.equal(meaning(key("?"), NOW), "help");
  assert.equal(meaning(key("/"), NOW), "search");
  assert.equal(meaning(key("/"), { ...NOW, open: true }), "");
});

test("keys of the browser stay the browser's", () => {
  assert.equal(meaning(key("g", { ctrlKey: true }), NOW), "");
  assert.equal(meaning(key("k", { ctrlKey: true, altKey: true }), NOW), "");
});

test("arrows lead to the next row, and not beyond the ends", () => {
  const from = (at) => ["ArrowDown", "ArrowUp", "Home", "End"].map((one) => nextPlace(one, at, 3));
  assert.deepEqual(from(0), [1, undefined, 0, 2]);
  assert.deepEqual(from(2), [undefined, 1, 0, 2]);
});

test("a file has the name that the server gives it", () => {
  assert.equal(fileName("attachment; filename*=UTF-8''h%E1%BB%93%20s%C6%A1.csv; x=1"), "hồ sơ.csv");
  assert.equal(fileName(null), "");
});
