/**
 * The player of screens that show the past, and its timeline.
 *
 * Moment, period, speed and loop are in the address. To draw a moment, its whole content is
 * fetched; the next moment follows only after that has arrived. So at any speed each frame is
 * complete and counts everything that happened before it.
 */

import { setProps } from "../adapter.js";
import { shown as map } from "../map/page.js";
import { draw } from "../renderer/components.js";
import { assign, queryText } from "../shell/text.js";
import * as time from "./time.js";
import { drawTimeline, place } from "./timeline.js";

const FRAME_MS = 350;
const FOLLOW_MS = 2_000;
const SLOW_MS = 500;
const RESTS = 5; // ticks per request for the list of runs while none is running
const USUAL_SPEED = 600;
const SECOND = 1_000;
const PERIOD_AFTER = 1 / 7; // share of a chosen period that lies after the moment

const state = {
  bar: null,
  at: 0,
  since: 0,
  until: 0,
  words: {},
  line: null,
  playing: 0, // id of the current playback; 0 for none
  asking: null,
  marked: [],
  drawing: false,
};

const byId = (id) => document.getElementById(id);
const language = () => (byId("wall")?.lang === "en" ? "en-GB" : "vi");
const clamp = (ms) => time.within(ms, state.since, state.until);
const speed = () => Number(byId("replay-speed")?.value ?? USUAL_SPEED);
const loops = () => byId("replay-loop").getAttribute("aria-pressed") === "true";
const follows = () => "follows" in state.bar.dataset; // the page follows a running run
const chooses = () => "choosing" in state.bar.dataset; // no moment is shown yet
const step = () => Math.max(time.MINUTE, SECOND * speed());

/** Return the moment that the page shows; null if it shows the present, or none yet. */
export const shownMoment = () => (state.bar && byId("replay") && !chooses() ? state.at : null);

function note(words) {
  const box = byId("replay-note");
  if (box && box.textContent !== words) box.textContent = words;
}

/* -- the address -------------------------------------------------------------------------------- */

function keep() {
  const own = {
    moment: follows() ? "" : time.addressTime(state.at),
    since: time.addressTime(state.since),
    until: time.addressTime(state.until),
    speed: String(speed()),
    loop: loops() ? "1" : "",
    marked: state.marked.map(time.addressTime).join(","),
  };
  const params = assign(new URLSearchParams(location.search), own);
  history.replaceState(history.state, "", `${location.pathname}?${queryText(params)}`);
  // Links keep the moment that is shown.
  for (const link of document.querySelectorAll("a[href*='moment='], a[href*='run=']")) {
    const url = new URL(link.href);
    if (url.origin !== location.origin || link.dataset.fixed) continue;
    if (link.closest("#content, #alarms")) continue; // drawn for the moment, they have it already
    assign(url.searchParams, own);
    link.href = url.pathname + url.search;
  }
  return params;
}

/* The parameters of the page, with the timeline's period, which the address lacks until a moment is
   chosen. */
function periodParams() {
  const params = new URLSearchParams(location.search);
  for (const name of ["since", "until"]) params.set(name, time.addressTime(state[name]));
  return params;
}

/* The address of the chosen moment. */
function momentAddress() {
  const params = periodParams();
  params.set("moment", time.addressTime(state.at));
  return `${location.pathname}?${params}`;
}

/* -- a moment on the screen --------------------------------------------------------------------- */

async function ask(url) {
  const got = await fetch(url, { cache: "no-store" });
  if (!got.ok) throw new Error(got.statusText);
  return got.json();
}

/* Draws the moment of the parameters, unless another one was requested meanwhile. */
async function drawMoment(params, mine) {
  if (byId("opsmap")) {
    await map.load();
    return true;
  }
  if (byId("content")) {
    params.set("path", location.pathname);
    const found = await ask(`/replay/desk?${params}`);
    if (state.asking !== mine) return false;
    draw(byId("content"), found.children);
    return true;
  }
  for (const [id, prop, value] of await ask(`/replay/wall?${params}`)) {
    if (state.asking === mine) setProps(id, { [prop]: value });
  }
  return true;
}

async function show(at) {
  state.at = clamp(at);
  showCursor();
  if (chooses()) {
    location.assign(momentAddress());
    return true;
  }
  const params = keep();
  const mine = (state.asking = {});
  if (follows()) params.set("moment", time.addressTime(state.at));
  const slow = setTimeout(() => {
    if (state.asking === mine && !state.playing) note(state.words.drawing);
  }, SLOW_MS);
  try {
    const drew = await drawMoment(params, mine);
    if (drew && state.asking === mine && !state.playing) note("");
    return drew;
  } catch {
    if (state.asking === mine) note(state.words.frame_failed);
    return false;
  } finally {
    clearTimeout(slow);
  }
}

/* -- playing ------------------------------------------------------------------------------------ */

async function play() {
  const mine = (state.playing = Date.now());
  delete state.bar.dataset.follows;
  // Moment, time and speed from which the playback is computed, so that drawing does not delay it.
  let course = null;
  const begin = () => {
    course = { from: state.at, begun: performance.now(), pace: speed() };
  };
  showPlaying(true);
  begin();
  while (state.playing === mine && byId("replay") === state.bar) {
    if (state.at >= state.until) {
      if (!loops()) break;
      await show(state.since);
      begin();
    }
    if (course.pace !== speed()) begin();
    await new Promise((done) => {
      setTimeout(done, FRAME_MS);
    });
    if (state.playing !== mine) return;
    const elapsed = performance.now() - course.begun;
    const next = time.nextFrame({ ...state, ...course, elapsed });
    tellWhatCame(state.at, next);
    await show(next);
  }
  if (state.playing === mine) stop();
}

function stop() {
  if (!byId("replay-play")) return;
  delete state.bar.dataset.follows;
  state.playing = 0;
  showPlaying(false);
  note("");
}

function showPlaying(on) {
  const button = byId("replay-play");
  if (!button) return;
  const words = on ? state.words.pause : state.words.play;
  button.setAttribute("aria-pressed", String(on));
  button.setAttribute("aria-label", words);
  button.title = words;
  button.firstElementChild.textContent = on ? "⏸" : "▶";
}

/* Announces what happened between two frames, so that nothing is skipped silently. */
function tellWhatCame(from, to) {
  const { line, words } = state;
  if (!line) return;
  const count = (text, n) => text.replace("{n}", Math.round(n).toLocaleString(language()));
  const raised = time.alarmsBetween(line, from, to);
  const came = count(words[`came_${line.picture}`], time.eventsBetween(line, from, to));
  note(raised ? `${came} · ${count(words.came_alarms, raised)}` : came);
}

function goToAlarm(forwards) {
  const found = time.nextAlarm(state.line?.alarms ?? [], state.at, forwards);
  const cut = state.line?.alarms_from; // too many alarms before this are left out
  if (cut && (forwards ? state.at < cut : found === undefined)) {
    note(state.words.alarms_cut.replace("{since}", time.fullTime(cut)));
  } else if (found === undefined) note(state.words.no_alarm_next);
  else {
    stop();
    show(found);
  }
}

/* Marks or unmarks a moment: the package of the period has pictures of marked moments. */
function mark() {
  const at = SECOND * Math.floor(state.at / SECOND);
  const most = state.bar.dataset.mostMarked;
  if (!state.marked.includes(at) && state.marked.length >= Number(most)) {
    note(state.words.marks_full.replace("{n}", most));
    return;
  }
  state.marked = time.toggleMark(state.marked, at);
  drawLine();
  show(at); // the link to the package holds the marks
}

/* -- the timeline ------------------------------------------------------------------------------- */

const percent = (ms) => place(ms, state) / 10;

function drawLine() {
  const box = byId("replay-line");
  if (!box) return;
  drawTimeline(box, state);
  showCursor();
}

function showCursor() {
  const box = byId("replay-line");
  const shownTime = byId("replay-moment");
  if (!box || !shownTime) return;
  const cursor = box.querySelector(".cursor");
  if (cursor) cursor.style.left = `${percent(state.at)}%`;
  shownTime.textContent = time.fullTime(state.at);
  byId("replay-mark")?.setAttribute("aria-pressed", String(state.marked.includes(state.at)));
  box.setAttribute("aria-valuenow", String(Math.round(percent(state.at))));
  box.setAttribute("aria-valuetext", time.fullTime(state.at));
}

async function readLine() {
  const mine = state.bar;
  try {
    const line = await ask(`/replay/line?${periodParams()}`);
    if (mine !== state.bar) return;
    state.line = line;
    drawLine();
  } catch {
    note(state.words.line_failed);
  }
}

/* -- gestures ----------------------------------------------------------------------------------- */

/* Sets another period of the timeline, around the moment, which is kept if possible. */
function choosePeriod(since, until) {
  stop();
  const whole = (ms) => Math.floor(ms / SECOND) * SECOND;
  Object.assign(state, { since: whole(since), until: whole(until), line: null });
  drawLine();
  if (!chooses()) {
    if (clamp(state.at) !== state.at) show(state.at);
    else {
      showCursor();
      keep();
    }
  }
  readLine();
}

function pointedAt(event) {
  const box = byId("replay-line").getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  return state.since + (state.until - state.since) * share;
}

/* A drag along the timeline moves the moment; with Shift it draws a period. */
function pointed(event) {
  const box = event.target.closest?.("#replay-line");
  if (!box || event.button) return;
  stop();
  box.setPointerCapture(event.pointerId);
  const from = pointedAt(event);
  const band = event.shiftKey ? document.createElement("i") : null;
  if (band) {
    band.className = "band";
    box.append(band);
  }
  const move = (moved) => {
    const at = pointedAt(moved);
    if (!band) {
      state.at = clamp(at);
      showCursor();
      return;
    }
    const width = Math.abs(percent(at) - percent(from));
    Object.assign(band.style, { left: `${percent(Math.min(from, at))}%`, width: `${width}%` });
  };
  const end = (ended) => {
    box.removeEventListener("pointermove", move);
    box.removeEventListener("pointerup", end);
    const at = pointedAt(ended);
    if (!band) {
      show(at);
      return;
    }
    band.remove();
    if (Math.abs(at - from) >= time.MINUTE) choosePeriod(Math.min(from, at), Math.max(from, at));
  };
  box.addEventListener("pointermove", move);
  box.addEventListener("pointerup", end);
  move(event);
}

/* Actions of the bar's buttons, by id. */
const BUTTONS = {
  "replay-play": () => (state.playing ? stop() : play()),
  "replay-back": () => {
    stop();
    show(state.at - step());
  },
  "replay-on": () => {
    stop();
    show(state.at + step());
  },
  "replay-before": () => goToAlarm(false),
  "replay-next": () => goToAlarm(true),
  "replay-mark": () => {
    stop();
    mark();
  },
  "replay-loop": () => {
    byId("replay-loop").setAttribute("aria-pressed", String(!loops()));
    keep();
  },
};

function changed({ target }) {
  if (target.id === "replay-speed") keep();
  else if (target.id === "replay-period") {
    const period = Number(target.value);
    if (!period) return;
    const until = Math.min(Date.now(), state.at + period * PERIOD_AFTER);
    choosePeriod(until - period, until);
  }
}

/* Arrows and page keys move the moment; "[" and "]" make it an end of the period. */
function pressed(event) {
  if (event.target.id !== "replay-line") return;
  const { key } = event;
  if (key === "Enter" && chooses()) show(state.at);
  const ends = { "[": [state.at, state.until], "]": [state.since, state.at] };
  const [since, until] = ends[key] ?? [0, 0];
  if (until - since >= time.MINUTE) choosePeriod(since, until);
  const by = time.keyStep(key, step());
  if (by === undefined) return;
  event.preventDefault();
  stop();
  if (chooses()) {
    state.at = clamp(state.at + by);
    showCursor();
  } else show(clamp(state.at + by));
}

/* -- runs --------------------------------------------------------------------------------------- */

/* Follows a running run until the user uses the player. */
async function followRun() {
  const { bar, asking } = state;
  if (!bar || !byId("replay") || !follows() || state.drawing) return;
  try {
    const run = await ask(`/replay/run?${new URLSearchParams(location.search)}`);
    if (state.bar !== bar || state.asking !== asking || !follows()) return;
    if (!run.goes_on) delete bar.dataset.follows;
    if (run.moment > state.at) {
      state.drawing = true;
      state.until = Math.max(state.until, run.moment);
      await show(run.moment);
    }
  } catch {
    // It is asked again.
  } finally {
    state.drawing = false;
  }
}

/* Refreshes the list of runs: often while one is running, else now and then, as one may be started
   elsewhere. */
let ticks = 0;
async function renewRuns() {
  const box = byId("runs-standing");
  if (!box || document.hidden) return;
  ticks += 1;
  if (!("goesOn" in box.dataset) && ticks % RESTS) return;
  try {
    const found = await ask(`/replay/runs?${new URLSearchParams(location.search)}`);
    if (box.isConnected) draw(box.parentElement, found.children);
  } catch {
    // It is asked again.
  }
}

function open() {
  const bar = byId("replay");
  if (bar === state.bar) return;
  state.playing = 0;
  Object.assign(state, { bar, line: null });
  if (!bar) return;
  const { moment, since, until, words, marked } = bar.dataset;
  Object.assign(state, {
    at: Number(moment),
    since: Number(since),
    until: Number(until),
    words: JSON.parse(words),
    marked: JSON.parse(marked),
    drawing: false,
  });
  drawLine();
  readLine();
  if (!byId("content") && !chooses()) show(state.at); // the page of a wall comes without content
}

/** For tests and benchmarks. */
export const view = { show, state };

/** Listen to the bar, follow runs, and draw the timeline when a page of the past opens. */
export function install() {
  document.addEventListener("pointerdown", pointed);
  document.addEventListener("click", ({ target }) => {
    BUTTONS[target.closest?.("#replay button")?.id]?.();
  });
  document.addEventListener("change", changed);
  document.addEventListener("keydown", pressed);
  setInterval(followRun, FOLLOW_MS);
  setInterval(renewRuns, FOLLOW_MS);
  new MutationObserver(open).observe(document, { childList: true, subtree: true });
}
