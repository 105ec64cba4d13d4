/** Draws the timeline of a period: events, silent feeds, alarms, marked moments, days. */

import { make } from "../shell/text.js";
import { fullTime, periodMarks } from "./time.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const HEIGHT = 60;
const FLOOR = 44; // y of the foot of the bars
const BAR_HEIGHT = 32;

function shape(name, attributes, words) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  if (words) {
    const title = document.createElementNS(SVG, "title");
    title.textContent = words;
    found.append(title);
  }
  return found;
}

const stroke = (className, d, words) =>
  shape("path", { class: className, d, "vector-effect": "non-scaling-stroke" }, words);

/** Return the position of a moment on a timeline, from 0 to 1000. */
export const place = (ms, { since, until }) => (WIDTH * (ms - since)) / (until - since);

function* lineShapes(line, period, words) {
  const X = (ms) => place(ms, period);
  if (line.whole_from > period.since) {
    const width = X(Math.min(line.whole_from, period.until));
    const told = words.only_counts.replace("{since}", fullTime(line.whole_from));
    yield shape("rect", { class: "gone", x: 0, y: 0, width, height: HEIGHT }, told);
  }
  const most = Math.max(1, ...line.bars);
  const each = (line.until - line.since) / line.bars.length;
  const width = X(period.since + each);
  for (const [k, n] of line.bars.entries()) {
    if (!n) continue;
    const height = BAR_HEIGHT * Math.sqrt(n / most);
    const x = X(line.since + k * each);
    yield shape("rect", { class: "bar", x, width: width * 0.9, y: FLOOR - height, height });
  }
  for (const [from, to, agency, kind] of line.outages) {
    const feed = words.silent_feeds.replace("{names}", `${agency} · ${kind}`);
    const box = { x: X(from), width: Math.max(1, X(to) - X(from)), y: 46, height: 5 };
    const times = `${fullTime(from)} – ${fullTime(to)}`;
    yield shape("rect", { class: "outage", ...box }, `${feed} ${times}`);
  }
  for (const [raised, , priority, told] of [...line.alarms].reverse()) {
    const path = `M${X(raised)} 2 l0 8`;
    yield stroke(`call p${priority}`, path, `${fullTime(raised)} · ${told}`);
  }
}

/**
 * Draw a timeline into its box.
 *
 * @param {Element} box
 * @param {object} state - of the player: `since`, `until`, `line` (null until it has arrived),
 *   `marked`, `words`
 */
export function drawTimeline(box, state) {
  const { line, words } = state;
  const X = (ms) => place(ms, state);
  const svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  if (line) svg.append(...lineShapes(line, state, words));
  for (const one of state.marked) {
    svg.append(stroke("mark", `M${X(one)} 0 l0 44`, `${words.marked_moment}: ${fullTime(one)}`));
  }
  const days = make("div", { className: "days" });
  for (const { at, words: textContent } of periodMarks(state.since, state.until)) {
    svg.append(stroke("day", `M${X(at)} 0 l0 60`));
    days.append(make("span", { textContent, style: `left:${X(at) / 10}%` }));
  }
  box.replaceChildren(svg, days, make("i", { className: "cursor" }));
}
