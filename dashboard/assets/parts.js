/* Draws components beside Dash: the content of a desk page, and what the script of a page asked for. What a place shows is changed where
   it stands, so that the keyboard, what is unfolded and what is scrolled stay. Dash would need half a second for a map's panels and
   seconds for a long page, and every word of its store would then ask each of their hundreds of parts whether it is concerned. Only
   components of html, links and fields are known. */
(() => {
  const NAMES = { className: "class", htmlFor: "for", tabIndex: "tabindex", colSpan: "colspan", rowSpan: "rowspan", autoComplete: "autocomplete" };
  const NEVER = new Set(["children", "refresh", "n_clicks", "key", "disable_n_clicks", "debounce"]);
  const drawn = new WeakMap(); // element → the properties it was given

  const is = (one) => one !== null && typeof one === "object";
  const flat = (children) => (Array.isArray(children) ? children.flatMap(flat) : children === null || children === undefined || children === "" ? [] : [children]);
  const tag = ({ type }) => (type === "Link" ? "a" : type.toLowerCase());

  function give(element, { type, props }) {
    const before = drawn.get(element) ?? {}, now = Object.fromEntries(Object.entries(props).filter(([name, value]) => !NEVER.has(name) && value !== null && value !== undefined && value !== false));
    if (type === "Link") now["data-within"] = "true";
    for (const name of Object.keys(before)) if (!(name in now)) { if (name === "style") element.style.cssText = ""; else element.removeAttribute(NAMES[name] ?? name); }
    for (const [name, value] of Object.entries(now)) {
      const same = is(value) ? JSON.stringify(value) === JSON.stringify(before[name]) : value === before[name];
      if (same) continue;
      if (name === "style") { element.style.cssText = ""; Object.assign(element.style, value); } else if (name === "selected" || name === "value") { element[name] = value; element.setAttribute(name, value === true ? "" : value); } else element.setAttribute(NAMES[name] ?? name, value === true ? "" : value);
    }
    drawn.set(element, now);
  }

  /* Make the children of an element what a component's children say. What has a word too long for its place is marked: it may be broken. */
  const LONG = /\S{32}/;
  function draw(parent, children) {
    const wanted = flat(children);
    parent.toggleAttribute("data-long", wanted.some((one) => !is(one) && LONG.test(one)));
    wanted.forEach((one, number) => {
      let here = parent.childNodes[number];
      if (!is(one)) {
        if (here?.nodeType === Node.TEXT_NODE) { if (here.data !== String(one)) here.data = one; return; }
        here = document.createTextNode(one);
      } else {
        const fits = here?.nodeType === Node.ELEMENT_NODE && here.localName === tag(one) && drawn.has(here) && here.id === (one.props.id ?? "");
        const element = fits ? here : document.createElement(tag(one));
        give(element, one);
        draw(element, one.props.children);
        if (fits) return;
        here = element;
      }
      const old = parent.childNodes[number];
      if (old) old.replaceWith(here); else parent.append(here);
    });
    while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
  }

  /* Links that were drawn here and lead to another page of the desk are followed by Dash, without loading it anew. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-within]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState({}, "", link.href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  });

  /* The content of a desk page is told in an attribute of its place; another address begins anew. */
  const shown = new WeakMap();
  function content() {
    const place = document.getElementById("content"), text = place?.dataset.content;
    if (!text || shown.get(place)?.text === text) return;
    const { address } = place.dataset;
    if (shown.get(place)?.address !== address) place.replaceChildren();
    shown.set(place, { text, address });
    draw(place, JSON.parse(text));
  }
  new MutationObserver(content).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-content"] });

  window.ioc = Object.assign({}, window.ioc, { parts: { draw } });
})();
