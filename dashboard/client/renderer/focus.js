/**
 * Keeps a viewer's place while the content of a desk page is renewed under them: what has the
 * keyboard, what is unfolded.
 *
 * What leads on (marked with `data-first`) takes the keyboard when it appears: Enter then opens it.
 */

const FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']";

let held = null;
let first = null;
let page = "";
const unfolded = new Map(); // id → the element that was unfolded

const content = () => document.getElementById("content");
const all = () => [...(content()?.querySelectorAll(FOCUSABLE) ?? [])];
const text = (element) => element.textContent.replace(/[ ↑↓]+$/u, "");
const part = (element) => element.closest("[id]").id;

/* What may stand for the element that was taken away, the surest first: its words may have changed,
   or its address. */
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
    // Folded by its user: what was taken away at once tells nobody of it.
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

/** Watch what has the keyboard and what is unfolded, and give it back after each renewal. */
export function install() {
  document.addEventListener("focusin", hold);
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    // What is taken away loses the keyboard too; only who goes away by themselves is let go.
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
