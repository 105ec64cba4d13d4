/**
 * Start the browser's side: install listeners, register functions that Python names, start Dash.
 *
 * Reading order: adapter.js (internals of Dash and Leaflet), renderer/ (draws component trees),
 * shell/ (heartbeat, keys, lists, the tab's icon), map/ (the wall's map and the operators'),
 * player/ (replay).
 */

import { expose, registerCallbacks, startDash } from "./adapter.js";
import * as gestures from "./map/gestures.js";
import * as geometry from "./map/geometry.js";
import * as outlines from "./map/outlines.js";
import * as map from "./map/page.js";
import * as player from "./player/player.js";
import * as content from "./renderer/content.js";
import * as focus from "./renderer/focus.js";
import * as favicon from "./shell/favicon.js";
import * as keyboard from "./shell/keyboard.js";
import * as liveness from "./shell/liveness.js";
import * as records from "./shell/records.js";

for (const part of [focus, keyboard, favicon, liveness, map, gestures, content, records, player]) {
  part.install();
}
registerCallbacks("favicon", favicon.callbacks);
registerCallbacks("live", liveness.callbacks);
registerCallbacks("outlines", outlines.callbacks);
expose("outlines", outlines.layers);
expose("map", { ...map.layers, ...map.shown });
expose("marks", { at: geometry.markAt, all: geometry.marksAt });
expose("replay", player.view);
startDash();
