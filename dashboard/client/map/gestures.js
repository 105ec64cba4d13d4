/**
 * Pointers, keys and lists on and beside the operators' map: links and lists that change its
 * selection without rebuilding it, shortcuts, search, drawing a box.
 */

import { leaflet, setProps } from "../adapter.js";
import { assign, isField, isPlainClick, make } from "../shell/text.js";
import * as map from "./page.js";

const FIND_AFTER_MS = 180;
const MIN_BOX_PX = 6;
const CLICK_AFTER_DRAG_MS = 50;

const byId = (id) => document.getElementById(id);
const root = () => byId("opsmap");

/* Actions of the buttons beside the map, by id. */
const BUTTONS = {
  "draw-box": () => arm(!boxing),
  "choose-view": () => chooseBox(map.shown.state.map.getBounds()),
  "map-in": () => map.shown.state.map.zoomIn(1),
  "map-out": () => map.shown.state.map.zoomOut(1),
  "map-whole": map.fit,
};

function clicked(event) {
  if (!root() || !isPlainClick(event)) return;
  const { target } = event;
  const id = Object.keys(BUTTONS).find((one) => target.closest?.(`#${one}`));
  if (id) {
    BUTTONS[id]();
    return;
  }
  if (!target.closest?.(".drop")) {
    for (const open of root().querySelectorAll("details.drop[open]")) open.open = false;
  }
  const link = target.closest?.("a[href]");
  if (!link || link.origin !== location.origin || link.pathname !== map.PATH) return;
  event.preventDefault();
  event.stopPropagation();
  follow(link);
}

function follow(link) {
  const params = new URL(link.href).searchParams;
  if (link.closest("#content")) {
    // A selection: apply it and keep the map.
    map.unpin();
    map.go(params, { fit: "fit" in link.dataset });
    if (link.closest("#map-hits")) clear();
  } else if (link.closest(".bar nav")) map.go(params, { fit: true });
  else {
    // Another language or theme of the same view.
    const frame = byId("wall").dataset.frame.split(" ");
    const wanted = Object.fromEntries(frame.map((name) => [name, params.get(name)]));
    location.assign(map.address(assign(map.here(), wanted)));
  }
}

function changed({ target }) {
  const { choose, usual } = target.dataset ?? {};
  if (root() && choose) map.change({ [choose]: target.value === usual ? null : target.value });
}

function submitted(event) {
  if (!root()) return;
  if (event.target.id === "window-form") {
    event.preventDefault();
    const given = new FormData(event.target);
    byId("window-custom").open = false;
    map.change({ from: given.get("from"), to: given.get("to"), window: null });
  } else if (event.target.id === "find-form") {
    event.preventDefault();
    eager = true;
    clearTimeout(waiting);
    find(byId("map-find").value);
  }
}

function pressed(event) {
  if (!root()) return;
  const { key, target } = event;
  if (key === " " && target.matches?.("a[role=switch], a[role=checkbox]")) {
    event.preventDefault();
    target.click();
  } else if (target.closest?.("#find-form") && /^Arrow(Down|Up)$/.test(key)) {
    const stops = [byId("map-find"), ...byId("map-hits").querySelectorAll("a")];
    const next = stops[stops.indexOf(target) + (key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  } else if (key === "Enter" && target.id === "map-of") {
    event.preventDefault();
    map.enter();
  } else if (key === "Escape") escape(event);
}

/* Escape closes what is innermost: a box, a mark's text, a menu, the hits, the selection. */
function escape(event) {
  const { target } = event;
  const open = root().querySelector("details.drop[open]");
  const found = byId("map-find")?.value || byId("map-hits")?.childElementCount;
  if (boxing) arm(false);
  else if (map.isPinned()) map.unpin();
  else if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else if (target.closest?.("#find-form") && found) {
    event.preventDefault();
    clear();
    byId("map-find").focus();
  } else if (!isField(target)) byId("unchoose")?.click();
}

/* Search: show the hits while the user types; Enter follows the first. */
let waiting = 0;
let looking = null;
let eager = false;

const showHits = (children) => setProps("map-hits", { children });

function clear() {
  clearTimeout(waiting);
  looking?.abort();
  eager = false;
  if (byId("map-find")) setProps("map-find", { value: "" });
  showHits([]);
}

async function find(words) {
  looking?.abort();
  if (!words.trim()) {
    showHits([]);
    return;
  }
  const mine = (looking = new AbortController());
  const params = assign(map.here(), { q: words });
  try {
    const got = await fetch(`${map.PATH}/find?${params}`, { signal: mine.signal });
    const found = got.ok ? (await got.json()).hits : map.shown.state.words.failed;
    if (mine.signal.aborted || !byId("map-hits")) return;
    showHits(found);
    if (!eager) return;
    // Dash draws the hits in the frame after the next.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        eager = false;
        byId("map-hits")?.querySelector("a")?.click();
      }),
    );
  } catch {
    // The user typed on, or the server is gone, which the banner says.
  }
}

/* -- drawing a box ------------------------------------------------------------------------------ */

let boxing = false;

/* Sets whether the next drag draws a box. */
function arm(on) {
  boxing = on;
  byId("map-ground")?.classList.toggle("boxing", on);
  byId("draw-box")?.setAttribute("aria-pressed", String(on));
}

function chooseBox(bounds) {
  const edges = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  const box = edges.map((one) => one.toFixed(4)).join(",");
  map.change({ box, unit: null, record: null });
}

function listenForBoxes(leafletMap) {
  const container = leafletMap.getContainer();
  const draws = (event) => boxing || event.shiftKey;
  const begin = (event) => {
    if (!draws(event) || event.button) return;
    if (event.target.closest("button, a, .leaflet-control")) return;
    event.preventDefault();
    event.stopPropagation();
    drag(leafletMap, event);
  };
  const hold = (event) => {
    if (draws(event)) event.stopPropagation();
  };
  container.addEventListener("pointerdown", begin, true);
  container.addEventListener("mousedown", hold, true);
}

function drag(leafletMap, event) {
  const container = leafletMap.getContainer();
  leafletMap.dragging.disable();
  const from = leafletMap.mouseEventToContainerPoint(event);
  const rubber = make("div", { className: "rubber" });
  container.append(rubber);
  const between = (moved) => leaflet().bounds(from, leafletMap.mouseEventToContainerPoint(moved));
  const move = (moved) => {
    const { min, max } = between(moved);
    Object.assign(rubber.style, {
      left: `${min.x}px`,
      top: `${min.y}px`,
      width: `${max.x - min.x}px`,
      height: `${max.y - min.y}px`,
    });
  };
  const listeners = { pointermove: move, pointerup: end, pointercancel: end };
  function end(ended) {
    for (const [name, one] of Object.entries(listeners))
      window.removeEventListener(name, one, true);
    leafletMap.dragging.enable();
    rubber.remove();
    const { min, max } = between(ended);
    const small = max.x - min.x < MIN_BOX_PX || max.y - min.y < MIN_BOX_PX;
    if (ended.type === "pointercancel" || small) return;
    const ignore = (one) => one.stopPropagation(); // the click that ends the drag selects nothing
    container.addEventListener("click", ignore, true);
    setTimeout(() => container.removeEventListener("click", ignore, true), CLICK_AFTER_DRAG_MS);
    arm(false);
    const corners = [
      leafletMap.containerPointToLatLng(min),
      leafletMap.containerPointToLatLng(max),
    ];
    chooseBox(leaflet().latLngBounds(...corners));
  }
  for (const [name, one] of Object.entries(listeners)) window.addEventListener(name, one, true);
}

/** Install the listeners on and beside the map. */
export function install() {
  map.onAttach(listenForBoxes);
  document.addEventListener("click", clicked, true);
  document.addEventListener("change", changed);
  document.addEventListener("submit", submitted, true);
  document.addEventListener("keydown", pressed);
  document.addEventListener("input", ({ target }) => {
    if (target.id !== "map-find") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => find(target.value), FIND_AFTER_MS);
  });
}
