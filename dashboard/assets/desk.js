/* Keeps a viewer's place while the content of a desk page is renewed under them: what has the keyboard, what is unfolded. What leads
   on (marked with data-first) takes the keyboard when it appears: Enter then opens it. */
(() => {
  const WHAT = "a[href], button, input, select, summary, [tabindex='0']";
  let held = null, first = null, page = "";
  const unfolded = new Map(); // id → the element that was unfolded

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
    if (!target.id) return;
    if (target.open) unfolded.set(target.id, target); else unfolded.delete(target.id);
  }, true);

  function keep() {
    if (page !== location.pathname) { page = location.pathname; held = null; unfolded.clear(); }
    for (const [id, before] of unfolded) {
      const e = document.getElementById(id);
      if (!before.open) unfolded.delete(id); // folded by its user: what was taken away at once tells nobody of it
      else if (e && e !== before) { e.open = true; unfolded.set(id, e); }
    }
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

/* The keys of the desk: "/" or Ctrl+K to search, "g" and a letter to a page, "?" for all of them. Where somebody types, keys are letters.
   Which letter leads where is told by the help itself (data-goes). */
(() => {
  const PATIENCE_MS = 1500;
  let since = -Infinity;
  const types = (e) => e?.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(e?.tagName ?? "");
  const help = () => document.getElementById("keys");

  function go(letter) {
    const href = help()?.querySelector(`[data-goes="${CSS.escape(letter)}"]`)?.getAttribute("href");
    if (!href) return false;
    help().close();
    const link = [...document.querySelectorAll(".bar nav a")].find((one) => one.getAttribute("href") === href);
    if (link) link.click(); else location.assign(href);
    return true;
  }

  function pressed(event) {
    const { key, ctrlKey, metaKey, altKey } = event, search = document.querySelector(".desk [role='search'] input[type='search']");
    if (!help()) return false;
    if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k") { help().close(); search?.focus(); search?.select(); return true; }
    if (ctrlKey || metaKey || altKey || types(document.activeElement)) return false;
    const began = event.timeStamp - since < PATIENCE_MS;
    since = -Infinity;
    if (began && go(key.toLowerCase())) return true;
    if (key === "g") { since = event.timeStamp; return true; }
    if (key === "?") { if (!help().open) help().showModal(); return true; }
    if (key === "/" && !help().open) { search?.focus(); search?.select(); return true; }
    return false;
  }

  document.addEventListener("keydown", (event) => { if (!event.defaultPrevented && pressed(event)) event.preventDefault(); });
  document.addEventListener("click", ({ target }) => {
    const opens = target.closest?.("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens)?.showModal();
    else if (target === help()) help().close(); // outside of the box
  });
})();
