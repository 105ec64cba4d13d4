/**
 * Draw the wall's map; share colours and the hatch with other maps of outlines.
 *
 * Outlines are fetched once; a change of `hideout` only repaints them.
 */

import { isStanding, leaflet } from "../adapter.js";
import { make } from "../shell/text.js";
import { decodeDots, placeLabel } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const RIM = 0.02; // shares of the frame that its mask fades; no name is placed there
const FADE = 0.03;

/** Return a colour of the page's theme. */
export const colour = (name) =>
  getComputedStyle(document.getElementById("wall")).getPropertyValue(`--${name}`).trim();

/** Return the fill of unknown communes: a hatch pattern of this page. */
export function hatch() {
  if (!document.getElementById("hatch")) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("style", "position:absolute;width:0;height:0");
    svg.setAttribute("aria-hidden", "true");
    svg.innerHTML =
      '<defs><pattern id="hatch" width="14" height="14" patternTransform="rotate(45)" ' +
      'patternUnits="userSpaceOnUse">' +
      `<rect width="14" height="14" fill="${colour("hatch-a")}"/>` +
      `<rect width="6" height="14" fill="${colour("hatch-b")}"/></pattern></defs>`;
    document.body.append(svg);
  }
  return "url(#hatch)";
}

/* Move overlapping names aside, keeping that of the most severe alarm in place; a name without
   room is reduced to its shape. */
function arrange(map) {
  const { left, right, top, bottom, width, height } = map.getContainer().getBoundingClientRect();
  const [rim, fade] = [width * RIM, height * FADE];
  const frame = [left + rim, top + fade, right - rim, bottom - fade];
  const taken = [];
  for (const label of map.getContainer().querySelectorAll(".place")) {
    label.classList.remove("bare");
    const size = label.getBoundingClientRect();
    const base = label.parentElement.getBoundingClientRect();
    const name = { x: base.left, y: base.top, width: size.width, height: size.height };
    const found = placeLabel(name, frame, taken);
    label.classList.toggle("bare", !found);
    const [dx, dy] = found?.spot ?? [0, 0];
    label.style.marginLeft = `${dx}px`;
    label.style.marginTop = `${dy}px`;
    if (found) taken.push(found.box);
  }
}

let arranging = 0;
function arrangeLater(map) {
  cancelAnimationFrame(arranging);
  arranging = requestAnimationFrame(() => arrange(map));
}

let watched = null;
let extent = null;
let fitting = 0;

/* Fits everything ever shown into the frame, whatever its size. */
function fitLater(map) {
  cancelAnimationFrame(fitting);
  fitting = requestAnimationFrame(() => {
    const { clientWidth, clientHeight } = map.getContainer();
    if (!clientWidth || !clientHeight || !isStanding(map)) return;
    map.invalidateSize(false);
    map.fitBounds(extent, { animate: false, padding: [8, 8], maxZoom: 15 });
    arrangeLater(map);
  });
}

function include(map, box) {
  if (watched !== map) {
    watched = map;
    extent = null;
    new ResizeObserver(() => fitLater(map)).observe(map.getContainer());
    document.fonts?.ready.then(() => arrangeLater(map));
  }
  if (extent?.contains(box)) return;
  extent = extent
    ? extent.extend(box)
    : leaflet().latLngBounds(box.getSouthWest(), box.getNorthEast());
  fitLater(map);
}

/* The newest hideout, kept here too: dash-leaflet drops one that arrives while it still fetches the
   outlines. */
let hideout = {};
const outlines = new Map(); // code of a commune → its outline

function communeStyle(feature) {
  const { code } = feature.properties;
  const alarm = hideout?.call?.[code];
  const step = hideout?.step?.[code];
  const unknown = hideout?.unknown?.includes(code) || step === undefined;
  const fill = alarm ? colour(`p${alarm}`) : unknown ? hatch() : colour(`s${step}`);
  const edge = alarm ? colour("edge") : colour("border");
  const weight = alarm ? 2.5 : 1.4;
  return { fillColor: fill, fillOpacity: 1, color: edge, weight, lineJoin: "round" };
}

/** Callbacks named in Python: `outlines.paint` takes a hideout, `outlines.dots` decodes reports. */
export const callbacks = {
  paint(news) {
    hideout = news ?? {};
    for (const layer of outlines.values()) layer.setStyle(communeStyle(layer.feature));
  },
  dots: decodeDots,
};

/** Functions that dash-leaflet calls for the wall's map: styles, and layers for points. */
export const layers = {
  ground: () => ({
    fillColor: colour("land"),
    fillOpacity: 1,
    color: colour("land-line"),
    weight: 1.5,
    interactive: false,
  }),
  commune: communeStyle,
  opened(feature, layer, { map }) {
    const { code } = feature.properties;
    outlines.set(code, layer);
    layer.on("remove", () => {
      if (outlines.get(code) === layer) outlines.delete(code); // the units of another day
    });
    include(map, layer.getBounds());
  },
  dot(_feature, at, { map, hideout: { fit } }) {
    const L = leaflet();
    // A province without outlines is shown by the positions of its reports.
    if (fit) include(map, L.latLngBounds(at, at));
    const letter = getComputedStyle(document.getElementById("wall")).fontSize;
    return L.circleMarker(at, {
      radius: Math.max(2, Number.parseFloat(letter) * 0.07),
      stroke: false,
      fillColor: colour("dot"),
      fillOpacity: 0.7,
      interactive: false,
      pane: "dots",
    });
  },
  label(feature, at, { map }) {
    const L = leaflet();
    const { name, mark } = feature.properties;
    const place = make("div", { className: "place" });
    place.append(make("i", { className: `shape ${mark}` }), make("span", { textContent: name }));
    arrangeLater(map);
    const icon = L.divIcon({ className: "", html: place, iconSize: [0, 0] });
    return L.marker(at, { icon, interactive: false, keyboard: false });
  },
};
