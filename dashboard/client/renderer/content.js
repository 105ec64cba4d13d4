/**
 * Draw the content of a desk page: Python puts it into `data-content` of the element `content`, and
 * a callback refreshes it there. A new address starts with an empty element.
 */

import { navigate } from "../adapter.js";
import { isPlainClick } from "../shell/text.js";
import { draw } from "./components.js";

const shown = new WeakMap(); // element → the text and the address that it shows

function show() {
  const place = document.getElementById("content");
  const text = place?.dataset.content;
  if (!text || shown.get(place)?.text === text) return;
  const { address } = place.dataset;
  if (shown.get(place)?.address !== address) place.replaceChildren();
  shown.set(place, { text, address });
  draw(place, JSON.parse(text));
}

/* Lets Dash follow links to other desk pages, without a reload. */
function follow(event) {
  const link = event.target.closest?.("a[data-within]");
  if (!link || event.defaultPrevented || !isPlainClick(event)) return;
  event.preventDefault();
  navigate(link.href);
}

/** Draw the content whenever it changes, and follow its links. */
export function install() {
  document.addEventListener("click", follow);
  const watched = { childList: true, subtree: true, attributes: true };
  new MutationObserver(show).observe(document, { ...watched, attributeFilter: ["data-content"] });
}
