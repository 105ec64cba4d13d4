/**
 * Keep the focus and open details while the content of a desk page is refreshed.
 *
 * The link in an element marked with `data-first` gets the focus when it appears, so that Enter
 * follows it.
 */

const FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']";

let held = null;
let first = null;
let page = "";
const unfolded = new Map(); // id → the element that was opened

const content = () => document.getElementById("content");
const all = () => [...(content()?.querySelectorAll(FOCUSABLE) ?? [])];
const text = (element) => element.textContent.replace(/[ ↑↓]+$/u, "");
const part = (element) => element.closest("[id]").id;

/* How an element may match the removed one, surest first: its text or its address may have
   changed. */
const alike = [
  (element, is) => element.getAttribute("href") === is.href && text(element) === is.text,
  (element, is) => text(element) === is.text,
  (element, is) => part(element) === is.part,
];

function like(is, same) {
  return all().filter((element) => element.tagName === is.tag && same(element, is));
}

function hold({ target }) {
  if (!content()?.contains(target) || !target.matches(FOCUSABLE)) {
    held = null;
    return;
  }
  const is = {
    tag: target.tagName,
    href: target.getAttribute("href"),
    text: text(target),
    part: part(target),
  };
  held = { target, is, nth: alike.map((same) => like(is, same).indexOf(target)) };
}

function keep() {
  if (page !== location.pathname) {
    page = location.pathname;
    held = null;
    unfolded.clear();
  }
  for (const [id, before] of unfolded) {
    const element = document.getElementById(id);
    // Closed by the user: an element removed right after that fires no event.
    if (!before.open) unfolded.delete(id);
    else if (element && element !== before) {
      element.open = true;
      unfolded.set(id, element);
    }
  }
  const leads = document.querySelector("[data-first] a");
  if (leads && leads !== first) leads.focus({ preventScroll: true });
  first = leads;
  if (!held || held.target.isConnected || document.activeElement !== document.body) return;
  for (const [number, same] of alike.entries()) {
    const found = like(held.is, same)[held.nth[number]];
    if (found) {
      found.focus({ preventScroll: true });
      return;
    }
  }
}

/** Watch the focus and open details, and restore them after each refresh. */
export function install() {
  document.addEventListener("focusin", hold);
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    // A removed element loses the focus, too; forget it only if the user moved the focus away.
    if (relatedTarget) return;
    setTimeout(() => {
      if (held?.target === target && target.isConnected) held = null;
    });
  });
  const toggled = ({ target }) => {
    if (!target.id) return;
    if (target.open) unfolded.set(target.id, target);
    else unfolded.delete(target.id);
  };
  document.addEventListener("toggle", toggled, true);
  new MutationObserver(keep).observe(document, { childList: true, subtree: true });
}
