/**
 * Paint the operators' map onto one canvas: reports, alarms, flows, meetings, sources, names. The
 * painted marks are kept with their positions, so that they can be pointed at.
 */

import { colour } from "./outlines.js";
import { colourRamp, mergeCells, overlap, placeBeside } from "./geometry.js";

const TAU = 2 * Math.PI;
const FONT = '"Noto Sans IOC", "Noto Sans", sans-serif';
const NEAR_PX = 60;
const NAMES_FROM_ZOOM = 9.6;
const MAX_NAMES = 400;
const HEAT_GRAIN_PX = 6;
const HEAT_SPREAD = 26 / HEAT_GRAIN_PX;
const COLOURS = [
  ...["ink", "card", "halo", "edge", "quiet", "p1", "p2", "p3"],
  ...["hatch-a", "hatch-b", "s1", "s3", "s4", "live"],
];
/* Layers with a painter of their own; any other is a number in a square. */
const PAINTED = new Set([
  ...["communes", "feedback", "overdue", "flows"],
  ...["meetings", "sources", "alarms"],
]);
const HEAT_COLOURS = ["h0", "h1", "h2", "h3", "h4"];

/* --- shapes: paths at a point `p` of a radius `r`, on a canvas `g` --- */

const pointAt = (x, y) => ({ x, y });

function fill(g, inside, edge, width = 2) {
  g.fillStyle = inside;
  g.fill();
  if (edge) stroke(g, edge, width);
}

function stroke(g, edge, width) {
  g.strokeStyle = edge;
  g.lineWidth = width;
  g.stroke();
}

function path(g, points) {
  g.beginPath();
  points.forEach(([x, y], number) => (number ? g.lineTo(x, y) : g.moveTo(x, y)));
}

function disc(g, p, r) {
  g.beginPath();
  g.arc(p.x, p.y, r, 0, TAU);
}

function box(g, p, r) {
  g.beginPath();
  g.rect(p.x - r, p.y - r, 2 * r, 2 * r);
}

function square(g, p, r, inside, edge) {
  g.beginPath();
  g.roundRect(p.x - r, p.y - r, 2 * r, 2 * r, 3);
  fill(g, inside, edge, 2);
}

function diamond(g, { x, y }, r) {
  path(g, [
    [x, y - r],
    [x + r, y],
    [x, y + r],
    [x - r, y],
  ]);
  g.closePath();
}

function triangle(g, { x, y }, r) {
  path(g, [
    [x, y - r],
    [x + r, y + 0.85 * r],
    [x - r, y + 0.85 * r],
  ]);
  g.closePath();
}

function text(g, words, p, inside, size, halo) {
  g.font = `650 ${size}px ${FONT}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  if (halo) {
    g.strokeStyle = halo;
    g.lineWidth = 4;
    g.strokeText(words, p.x, p.y + 0.5);
  }
  g.fillStyle = inside;
  g.fillText(words, p.x, p.y + 0.5);
}

function palette() {
  const named = Object.fromEntries(COLOURS.map((name) => [name, colour(name)]));
  return { ...named, heat: colourRamp(HEAT_COLOURS.map(colour)) };
}

/**
 * Return a function that paints the map's state and fills `state.marks` and `state.labels`.
 *
 * @param {object} state - of map/page.js: `map`, `words`, `drawn` (the server's marks) and
 *   `reports` (of the view)
 * @returns {(g: CanvasRenderingContext2D, bounds: object) => void}
 */
export function painter(state) {
  let colours = null;
  let numbers = null;
  const widths = new Map(); // a name as it is set → its width in px
  const small = document.createElement("canvas");

  const project = (at) => state.map.latLngToLayerPoint(at);
  const local = (n) => n.toLocaleString(state.words.locale);

  function mark(p, r, of, more = {}) {
    const { title, text: lines = [] } = of;
    state.marks.push({ x: p.x, y: p.y, r, title, text: lines, of, ...more });
  }

  function paint(g, bounds) {
    if (!state.drawn) return;
    colours ??= palette();
    numbers ??= new Intl.NumberFormat(state.words.locale, { notation: "compact" });
    const { drawn, reports } = state;
    const near = bounds.min.subtract([NEAR_PX, NEAR_PX]);
    const far = bounds.max.add([NEAR_PX, NEAR_PX]);
    const isSeen = (p) => p.x > near.x && p.y > near.y && p.x < far.x && p.y < far.y;
    state.marks = [];
    g.lineJoin = "round";
    if (reports?.as === "heat") paintHeat(g, bounds, reports.cells, isSeen);
    paintFlows(g, drawn.flows ?? []);
    paintOverdue(g, drawn.overdue ?? [], isSeen);
    if (reports?.as === "clusters") {
      for (const one of mergeCells(reports.cells, project)) if (isSeen(one.p)) cluster(g, one);
    }
    if (reports?.as === "points") {
      for (const one of reports.points) {
        const p = project([one[0], one[1]]);
        if (isSeen(p)) report(g, p, one);
      }
    }
    paintSites(g, drawn, isSeen);
    paintNumbers(g, drawn, isSeen);
    paintAlarms(g, drawn.alarms ?? [], isSeen);
    paintChosen(g, drawn.chosen);
    paintNames(g, drawn, isSeen);
  }

  function paintOverdue(g, all, isSeen) {
    const most = Math.max(1, ...all.map((one) => one.n));
    for (const one of all) {
      const p = project(one.at);
      if (!isSeen(p)) continue;
      const r = 7 + 13 * Math.sqrt(one.n / most);
      square(g, p, r, colours.s4, colours.halo);
      text(g, numbers.format(one.n), p, colours.card, r > 11 ? 12 : 10);
      mark(p, r, one, { kind: "overdue" });
    }
  }

  /* If several of these layers are on, meetings stand below a commune's centre at the left, sources
     at the right. */
  function paintSites(g, drawn, isSeen) {
    const layers = ["overdue", "meetings", "sources"].filter((one) => drawn[one]?.length);
    const aside = (p, x, y) => (layers.length > 1 ? pointAt(p.x + x, p.y + y) : p);
    for (const one of drawn.meetings ?? []) {
      const p = aside(project(one.at), -15, 11);
      if (!isSeen(p)) continue;
      site(g, p, one);
      mark(p, 9, one, { kind: "meetings" });
    }
    for (const one of drawn.sources ?? []) {
      const p = aside(project(one.at), 15, 11);
      if (!isSeen(p)) continue;
      feed(g, p, one.state);
      mark(p, 9, one, { kind: "sources" });
    }
  }

  function paintNumbers(g, drawn, isSeen) {
    for (const name of drawn.layers.filter((one) => !PAINTED.has(one))) {
      for (const one of drawn[name] ?? []) {
        const p = project(one.at);
        if (!isSeen(p)) continue;
        square(g, p, 9, colours.s4, colours.halo);
        text(g, numbers.format(one.n), p, colours.card, 10);
        mark(p, 9, one, { kind: name });
      }
    }
  }

  function paintAlarms(g, alarms, isSeen) {
    for (const one of [...alarms].sort((a, b) => b.priority - a.priority)) {
      const p = placeBeside(project(one.at), state.marks);
      if (!isSeen(p)) continue;
      alarm(g, p, one.priority, 10);
      const beside = pointAt(p.x + 18, p.y);
      if (one.n > 1) text(g, `×${one.n}`, beside, colours.ink, 12, colours.halo);
      mark(p, 12, one, { kind: "alarms" });
    }
  }

  function paintChosen(g, chosen) {
    if (chosen.box) frame(g, chosen.box);
    if (chosen.agency) ring(g, project(chosen.agency), 17);
    if (!chosen.record) return;
    const p = project(chosen.record.at);
    ring(g, p, 13);
    ring(g, p, 4);
    label(g, chosen.record.title, pointAt(p.x, p.y - 22), []);
  }

  function ring(g, p, r) {
    disc(g, p, r);
    stroke(g, colours.halo, 6);
    stroke(g, colours.ink, 2.5);
  }

  function hatched(g, p, r, edge) {
    g.save();
    box(g, p, r);
    fill(g, colours["hatch-a"]);
    g.clip();
    for (let k = -2 * r; k < 2 * r; k += 5) {
      path(g, [
        [p.x + k - r, p.y + r],
        [p.x + k + r, p.y - r],
      ]);
      stroke(g, colours["hatch-b"], 2);
    }
    g.restore();
    box(g, p, r);
    stroke(g, edge, 2);
  }

  function cross(g, { x, y }, r) {
    g.beginPath();
    g.moveTo(x - r, y - r);
    g.lineTo(x + r, y + r);
    g.moveTo(x + r, y - r);
    g.lineTo(x - r, y + r);
    stroke(g, colours.edge, 2);
  }

  function alarm(g, p, priority, r) {
    if (priority === 1) triangle(g, p, r);
    else if (priority === 2) diamond(g, p, r);
    else if (priority === 3) disc(g, p, 0.8 * r);
    else {
      hatched(g, p, 0.8 * r, colours.edge);
      return;
    }
    stroke(g, colours.halo, 5);
    fill(g, colours[`p${priority}`], colours.edge, 2);
  }

  function feed(g, p, standing) {
    if (standing === "late") {
      diamond(g, p, 8);
      fill(g, colours.p2, colours.edge, 1.5);
    } else if (standing === "silent") hatched(g, p, 7, colours.p3);
    else if (standing === "malformed") {
      hatched(g, p, 7, colours.p2);
      cross(g, p, 4);
    } else if (standing === "never") hatched(g, p, 6, colours["hatch-b"]);
    else {
      const live = standing === "live";
      disc(g, p, live ? 5 : 4);
      fill(g, live ? colours.s4 : colours.halo, live ? colours.halo : colours.s4, 1.5);
    }
  }

  function site(g, p, one) {
    if (one.hosts) {
      box(g, p, 9);
      fill(g, colours.halo, colours.ink, 1.5);
    }
    box(g, p, 5.5);
    if (one.state === "coming") g.setLineDash([3, 2]);
    fill(g, one.state === "connected" ? colours.ink : colours.halo, colours.ink, 1.5);
    g.setLineDash([]);
    if (one.state === "missing") cross(g, p, 5.5);
  }

  function report(g, p, one) {
    const [lat, lon, category, standing, number] = one;
    if (standing === "late") {
      diamond(g, p, 6.5);
      fill(g, colours.p2, colours.edge, 1.5);
    } else {
      const closed = standing === "closed";
      disc(g, p, 4.2);
      fill(g, closed ? colours.halo : colours.ink, closed ? colours.s4 : colours.halo, 1.5);
    }
    const named = state.drawn.categories[category] ?? category;
    const lines = [`${named} · ${state.words[standing] ?? standing}`];
    const record = `feedback/${number}`;
    mark(p, 6, { title: number, text: lines }, { kind: "point", record, category, at: [lat, lon] });
  }

  function cluster(g, one) {
    const { p, r, n, overdue } = one;
    disc(g, p, r);
    fill(g, colours.card, colours.halo, 5);
    disc(g, p, r);
    stroke(g, colours.s4, 2);
    if (overdue) {
      g.beginPath();
      g.arc(p.x, p.y, r, -TAU / 4, -TAU / 4 + TAU * Math.max(0.04, overdue / n));
      stroke(g, colours.p2, 4);
      diamond(g, pointAt(p.x, p.y - r), 5);
      fill(g, colours.p2, colours.edge, 1.5);
    }
    if (n > 1) text(g, numbers.format(n), p, colours.ink, r > 18 ? 13 : 11);
    else {
      disc(g, p, 3);
      fill(g, colours.ink);
    }
    const title = `${state.words.reports}: ${local(n)}`;
    const lines = overdue ? [`${state.words.overdue}: ${local(overdue)}`] : [];
    mark(p, r, { title, text: lines }, { kind: "cluster", at: one.at, box: one.box });
  }

  /* Density: stamps of the cells added up on a coarse grid. */
  function density(bounds, cells, width, height, isSeen) {
    const counts = cells.map((one) => one[2]).sort((a, b) => a - b);
    const full = Math.max(2, counts[Math.floor(counts.length * 0.97)] ?? 2);
    const ground = new Float32Array(width * height);
    for (const [lat, lon, n] of cells) {
      const p = project([lat, lon]);
      if (!isSeen(p)) continue;
      const x = (p.x - bounds.min.x) / HEAT_GRAIN_PX - 0.5;
      const y = (p.y - bounds.min.y) / HEAT_GRAIN_PX - 0.5;
      const strength = Math.min(1, 0.15 + 0.85 * (n / full));
      const right = Math.min(width - 1, Math.floor(x + HEAT_SPREAD));
      const bottom = Math.min(height - 1, Math.floor(y + HEAT_SPREAD));
      for (let row = Math.max(0, Math.ceil(y - HEAT_SPREAD)); row <= bottom; row += 1) {
        for (let column = Math.max(0, Math.ceil(x - HEAT_SPREAD)); column <= right; column += 1) {
          const away = Math.sqrt((column - x) ** 2 + (row - y) ** 2) / HEAT_SPREAD;
          const k = row * width + column;
          if (away < 1) ground[k] += strength * (1 - away) * (1 - ground[k]);
        }
      }
    }
    return ground;
  }

  /* The grid is coloured by its classes and stretched. */
  function paintHeat(g, bounds, cells, isSeen) {
    const size = bounds.getSize();
    const width = Math.ceil(size.x / HEAT_GRAIN_PX);
    const height = Math.ceil(size.y / HEAT_GRAIN_PX);
    if (!width || !height) return;
    const ground = density(bounds, cells, width, height, isSeen);
    small.width = width;
    small.height = height;
    const coarse = small.getContext("2d");
    const picture = coarse.createImageData(width, height);
    for (let k = 0; k < ground.length; k += 1) {
      const alpha = Math.round(255 * ground[k]);
      if (!alpha) continue;
      picture.data.set([...colours.heat[alpha], Math.min(225, 50 + 2 * alpha)], 4 * k);
    }
    coarse.putImageData(picture, 0, 0);
    g.imageSmoothingEnabled = true;
    const { x, y } = bounds.min;
    g.drawImage(small, x, y, width * HEAT_GRAIN_PX, height * HEAT_GRAIN_PX);
  }

  function paintFlows(g, edges) {
    const most = Math.max(1, ...edges.map((one) => one.n));
    for (const one of [...edges].reverse()) flow(g, one, 1.2 + 6 * Math.sqrt(one.n / most));
  }

  function flow(g, one, width) {
    const a = project(one.at);
    const b = project(one.to);
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    if (length < 8) return;
    const way = pointAt((b.x - a.x) / length, (b.y - a.y) / length);
    const bend = 0.16 * length;
    const end = pointAt(b.x - way.x * 9, b.y - way.y * 9);
    const c = pointAt((a.x + b.x) / 2 - way.y * bend, (a.y + b.y) / 2 + way.x * bend);
    const line = () => {
      g.beginPath();
      g.moveTo(a.x, a.y);
      g.quadraticCurveTo(c.x, c.y, end.x, end.y);
    };
    g.globalAlpha = 0.5;
    line();
    stroke(g, colours.halo, width + 2.5);
    g.globalAlpha = one.late ? 1 : 0.75;
    if (one.slow) g.setLineDash([8, 5]);
    line();
    stroke(g, one.late ? colours.p2 : one.slow ? colours.ink : colours.s3, width);
    g.setLineDash([]);
    arrowHead(g, b, Math.atan2(end.y - c.y, end.x - c.x), 1.6 * (5 + width));
    g.globalAlpha = 1;
    for (let t = 0.1; t < 1; t += 0.1) {
      const on = (from, by, to) => (1 - t) ** 2 * from + 2 * t * (1 - t) * by + t * t * to;
      mark(pointAt(on(a.x, c.x, b.x), on(a.y, c.y, b.y)), 3, one, { kind: "flow" });
    }
  }

  function arrowHead(g, { x, y }, direction, size) {
    const back = (turn) => [
      x - size * Math.cos(direction + turn),
      y - size * Math.sin(direction + turn),
    ];
    path(g, [[x, y], back(-0.42), back(0.42)]);
    g.closePath();
    g.fillStyle = g.strokeStyle;
    g.fill();
  }

  function frame(g, [west, south, east, north]) {
    const a = project([north, west]);
    const b = project([south, east]);
    g.beginPath();
    g.rect(a.x, a.y, b.x - a.x, b.y - a.y);
    stroke(g, colours.halo, 5);
    g.setLineDash([7, 4]);
    stroke(g, colours.ink, 2);
    g.setLineDash([]);
  }

  /* Names of communes where there is room, selected ones first; a name never covers a mark or
     another name. */
  function paintNames(g, drawn, isSeen) {
    const taken = state.marks
      .filter((one) => one.kind !== "flow" && one.kind !== "point")
      .map((one) => [one.x - one.r, one.y - one.r, one.x + one.r, one.y + one.r]);
    state.labels = [];
    const chosen = new Set(drawn.chosen.communes);
    const all = state.map.getZoom() >= NAMES_FROM_ZOOM;
    const codes = Object.keys(drawn.spots)
      .slice(0, MAX_NAMES)
      .filter((code) => all || chosen.has(code))
      .sort((a, b) => chosen.has(b) - chosen.has(a));
    for (const code of codes) {
      const p = project(drawn.spots[code]);
      if (!isSeen(p)) continue;
      [0, 20, -20, 34, -36].some((dy) =>
        label(g, drawn.names[code], pointAt(p.x, p.y + dy), taken, chosen.has(code)),
      );
    }
  }

  /* Draws a name at a point if it covers nothing there; returns whether it did. */
  function label(g, words, p, taken, strong = true) {
    g.font = `${strong ? 700 : 550} 12.5px ${FONT}`;
    const key = `${strong}${words}`;
    if (!widths.has(key)) widths.set(key, g.measureText(words).width);
    const half = widths.get(key) / 2 + 3;
    const one = [p.x - half, p.y - 9, p.x + half, p.y + 9];
    if (taken.some((other) => overlap(one, other))) return false;
    taken.push(one);
    state.labels?.push([words, ...one]);
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.strokeStyle = colours.halo;
    g.lineWidth = 4;
    g.strokeText(words, p.x, p.y);
    g.fillStyle = colours.ink;
    g.fillText(words, p.x, p.y);
    return true;
  }

  return paint;
}
