/**
 * Check whether the page's data is current, so that the page can say when the server is gone.
 *
 * Ages are computed by the server's clock (its `now` minus the time of the data), plus the time
 * that has passed in the browser since, by a monotonic clock.
 */

import { forgetHistory, noUpdate, setProps } from "../adapter.js";
import { shownMoment } from "../player/player.js";
import { fill, isField, make, span } from "./text.js";

const FALLBACK_AFTER_MS = 6_000;
const USUAL_FRAME_MS = 4_000;
const JUDGE_INTERVAL_MS = 250;
const KNOCK_PAUSE_MS = 2_000;
const KNOCK_TIMEOUT_MS = 3_000;
const COOKIE_SECONDS = 31_536_000;

const state = { pulse: null, heardAt: 0, viewer: null };
const zone = { timeZone: "Asia/Ho_Chi_Minh", hourCycle: "h23", hour: "2-digit", minute: "2-digit" };
const clock = new Intl.DateTimeFormat("vi", { ...zone, second: "2-digit" });
const short = new Intl.DateTimeFormat("vi", zone);

const say = (key, values) => fill(state.viewer?.words[key], values);
const silence = () => performance.now() - state.heardAt;
const frame = () => state.pulse?.frame_ms ?? USUAL_FRAME_MS;

/**
 * Return the banner for a pulse: the key of its text with a time, and the key of the reason; null
 * if all is well.
 *
 * @param {object} pulse - the newest pulse of the push
 * @param {number} now - the server's time, in ms since 1970
 * @param {boolean} gone - whether the server is silent
 * @returns {{words: string, time: number | null, reason: string, given: boolean} | null} `given`
 *   when the reason is not a key but the server's own words
 */
export function verdict(pulse, now, gone) {
  const unknown = pulse.heartbeat === null;
  const stopped = (reason) => ({
    words: unknown ? "no_pulse" : "stopped",
    time: pulse.heartbeat,
    reason,
    given: false,
  });
  if (gone) return stopped("stopped_server");
  if (pulse.problem) {
    return stopped(pulse.problem === "store_away" ? "stopped_store" : "stopped_failed");
  }
  if (pulse.snapshot !== null && now - pulse.snapshot > pulse.old_ms) {
    return { words: "stopped", time: pulse.snapshot, reason: "stopped_failed", given: false };
  }
  if (unknown || now - pulse.heartbeat > pulse.stale_ms) return stopped("stopped_path");
  if (pulse.incomplete) {
    const { title, since, reason } = pulse.incomplete;
    return { words: title, time: since, reason, given: true };
  }
  return null;
}

function put(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/* Shows the heartbeat's time; the words around it are hidden where there is no room. */
function showHeartbeat(beat, at, age) {
  if (at === null) {
    put(beat, say("no_pulse"));
    return;
  }
  const [before, after] = say("data_until", { time: "|" }).split("|");
  const ago = say("ago", { span: span(age, say) });
  const parts = [before, clock.format(at), `${after} (${ago})`];
  if (beat.children.length !== 2) {
    const around = () => make("span", { className: "around" });
    beat.replaceChildren(around(), document.createTextNode(""), around());
  }
  [...beat.childNodes].forEach((node, number) => put(node, parts[number]));
}

function banner(wall, text, reason) {
  const box = document.getElementById("banner");
  wall.classList.toggle("stopped", text !== "");
  if (box.dataset.said === text + reason) return;
  box.dataset.said = text + reason;
  box.hidden = text === "";
  box.replaceChildren(text, make("small", { textContent: reason }));
}

function judge() {
  const wall = document.getElementById("wall");
  if (!wall || !state.viewer) return;
  wall.style.setProperty("--density", window.devicePixelRatio || 1);
  const { pulse } = state;
  const gone = silence() > 2 * frame();
  if (gone) knock();
  if (!pulse) {
    if (gone) banner(wall, say("no_pulse"), say("stopped_server"));
    return;
  }
  const past = shownMoment();
  const now = past ?? pulse.now + silence(); // a replay shows the ages of its moment
  put(document.getElementById("clock"), clock.format(now));
  for (const each of document.querySelectorAll("[data-at]")) {
    put(each, span(now - Number(each.dataset.at), say));
  }
  if (past === null) judgePresent(wall, now, gone);
  else judgePast(wall, past, gone);
}

function judgePast(wall, past, gone) {
  const sign = document.querySelector("#replay .sign")?.textContent ?? say("replaying");
  document.title = `${sign} ${short.format(past)} · ${state.viewer.title}`;
  banner(wall, gone ? say("replaying") : "", gone ? say("stopped_server") : "");
}

function judgePresent(wall, now, gone) {
  const { pulse } = state;
  const age = pulse.heartbeat === null ? Infinity : now - pulse.heartbeat;
  const beat = document.getElementById("beat");
  showHeartbeat(beat, pulse.heartbeat, age);
  beat.classList.toggle("late", age > pulse.stale_ms);
  document.title = (pulse.alarms ? `(${pulse.alarms}) ` : "") + state.viewer.title;
  const found = verdict(pulse, now, gone);
  if (!found) {
    banner(wall, "", "");
    return;
  }
  const time = found.time === null ? "" : short.format(found.time);
  banner(wall, say(found.words, { time }), found.given ? found.reason : say(found.reason));
}

/* The server is silent. If it answers again, it was restarted: reload this page, which belongs to
   the old process. */
let knocking = false;
async function knock() {
  if (silence() > FALLBACK_AFTER_MS) setProps("fallback", { disabled: false });
  if (knocking || silence() < 3 * frame()) return;
  knocking = true;
  try {
    const signal = AbortSignal.timeout(KNOCK_TIMEOUT_MS);
    const answer = await fetch("/healthz", { cache: "no-store", signal });
    if (answer.ok && silence() > 3 * frame()) location.reload();
  } catch {
    // Still gone.
  } finally {
    setTimeout(() => {
      knocking = false;
    }, KNOCK_PAUSE_MS);
  }
}

/** Callbacks named in Python: `live.heard` takes each pulse, `live.renew` says when to refresh. */
export const callbacks = {
  /* Time to ask whether a page's content changed, but not while the user types in it. */
  renew(turn) {
    const active = document.activeElement;
    const typing = active?.closest?.("#content") && isField(active);
    return typing || document.hidden ? noUpdate() : turn;
  },
  heard(pulse, viewer) {
    if (viewer) {
      if (!state.viewer) {
        const kept = `path=/; max-age=${COOKIE_SECONDS}; samesite=strict`;
        document.cookie = `ioc_language=${viewer.language}; ${kept}`;
      }
      state.viewer = viewer;
      document.documentElement.lang = viewer.language;
    }
    if (!pulse) return;
    state.pulse = pulse;
    state.heardAt = performance.now();
    judge();
    forgetHistory();
  },
};

/** Start checking, several times a second. */
export function install() {
  state.heardAt = performance.now();
  setInterval(judge, JUDGE_INTERVAL_MS);
}
