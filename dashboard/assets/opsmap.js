/* The operators' map. The address is the one truth: whatever is chosen changes it, and what it says is asked for and shown; so Back,
   reload and a link sent on show the same. The map itself is never rebuilt: its parts are renewed around it. */
(() => {
  const PATH = "/map", EXTENT = ["at", "zoom"], PARTS = { bar: "map-bar", side: "map-side", panel: "map-panel" };
  const state = { map: null, drawn: null, reports: null, marks: [], labels: [], words: {}, outlines: new Map() };
  let layer = null, timer = 0, asking = null, viewing = null, shownAs = "", region = "", settling = 0, pendingFit = false, under = null, pinned = false;

  const byId = (id) => document.getElementById(id);
  const root = () => byId("opsmap");
  const here = () => new URLSearchParams(location.search);
  const text = (params) => params.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
  const without = (params, names) => { const found = new URLSearchParams(params); names.forEach((name) => found.delete(name)); return found; };
  const address = (params) => PATH + (text(params) ? `?${text(params)}` : "");

  /* -- the address ------------------------------------------------------------------------------------------------------------- */
  function extent() {
    const { lat, lng } = state.map.getCenter();
    return { at: `${lat.toFixed(4)},${lng.toFixed(4)}`, zoom: String(Math.round(state.map.getZoom() * 100) / 100) };
  }
  /* Where the map was moved to is kept in the address, without a step in the history. */
  function settle() {
    clearTimeout(settling);
    settling = 0;
    if (!root() || !state.map || location.pathname !== PATH) return;
    const params = here();
    for (const [name, value] of Object.entries(extent())) params.set(name, value);
    if (address(params) !== location.pathname + location.search) history.replaceState(history.state, "", address(params));
  }
  /* Go to an address of the map: a step in the history; with `fit` the map moves to what it is about. */
  function go(params, { fit = false } = {}) {
    settle();
    const next = without(params, EXTENT);
    if (!fit && state.map) for (const [name, value] of Object.entries(extent())) next.set(name, value);
    if (address(next) === location.pathname + location.search) return;
    history.pushState({}, "", address(next));
    pendingFit = fit;
    load();
  }
  function change(changes, options) {
    const params = here();
    for (const [name, value] of Object.entries({ records_page: null, ...changes })) if (value) params.set(name, value); else params.delete(name);
    go(params, options);
  }
  /* The address changed under us: Back, Forward, or a link of the frame. */
  function follow() {
    clearTimeout(settling);
    pendingFit = !place();
    load();
  }
  function place() {
    const at = (here().get("at") ?? "").split(",").map(Number), zoom = Number(here().get("zoom"));
    if (!state.map || at.length !== 2 || at.some(Number.isNaN) || !zoom) return false;
    state.map.setView(at, zoom, { animate: false });
    return true;
  }
  let leaving = false; // Dash was told of another page, and has not drawn it yet
  for (const name of ["popstate", "_dashprivate_pushstate"]) {
    window.addEventListener(name, (event) => {
      if (!root()) return;
      if (location.pathname !== PATH) { leaving = true; return; }
      if (!leaving) event.stopImmediatePropagation(); // Dash would rebuild the page, and the map with it
      follow();
    }, true);
  }

  /* -- what is shown ----------------------------------------------------------------------------------------------------------- */
  async function load({ quiet = false } = {}) {
    if (!root()) return;
    asking?.abort();
    const mine = asking = new AbortController();
    if (!quiet) root().setAttribute("aria-busy", "true");
    let answer = null;
    try {
      const got = await fetch(`${PATH}/parts?${text(without(here(), EXTENT))}`, { signal: mine.signal, cache: "no-cache" });
      answer = await got.text();
      if (!got.ok) throw new Error(got.statusText);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (asking === mine) note("failed");
      answer = null;
    }
    if (asking !== mine || !root()) return;
    asking = null;
    root().removeAttribute("aria-busy");
    if (answer !== null) show(answer);
    if (!quiet || state.drawn) view(true);
  }
  const parts = {};
  function show(answer) {
    if (answer === shownAs) { fitted(); return; }
    shownAs = answer;
    const found = JSON.parse(answer);
    for (const [name, id] of Object.entries(PARTS)) {
      const now = found[name] && JSON.stringify(found[name]);
      if (!now || now === parts[name] || !byId(id)) continue;
      parts[name] = now;
      window.ioc.parts.draw(byId(id), found[name]);
    }
    sync();
    if (found.drawn) paint(found.drawn);
  }
  function paint(drawn) {
    if (state.drawn && state.drawn.outlines !== drawn.outlines) window.dash_clientside.set_props("map-outlines", { url: drawn.outlines }); // the units of another day
    state.drawn = drawn;
    restyle();
    layer?.redraw();
    fitted();
  }
  /* What a list shows is what the address says, also after Back. */
  function sync() {
    for (const list of document.querySelectorAll("#opsmap [data-choose]")) list.value = here().get(list.dataset.choose) ?? list.dataset.usual;
  }
  function note(key, places = {}) {
    const box = byId("map-note");
    if (!box) return;
    const said = key ? state.words[key].replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "") : "";
    if (box.textContent !== said) box.textContent = said;
    box.hidden = said === "";
  }

  /* -- reports of the view ----------------------------------------------------------------------------------------------------- */
  const TILE = 256, MARGIN = 1;
  /* The tiles that are seen and one more around: the same for all who look there, and enough for small moves. */
  function tiles() {
    const { map } = state, zoom = Math.round(map.getZoom()), seen = map.getBounds();
    const a = map.project(seen.getNorthWest(), zoom).divideBy(TILE).floor(), b = map.project(seen.getSouthEast(), zoom).divideBy(TILE).ceil();
    return { zoom, a, b, from: a.subtract([MARGIN, MARGIN]), to: b.add([MARGIN, MARGIN]) };
  }
  let held = null;
  async function view(again = false) {
    if (!state.map || !state.drawn || !root()) return;
    if (!state.drawn.layers.includes("feedback")) { viewing?.abort(); state.reports = held = null; note(""); layer?.redraw(); return; }
    const { map } = state, now = tiles(), asked = `as=${state.drawn.style}&${state.drawn.query}`;
    const has = held && held.asked === asked && held.zoom === now.zoom && held.from.x <= now.a.x && held.from.y <= now.a.y && held.to.x >= now.b.x && held.to.y >= now.b.y;
    if (has && !again) { counted(); return; }
    const west = map.unproject(now.from.multiplyBy(TILE), now.zoom), east = map.unproject(now.to.multiplyBy(TILE), now.zoom);
    const box = [west.lng, east.lat, east.lng, west.lat].map((one) => Math.max(-180, Math.min(180, one)).toFixed(5));
    viewing?.abort();
    const mine = viewing = new AbortController();
    let answer = null;
    try {
      const got = await fetch(`${PATH}/feedback?bbox=${box}&zoom=${now.zoom}&${asked}`, { signal: mine.signal, cache: "no-cache" });
      if (!got.ok) throw new Error(got.statusText);
      answer = await got.text();
    } catch (error) {
      if (error.name !== "AbortError") note("failed");
    }
    if (answer === null || mine.signal.aborted || !root() || state.map !== map) return; // it was asked for a map that is gone
    if (answer !== region) { region = answer; state.reports = JSON.parse(answer); }
    held = { ...now, asked };
    layer?.redraw();
    counted();
  }
  /* How many reports are seen, which is less than what is held. */
  function counted() {
    const found = state.reports, seen = state.map.getBounds();
    if (!found) return;
    const n = (found.points ?? found.cells).reduce((sum, one) => sum + (seen.contains([one[0], one[1]]) ? (found.points ? 1 : one[2]) : 0), 0);
    const places = { n: n.toLocaleString(state.words.locale) };
    if (!n) note("none");
    else note(state.drawn.style === "points" && found.as !== "points" ? "many" : "seen", places);
  }

  /* -- the map ----------------------------------------------------------------------------------------------------------------- */
  const colour = (name) => window.ioc.map.colour(name);
  function style(feature) {
    const code = feature.properties.code, d = state.drawn, chosen = d?.chosen;
    const on = d?.layers.includes("communes"), its = chosen?.communes.includes(code), dim = chosen && chosen.communes.length && !its;
    const shade = d?.shades?.[code], unknown = d?.unknown?.includes(code);
    const fill = !on ? colour("land-near") : unknown ? window.ioc.map.hatch() : shade === undefined ? colour("land-near") : colour(`c${shade}`);
    return { fillColor: fill, fillOpacity: dim ? 0.4 : 1, color: its ? colour("ink") : colour("border"), weight: its ? 3.5 : 1, lineJoin: "round" };
  }
  function restyle() {
    for (const outline of state.outlines.values()) outline.setStyle(style(outline.feature));
    for (const code of state.drawn.chosen.communes) state.outlines.get(code)?.bringToFront();
  }
  function fitted() {
    if (!pendingFit || !state.map || !state.drawn) return;
    pendingFit = false;
    const { chosen, bounds, spots } = state.drawn, { map } = state;
    if (chosen.record) { map.setView(chosen.record.at, Math.max(map.getZoom(), 15)); return; }
    if (chosen.box) { map.fitBounds([[chosen.box[1], chosen.box[0]], [chosen.box[3], chosen.box[2]]], { padding: [30, 30] }); return; }
    const near = chosen.communes.map((code) => state.outlines.get(code)?.getBounds() ?? (spots[code] && L.latLngBounds([spots[code]]))).filter(Boolean);
    if (near.length) { map.fitBounds(near.reduce((all, one) => all.extend(one), L.latLngBounds(near[0])), { padding: [40, 40], maxZoom: 14 }); return; }
    if (chosen.agency) { map.setView(chosen.agency, Math.max(map.getZoom(), 11)); return; }
    map.fitBounds(bounds, { padding: [10, 10] });
  }

  /* Whether a map is still there: what waits for a frame may come after it was left, and then it answers nothing. */
  const stands = (map) => map.getContainer().isConnected && map.getPane("mapPane");

  function attach(map) {
    if (state.map === map) return;
    Object.assign(state, { map, reports: null, marks: [], outlines: new Map() });
    region = "";
    held = null;
    map.createPane("marks").style.zIndex = 450;
    map.getPane("marks").style.pointerEvents = "none";
    layer = window.ioc.marks.layer(state).addTo(map);
    let frame = 0;
    map.on("move", () => { cancelAnimationFrame(frame); frame = requestAnimationFrame(() => { if (stands(map) && !map._animatingZoom && !layer.covers()) layer._update(); }); });
    map.on("moveend", () => { clearTimeout(settling); settling = setTimeout(settle, 300); view(); unpin(); tell(); });
    map.on("unload", () => { map._animatingZoom = false; }); // or Leaflet ends the zoom of a map that is gone
    map.on("mousemove", ({ latlng, containerPoint }) => hover(map.latLngToLayerPoint(latlng), containerPoint));
    map.on("mouseout", () => tip(null));
    map.on("click", ({ latlng, containerPoint, originalEvent }) => click(map.latLngToLayerPoint(latlng), containerPoint, originalEvent));
    new ResizeObserver(() => stands(map) && map.invalidateSize(false)).observe(map.getContainer());
    map.getContainer().addEventListener("focus", tell);
    map.getContainer().addEventListener("blur", () => { if (!pinned) tip(null); });
    drawing(map);
    clearInterval(timer);
    timer = setInterval(renew, Number(root().dataset.renew));
    requestAnimationFrame(() => {
      if (!stands(map)) return;
      map.invalidateSize(false);
      pendingFit = !place();
      if (state.drawn) { root()?.removeAttribute("aria-busy"); paint(state.drawn); } else load();
      view();
    });
  }
  /* The page comes with what it shows: its parts are there at once, the map when its outlines are. */
  let opened = null;
  new MutationObserver(() => {
    const now = root();
    if (!now || now === opened) return;
    opened = now;
    leaving = false;
    now.setAttribute("aria-busy", "true");
    Object.assign(state, { map: null, drawn: null, words: JSON.parse(now.dataset.words) });
    layer = null;
    shownAs = "";
    for (const name of Object.keys(parts)) delete parts[name];
    show(now.dataset.parts);
  }).observe(document, { childList: true, subtree: true });

  /* Time to ask again: not while somebody chooses from a list or types, nor while nobody looks. */
  function renew() {
    if (!root()) { clearInterval(timer); state.map = null; return; }
    const active = document.activeElement;
    const busy = asking || document.hidden || (active?.closest?.("#opsmap") && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName));
    if (!busy) load({ quiet: true });
  }

  /* -- pointing ---------------------------------------------------------------------------------------------------------------- */
  let resting = 0;
  function hover(point, at) {
    cancelAnimationFrame(resting);
    resting = requestAnimationFrame(() => {
      if (pinned) return;
      const found = window.ioc.marks.at(state.marks, point);
      state.map?.getContainer().classList.toggle("pointing", Boolean(found));
      tip(found ?? (under && told(under)), at);
    });
  }
  function told(code) {
    const d = state.drawn, value = d?.values?.[code];
    return d && { title: d.names[code] ?? code, told: value === undefined ? [] : [`${d.measure}: ${value}`] };
  }
  function tip(found, at) {
    const box = byId("map-tip");
    if (!box) return;
    box.hidden = !found;
    if (!found) return;
    const line = (words, tag = "p") => Object.assign(document.createElement(tag), { textContent: words });
    box.replaceChildren(line(found.title, "b"), ...found.told.map((one) => line(one)));
    const frame = state.map.getSize();
    box.style.left = `${Math.max(4, Math.min(at.x + 14, frame.x - box.offsetWidth - 6))}px`;
    box.style.top = `${at.y + 18 + box.offsetHeight > frame.y ? Math.max(4, at.y - box.offsetHeight - 12) : at.y + 18}px`;
  }
  /* A mark of several bodies stays open, with each of them to choose. */
  function pin(found, at) {
    tip(found, at);
    const list = document.createElement("ul"), base = here();
    for (const [code, name] of found.of.agencies) {
      const params = without(base, ["box", "record", "records_page"]);
      params.set("unit", code);
      const row = document.createElement("li");
      row.append(Object.assign(document.createElement("a"), { href: address(params), textContent: name }));
      list.append(row);
    }
    byId("map-tip").append(list);
    byId("map-tip").classList.add("pinned");
    pinned = true;
    byId("map-tip").querySelector("a")?.focus({ preventScroll: true });
  }
  function unpin() { pinned = false; byId("map-tip")?.classList.remove("pinned"); tip(null); }

  function click(point, at, event) {
    if (event?.target?.closest?.("#map-tip")) return;
    open(window.ioc.marks.at(state.marks, point), point, at, event, under);
  }
  /* Enter on the map opens the mark in its middle: the nearest, which says what it is while the map has the keyboard. */
  const MIDDLE = 48;
  const middle = () => state.map.latLngToLayerPoint(state.map.getCenter());
  const inMiddle = () => window.ioc.marks.at(state.marks, middle(), MIDDLE);
  const half = () => state.map.getSize().divideBy(2);
  function enter() { const found = inMiddle(); if (found) open(found, middle(), half()); }
  function tell() { if (document.activeElement === state.map?.getContainer() && !pinned) tip(inMiddle(), half()); }
  function open(found, point, at, event, commune) {
    const { map } = state, several = found?.kind === "point" ? window.ioc.marks.all(state.marks, point).filter((one) => one.kind === "point") : [];
    unpin();
    if (found?.kind === "cluster" && found.box && map.getZoom() >= map.getMaxZoom()) list([found.box]);
    else if (found?.kind === "cluster") map.setView(found.at, Math.min(map.getMaxZoom(), Math.floor(map.getZoom()) + 2));
    else if (several.length > 1) list(several.map(({ at: [lat, lon] }) => [lat, lon, lat, lon]));
    else if (found?.kind === "point") change({ record: found.record, kind: null });
    else if (found?.of?.agencies?.length) pin(found, at);
    else if (found?.of?.code && state.drawn.names[found.of.code]) choose(found.of.code, event);
    else if (commune) choose(commune, event);
  }
  /* Reports that no zoom can part are chosen by the box (south, west, north, east) that holds them: the panel lists them. */
  const EDGE = 2e-5; // degrees: 2 m, more than what is rounded
  function list(boxes) {
    const all = [0, 1, 2, 3].map((k) => Math[k < 2 ? "min" : "max"](...boxes.map((one) => one[k])) + (k < 2 ? -EDGE : EDGE));
    change({ box: [all[1], all[0], all[3], all[2]].map((one) => one.toFixed(5)).join(","), unit: null, record: null, kind: null });
  }
  /* Choose a commune; with Ctrl or Shift one more, or one less; the only one chosen is let go. */
  function choose(code, event) {
    const before = here().has("box") ? [] : (here().get("unit") ?? "").split(",").filter((one) => state.drawn.names[one]);
    const more = event?.ctrlKey || event?.metaKey || event?.shiftKey;
    const after = before.includes(code) && (more || before.length === 1) ? before.filter((one) => one !== code) : more ? [...before, code] : [code];
    change({ unit: after.join(","), box: null, record: null });
  }

  /* -- drawing a box ----------------------------------------------------------------------------------------------------------- */
  let boxing = false;
  function arm(on) {
    boxing = on;
    byId("map-ground")?.classList.toggle("boxing", on);
    byId("draw-box")?.setAttribute("aria-pressed", String(on));
  }
  const rounded = (bounds) => [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((one) => one.toFixed(4)).join(",");
  function drawing(map) {
    const container = map.getContainer();
    const begin = (event) => {
      if (!(boxing || event.shiftKey) || event.button || event.target.closest("button, a, .leaflet-control")) return;
      event.preventDefault();
      event.stopPropagation();
      map.dragging.disable();
      const from = map.mouseEventToContainerPoint(event), rubber = Object.assign(document.createElement("div"), { className: "rubber" });
      container.append(rubber);
      const between = (moved) => L.bounds(from, map.mouseEventToContainerPoint(moved));
      const move = (moved) => {
        const { min, max } = between(moved);
        Object.assign(rubber.style, { left: `${min.x}px`, top: `${min.y}px`, width: `${max.x - min.x}px`, height: `${max.y - min.y}px` });
      };
      const end = (ended) => {
        window.removeEventListener("pointermove", move, true);
        window.removeEventListener("pointerup", end, true);
        window.removeEventListener("pointercancel", end, true);
        map.dragging.enable();
        rubber.remove();
        const { min, max } = between(ended);
        if (ended.type === "pointercancel" || max.x - min.x < 6 || max.y - min.y < 6) return;
        const ignore = (one) => one.stopPropagation(); // the click that ends the drag chooses nothing
        container.addEventListener("click", ignore, true);
        setTimeout(() => container.removeEventListener("click", ignore, true), 50);
        arm(false);
        change({ box: rounded(L.latLngBounds(map.containerPointToLatLng(min), map.containerPointToLatLng(max))), unit: null, record: null });
      };
      window.addEventListener("pointermove", move, true);
      window.addEventListener("pointerup", end, true);
      window.addEventListener("pointercancel", end, true);
    };
    container.addEventListener("pointerdown", begin, true);
    container.addEventListener("mousedown", (event) => { if (boxing || event.shiftKey) event.stopPropagation(); }, true);
  }

  window.ioc = Object.assign({}, window.ioc, {
    opsmap: {
      ground: () => ({ fillColor: colour("land"), fillOpacity: 1, color: colour("land-line"), weight: 1, interactive: false }),
      commune: style,
      opened(_feature, _layer, { map }) { if (root()) attach(map); },
      outlined(feature, outline, { map }) {
        if (!root()) return;
        attach(map);
        const code = feature.properties.code;
        state.outlines.set(code, outline);
        outline.on("remove", () => { if (state.outlines.get(code) === outline) state.outlines.delete(code); });
        outline.on("add", () => { outline.getElement()?.setAttribute("data-code", code); outline.setStyle(style(feature)); });
        outline.on("mouseover", () => { under = code; });
        outline.on("mouseout", () => { if (under === code) under = null; });
        outline.on("click", () => { under = code; });
      },
      state, load, go, change, enter, here, address, choose, arm, rounded, unpin, view, fit: () => { pendingFit = true; fitted(); }, boxing: () => boxing, pinned: () => pinned,
    },
  });
})();
