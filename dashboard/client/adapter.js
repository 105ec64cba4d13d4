/**
 * The only module that relies on undocumented behaviour of Dash, dash-leaflet and Leaflet.
 *
 * Look here first when one of them is upgraded. What is used, and why:
 *
 * - `DashRenderer`: the page starts Dash itself, as modules run after Dash's own scripts and before
 *   its first callback only if they start it.
 * - `dash_stores[].getState().history.past`: Dash keeps every pushed value for an undo.
 * - the event `_dashprivate_pushstate`: how `dcc.Link` notifies `dcc.Location` of a new page.
 * - `window.L`: dash-leaflet loads Leaflet and leaves it there, so no second copy is loaded.
 * - dash-leaflet's `{"variable": "ioc.map.commune"}`: functions are looked up in `window`.
 * - Leaflet's `L.Renderer` with `_initContainer`, `_destroyContainer`, `_update`, `_container`,
 *   `_map` and `_bounds`: it makes a drawing follow drags and zooms.
 * - Leaflet's `map._animatingZoom`: a drawing made during a zoom would jump.
 *
 * tests/browser/test_adapter.py fails when one of these is gone.
 */

/** The event that links of Dash dispatch when they change the address. */
export const NAVIGATED = "_dashprivate_pushstate";

/** Return Leaflet, as dash-leaflet loaded it. */
export const leaflet = () => window.L;

/** Start Dash; all functions that it calls by name must be registered before. */
export function startDash() {
  return new window.DashRenderer();
}

/** Set properties of a component that Dash draws. */
export function setProps(id, props) {
  window.dash_clientside?.set_props?.(id, props);
}

/** Return the value by which a callback says that nothing changes. */
export const noUpdate = () => window.dash_clientside.no_update;

/** Register functions that Python names as `ClientsideFunction(namespace, name)`. */
export function registerCallbacks(namespace, functions) {
  window.dash_clientside = Object.assign(window.dash_clientside ?? {}, { [namespace]: functions });
}

/** Make functions available to dash-leaflet as `ioc.<name>.<function>`. */
export function expose(name, functions) {
  window.ioc = Object.assign(window.ioc ?? {}, { [name]: functions });
}

/**
 * Drop the values that Dash keeps for its undo.
 *
 * It keeps every pushed value, and no page here offers the undo: a wall's memory would grow without
 * end.
 */
export function forgetHistory() {
  window.dash_stores?.forEach((store) => {
    store.getState().history.past.length = 0;
  });
}

/** Navigate to another page of the desk without a reload. */
export function navigate(href) {
  history.pushState({}, "", href);
  window.dispatchEvent(new CustomEvent(NAVIGATED));
  window.scrollTo(0, 0);
}

/** Call a listener for address changes before Dash's own; it may stop the event. */
export function beforeNavigation(listener) {
  for (const name of ["popstate", NAVIGATED]) window.addEventListener(name, listener, true);
}

/** Return whether a map is still on the page; delayed work may run after it was removed. */
export const isStanding = (map) => map.getContainer().isConnected && map.getPane("mapPane");

/** Return whether a map is in the middle of a zoom. */
export const isZooming = (map) => Boolean(map._animatingZoom);

/** End the zoom of a map before it is removed; Leaflet would end it afterwards and fail. */
export function endZoom(map) {
  map._animatingZoom = false;
}

let CanvasLayer = null;

/**
 * Return a layer with one canvas, moved by the browser while the map is dragged.
 *
 * Leaflet's own renderer makes it follow drags and zooms; `paint` draws its content.
 *
 * @param {string} pane - the map's pane for the layer
 * @param {(context: CanvasRenderingContext2D, bounds: object) => void} paint - draws the content
 *   within the bounds, in pixels of the map's layer
 */
export function canvasLayer(pane, paint) {
  const L = leaflet();
  CanvasLayer ??= L.Renderer.extend({
    options: { padding: 0.4 },
    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.className = "marks";
      this._container.setAttribute("aria-hidden", "true");
    },
    _destroyContainer() {
      this._container.remove();
      this._container = null;
    },
    _update() {
      if (isZooming(this._map) && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize();
      const ratio = window.devicePixelRatio || 1;
      const box = this._container;
      const [width, height] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      L.DomUtil.setPosition(box, this._bounds.min);
      if (box.width !== width || box.height !== height) {
        box.width = width;
        box.height = height;
        box.style.width = `${size.x}px`;
        box.style.height = `${size.y}px`;
      }
      this.redraw();
    },
    redraw() {
      if (!this._map || !this._bounds) return;
      const ratio = window.devicePixelRatio || 1;
      const context = this._container.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, this._container.width, this._container.height);
      context.translate(-this._bounds.min.x, -this._bounds.min.y);
      this.options.paint(context, this._bounds);
    },
    /* Redraw only if the view reaches beyond the drawn area. */
    follow() {
      if (!isZooming(this._map) && !this.covers()) this._update();
    },
    covers() {
      const min = this._map.containerPointToLayerPoint([0, 0]);
      return !this._bounds || this._bounds.contains(L.bounds(min, min.add(this._map.getSize())));
    },
  });
  return new CanvasLayer({ pane, paint });
}
