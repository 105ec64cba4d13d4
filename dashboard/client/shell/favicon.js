/**
 * Draw the icon of a tab: the number of open alarms, in the shape of the most severe one.
 *
 * Triangle, diamond, circle, as everywhere; hatched if it is unknown. It is redrawn only when it
 * changes.
 */

const GROUND = "#2b3138";
const LIGHT = "#e8eaec";
const SILENT_MS = 10_000;
const CHECK_MS = 2_000;
const SHAPES = {
  1: { fill: "#d55e00", ink: "#fff", path: "M16 1 31.5 30H.5z", y: 27 },
  2: { fill: "#e69f00", ink: "#12161a", path: "M16 0 32 16 16 32 0 16z", y: 22 },
  3: { fill: "#0072b2", ink: "#fff", path: "M16 1a15 15 0 1 1 0 30 15 15 0 0 1 0-30z", y: 22 },
  0: {
    fill: LIGHT,
    ink: GROUND,
    path: "M3 1h26a2 2 0 0 1 2 2v26a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2z",
    y: 22,
  },
};
const CALM =
  `<rect width="32" height="32" rx="6" fill="${GROUND}"/>` +
  `<path d="M5 19h5l3-9 5 14 3-8h6" fill="none" stroke="${LIGHT}" stroke-width="3" ` +
  'stroke-linejoin="round" stroke-linecap="round"/>';
const UNKNOWN =
  '<defs><pattern id="h" width="8" height="8" patternTransform="rotate(45)" ' +
  `patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="${LIGHT}"/>` +
  '<rect width="4" height="8" fill="#68737d"/></pattern></defs>' +
  '<rect width="32" height="32" rx="6" fill="url(#h)"/>';

let shown = "";
let heardAt = 0;

function counted({ alarms, gravest }) {
  const { fill, ink, path, y } = SHAPES[gravest] ?? SHAPES[0];
  const number = alarms > 99 ? "99" : String(alarms);
  return (
    `<path d="${path}" fill="${fill}" stroke="${GROUND}" stroke-width="1"/>` +
    `<text x="16" y="${y}" font-family="sans-serif" font-weight="700" ` +
    `font-size="${number.length > 1 ? 15 : 18}" text-anchor="middle" fill="${ink}">${number}</text>`
  );
}

/**
 * Return the icon for a pulse: its drawing, and its meaning as text.
 *
 * @param {object} pulse - `alarms`, `gravest`, `heartbeat`, `problem`, `incomplete` of the push
 * @returns {[string, string]} the inner SVG; "" for calm, "?" for unknown, or `priority:count`
 */
export function sign(pulse) {
  if (pulse.problem || pulse.heartbeat === null) return [UNKNOWN, "?"];
  if (pulse.alarms) return [counted(pulse), `${pulse.gravest ?? ""}:${pulse.alarms}`];
  return pulse.incomplete ? [UNKNOWN, "?"] : [CALM, ""];
}

function show([drawing, letters]) {
  if (shown === drawing) return;
  shown = drawing;
  const link = document.querySelector("link[rel='icon']");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${drawing}</svg>`;
  link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  link.dataset.says = letters;
}

/** Callbacks named in Python: `favicon.draw` takes each pulse. */
export const callbacks = {
  draw(pulse) {
    if (!pulse) return;
    heardAt = performance.now();
    show(sign(pulse));
  },
};

/** Watch for silence: without pulses the number of alarms is unknown. */
export function install() {
  setInterval(() => {
    if (heardAt && performance.now() - heardAt > SILENT_MS) show([UNKNOWN, "?"]);
  }, CHECK_MS);
}
