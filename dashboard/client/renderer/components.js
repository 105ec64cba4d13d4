/**
 * Draw component trees without Dash: the content of a desk page, and answers to a page's script.
 *
 * Elements are updated in place, so that focus, open details and scroll positions stay. Dash would
 * need half a second for a map's panels and seconds for a long page, and every change in its store
 * would then check each of their hundreds of parts. The page contract
 * (docs/reference/page-contract.md) lists the components that can be drawn; any other is an error.
 */

/** Components that are drawn: all of `dash_html_components`, and these. */
export const DRAWN = { dash_core_components: ["Input", "Link"] };

const ATTRIBUTES = {
  className: "class",
  htmlFor: "for",
  tabIndex: "tabindex",
  colSpan: "colspan",
  rowSpan: "rowspan",
  autoComplete: "autocomplete",
};
const DASH_ONLY = new Set([
  "children",
  "refresh",
  "n_clicks",
  "key",
  "disable_n_clicks",
  "debounce",
]);
const LONG = /\S{32}/;
const given = new WeakMap(); // element → the properties that were set

const isObject = (one) => one !== null && typeof one === "object";
const isNothing = (one) => one === null || one === undefined || one === "";

/** Return the children of a component as one list, without empty ones. */
export function childList(children) {
  if (Array.isArray(children)) return children.flatMap(childList);
  return isNothing(children) ? [] : [children];
}

/** Return whether a component can be drawn. */
export const isDrawn = ({ namespace, type }) =>
  namespace === "dash_html_components" || Boolean(DRAWN[namespace]?.includes(type));

const isPageLink = ({ namespace, type }) => namespace === "dash_core_components" && type === "Link";

/** Return the name of the element that a component becomes. */
export function tagOf(component) {
  if (!isDrawn(component)) return "span";
  return isPageLink(component) ? "a" : component.type.toLowerCase();
}

/** Return the properties of a component that become attributes or styles of its element. */
export function properties(component) {
  if (!isDrawn(component)) return { "data-undrawn": `${component.namespace}.${component.type}` };
  const found = Object.entries(component.props).filter(
    ([name, value]) =>
      !DASH_ONLY.has(name) && value !== null && value !== undefined && value !== false,
  );
  if (isPageLink(component)) found.push(["data-within", "true"]);
  return Object.fromEntries(found);
}

/** Return whether a text has a word so long that it may be broken. */
export const isLong = (text) => LONG.test(text);

function set(element, name, value) {
  if (name === "style") {
    element.style.cssText = "";
    Object.assign(element.style, value);
    return;
  }
  if (name === "selected" || name === "value") element[name] = value;
  element.setAttribute(ATTRIBUTES[name] ?? name, value === true ? "" : value);
}

function unset(element, name) {
  if (name === "style") element.style.cssText = "";
  else element.removeAttribute(ATTRIBUTES[name] ?? name);
}

function give(element, component) {
  const before = given.get(element) ?? {};
  const now = properties(component);
  for (const name of Object.keys(before)) if (!(name in now)) unset(element, name);
  for (const [name, value] of Object.entries(now)) {
    const same = isObject(value)
      ? JSON.stringify(value) === JSON.stringify(before[name])
      : value === before[name];
    if (!same) set(element, name, value);
  }
  given.set(element, now);
}

function fits(node, component) {
  return (
    node?.nodeType === Node.ELEMENT_NODE &&
    node.localName === tagOf(component) &&
    given.has(node) &&
    node.id === (component.props.id ?? "")
  );
}

/* Returns the node for a text or a component; reuses the present one if possible. */
function nodeFor(here, one) {
  if (!isObject(one)) {
    if (here?.nodeType !== Node.TEXT_NODE) return document.createTextNode(one);
    if (here.data !== String(one)) here.data = one;
    return here;
  }
  if (!isDrawn(one)) {
    console.error(`The page contract has no ${one.namespace}.${one.type}: it is not drawn.`);
  }
  const element = fits(here, one) ? here : document.createElement(tagOf(one));
  give(element, one);
  draw(element, isDrawn(one) ? one.props.children : []);
  return element;
}

/**
 * Draw a component's children into an element.
 *
 * Elements with a very long word are marked, so that the word may be broken.
 */
export function draw(parent, children) {
  const wanted = childList(children);
  const long = wanted.some((one) => !isObject(one) && isLong(one));
  parent.toggleAttribute("data-long", long);
  wanted.forEach((one, number) => {
    const old = parent.childNodes[number];
    const here = nodeFor(old, one);
    if (here === old) return;
    if (old) old.replaceWith(here);
    else parent.append(here);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}
