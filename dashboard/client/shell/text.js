/** Computed texts: words with values filled in, ages, sizes, addresses. */

const MINUTE_SECONDS = 60;
const HOUR_MINUTES = 60;
const DAY_HOURS = 24;
const KILOBYTE = 1e3;
const MEGABYTE = 1e6;

/** Return words with `{name}` replaced by values; empty if the words are unknown. */
export const fill = (words, values = {}) =>
  (words ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/**
 * Return a span of time in words: seconds, minutes, hours, days.
 *
 * Minutes are given with hours only below ten hours.
 *
 * @param {number} ms - the span in milliseconds; a negative one counts as 0
 * @param {(key: string, values: object) => string} say - words of the viewer's language
 */
export function span(ms, say) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / MINUTE_SECONDS);
  const hours = Math.floor(minutes / HOUR_MINUTES);
  if (minutes < 1) return say("seconds", { n: seconds });
  if (hours < 1) return say("minutes", { n: minutes });
  if (hours >= DAY_HOURS) return say("days", { n: Math.floor(hours / DAY_HOURS) });
  const rest = minutes % HOUR_MINUTES;
  return rest && hours < 10
    ? say("hours_minutes", { h: hours, m: rest })
    : say("hours", { n: hours });
}

/** Format the size of a file in kB or MB, in a language. */
export function fileSize(bytes, language) {
  const [n, unit] = bytes < MEGABYTE ? [bytes / KILOBYTE, "kB"] : [bytes / MEGABYTE, "MB"];
  return `${n.toLocaleString(language, { maximumFractionDigits: 1 })} ${unit}`;
}

/** Return a text without tone marks and capitals, for searching. */
export const fold = (text) =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d");

/** Return the parameters of an address as people can read them: commas, slashes, colons stay. */
export const queryText = (params) =>
  params.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");

/** Return parameters without some of them. */
export function without(params, names) {
  const found = new URLSearchParams(params);
  names.forEach((name) => found.delete(name));
  return found;
}

/** Set parameters to values; delete those without one. */
export function assign(params, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value) params.set(name, value);
    else params.delete(name);
  }
  return params;
}

/** Return whether an element is a field, in which keys are text. */
export const isField = (element) => /^(INPUT|SELECT|TEXTAREA)$/.test(element?.tagName ?? "");

/** Return whether a click is by the first button without modifier keys: scripts may handle it. */
export const isPlainClick = (event) =>
  !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

/** Return an element of a kind with properties. */
export const make = (tag, properties = {}) =>
  Object.assign(document.createElement(tag), properties);
