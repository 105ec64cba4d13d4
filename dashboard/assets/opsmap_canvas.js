/* Draws what lies on the operators' map: one canvas for all marks, moved by the browser while the map is dragged, drawn anew when it
   comes to rest or when news comes. What was drawn can be asked for by place, so that marks can be pointed at. */
(() => {
  const TAU = 2 * Math.PI, FONT = '"Noto Sans IOC", "Noto Sans", sans-serif';
  const REACH = 6, CLOSE = 9.6, NAMED = 200;
  let Canvas = null;

  /* Leaflet's own renderer knows how a drawing follows drags and zooms; this one paints whatever it is told to. */
  function canvas() {
    return Canvas ??= L.Renderer.extend({
      options: { padding: 0.4 },
      _initContainer() { this._container = document.createElement("canvas"); this._container.className = "marks"; this._container.setAttribute("aria-hidden", "true"); },
      _destroyContainer() { this._container.remove(); this._container = null; },
      _update() {
        if (this._map._animatingZoom && this._bounds) return;
        L.Renderer.prototype._update.call(this);
        const size = this._bounds.getSize(), ratio = window.devicePixelRatio || 1, box = this._container;
        L.DomUtil.setPosition(box, this._bounds.min);
        if (box.width !== Math.round(size.x * ratio) || box.height !== Math.round(size.y * ratio)) {
          box.width = Math.round(size.x * ratio); box.height = Math.round(size.y * ratio);
          box.style.width = `${size.x}px`; box.style.height = `${size.y}px`;
        }
        this.redraw();
      },
      redraw() {
        if (!this._map || !this._bounds) return;
        const ratio = window.devicePixelRatio || 1, context = this._container.getContext("2d");
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, this._container.width, this._container.height);
        context.translate(-this._bounds.min.x, -this._bounds.min.y);
        this.options.paint(context, this._bounds);
      },
      /* Whether what is seen now is within what was drawn. */
      covers() {
        const min = this._map.containerPointToLayerPoint([0, 0]);
        return !this._bounds || this._bounds.contains(L.bounds(min, min.add(this._map.getSize())));
      },
    });
  }

  const PAINTED = new Set(["communes", "feedback", "overdue", "flows", "meetings", "sources", "alarms"]); // layers that are drawn in a way of their own
  const NAMES = ["ink", "card", "halo", "edge", "quiet", "p1", "p2", "p3", "hatch-a", "hatch-b", "s1", "s3", "s4", "live"];
  function palette() {
    const style = getComputedStyle(document.getElementById("wall")), read = (name) => style.getPropertyValue(`--${name}`).trim();
    return Object.assign(Object.fromEntries(NAMES.map((name) => [name, read(name)])), { heat: [0, 1, 2, 3, 4].map((n) => read(`h${n}`)) });
  }

  /* What is drawn at `state`: `drawn` (of the server), `reports` (of the view), `map`. Fills `state.marks`. */
  function painter(state) {
    let colours = null, numbers = null;
    const widths = new Map();

    function paint(g, bounds) {
      if (!state.drawn) return;
      colours ??= palette();
      numbers ??= new Intl.NumberFormat(state.words.locale, { notation: "compact" });
      const map = state.map, near = bounds.min.subtract([60, 60]), far = bounds.max.add([60, 60]);
      const point = (at) => map.latLngToLayerPoint(at), seen = (p) => p.x > near.x && p.y > near.y && p.x < far.x && p.y < far.y;
      const marks = state.marks = [], d = state.drawn;
      const mark = (p, r, of, more = {}) => marks.push({ x: p.x, y: p.y, r, title: of.title, told: of.told ?? [], of, ...more });
      const slots = ["overdue", "meetings", "sources"].filter((one) => d[one]?.length).length > 1;
      const slot = (p, x, y) => (slots ? L.point(p.x + x, p.y + y) : p);
      g.lineJoin = "round";
      if (state.reports?.as === "heat") heat(g, bounds, state.reports.cells, point, seen);
      flows(g, d.flows ?? [], point, mark);
      const most = Math.max(1, ...(d.overdue ?? []).map((one) => one.n));
      for (const one of d.overdue ?? []) { const p = point(one.at); if (seen(p)) { const r = 7 + 13 * Math.sqrt(one.n / most); square(g, p, r, colours.s4, colours.halo); text(g, numbers.format(one.n), p, colours.card, r > 11 ? 12 : 10); mark(p, r, one, { kind: "overdue" }); } }
      if (state.reports?.as === "clusters") for (const one of merged(state.reports.cells, point)) if (seen(one.p)) cluster(g, one, mark);
      if (state.reports?.as === "points") for (const one of state.reports.points) { const p = point([one[0], one[1]]); if (seen(p)) report(g, p, one, mark); }
      for (const one of d.meetings ?? []) { const p = slot(point(one.at), -15, 11); if (seen(p)) { site(g, p, one); mark(p, 9, one, { kind: "meetings" }); } }
      for (const one of d.sources ?? []) { const p = slot(point(one.at), 15, 11); if (seen(p)) { feed(g, p, one.state); mark(p, 9, one, { kind: "sources" }); } }
      for (const name of d.layers.filter((one) => !PAINTED.has(one))) for (const one of d[name] ?? []) {
        const p = point(one.at);
        if (seen(p)) { square(g, p, 9, colours.s4, colours.halo); text(g, numbers.format(one.n), p, colours.card, 10); mark(p, 9, one, { kind: name }); }
      }
      for (const one of [...(d.alarms ?? [])].sort((a, b) => b.priority - a.priority)) {
        const p = beside(point(one.at), marks);
        if (seen(p)) { call(g, p, one.priority, 10); if (one.n > 1) text(g, `×${one.n}`, L.point(p.x + 18, p.y), colours.ink, 12, colours.halo); mark(p, 12, one, { kind: "alarms" }); }
      }
      if (d.chosen.box) frame(g, d.chosen.box, point);
      if (d.chosen.agency) ring(g, point(d.chosen.agency), 17);
      if (d.chosen.record) { const p = point(d.chosen.record.at); ring(g, p, 13); ring(g, p, 4); label(g, d.chosen.record.title, L.point(p.x, p.y - 22), []); }
      names(g, d, point, seen, marks);
    }

    /* A place by a commune's middle where an alarm hides no number. */
    const PLACES = [[0, 0], [0, -20], [24, -14], [-24, -14], [26, 10], [-26, 10], [0, 28], [0, -40], [40, -28], [-40, -28]];
    function beside(at, marks) {
      const free = ([x, y]) => marks.every((one) => one.kind === "flow" || one.kind === "point" || Math.hypot(one.x - at.x - x, one.y - at.y - y) > 0.75 * one.r + 9);
      const [x, y] = PLACES.find(free) ?? PLACES[1];
      return L.point(at.x + x, at.y + y);
    }
    function shape(g, fill, edge, width = 2) { g.fillStyle = fill; g.fill(); if (edge) { g.strokeStyle = edge; g.lineWidth = width; g.stroke(); } }
    function disc(g, p, r) { g.beginPath(); g.arc(p.x, p.y, r, 0, TAU); }
    function box(g, p, r) { g.beginPath(); g.rect(p.x - r, p.y - r, 2 * r, 2 * r); }
    function square(g, p, r, fill, edge) { g.beginPath(); g.roundRect(p.x - r, p.y - r, 2 * r, 2 * r, 3); shape(g, fill, edge, 2); }
    function diamond(g, p, r) { g.beginPath(); g.moveTo(p.x, p.y - r); g.lineTo(p.x + r, p.y); g.lineTo(p.x, p.y + r); g.lineTo(p.x - r, p.y); g.closePath(); }
    function triangle(g, p, r) { g.beginPath(); g.moveTo(p.x, p.y - r); g.lineTo(p.x + r, p.y + 0.85 * r); g.lineTo(p.x - r, p.y + 0.85 * r); g.closePath(); }
    function ring(g, p, r) { disc(g, p, r); g.strokeStyle = colours.halo; g.lineWidth = 6; g.stroke(); g.strokeStyle = colours.ink; g.lineWidth = 2.5; g.stroke(); }
    function hatched(g, p, r, edge) { g.save(); box(g, p, r); shape(g, colours["hatch-a"]); g.clip(); g.strokeStyle = colours["hatch-b"]; g.lineWidth = 2; for (let k = -2 * r; k < 2 * r; k += 5) { g.beginPath(); g.moveTo(p.x + k - r, p.y + r); g.lineTo(p.x + k + r, p.y - r); g.stroke(); } g.restore(); box(g, p, r); g.strokeStyle = edge; g.lineWidth = 2; g.stroke(); }
    function cross(g, p, r) { g.beginPath(); g.moveTo(p.x - r, p.y - r); g.lineTo(p.x + r, p.y + r); g.moveTo(p.x + r, p.y - r); g.lineTo(p.x - r, p.y + r); g.strokeStyle = colours.edge; g.lineWidth = 2; g.stroke(); }
    function text(g, words, p, fill, size, halo) { g.font = `650 ${size}px ${FONT}`; g.textAlign = "center"; g.textBaseline = "middle"; if (halo) { g.strokeStyle = halo; g.lineWidth = 4; g.strokeText(words, p.x, p.y + 0.5); } g.fillStyle = fill; g.fillText(words, p.x, p.y + 0.5); }

    function call(g, p, priority, r) {
      if (priority === 1) triangle(g, p, r); else if (priority === 2) diamond(g, p, r); else if (priority === 3) disc(g, p, 0.8 * r); else { hatched(g, p, 0.8 * r, colours.edge); return; }
      g.strokeStyle = colours.halo; g.lineWidth = 5; g.stroke();
      shape(g, colours[`p${priority}`], colours.edge, 2);
    }
    function feed(g, p, state) {
      if (state === "late") { diamond(g, p, 8); shape(g, colours.p2, colours.edge, 1.5); }
      else if (state === "silent") hatched(g, p, 7, colours.p3);
      else if (state === "malformed") { hatched(g, p, 7, colours.p2); cross(g, p, 4); }
      else if (state === "never") hatched(g, p, 6, colours["hatch-b"]);
      else { disc(g, p, state === "live" ? 5 : 4); shape(g, state === "live" ? colours.s4 : colours.halo, state === "live" ? colours.halo : colours.s4, 1.5); }
    }
    function site(g, p, one) {
      if (one.hosts) { box(g, p, 9); shape(g, colours.halo, colours.ink, 1.5); }
      box(g, p, 5.5);
      if (one.state === "coming") g.setLineDash([3, 2]);
      shape(g, one.state === "connected" ? colours.ink : colours.halo, colours.ink, 1.5);
      g.setLineDash([]);
      if (one.state === "missing") cross(g, p, 5.5);
    }
    function report(g, p, one, mark) {
      const [, , category, standing, number] = one;
      if (standing === "late") { diamond(g, p, 6.5); shape(g, colours.p2, colours.edge, 1.5); }
      else { disc(g, p, 4.2); shape(g, standing === "closed" ? colours.halo : colours.ink, standing === "closed" ? colours.s4 : colours.halo, 1.5); }
      mark(p, 6, { title: number, told: [`${state.drawn.categories[category] ?? category} · ${state.words[standing] ?? standing}`] }, { kind: "point", record: `feedback/${number}`, category, at: [one[0], one[1]] });
    }

    /* Cells whose discs would lie over each other become one, where the larger lies. Only discs in the squares around can. */
    const SQUARE = 70;
    function merged(cells, point) {
      const found = [], near = new Map(), key = (x, y) => x * 65536 + y;
      for (const [lat, lon, n, overdue, ...box] of cells) {
        const p = point([lat, lon]), r = radius(n), column = Math.floor(p.x / SQUARE), row = Math.floor(p.y / SQUARE);
        let over = null;
        for (let x = column - 1; x <= column + 1 && !over; x += 1) {
          for (let y = row - 1; y <= row + 1 && !over; y += 1) over = near.get(key(x, y))?.find((one) => Math.hypot(one.p.x - p.x, one.p.y - p.y) < one.r + r - 3);
        }
        if (over) { over.n += n; over.overdue += overdue; over.r = radius(over.n); over.box &&= over.box.map((edge, k) => Math[k < 2 ? "min" : "max"](edge, box[k])); continue; }
        const one = { p, r, n, overdue, at: [lat, lon], box: box.length ? box : null }, its = near.get(key(column, row));
        found.push(one);
        if (its) its.push(one); else near.set(key(column, row), [one]);
      }
      return found;
    }
    const radius = (n) => (n === 1 ? 6 : Math.min(34, 9 + 2.6 * Math.log2(n)));
    function cluster(g, one, mark) {
      const { p, r, n, overdue } = one, count = numbers.format(n);
      disc(g, p, r); shape(g, colours.card, colours.halo, 5);
      disc(g, p, r); g.strokeStyle = colours.s4; g.lineWidth = 2; g.stroke();
      if (overdue) { g.beginPath(); g.arc(p.x, p.y, r, -TAU / 4, -TAU / 4 + TAU * Math.max(0.04, overdue / n)); g.strokeStyle = colours.p2; g.lineWidth = 4; g.stroke(); diamond(g, L.point(p.x, p.y - r), 5); shape(g, colours.p2, colours.edge, 1.5); }
      if (n > 1) text(g, count, p, colours.ink, r > 18 ? 13 : 11); else { disc(g, p, 3); shape(g, colours.ink); }
      const said = [`${state.words.reports}: ${n.toLocaleString(state.words.locale)}`, overdue ? `${state.words.overdue}: ${overdue.toLocaleString(state.words.locale)}` : ""];
      mark(p, r, { title: said[0], told: said.slice(1).filter(Boolean) }, { kind: "cluster", at: one.at, box: one.box });
    }

    /* Density: stamps of the cells laid over each other on a coarse grid, coloured by its classes and stretched. */
    const GRAIN = 6, SPREAD = 26 / GRAIN, small = document.createElement("canvas");
    function heat(g, bounds, cells, point, seen) {
      const size = bounds.getSize(), width = Math.ceil(size.x / GRAIN), height = Math.ceil(size.y / GRAIN);
      if (!width || !height) return;
      const counts = cells.map((one) => one[2]).sort((a, b) => a - b), full = Math.max(2, counts[Math.floor(counts.length * 0.97)] ?? 2);
      const ground = new Float32Array(width * height);
      for (const [lat, lon, n] of cells) {
        const p = point([lat, lon]);
        if (!seen(p)) continue;
        const x = (p.x - bounds.min.x) / GRAIN - 0.5, y = (p.y - bounds.min.y) / GRAIN - 0.5, strength = Math.min(1, 0.15 + 0.85 * (n / full));
        const right = Math.min(width - 1, Math.floor(x + SPREAD)), bottom = Math.min(height - 1, Math.floor(y + SPREAD));
        for (let row = Math.max(0, Math.ceil(y - SPREAD)); row <= bottom; row += 1) {
          for (let column = Math.max(0, Math.ceil(x - SPREAD)); column <= right; column += 1) {
            const away = Math.sqrt((column - x) ** 2 + (row - y) ** 2) / SPREAD, k = row * width + column;
            if (away < 1) ground[k] += strength * (1 - away) * (1 - ground[k]);
          }
        }
      }
      small.width = width; small.height = height;
      const h = small.getContext("2d"), picture = h.createImageData(width, height), table = ramp();
      for (let k = 0; k < ground.length; k += 1) {
        const alpha = Math.round(255 * ground[k]);
        if (!alpha) continue;
        const [red, green, blue] = table[alpha];
        picture.data.set([red, green, blue, Math.min(225, 50 + 2 * alpha)], 4 * k);
      }
      h.putImageData(picture, 0, 0);
      g.imageSmoothingEnabled = true;
      g.drawImage(small, bounds.min.x, bounds.min.y, width * GRAIN, height * GRAIN);
    }
    let stops = null;
    function ramp() {
      if (stops) return stops;
      const of = colours.heat.map((hex) => [1, 3, 5].map((k) => Number.parseInt(hex.slice(k, k + 2), 16)));
      stops = Array.from({ length: 256 }, (_, alpha) => { const at = Math.min(3.999, (alpha / 255) * 4), k = Math.floor(at); return of[k].map((from, c) => Math.round(from + (of[k + 1][c] - from) * (at - k))); });
      return stops;
    }

    function flows(g, edges, point, mark) {
      const most = Math.max(1, ...edges.map((one) => one.n));
      for (const one of [...edges].reverse()) {
        const a = point(one.at), b = point(one.to), length = Math.hypot(b.x - a.x, b.y - a.y);
        if (length < 8) continue;
        const way = L.point((b.x - a.x) / length, (b.y - a.y) / length), bend = 0.16 * length, end = L.point(b.x - way.x * 9, b.y - way.y * 9);
        const c = L.point((a.x + b.x) / 2 - way.y * bend, (a.y + b.y) / 2 + way.x * bend), width = 1.2 + 6 * Math.sqrt(one.n / most);
        const line = () => { g.beginPath(); g.moveTo(a.x, a.y); g.quadraticCurveTo(c.x, c.y, end.x, end.y); };
        g.globalAlpha = 0.5; g.strokeStyle = colours.halo; g.lineWidth = width + 2.5; line(); g.stroke();
        g.globalAlpha = one.late ? 1 : 0.75; g.strokeStyle = one.late ? colours.p2 : one.slow ? colours.ink : colours.s3; g.lineWidth = width;
        if (one.slow) g.setLineDash([8, 5]);
        line(); g.stroke(); g.setLineDash([]);
        const last = Math.atan2(end.y - c.y, end.x - c.x), size = 5 + width;
        g.beginPath(); g.moveTo(b.x, b.y); g.lineTo(b.x - size * 1.6 * Math.cos(last - 0.42), b.y - size * 1.6 * Math.sin(last - 0.42)); g.lineTo(b.x - size * 1.6 * Math.cos(last + 0.42), b.y - size * 1.6 * Math.sin(last + 0.42)); g.closePath();
        g.fillStyle = g.strokeStyle; g.fill(); g.globalAlpha = 1;
        for (let t = 0.1; t < 1; t += 0.1) mark(L.point((1 - t) ** 2 * a.x + 2 * t * (1 - t) * c.x + t * t * b.x, (1 - t) ** 2 * a.y + 2 * t * (1 - t) * c.y + t * t * b.y), 3, one, { kind: "flow" });
      }
    }
    function frame(g, [west, south, east, north], point) {
      const a = point([north, west]), b = point([south, east]);
      g.beginPath(); g.rect(a.x, a.y, b.x - a.x, b.y - a.y);
      g.strokeStyle = colours.halo; g.lineWidth = 5; g.stroke();
      g.strokeStyle = colours.ink; g.lineWidth = 2; g.setLineDash([7, 4]); g.stroke(); g.setLineDash([]);
    }

    /* Names of communes where they have room: what is chosen first; a name never lies over a mark or another name. */
    function names(g, d, point, seen, marks) {
      const taken = marks.filter((one) => one.kind !== "flow" && one.kind !== "point").map((one) => [one.x - one.r, one.y - one.r, one.x + one.r, one.y + one.r]);
      state.labels = [];
      const chosen = new Set(d.chosen.communes), all = state.map.getZoom() >= CLOSE;
      const codes = Object.keys(d.spots).slice(0, NAMED * 2).filter((code) => all || chosen.has(code)).sort((a, b) => chosen.has(b) - chosen.has(a));
      for (const code of codes) {
        const p = point(d.spots[code]);
        if (!seen(p)) continue;
        for (const dy of [0, 20, -20, 34, -36]) if (label(g, d.names[code], L.point(p.x, p.y + dy), taken, chosen.has(code))) break;
      }
    }
    function label(g, words, p, taken, strong = true) {
      g.font = `${strong ? 700 : 550} 12.5px ${FONT}`;
      const key = `${strong}${words}`;
      if (!widths.has(key)) widths.set(key, g.measureText(words).width);
      const half = widths.get(key) / 2 + 3, one = [p.x - half, p.y - 9, p.x + half, p.y + 9];
      if (taken.some((other) => one[0] < other[2] && one[2] > other[0] && one[1] < other[3] && one[3] > other[1])) return false;
      taken.push(one);
      state.labels?.push([words, ...one]);
      g.textAlign = "center"; g.textBaseline = "middle";
      g.strokeStyle = colours.halo; g.lineWidth = 4; g.strokeText(words, p.x, p.y);
      g.fillStyle = colours.ink; g.fillText(words, p.x, p.y);
      return true;
    }
    return paint;
  }

  window.ioc = Object.assign({}, window.ioc, {
    marks: {
      layer: (state) => new (canvas())({ pane: "marks", paint: painter(state) }),
      /* The topmost mark at a point of the layer. */
      at(marks, p, reach = REACH) {
        let best = null, near = Infinity;
        for (let k = (marks?.length ?? 0) - 1; k >= 0; k -= 1) {
          const away = Math.hypot(marks[k].x - p.x, marks[k].y - p.y) - marks[k].r;
          if (away < reach && away < near) { near = away; best = marks[k]; if (away <= 0) break; }
        }
        return best;
      },
      /* All marks at a point. */
      all: (marks, p) => marks.filter((one) => Math.hypot(one.x - p.x, one.y - p.y) < one.r + REACH),
    },
  });
})();
