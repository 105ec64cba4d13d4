/**
 * The keys of the desk: "/" or Ctrl+K to search, "g" and a letter to a page, "?" for all of them.
 *
 * In a field, keys are text. The help dialog itself defines the page of each letter (`data-goes`).
 * A button with `data-print` prints the page; style sheets say what a print leaves out.
 */

import { isField } from "./text.js";

const LETTER_WITHIN_MS = 1500;

const help = () => document.getElementById("keys");
const search = () => document.querySelector(".desk [role='search'] input[type='search']");

/**
 * Return what a key means.
 *
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} pressed
 * @param {object} now - `typing` (in a field), `open` (the help is), `begun` ("g" was just pressed)
 * @returns {string} "search", "help", "begin", `go:<letter>`, or "" for nothing
 */
export function meaning({ key, ctrlKey, metaKey, altKey }, { typing, open, begun }) {
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k") return "search";
  if (ctrlKey || metaKey || altKey || typing) return "";
  if (begun && /^\p{L}$/u.test(key)) return `go:${key.toLowerCase()}`;
  if (key === "g") return "begin";
  if (key === "?") return "help";
  return key === "/" && !open ? "search" : "";
}

function go(letter) {
  const goes = help()?.querySelector(`[data-goes="${CSS.escape(letter)}"]`);
  const href = goes?.getAttribute("href");
  if (!href) return false;
  help().close();
  const links = [...document.querySelectorAll(".bar nav a")];
  const link = links.find((one) => one.getAttribute("href") === href);
  if (link) link.click();
  else location.assign(href);
  return true;
}

let begunAt = -Infinity;

/* Does what a key means; returns whether it meant anything. */
function pressed(event) {
  if (!help()) return false;
  const active = document.activeElement;
  const now = {
    typing: active?.isContentEditable || isField(active),
    open: help().open,
    begun: event.timeStamp - begunAt < LETTER_WITHIN_MS,
  };
  let found = meaning(event, now);
  if (!now.typing && !(event.ctrlKey || event.metaKey || event.altKey)) begunAt = -Infinity;
  if (found.startsWith("go:")) {
    if (go(found.slice(3))) return true;
    found = meaning(event, { ...now, begun: false }); // no page has this letter
  }
  if (found === "begin") begunAt = event.timeStamp;
  if (found === "help" && !help().open) help().showModal();
  if (found === "search") {
    help().close();
    search()?.focus();
    search()?.select();
  }
  return found !== "";
}

/** Listen to keys, to the help's buttons, and to buttons that print. */
export function install() {
  document.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && pressed(event)) event.preventDefault();
  });
  document.addEventListener("click", ({ target }) => {
    const opens = target.closest?.("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens)?.showModal();
    else if (target === help()) help().close(); // outside of the box
    if (target.closest?.("[data-print]")) window.print();
  });
}
