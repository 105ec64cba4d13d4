/** Geometry of the maps, without a map: points are `{x, y}` in pixels of the map's layer. */

const DOTS_PER_DEGREE = 1e4;
const TILE_PX = 256;
const TILES_AROUND = 1;
const SQUARE_PX = 70;
const OVERLAP_PX = 3;
const REACH_PX = 6;
const EDGE_DEGREES = 2e-5; // 2 m, more than the rounding error
const RAMP_STEPS = 256;

/**
 * Decode reports to GeoJSON: whole numbers, latitude and longitude in turn, each as the difference
 * from the one before. They take a tenth of GeoJSON's bytes on the wire.
 */
export function decodeDots(flat) {
  const features = [];
  for (let n = 0, lat = 0, lon = 0; n < (flat?.length ?? 0); n += 2) {
    lat += flat[n];
    lon += flat[n + 1];
    const coordinates = [lon / DOTS_PER_DEGREE, lat / DOTS_PER_DEGREE];
    features.push({ type: "Feature", geometry: { type: "Point", coordinates }, properties: {} });
  }
  return { type: "FeatureCollection", features };
}

/** Return whether two boxes `[left, top, right, bottom]` overlap. */
export const overlap = (one, other) =>
  one[0] < other[2] && one[2] > other[0] && one[1] < other[3] && one[3] > other[1];

/**
 * Return the offsets at which a name may stand from its centre, best first: `[dx, dy]` in pixels.
 */
export function labelSpots(width, height) {
  const up = height * 0.95;
  const side = width / 2 + height * 0.4;
  return [
    [0, -up],
    [side, 0],
    [-side, 0],
    [0, up],
    [side, -up],
    [-side, -up],
    [side, up],
    [-side, up],
    [0, 0],
    [0, -2 * up],
    [0, 2 * up],
    [side, -2 * up],
    [side, 2 * up],
  ];
}

/**
 * Return the first spot where a name lies within the frame and overlaps no other name.
 *
 * @param {{x: number, y: number, width: number, height: number}} name - its centre and its size
 * @param {number[]} frame - box that it must stay in
 * @param {number[][]} taken - boxes of the names placed already
 * @returns {{spot: number[], box: number[]} | null} null if there is no room
 */
export function placeLabel({ x, y, width, height }, frame, taken) {
  for (const [dx, dy] of labelSpots(width, height)) {
    const left = x + dx - width / 2;
    const top = y + dy - height / 2;
    const box = [left, top, x + dx + width / 2, y + dy + height / 2];
    const inside = left >= frame[0] && box[2] <= frame[2] && top >= frame[1] && box[3] <= frame[3];
    if (inside && !taken.some((other) => overlap(box, other))) return { spot: [dx, dy], box };
  }
  return null;
}

/**
 * Return the visible tiles and one more row around them.
 *
 * They are the same for all viewers of the area, and enough for small moves.
 *
 * @param {{x: number, y: number}} northWest - corner of the view, in pixels of the whole world
 * @param {{x: number, y: number}} southEast - the other corner
 */
export function tilesAround(northWest, southEast) {
  const a = { x: Math.floor(northWest.x / TILE_PX), y: Math.floor(northWest.y / TILE_PX) };
  const b = { x: Math.ceil(southEast.x / TILE_PX), y: Math.ceil(southEast.y / TILE_PX) };
  const from = { x: a.x - TILES_AROUND, y: a.y - TILES_AROUND };
  const to = { x: b.x + TILES_AROUND, y: b.y + TILES_AROUND };
  return { a, b, from, to, pixels: (tile) => [tile.x * TILE_PX, tile.y * TILE_PX] };
}

/** Return whether the loaded tiles cover the visible ones. */
export const holds = (held, now) =>
  held.from.x <= now.a.x && held.from.y <= now.a.y && held.to.x >= now.b.x && held.to.y >= now.b.y;

/** Return the topmost mark at a point: the nearest within `reach` pixels of its rim. */
export function markAt(marks, point, reach = REACH_PX) {
  let best = null;
  let nearest = Infinity;
  for (let k = (marks?.length ?? 0) - 1; k >= 0; k -= 1) {
    const away = Math.hypot(marks[k].x - point.x, marks[k].y - point.y) - marks[k].r;
    if (away < reach && away < nearest) {
      nearest = away;
      best = marks[k];
      if (away <= 0) break;
    }
  }
  return best;
}

/** Return all marks at a point. */
export const marksAt = (marks, point) =>
  marks.filter((one) => Math.hypot(one.x - point.x, one.y - point.y) < one.r + REACH_PX);

/* Offsets from a commune's centre at which an alarm hides no number. */
const BESIDE = [
  [0, 0],
  [0, -20],
  [24, -14],
  [-24, -14],
  [26, 10],
  [-26, 10],
  [0, 28],
  [0, -40],
  [40, -28],
  [-40, -28],
];

/** Return a position near a point where an alarm hides no mark; above the point if none is free. */
export function placeBeside(at, marks) {
  const isFree = ([x, y]) =>
    marks.every(
      (one) =>
        one.kind === "flow" ||
        one.kind === "point" ||
        Math.hypot(one.x - at.x - x, one.y - at.y - y) > 0.75 * one.r + 9,
    );
  const [x, y] = BESIDE.find(isFree) ?? BESIDE[1];
  return { x: at.x + x, y: at.y + y };
}

/** Return the radius of the disc of a number of reports. */
export const clusterRadius = (n) => (n === 1 ? 6 : Math.min(34, 9 + 2.6 * Math.log2(n)));

/**
 * Return the discs of cells; overlapping discs are merged at the position of the larger one.
 *
 * Only discs in neighbouring squares are compared.
 *
 * @param {number[][]} cells - `[lat, lon, reports, overdue, south, west, north, east]`, the largest
 *   first; the box only if no zoom level separates its reports
 * @param {(at: number[]) => {x: number, y: number}} project - from `[lat, lon]` to pixels
 */
export function mergeCells(cells, project) {
  const found = [];
  const squares = new Map();
  const key = (x, y) => x * 65536 + y;
  for (const [lat, lon, n, overdue, ...box] of cells) {
    const p = project([lat, lon]);
    const r = clusterRadius(n);
    const column = Math.floor(p.x / SQUARE_PX);
    const row = Math.floor(p.y / SQUARE_PX);
    const isOver = (one) => Math.hypot(one.p.x - p.x, one.p.y - p.y) < one.r + r - OVERLAP_PX;
    let over = null;
    for (let x = column - 1; x <= column + 1 && !over; x += 1) {
      for (let y = row - 1; y <= row + 1 && !over; y += 1) {
        over = squares.get(key(x, y))?.find(isOver);
      }
    }
    if (over) {
      over.n += n;
      over.overdue += overdue;
      over.r = clusterRadius(over.n);
      over.box &&= over.box.map((edge, k) => Math[k < 2 ? "min" : "max"](edge, box[k]));
      continue;
    }
    const one = { p, r, n, overdue, at: [lat, lon], box: box.length ? box : null };
    const its = squares.get(key(column, row));
    found.push(one);
    if (its) its.push(one);
    else squares.set(key(column, row), [one]);
  }
  return found;
}

/**
 * Return the box around boxes, with a margin, as in addresses: `west,south,east,north`.
 *
 * @param {number[][]} boxes - each `[south, west, north, east]` in degrees
 */
export function boxAround(boxes) {
  const edge = (k) => {
    const all = boxes.map((one) => one[k]);
    return k < 2 ? Math.min(...all) - EDGE_DEGREES : Math.max(...all) + EDGE_DEGREES;
  };
  return [1, 0, 3, 2].map((k) => edge(k).toFixed(5)).join(",");
}

/**
 * Return the selected communes after a click on a commune.
 *
 * @param {string[]} before - codes selected before
 * @param {string} code - the commune that was clicked
 * @param {boolean} more - with Ctrl or Shift: add or remove it; else select it alone, or clear
 *   the selection if it was selected alone
 */
export function chosenAfter(before, code, more) {
  if (before.includes(code) && (more || before.length === 1)) {
    return before.filter((one) => one !== code);
  }
  return more ? [...before, code] : [code];
}

/** Return a colour for each strength from 0 to 255, interpolated between class colours. */
export function colourRamp(colours) {
  const classes = colours.map((hex) =>
    [1, 3, 5].map((k) => Number.parseInt(hex.slice(k, k + 2), 16)),
  );
  const last = classes.length - 1;
  return Array.from({ length: RAMP_STEPS }, (_, strength) => {
    const at = Math.min(last - 0.001, (strength / (RAMP_STEPS - 1)) * last);
    const k = Math.floor(at);
    return classes[k].map((from, c) => Math.round(from + (classes[k + 1][c] - from) * (at - k)));
  });
}
