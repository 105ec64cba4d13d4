/* What hands do beside the map: links and lists of its parts lead on without rebuilding it; keys; finding by words. */
(() => {
  const PATH = "/map";
  const byId = (id) => document.getElementById(id);
  const root = () => byId("opsmap");
  const ops = () => window.ioc.opsmap;
  const plain = (event) => !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  document.addEventListener("click", (event) => {
    if (!root() || !plain(event)) return;
    const { target } = event, link = target.closest?.("a[href]");
    if (target.closest?.("#draw-box")) { ops().arm(!ops().boxing()); return; }
    if (target.closest?.("#choose-view")) { ops().change({ box: ops().rounded(ops().state.map.getBounds()), unit: null, record: null }); return; }
    if (target.closest?.("#map-in")) { ops().state.map.zoomIn(1); return; }
    if (target.closest?.("#map-out")) { ops().state.map.zoomOut(1); return; }
    if (target.closest?.("#map-whole")) { ops().fit(); return; }
    if (!target.closest?.(".drop")) for (const open of root().querySelectorAll("details.drop[open]")) open.open = false;
    if (!link || link.origin !== location.origin || link.pathname !== PATH) return;
    event.preventDefault();
    event.stopPropagation();
    if (link.closest("#content")) { // a choice: what is chosen anew, for the map that stays
      ops().unpin();
      ops().go(new URL(link.href).searchParams, { fit: "fit" in link.dataset });
      if (link.closest("#map-hits")) clear();
    } else if (link.closest(".bar nav")) ops().go(new URL(link.href).searchParams, { fit: true });
    else { // another language or theme of the same view
      const asked = new URL(link.href).searchParams, params = ops().here();
      for (const name of document.getElementById("wall").dataset.frame.split(" ")) if (asked.has(name)) params.set(name, asked.get(name)); else params.delete(name);
      location.assign(ops().address(params));
    }
  }, true);

  document.addEventListener("change", ({ target }) => {
    const { choose, usual } = target.dataset ?? {};
    if (root() && choose) ops().change({ [choose]: target.value === usual ? null : target.value });
  });

  document.addEventListener("submit", (event) => {
    if (!root()) return;
    if (event.target.id === "window-form") {
      event.preventDefault();
      const said = new FormData(event.target);
      byId("window-custom").open = false;
      ops().change({ from: said.get("from"), to: said.get("to"), window: null });
    } else if (event.target.id === "find-form") {
      event.preventDefault();
      eager = true;
      clearTimeout(waiting);
      find(byId("map-find").value);
    }
  }, true);

  document.addEventListener("keydown", (event) => {
    if (!root()) return;
    const { key, target } = event;
    if (key === " " && target.matches?.("a[role=switch], a[role=checkbox]")) { event.preventDefault(); target.click(); return; }
    if (target.closest?.("#find-form") && /^Arrow(Down|Up)$/.test(key)) {
      const stops = [byId("map-find"), ...byId("map-hits").querySelectorAll("a")], next = stops[stops.indexOf(target) + (key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
      return;
    }
    if (key === "Enter" && target.id === "map-of") { event.preventDefault(); ops().enter(); return; }
    if (key !== "Escape") return;
    const open = root().querySelector("details.drop[open]");
    if (ops().boxing()) ops().arm(false);
    else if (ops().pinned()) ops().unpin();
    else if (open) { open.open = false; open.querySelector("summary").focus(); }
    else if (target.closest?.("#find-form") && (byId("map-find").value || byId("map-hits").childElementCount)) { event.preventDefault(); clear(); byId("map-find").focus(); }
    else if (!/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) byId("unchoose")?.click();
  });

  /* Finding: as somebody types, what it may mean; Enter takes the first. */
  let waiting = 0, looking = null, eager = false;
  function clear() {
    const box = byId("map-find");
    clearTimeout(waiting);
    looking?.abort();
    eager = false;
    if (box) window.dash_clientside.set_props("map-find", { value: "" });
    window.dash_clientside.set_props("map-hits", { children: [] });
  }
  document.addEventListener("input", ({ target }) => {
    if (target.id !== "map-find") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => find(target.value), 180);
  });
  async function find(words) {
    looking?.abort();
    if (!words.trim()) { window.dash_clientside.set_props("map-hits", { children: [] }); return; }
    const mine = looking = new AbortController(), params = ops().here();
    params.set("q", words);
    try {
      const got = await fetch(`${PATH}/find?${params}`, { signal: mine.signal });
      const found = got.ok ? (await got.json()).hits : ops().state.words.failed;
      if (mine.signal.aborted || !byId("map-hits")) return;
      window.dash_clientside.set_props("map-hits", { children: found });
      if (eager) requestAnimationFrame(() => requestAnimationFrame(() => { eager = false; byId("map-hits")?.querySelector("a")?.click(); }));
    } catch { /* typed on, or the server is gone: the banner says so */ }
  }
})();
