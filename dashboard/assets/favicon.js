/* The sign of a tab tells how many alarms are open, and by its shape the gravest: triangle, diamond, circle, as everywhere. Hatch when
   it is not known. It is drawn anew only when it changes. */
(() => {
  const GROUND = "#2b3138", LIGHT = "#e8eaec", SILENT_MS = 10_000;
  const SHAPES = {
    1: { fill: "#d55e00", ink: "#fff", path: "M16 1 31.5 30H.5z", y: 27 },
    2: { fill: "#e69f00", ink: "#12161a", path: "M16 0 32 16 16 32 0 16z", y: 22 },
    3: { fill: "#0072b2", ink: "#fff", path: "M16 1a15 15 0 1 1 0 30 15 15 0 0 1 0-30z", y: 22 },
    0: { fill: LIGHT, ink: GROUND, path: "M3 1h26a2 2 0 0 1 2 2v26a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2z", y: 22 },
  };
  const CALM = `<rect width="32" height="32" rx="6" fill="${GROUND}"/><path d="M5 19h5l3-9 5 14 3-8h6" fill="none" stroke="${LIGHT}" stroke-width="3" stroke-linejoin="round" stroke-linecap="round"/>`;
  const UNKNOWN = `<defs><pattern id="h" width="8" height="8" patternTransform="rotate(45)" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="${LIGHT}"/><rect width="4" height="8" fill="#68737d"/></pattern></defs><rect width="32" height="32" rx="6" fill="url(#h)"/>`;
  let shown = "", heard = 0;

  function calling({ alarms, gravest }) {
    const { fill, ink, path, y } = SHAPES[gravest] ?? SHAPES[0], many = alarms > 99 ? "99" : String(alarms);
    return `<path d="${path}" fill="${fill}" stroke="${GROUND}" stroke-width="1"/><text x="16" y="${y}" font-family="sans-serif" font-weight="700" font-size="${many.length > 1 ? 15 : 18}" text-anchor="middle" fill="${ink}">${many}</text>`;
  }

  function put(drawing, said) {
    if (shown === drawing) return;
    shown = drawing;
    const link = document.querySelector("link[rel='icon']");
    link.href = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${drawing}</svg>`)}`;
    link.dataset.says = said;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    favicon: {
      draw(pulse) {
        if (!pulse) return;
        heard = performance.now();
        if (pulse.problem || pulse.heartbeat === null) put(UNKNOWN, "?");
        else if (pulse.alarms) put(calling(pulse), `${pulse.gravest ?? ""}:${pulse.alarms}`);
        else put(pulse.incomplete ? UNKNOWN : CALM, pulse.incomplete ? "?" : "");
      },
    },
  });
  setInterval(() => { if (heard && performance.now() - heard > SILENT_MS) put(UNKNOWN, "?"); }, 2000);
})();
