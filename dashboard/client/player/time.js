/** Time of the player: moments as text, steps, frames, the scale of the timeline. All in ms. */

export const MINUTE = 60_000;
export const DAY = 86_400_000;
const SECOND = 1_000;
const OFFSET = 7 * 3_600_000; // Viet Nam's from UTC, all year
const MAX_MARKS = 14;

const written24 = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Ho_Chi_Minh",
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** Format a moment for reading: day/month/year, hours:minutes:seconds. */
export function fullTime(ms) {
  const parts = written24.formatToParts(ms).map((one) => [one.type, one.value]);
  const { day, month, year, hour, minute, second } = Object.fromEntries(parts);
  return `${day}/${month}/${year} ${hour}:${minute}:${second}`;
}

/** Format a moment for an address: local time, to the second. */
export const addressTime = (ms) => new Date(ms + OFFSET).toISOString().slice(0, 19);

/** Return the next local midnight after a moment. */
export const nextMidnight = (ms) => DAY * (Math.floor((ms + OFFSET) / DAY) + 1) - OFFSET;

/** Clamp a moment to a period. */
export const within = (ms, since, until) => Math.min(until, Math.max(since, ms));

/**
 * Return the moment of the player's next frame.
 *
 * The end of a day is always a frame, at any speed.
 *
 * @param {object} run - `at` (shown now), `from` (where playback began), `pace` (ms of the past per
 *   ms), `elapsed` (ms since playback began, so that drawing does not delay it), `since`, `until`
 */
export function nextFrame({ at, from, pace, elapsed, since, until }) {
  const due = Math.max(at + SECOND, from + pace * elapsed);
  return within(Math.min(due, nextMidnight(at)), since, until);
}

/**
 * Estimate how many events came between two moments, from the bars of a timeline: each bar counts
 * by the share of its time between them.
 */
export function eventsBetween(line, from, to) {
  const width = (line.until - line.since) / line.bars.length;
  return line.bars.reduce((sum, count, k) => {
    const begin = line.since + k * width;
    const common = Math.min(to, begin + width) - Math.max(from, begin);
    return sum + (count * Math.max(0, common)) / width;
  }, 0);
}

/** Return how many alarms were raised between two moments. */
export const alarmsBetween = (line, from, to) =>
  line.alarms.filter(([raised]) => raised > from && raised <= to).length;

/** Return the moment just after the next alarm, or after the one before; undefined for none. */
export function nextAlarm(alarms, at, forwards) {
  const moments = alarms.map(([raised]) => raised + SECOND).sort((a, b) => a - b);
  return forwards
    ? moments.find((one) => one > at)
    : moments.findLast((one) => one < at - (SECOND - 1));
}

/**
 * Return the tick marks of a period with their labels.
 *
 * Hours, or days in a period of more than two days; no more than fit side by side.
 *
 * @returns {{at: number, words: string}[]}
 */
export function periodMarks(since, until) {
  const unit = until - since > 2 * DAY ? DAY : DAY / 24;
  const every = unit * Math.ceil((until - since) / unit / MAX_MARKS);
  const found = [];
  for (let at = Math.ceil((since + OFFSET) / every) * every - OFFSET; at < until; at += every) {
    const text = fullTime(at);
    found.push({ at, words: unit === DAY ? text.slice(0, 5) : text.slice(11, 16) });
  }
  return found;
}

/** Return how far a key moves the moment; undefined for a key that does not. */
export const keyStep = (key, step) =>
  ({
    ArrowLeft: -step,
    ArrowRight: step,
    ArrowDown: -step,
    ArrowUp: step,
    PageUp: -DAY,
    PageDown: DAY,
    Home: -Infinity,
    End: Infinity,
  })[key];

/** Return marked moments with one more, or without it if it was marked. */
export function toggleMark(marked, at) {
  if (marked.includes(at)) return marked.filter((one) => one !== at);
  return [...marked, at].sort((a, b) => a - b);
}
