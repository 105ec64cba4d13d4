import assert from "node:assert/strict";
import { test } from "node:test";

import {
  childList,
  isDrawn,
  isLong,
  properties,
  tagOf,
} from "../../dashboard/client/renderer/components.js";

const html = (type, props = {}) => ({ namespace: "dash_html_components", type, props });
const dcc = (type, props = {}) => ({ namespace: "dash_core_components", type, props });

test("children are one list, without what shows nothing", () => {
  assert.deepEqual(childList([["a", null], "", [undefined, [0, "b"]]]), ["a", 0, "b"]);
  assert.deepEqual(childList("text"), ["text"]);
  assert.deepEqual(childList(null), []);
});

test("html, links and fields are drawn, and nothing else", () => {
  assert.equal(tagOf(html("Article")), "article");
  assert.equal(tagOf(dcc("Link")), "a");
  assert.equal(tagOf(dcc("Input")), "input");
  assert.ok(![dcc("Graph"), { namespace: "dash_leaflet", type: "Map", props: {} }].some(isDrawn));
});

test("what cannot be drawn is marked by its name", () => {
  assert.equal(tagOf(dcc("Graph")), "span");
  const marked = properties(dcc("Graph", { figure: {} }));
  assert.deepEqual(marked, { "data-undrawn": "dash_core_components.Graph" });
});

test("what is Dash's own becomes no attribute, nor what is not set", () => {
  const props = { id: "x", n_clicks: 3, children: "a", hidden: false, title: null, open: true };
  assert.deepEqual(properties(html("Div", props)), { id: "x", open: true });
});

test("links of pages are marked, to be followed without loading", () => {
  assert.deepEqual(properties(dcc("Link", { href: "/map", refresh: false })), {
    href: "/map",
    "data-within": "true",
  });
  assert.deepEqual(properties(html("A", { href: "/map" })), { href: "/map" });
});

test("a word too long for its place may be broken", () => {
  assert.ok(isLong(`a ${"x".repeat(32)}`) && !isLong(`${"x".repeat(31)} ${"y".repeat(31)}`));
});
