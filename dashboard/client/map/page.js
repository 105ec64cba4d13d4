/**
 * The operators' map. The address is the only state: every selection changes it, and its content is
 * fetched and shown, so that Back, reload and a shared link show the same.
 *
 * The map itself is never rebuilt: the parts around it are refreshed. gestures.js handles clicks,
 * keys and lists beside the map.
 */

import {
  beforeNavigation,
  canvasLayer,
  endZoom,
  isStanding,
  leaflet,
  setProps,
} from "../adapter.js";
import { draw } from "../renderer/components.js";
import { assign, fill, isField, make, queryText, without } from "../shell/text.js";
import { boxAround, chosenAfter, holds, markAt, marksAt, tilesAround } from "./geometry.js";
import { colour, hatch } from "./outlines.js";
import { painter } from "./painter.js";

/** The path of the page. */
export const PATH = "/map";

const EXTENT = ["at", "zoom"]; // parameters of the map's extent
const PARTS = { bar: "map-bar", side: "map-side", panel: "map-panel" };
const SETTLE_MS = 300;
const MIDDLE_PX = 48;

const state = {
  map: null,
  drawn: null, // the server's marks and texts
  reports: null, // the server's reports of the view
  marks: [],
  labels: [],
  words: {},
  outlines: new Map(),
};
let layer = null;
let timer = 0;
let asking = null;
let shownAs = "";
let fitPending = false;
let under = null; // code of the commune under the pointer
let pinned = false;

const byId = (id) => document.getElementById(id);
const root = () => byId("opsmap");

/** Return the parameters of the address. */
export const here = () => new URLSearchParams(location.search);

/** Return the address of the map with parameters. */
export const address = (params) => PATH + (queryText(params) ? `?${queryText(params)}` : "");

const shownAddress = () => location.pathname + location.search;

/* -- the address -------------------------------------------------------------------------------- */

function extent() {
  const { lat, lng } = state.map.getCenter();
  const zoom = Math.round(state.map.getZoom() * 100) / 100;
  return { at: `${lat.toFixed(4)},${lng.toFixed(4)}`, zoom: String(zoom) };
}

let settling = 0;

/* Keeps the map's extent in the address, without a step in the history. */
function settle() {
  clearTimeout(settling);
  settling = 0;
  if (!root() || !state.map || location.pathname !== PATH) return;
  const next = address(assign(here(), extent()));
  if (next !== shownAddress()) history.replaceState(history.state, "", next);
}

/** Go to an address of the map: a step in the history; `fit` moves the map to its content. */
export function go(params, { fit = false } = {}) {
  settle();
  const next = without(params, EXTENT);
  if (!fit && state.map) assign(next, extent());
  if (address(next) === shownAddress()) return;
  history.pushState({}, "", address(next));
  fitPending = fit;
  load();
}

/** Change parameters of the address; null deletes one. */
export function change(changes, options) {
  go(assign(here(), { records_page: null, ...changes }), options);
}

/* Follows an address changed by others: Back, Forward, or a link of the frame. */
function follow() {
  clearTimeout(settling);
  fitPending = !moveToAddress();
  load();
}

function moveToAddress() {
  const at = (here().get("at") ?? "").split(",").map(Number);
  const zoom = Number(here().get("zoom"));
  if (!state.map || at.length !== 2 || at.some(Number.isNaN) || !zoom) return false;
  state.map.setView(at, zoom, { animate: false });
  return true;
}

let leaving = false; // Dash was sent to another page and has not drawn it yet
function navigated(event) {
  if (!root()) return;
  if (location.pathname !== PATH) {
    leaving = true;
    return;
  }
  if (!leaving) event.stopImmediatePropagation(); // Dash would rebuild the page, and the map with it
  follow();
}

/* -- what is shown ------------------------------------------------------------------------------ */

async function load({ quiet = false } = {}) {
  if (!root()) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  if (!quiet) root().setAttribute("aria-busy", "true");
  let answer = null;
  try {
    const query = queryText(without(here(), EXTENT));
    const options = { signal: mine.signal, cache: "no-cache" };
    const got = await fetch(`${PATH}/parts?${query}`, options);
    const text = await got.text();
    if (!got.ok) throw new Error(got.statusText);
    answer = text;
  } catch (error) {
    if (error.name === "AbortError") return;
    if (asking === mine) note("failed");
  }
  if (asking !== mine || !root()) return;
  asking = null;
  root().removeAttribute("aria-busy");
  if (answer !== null) show(answer);
  if (!quiet || state.drawn) view(true);
}

let shownParts = {}; // name of a part → its content, as JSON

function show(answer) {
  if (answer === shownAs) {
    fitIfPending();
    return;
  }
  shownAs = answer;
  const found = JSON.parse(answer);
  for (const [name, id] of Object.entries(PARTS)) {
    const now = found[name] && JSON.stringify(found[name]);
    if (!now || now === shownParts[name] || !byId(id)) continue;
    shownParts[name] = now;
    draw(byId(id), found[name]);
  }
  syncLists();
  if (found.drawn) paint(found.drawn);
}

function paint(drawn) {
  if (state.drawn && state.drawn.outlines !== drawn.outlines) {
    setProps("map-outlines", { url: drawn.outlines }); // the units of another day
  }
  state.drawn = drawn;
  restyle();
  layer?.redraw();
  fitIfPending();
}

/* Sets lists to the values in the address, also after Back. */
function syncLists() {
  for (const list of document.querySelectorAll("#opsmap [data-choose]")) {
    list.value = here().get(list.dataset.choose) ?? list.dataset.usual;
  }
}

function note(key, values = {}) {
  const box = byId("map-note");
  if (!box) return;
  const words = key ? fill(state.words[key], values) : "";
  if (box.textContent !== words) box.textContent = words;
  box.hidden = words === "";
}

/* -- reports of the view ------------------------------------------------------------------------ */

let viewing = null;
let region = ""; // the answer that holds the reports, as text
let held = null; // the tiles that it covers

function seenTiles() {
  const { map } = state;
  const zoom = Math.round(map.getZoom());
  const seen = map.getBounds();
  const corner = (at) => map.project(at, zoom);
  return { zoom, ...tilesAround(corner(seen.getNorthWest()), corner(seen.getSouthEast())) };
}

function tilesBox({ zoom, from, to, pixels }) {
  const [west, east] = [from, to].map((tile) => state.map.unproject(pixels(tile), zoom));
  return [west.lng, east.lat, east.lng, west.lat].map((degrees) =>
    Math.max(-180, Math.min(180, degrees)).toFixed(5),
  );
}

/** Fetch the reports of the view unless they are loaded; with `again`, fetch them in any case. */
export async function view(again = false) {
  if (!state.map || !state.drawn || !root()) return;
  if (!state.drawn.layers.includes("feedback")) {
    viewing?.abort();
    state.reports = held = null;
    note("");
    layer?.redraw();
    return;
  }
  const { map } = state;
  const now = seenTiles();
  const query = `as=${state.drawn.style}&${state.drawn.query}`;
  if (!again && held?.query === query && held.zoom === now.zoom && holds(held, now)) {
    countSeen();
    return;
  }
  viewing?.abort();
  const mine = (viewing = new AbortController());
  let answer = null;
  try {
    const url = `${PATH}/feedback?bbox=${tilesBox(now)}&zoom=${now.zoom}&${query}`;
    const got = await fetch(url, { signal: mine.signal, cache: "no-cache" });
    if (!got.ok) throw new Error(got.statusText);
    answer = await got.text();
  } catch (error) {
    if (error.name !== "AbortError") note("failed");
  }
  // The map may have been removed meanwhile.
  if (answer === null || mine.signal.aborted || !root() || state.map !== map) return;
  if (answer !== region) {
    region = answer;
    state.reports = JSON.parse(answer);
  }
  held = { ...now, query };
  layer?.redraw();
  countSeen();
}

/* Counts the visible reports, which are fewer than those loaded. */
function countSeen() {
  const found = state.reports;
  if (!found) return;
  const seen = state.map.getBounds();
  const many = (one) => (found.points ? 1 : one[2]);
  const n = (found.points ?? found.cells)
    .filter((one) => seen.contains([one[0], one[1]]))
    .reduce((sum, one) => sum + many(one), 0);
  const all = state.drawn.style === "points" && found.as !== "points" ? "many" : "seen";
  note(n ? all : "none", { n: n.toLocaleString(state.words.locale) });
}

/* -- the map ------------------------------------------------------------------------------------ */

function communeStyle(feature) {
  const { code } = feature.properties;
  const { drawn } = state;
  const chosen = drawn?.chosen;
  const isChosen = chosen?.communes.includes(code);
  const dim = chosen && chosen.communes.length && !isChosen;
  const shade = drawn?.shades?.[code];
  const land = !drawn?.layers.includes("communes");
  const unknown = drawn?.unknown?.includes(code);
  const shaded = shade === undefined ? colour("land-near") : colour(`c${shade}`);
  return {
    fillColor: land ? colour("land-near") : unknown ? hatch() : shaded,
    fillOpacity: dim ? 0.4 : 1,
    color: isChosen ? colour("ink") : colour("border"),
    weight: isChosen ? 3.5 : 1,
    lineJoin: "round",
  };
}

function restyle() {
  for (const outline of state.outlines.values()) outline.setStyle(communeStyle(outline.feature));
  for (const code of state.drawn.chosen.communes) state.outlines.get(code)?.bringToFront();
}

function boundsOf(code) {
  const spot = state.drawn.spots[code];
  return state.outlines.get(code)?.getBounds() ?? (spot && leaflet().latLngBounds([spot]));
}

function fitIfPending() {
  if (!fitPending || !state.map || !state.drawn) return;
  fitPending = false;
  const { map } = state;
  const { chosen, bounds } = state.drawn;
  const near = chosen.communes.map(boundsOf).filter(Boolean);
  const zoom = (least) => Math.max(map.getZoom(), least);
  if (chosen.record) map.setView(chosen.record.at, zoom(15));
  else if (chosen.box) {
    const [west, south, east, north] = chosen.box;
    const corners = [
      [south, west],
      [north, east],
    ];
    map.fitBounds(corners, { padding: [30, 30] });
  } else if (near.length) {
    const all = near.reduce((sum, one) => sum.extend(one), leaflet().latLngBounds(near[0]));
    map.fitBounds(all, { padding: [40, 40], maxZoom: 14 });
  } else if (chosen.agency) map.setView(chosen.agency, zoom(11));
  else map.fitBounds(bounds, { padding: [10, 10] });
}

/** Move the map to the selection in its address. */
export function fit() {
  fitPending = true;
  fitIfPending();
}

const attachListeners = [];

/** Call a listener with each map of the page once it exists. */
export const onAttach = (listener) => attachListeners.push(listener);

function attach(map) {
  if (state.map === map) return;
  Object.assign(state, { map, reports: null, marks: [], outlines: new Map() });
  region = "";
  held = null;
  map.createPane("marks").style.zIndex = 450;
  map.getPane("marks").style.pointerEvents = "none";
  layer = canvasLayer("marks", painter(state)).addTo(map);
  listen(map);
  clearInterval(timer);
  timer = setInterval(renew, Number(root().dataset.renew));
  requestAnimationFrame(() => {
    if (!isStanding(map)) return;
    map.invalidateSize(false);
    fitPending = !moveToAddress();
    if (state.drawn) {
      root()?.removeAttribute("aria-busy");
      paint(state.drawn);
    } else load();
    view();
  });
}

function listen(map) {
  let frame = 0;
  map.on("move", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (isStanding(map)) layer.follow();
    });
  });
  map.on("moveend", () => {
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLE_MS);
    view();
    unpin();
    tell();
  });
  map.on("unload", () => endZoom(map));
  map.on("mousemove", ({ latlng, containerPoint }) => {
    hover(map.latLngToLayerPoint(latlng), containerPoint);
  });
  map.on("mouseout", () => tip(null));
  map.on("click", ({ latlng, containerPoint, originalEvent }) => {
    click(map.latLngToLayerPoint(latlng), containerPoint, originalEvent);
  });
  const container = map.getContainer();
  new ResizeObserver(() => isStanding(map) && map.invalidateSize(false)).observe(container);
  container.addEventListener("focus", tell);
  container.addEventListener("blur", () => {
    if (!pinned) tip(null);
  });
  for (const listener of attachListeners) listener(map);
}

/* A page contains its first content: parts show at once, the map when its outlines are loaded. */
let opened = null;
function open() {
  const now = root();
  if (!now || now === opened) return;
  opened = now;
  leaving = false;
  now.setAttribute("aria-busy", "true");
  Object.assign(state, { map: null, drawn: null, words: JSON.parse(now.dataset.words) });
  layer = null;
  shownAs = "";
  shownParts = {};
  show(now.dataset.parts);
}

/* Refreshes the page, but not while the user chooses from a list or types, nor in a hidden tab. */
function renew() {
  if (!root()) {
    clearInterval(timer);
    state.map = null;
    return;
  }
  const active = document.activeElement;
  const busy = asking || document.hidden || (active?.closest?.("#opsmap") && isField(active));
  if (!busy) load({ quiet: true });
}

/* -- pointing ----------------------------------------------------------------------------------- */

let resting = 0;
function hover(point, at) {
  cancelAnimationFrame(resting);
  resting = requestAnimationFrame(() => {
    if (pinned) return;
    const found = markAt(state.marks, point);
    state.map?.getContainer().classList.toggle("pointing", Boolean(found));
    tip(found ?? (under && communeTip(under)), at);
  });
}

function communeTip(code) {
  const { drawn } = state;
  const value = drawn?.values?.[code];
  const text = value === undefined ? [] : [`${drawn?.measure}: ${value}`];
  return drawn && { title: drawn.names[code] ?? code, text };
}

function tip(found, at) {
  const box = byId("map-tip");
  if (!box) return;
  box.hidden = !found;
  if (!found) return;
  const line = (words, tag = "p") => make(tag, { textContent: words });
  box.replaceChildren(line(found.title, "b"), ...found.text.map((one) => line(one)));
  const frame = state.map.getSize();
  const left = Math.max(4, Math.min(at.x + 14, frame.x - box.offsetWidth - 6));
  const fits = at.y + 18 + box.offsetHeight <= frame.y;
  const top = fits ? at.y + 18 : Math.max(4, at.y - box.offsetHeight - 12);
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}

/* Keeps the text of a mark of several bodies open, with a link to select each. */
function pin(found, at) {
  tip(found, at);
  const list = make("ul");
  const base = without(here(), ["box", "record", "records_page"]);
  for (const [code, name] of found.of.agencies) {
    const href = address(assign(new URLSearchParams(base), { unit: code }));
    const row = make("li");
    row.append(make("a", { href, textContent: name }));
    list.append(row);
  }
  byId("map-tip").append(list);
  byId("map-tip").classList.add("pinned");
  pinned = true;
  byId("map-tip").querySelector("a")?.focus({ preventScroll: true });
}

/** Close the text of a mark of several bodies. */
export function unpin() {
  pinned = false;
  byId("map-tip")?.classList.remove("pinned");
  tip(null);
}

/** Return whether the text of such a mark is open. */
export const isPinned = () => pinned;

function click(point, at, event) {
  if (event?.target?.closest?.("#map-tip")) return;
  openMark(markAt(state.marks, point), point, at, event, under);
}

const middle = () => state.map.latLngToLayerPoint(state.map.getCenter());
const markInMiddle = () => markAt(state.marks, middle(), MIDDLE_PX);
const half = () => state.map.getSize().divideBy(2);

/** Open the mark nearest to the middle of the map: Enter on the map. */
export function enter() {
  const found = markInMiddle();
  if (found) openMark(found, middle(), half());
}

/* While the map has the focus, shows the text of the mark in its middle. */
function tell() {
  if (document.activeElement === state.map?.getContainer() && !pinned) tip(markInMiddle(), half());
}

function openMark(found, point, at, event, commune) {
  const { map } = state;
  const reports =
    found?.kind === "point"
      ? marksAt(state.marks, point).filter((one) => one.kind === "point")
      : [];
  unpin();
  if (found?.kind === "cluster") {
    if (found.box && map.getZoom() >= map.getMaxZoom()) list([found.box]);
    else map.setView(found.at, Math.min(map.getMaxZoom(), Math.floor(map.getZoom()) + 2));
  } else if (reports.length > 1) list(reports.map(({ at: [lat, lon] }) => [lat, lon, lat, lon]));
  else if (found?.kind === "point") change({ record: found.record, kind: null });
  else if (found?.of?.agencies?.length) pin(found, at);
  else if (found?.of?.code && state.drawn.names[found.of.code]) choose(found.of.code, event);
  else if (commune) choose(commune, event);
}

/* Selects reports that no zoom level separates by a box around them: the panel lists them. */
function list(boxes) {
  change({ box: boxAround(boxes), unit: null, record: null, kind: null });
}

/** Select a commune, or add or remove it with Ctrl or Shift; see `chosenAfter`. */
export function choose(code, event) {
  const units = here().has("box") ? [] : (here().get("unit") ?? "").split(",");
  const before = units.filter((one) => state.drawn.names[one]);
  const more = Boolean(event?.ctrlKey || event?.metaKey || event?.shiftKey);
  change({ unit: chosenAfter(before, code, more).join(","), box: null, record: null });
}

/** Functions that dash-leaflet calls for the operators' map. */
export const layers = {
  ground: () => ({
    fillColor: colour("land"),
    fillOpacity: 1,
    color: colour("land-line"),
    weight: 1,
    interactive: false,
  }),
  commune: communeStyle,
  opened(_feature, _layer, { map }) {
    if (root()) attach(map);
  },
  outlined(feature, outline, { map }) {
    if (!root()) return;
    attach(map);
    const { code } = feature.properties;
    state.outlines.set(code, outline);
    outline.on("remove", () => {
      if (state.outlines.get(code) === outline) state.outlines.delete(code);
    });
    outline.on("add", () => {
      outline.getElement()?.setAttribute("data-code", code);
      outline.setStyle(communeStyle(feature));
    });
    outline.on("mouseover", () => {
      under = code;
    });
    outline.on("mouseout", () => {
      if (under === code) under = null;
    });
    outline.on("click", () => {
      under = code;
    });
  },
};

/** The current state and how to refresh it, for gestures.js and the player. */
export const shown = { state, load, here };

/** Follow the address, and draw the page when it opens. */
export function install() {
  beforeNavigation(navigated);
  new MutationObserver(open).observe(document, { childList: true, subtree: true });
}
