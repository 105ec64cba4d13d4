/* How the map is drawn. Outlines are fetched once; a change of `hideout` only paints them anew. */
(() => {
  const colour = (name) => getComputedStyle(document.getElementById("wall")).getPropertyValue(`--${name}`).trim();
  const SVG = "http://www.w3.org/2000/svg";

  /* The hatch of what is unknown, as a pattern that the outlines of this page can be filled with. */
  function hatch() {
    if (!document.getElementById("hatch")) {
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("style", "position:absolute;width:0;height:0");
      svg.setAttribute("aria-hidden", "true");
      svg.innerHTML = `<defs><pattern id="hatch" width="14" height="14" patternTransform="rotate(45)" patternUnits="userSpaceOnUse"><rect width="14" height="14" fill="${colour("hatch-a")}"/><rect width="6" height="14" fill="${colour("hatch-b")}"/></pattern></defs>`;
      document.body.append(svg);
    }
    return "url(#hatch)";
  }

  /* Names that would cover each other move aside, the gravest staying where it is; for a name without any room its shape remains. */
  function arrange(map) {
    const taken = [], frame = map.getContainer().getBoundingClientRect(), rim = frame.width * 0.02, fade = frame.height * 0.03; // as its mask does
    for (const label of map.getContainer().querySelectorAll(".place")) {
      label.classList.remove("bare");
      const { width, height } = label.getBoundingClientRect();
      const base = label.parentElement.getBoundingClientRect();
      const up = height * 0.95, side = width / 2 + height * 0.4;
      const spots = [[0, -up], [side, 0], [-side, 0], [0, up], [side, -up], [-side, -up], [side, up], [-side, up], [0, 0], [0, -2 * up], [0, 2 * up], [side, -2 * up], [side, 2 * up]];
      const box = ([dx, dy]) => ({ left: base.left + dx - width / 2, right: base.left + dx + width / 2, top: base.top + dy - height / 2, bottom: base.top + dy + height / 2 });
      const free = (spot) => {
        const one = box(spot);
        return one.left >= frame.left + rim && one.right <= frame.right - rim && one.top >= frame.top + fade && one.bottom <= frame.bottom - fade
          && !taken.some((other) => one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top);
      };
      const spot = spots.find(free);
      label.classList.toggle("bare", !spot);
      const [dx, dy] = spot ?? [0, 0];
      label.style.marginLeft = `${dx}px`;
      label.style.marginTop = `${dy}px`;
      if (spot) taken.push(box(spot));
    }
  }

  /* What paints the outlines, kept here too: dash-leaflet forgets a hideout that arrives while it still fetches the outlines. */
  let hideout = {};
  const outlines = new Map();
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    map: {
      paint(news) {
        hideout = news ?? {};
        for (const layer of outlines.values()) layer.setStyle(window.ioc.map.commune(layer.feature));
      },
      /* Reports come as whole numbers, each as far from the one before: a tenth of what GeoJSON takes on the wire. */
      dots(flat) {
        const features = [];
        for (let n = 0, lat = 0, lon = 0; n < (flat?.length ?? 0); n += 2) {
          lat += flat[n]; lon += flat[n + 1];
          features.push({ type: "Feature", geometry: { type: "Point", coordinates: [lon / 1e4, lat / 1e4] }, properties: {} });
        }
        return { type: "FeatureCollection", features };
      },
    },
  });

  let pending = 0, watched = null;
  function later(map) {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => arrange(map));
  }

  /* Keep everything that was ever shown within the frame, whatever its size. */
  let extent = null, fitting = 0;
  function fit(map) {
    cancelAnimationFrame(fitting);
    fitting = requestAnimationFrame(() => {
      const { isConnected, clientWidth, clientHeight } = map.getContainer();
      if (!isConnected || !clientWidth || !clientHeight || !map.getPane("mapPane")) return;
      map.invalidateSize(false);
      map.fitBounds(extent, { animate: false, padding: [8, 8], maxZoom: 15 });
      later(map);
    });
  }

  function reach(map, box) {
    if (watched !== map) {
      watched = map;
      extent = null;
      new ResizeObserver(() => fit(map)).observe(map.getContainer());
      document.fonts?.ready.then(() => later(map));
    }
    if (extent?.contains(box)) return;
    extent = extent ? extent.extend(box) : L.latLngBounds(box.getSouthWest(), box.getNorthEast());
    fit(map);
  }

  window.ioc = Object.assign({}, window.ioc, {
    map: {
      colour, hatch, // for other maps of outlines
      ground: () => ({ fillColor: colour("land"), fillOpacity: 1, color: colour("land-line"), weight: 1.5, interactive: false }),
      commune(feature) {
        const code = feature.properties.code, call = hideout?.call?.[code], step = hideout?.step?.[code];
        const unknown = hideout?.unknown?.includes(code) || step === undefined;
        const fill = call ? colour(`p${call}`) : unknown ? hatch() : colour(`s${step}`);
        return { fillColor: fill, fillOpacity: 1, color: call ? colour("edge") : colour("border"), weight: call ? 2.5 : 1.4, lineJoin: "round" };
      },
      opened(feature, layer, { map }) {
        const { code } = feature.properties;
        outlines.set(code, layer);
        layer.on("remove", () => { if (outlines.get(code) === layer) outlines.delete(code); }); // the units of another day
        reach(map, layer.getBounds());
      },
      dot(_feature, at, { map, hideout: { fit } }) {
        if (fit) reach(map, L.latLngBounds(at, at)); // a place without outlines is where its reports lie
        const radius = Math.max(2, Number.parseFloat(getComputedStyle(document.getElementById("wall")).fontSize) * 0.07);
        return L.circleMarker(at, { radius, stroke: false, fillColor: colour("dot"), fillOpacity: 0.7, interactive: false, pane: "dots" });
      },
      label(feature, at, { map }) {
        const { name, mark } = feature.properties, place = document.createElement("div");
        place.className = "place";
        place.append(Object.assign(document.createElement("i"), { className: `shape ${mark}` }), Object.assign(document.createElement("span"), { textContent: name }));
        later(map);
        return L.marker(at, { icon: L.divIcon({ className: "", html: place, iconSize: [0, 0] }), interactive: false, keyboard: false });
      },
    },
  });
})();
