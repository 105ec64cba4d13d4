/**
 * Lists of records: menus that close, choices filtered by typing, rows by arrow keys, links to
 * copy, downloads with their progress.
 *
 * Typed text survives a refresh of the page (renderer/focus.js keeps the focus and open details).
 */

import { fileSize, fold, make } from "./text.js";

const FAILED_WORD_MS = 12_000;
const WORD_MS = 5_000;
const PROGRESS_INTERVAL_MS = 400;
const URL_KEPT_MS = 60_000;
const MAX_PROBLEM_LETTERS = 300;
const EDGE_PX = 8;

const listed = () => document.querySelector("#content.records");

/* --- temporary labels ------------------------------------------------------------------------ */

let word = null;
let fading = 0;

function wordBox() {
  if (!word) {
    word = make("div", { className: "desk-word", role: "status" });
    word.setAttribute("aria-live", "polite");
    document.body.append(word);
  }
  return word;
}

function say(text, { failed = false, stop = null, label = "" } = {}) {
  const box = wordBox();
  const classes = [...(document.getElementById("wall")?.classList ?? [])];
  const theme = classes.find((name) => name.startsWith("theme-")) ?? "theme-light";
  box.className = `desk-word ${theme}${failed ? " failed" : ""}`;
  clearTimeout(fading);
  let line = box.querySelector("span");
  if (!line) {
    line = make("span");
    box.replaceChildren(line);
  }
  if (line.textContent !== text) line.textContent = text;
  const button = box.querySelector("button");
  if (stop && !button) {
    box.append(make("button", { type: "button", textContent: label, onclick: stop }));
  }
  if (stop) return;
  button?.remove();
  fading = setTimeout(() => box.replaceChildren(), failed ? FAILED_WORD_MS : WORD_MS);
}

/* --- copying the address --------------------------------------------------------------------- */

/* Copies by selecting a field, for pages without the permission or without a secure context, such
   as a plain http address in the house. */
function copyBySelection(address) {
  const field = make("textarea", { value: address, readOnly: true });
  field.style.cssText = "position:fixed;opacity:0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

async function copy(button) {
  const address = location.href;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    const done = copyBySelection(address);
    button.focus();
    if (!done) {
      say(button.dataset.failed, { failed: true });
      return;
    }
  }
  say(button.dataset.copy);
}

/* --- files: an aborted download is discarded -------------------------------------------------- */

const busy = new Map(); // id of the link → its AbortController

/** Return the name of a file that an answer's `content-disposition` states; "" for none. */
export const fileName = (disposition) =>
  decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(disposition ?? "")?.[1] ?? "");

const language = () => document.documentElement.lang || "vi";

async function received(body, progress) {
  const reader = body.getReader();
  const parts = [];
  for (let bytes = 0, shown = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    parts.push(value);
    bytes += value.length;
    if (performance.now() - shown > PROGRESS_INTERVAL_MS) {
      shown = performance.now();
      progress(bytes);
    }
  }
}

async function problem(answer, words) {
  if (answer.status === 503) return words.failed;
  return (await answer.text()).slice(0, MAX_PROBLEM_LETTERS);
}

function save(file, name) {
  const address = URL.createObjectURL(file);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), URL_KEPT_MS);
}

async function take(link) {
  const { id, href } = link;
  const words = { ...link.dataset };
  if (busy.has(id)) return;
  const stopping = new AbortController();
  busy.set(id, stopping);
  mark();
  const stop = { stop: () => stopping.abort(), label: words.stop };
  const progress = (bytes) =>
    say(bytes ? `${words.busy}: ${fileSize(bytes, language())}` : `${words.busy}…`, stop);
  progress(0);
  let began = false;
  try {
    const answer = await fetch(href, { signal: stopping.signal });
    // A viewer without the right is asked for a token, as on any page.
    if (answer.status === 401 || answer.status === 403) {
      location.assign(href);
      return;
    }
    if (!answer.ok) {
      say(await problem(answer, words), { failed: true });
      return;
    }
    began = true;
    const parts = await received(answer.body, progress);
    const file = new Blob(parts, { type: answer.headers.get("content-type") ?? "" });
    const name = fileName(answer.headers.get("content-disposition"));
    save(file, name);
    say(`${words.done}: ${name} (${fileSize(file.size, language())})`);
  } catch {
    const stopped = stopping.signal.aborted;
    say(stopped ? words.stopped : began ? words.torn : words.failed, { failed: !stopped });
  } finally {
    busy.delete(id);
    mark();
  }
}

function mark() {
  for (const each of document.querySelectorAll("a[data-busy]")) {
    if (busy.has(each.id)) each.setAttribute("aria-busy", "true");
    else if (each.hasAttribute("aria-busy")) each.removeAttribute("aria-busy");
  }
}

/* --- menus and choices ----------------------------------------------------------------------- */

const typed = new Map(); // id of a field → the typed text
let page = "";

function narrow(field) {
  const wanted = fold(field.value.trim());
  for (const each of field.closest(".group, .menu").querySelectorAll(".choices li")) {
    const out = !fold(each.querySelector(".words").textContent).includes(wanted);
    if (each.hidden !== out) each.hidden = out;
  }
}

function close(but) {
  for (const each of document.querySelectorAll("details.choice[open]")) {
    if (each !== but) each.open = false;
  }
}

/* Moves a menu inside if it would stick out of the window. */
function moveInside({ target }) {
  const menu = target.open && target.matches?.("details.choice") && target.querySelector(".menu");
  if (!menu) return;
  menu.style.translate = "";
  const { left, right } = menu.getBoundingClientRect();
  const edge = document.documentElement.clientWidth - EDGE_PX;
  if (right > edge) menu.style.translate = `${edge - right}px`;
  else if (left < EDGE_PX) menu.style.translate = `${EDGE_PX - left}px`;
}

function clicked(event) {
  const copies = event.target.closest?.("button[data-copy]");
  const file = event.target.closest?.("a[data-busy]");
  if (copies) copy(copies);
  if (file && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    take(file);
  }
  if (event.isTrusted) close(event.target.closest?.("details.choice"));
}

/** Return the index that a key moves to in a list of `length`; undefined for other keys. */
export function nextPlace(key, at, length) {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: length - 1 }[key];
  return to >= 0 && to < length ? to : undefined;
}

function pressed(event) {
  const { key, target } = event;
  const open = document.querySelector("details.choice[open]");
  if (key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
    return;
  }
  const rows = target.closest?.("#list tbody, #records tbody");
  const menu = target.closest?.(".choices, .spans");
  if (!/^(ArrowDown|ArrowUp|Home|End)$/.test(key) || !(rows || menu) || !target.matches("a"))
    return;
  const all = rows
    ? [...rows.querySelectorAll("tr")].map((row) => row.querySelector("a")).filter(Boolean)
    : [...menu.querySelectorAll("li:not([hidden]) > a:first-child")];
  const line = target.closest("tr, li");
  const at = all.findIndex((each) => each === target || each.closest("tr, li") === line);
  const next = all[nextPlace(key, at, all.length)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function input({ target }) {
  if (!listed()?.contains(target) || !target.id) return;
  typed.set(target.id, target.value);
  if (target.id.startsWith("narrow-")) narrow(target);
}

function keep() {
  if (page !== location.pathname) {
    page = location.pathname;
    typed.clear();
  }
  if (busy.size) mark();
  if (!listed()) return;
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field && field.value !== value && document.activeElement !== field) field.value = value;
    if (field?.id.startsWith("narrow-")) narrow(field);
  }
}

/** Listen to lists, and restore typed text after each refresh. */
export function install() {
  document.addEventListener("toggle", moveInside, true);
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  document.addEventListener("input", input);
  document.addEventListener("submit", () => typed.clear());
  new MutationObserver(keep).observe(document, { childList: true, subtree: true });
}
