/* Lists of records: menus that close, choices that are narrowed, rows by arrow keys, links that are copied, files with their progress.
   What is typed or open outlives the renewal of the page (desk.js keeps what is unfolded and has the keyboard). */
(() => {
  const listed = () => document.querySelector("#content.records");
  const typed = new Map();
  let page = "";

  /* --- words for a while ------------------------------------------------------------------------------------------------------- */
  let word = null, fading = 0;
  function say(text, { failed = false, stop = null, label = "" } = {}) {
    if (!word) {
      word = Object.assign(document.createElement("div"), { className: "desk-word", role: "status" });
      word.setAttribute("aria-live", "polite");
      document.body.append(word);
    }
    const theme = [...(document.getElementById("wall")?.classList ?? [])].find((name) => name.startsWith("theme-")) ?? "theme-light";
    word.className = `desk-word ${theme}${failed ? " failed" : ""}`;
    clearTimeout(fading);
    let span = word.querySelector("span");
    if (!span) { span = document.createElement("span"); word.replaceChildren(span); }
    if (span.textContent !== text) span.textContent = text;
    const button = word.querySelector("button");
    if (stop && !button) word.append(Object.assign(document.createElement("button"), { type: "button", textContent: label, onclick: stop }));
    if (!stop) { button?.remove(); fading = setTimeout(() => word.replaceChildren(), failed ? 12_000 : 5_000); }
  }

  /* --- copying the address ------------------------------------------------------------------------------------------------------ */
  async function copy(button) {
    const address = location.href;
    try {
      await navigator.clipboard.writeText(address);
    } catch {
      // No permission, or no secure context as on a bare http address of the house.
      const field = Object.assign(document.createElement("textarea"), { value: address, readOnly: true });
      field.style.cssText = "position:fixed;opacity:0";
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      button.focus();
      if (!done) { say(button.dataset.failed, { failed: true }); return; }
    }
    say(button.dataset.copy);
  }

  /* --- files: nothing is kept of one that broke off ------------------------------------------------------------------------------- */
  const busy = new Map();
  async function take(link) {
    const { id, href, dataset } = link, words = { ...dataset };
    if (busy.has(id)) return;
    const stopping = new AbortController();
    busy.set(id, stopping);
    mark();
    const told = (bytes) => say(bytes ? `${words.busy}: ${size(bytes)}` : `${words.busy}…`, { stop: () => stopping.abort(), label: words.stop });
    told(0);
    let began = false;
    try {
      const answer = await fetch(href, { signal: stopping.signal });
      // Who may no longer see it is asked for a token, as on any page.
      if (answer.status === 401 || answer.status === 403) { location.assign(href); return; }
      if (!answer.ok) { say(answer.status === 503 ? words.failed : (await answer.text()).slice(0, 300), { failed: true }); return; }
      began = true;
      const reader = answer.body.getReader(), parts = [];
      for (let bytes = 0, shown = 0; ;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        bytes += value.length;
        if (performance.now() - shown > 400) { shown = performance.now(); told(bytes); }
      }
      const file = new Blob(parts, { type: answer.headers.get("content-type") ?? "" });
      const name = decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "");
      const address = URL.createObjectURL(file);
      Object.assign(document.createElement("a"), { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      say(`${words.done}: ${name} (${size(file.size)})`);
    } catch {
      say(stopping.signal.aborted ? words.stopped : began ? words.torn : words.failed, { failed: !stopping.signal.aborted });
    } finally {
      busy.delete(id);
      mark();
    }
  }
  function size(bytes) {
    const language = document.documentElement.lang || "vi", [n, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
    return `${n.toLocaleString(language, { maximumFractionDigits: 1 })} ${unit}`;
  }
  function mark() {
    for (const each of document.querySelectorAll("a[data-busy]")) {
      if (busy.has(each.id)) each.setAttribute("aria-busy", "true"); else if (each.hasAttribute("aria-busy")) each.removeAttribute("aria-busy");
    }
  }

  /* --- menus and choices ---------------------------------------------------------------------------------------------------------- */
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d");
  function narrow(field) {
    const wanted = fold(field.value.trim());
    for (const each of field.closest(".group, .menu").querySelectorAll(".choices li")) {
      const out = !fold(each.querySelector(".words").textContent).includes(wanted);
      if (each.hidden !== out) each.hidden = out;
    }
  }
  function shut(but) {
    for (const each of document.querySelectorAll("details.choice[open]")) if (each !== but) each.open = false;
  }

  document.addEventListener("toggle", ({ target }) => {
    const menu = target.open && target.matches?.("details.choice") && target.querySelector(".menu");
    if (!menu) return;
    // What would stick out of the window moves inside.
    menu.style.translate = "";
    const { left, right } = menu.getBoundingClientRect(), edge = document.documentElement.clientWidth - 8;
    if (right > edge) menu.style.translate = `${edge - right}px`; else if (left < 8) menu.style.translate = `${8 - left}px`;
  }, true);
  document.addEventListener("click", (event) => {
    const copies = event.target.closest?.("button[data-copy]"), file = event.target.closest?.("a[data-busy]");
    if (copies) copy(copies);
    if (file && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); take(file); }
    if (event.isTrusted) shut(event.target.closest?.("details.choice"));
  });
  document.addEventListener("keydown", (event) => {
    const open = document.querySelector("details.choice[open]");
    if (event.key === "Escape" && open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (/^(ArrowDown|ArrowUp|Home|End)$/.test(event.key)) {
      const lane = event.target.closest?.("#list tbody, #records tbody"), menu = event.target.closest?.(".choices, .spans");
      if (!event.target.matches("a") || !(lane || menu)) return;
      const all = lane ? [...lane.querySelectorAll("tr")].map((row) => row.querySelector("a")).filter(Boolean) : [...menu.querySelectorAll("li:not([hidden]) > a:first-child")];
      const at = all.findIndex((each) => each === event.target || each.closest("tr, li") === event.target.closest("tr, li"));
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (all[to]) { event.preventDefault(); all[to].focus(); }
    }
  });
  document.addEventListener("input", ({ target }) => {
    if (!listed()?.contains(target) || !target.id) return;
    typed.set(target.id, target.value);
    if (target.id.startsWith("narrow-")) narrow(target);
  });
  document.addEventListener("submit", () => typed.clear());

  function keep() {
    const here = location.pathname;
    if (page !== here) { page = here; typed.clear(); }
    if (busy.size) mark();
    if (!listed()) return;
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field && field.value !== value && document.activeElement !== field) field.value = value;
      if (field?.id.startsWith("narrow-")) narrow(field);
    }
  }
  new MutationObserver(keep).observe(document, { childList: true, subtree: true });
})();
