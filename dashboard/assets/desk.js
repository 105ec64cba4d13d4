/* Keeps a viewer's place while the content of a desk page is renewed under them: what has the keyboard, what is unfolded. What leads
   on (marked with data-first) takes the keyboard when it appears: Enter then opens it. */
(() => {
  const WHAT = "a[href], button, input, select, summary, [tabindex='0']";
  let held = null, first = null, page = "";
  const unfolded = new Set();

  const content = () => document.getElementById("content");
  const text = (e) => e.textContent.replace(/[ ↑↓]+$/u, "");
  const part = (e) => e.closest("[id]").id;
  /* What may stand for the element that was taken away, the surest first: its words may have changed, or its address. */
  const alike = [
    (e, is) => e.getAttribute("href") === is.href && text(e) === is.text,
    (e, is) => text(e) === is.text,
    (e, is) => part(e) === is.part,
  ];
  const all = () => [...(content()?.querySelectorAll(WHAT) ?? [])];

  document.addEventListener("focusin", ({ target }) => {
    if (!content()?.contains(target) || !target.matches(WHAT)) { held = null; return; }
    const is = { tag: target.tagName, href: target.getAttribute("href"), text: text(target), part: part(target) };
    held = { target, is, nth: alike.map((same) => all().filter((e) => e.tagName === is.tag && same(e, is)).indexOf(target)) };
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    // What is taken away loses the keyboard too; only who goes away by themselves is let go.
    if (!relatedTarget) setTimeout(() => { if (held?.target === target && target.isConnected) held = null; });
  });
  document.addEventListener("toggle", ({ target }) => {
    if (target.id && target.isConnected) unfolded[target.open ? "add" : "delete"](target.id);
  }, true);

  function keep() {
    if (page !== location.pathname) { page = location.pathname; held = null; unfolded.clear(); }
    for (const id of unfolded) { const e = document.getElementById(id); if (e && !e.open) e.open = true; }
    const leads = document.querySelector("[data-first] a");
    if (leads && leads !== first) leads.focus({ preventScroll: true });
    first = leads;
    if (!held || held.target.isConnected || document.activeElement !== document.body) return;
    for (const [number, same] of alike.entries()) {
      const found = all().filter((e) => e.tagName === held.is.tag && same(e, held.is))[held.nth[number]];
      if (found) { found.focus({ preventScroll: true }); return; }
    }
  }
  new MutationObserver(keep).observe(document, { childList: true, subtree: true });
})();
