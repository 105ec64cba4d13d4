"""What dashboard/client/adapter.js uses beyond what Dash and Leaflet promise is still there.

After an upgrade of dash or dash-leaflet, a failure here names what client/adapter.js has to do in
another way.
"""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import System
from tests.browser.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.browser]
USED = {
    "Dash is started by the page": "typeof window.DashRenderer === 'function'",
    "Dash's stores keep a history": (
        "window.dash_stores.every((one) => Array.isArray(one.getState().history.past))"
    ),
    "Leaflet is left in window": "L.version.startsWith('1.9.')",
    "Leaflet's renderer has its hooks": (
        "['_initContainer', '_destroyContainer', '_update'].every((one) => "
        "typeof L.Canvas.prototype[one] === 'function' || "
        "typeof L.Renderer.prototype[one] === 'function')"
    ),
    "a renderer knows its map, its bounds and its container": (
        "(() => { const { map } = ioc.map.state; let found = null;"
        "map.eachLayer((one) => { if (one._container?.classList.contains('marks')) found = one; });"
        "return found && found._map === map && found._bounds.contains(found._bounds.min); })()"
    ),
    "a map says whether it is in the middle of a zoom": (
        "/_animatingZoom/.test(String(L.Map.prototype._onZoomTransitionEnd))"
    ),
}


def test_what_the_adapter_uses_is_there(page: Page, system: System) -> None:
    page.goto(f"{system.url}/map")
    wait_until(page, "window.ioc?.map?.state.map && ioc.map.state.drawn", timeout=60_000)
    assert {name: bool(page.evaluate(found)) for name, found in USED.items()} == dict.fromkeys(
        USED, True
    )


def test_a_link_of_the_desk_is_followed_without_loading(page: Page, system: System) -> None:
    page.goto(f"{system.url}/unit/46")
    wait_until(page, "document.querySelector('#content a[data-within]')", timeout=60_000)
    page.evaluate("window.stays = true")
    page.locator("#content a[data-within]").first.click()
    wait_until(page, "location.pathname !== '/unit/46' && document.querySelector('h1')")
    assert page.evaluate("window.stays")
