"""The pages of the desk in the order of the navigation, and their registration with Dash."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import dash
from dash import Input, Output, State, html
from fastapi import Request

from dashboard.components.parts import nothing
from dashboard.components.shell import DeskPage, drawn, layout
from dashboard.pages.index import page as index
from dashboard.pages.map import page as operators_map
from dashboard.pages.record import page as record
from dashboard.pages.records import page as records
from dashboard.pages.replay import page as replay
from dashboard.pages.search import page as search
from dashboard.pages.sources import page as sources
from dashboard.pages.targets import page as targets
from dashboard.pages.unit import page as unit
from dashboard.request.address import PageRequest
from dashboard.request.answers import content_tag, to_json
from dashboard.request.browser import in_request, remembered
from dashboard.request.context import PageContext
from dashboard.request.view import choose_language

PAGES: tuple[DeskPage, ...] = (
    DeskPage("map", "/map", operators_map.content, words="nav_map", live=False, plain=False),
    DeskPage("unit", "/unit/<code>", unit.content, words="nav_unit", home="/unit/{province}"),
    DeskPage(
        "records", "/records/<kind>", records.content, words="nav_records", home="/records/filing"
    ),
    DeskPage("record", "/record/<kind>/<id>", record.content),
    DeskPage("search", "/search", search.content, live=False),
    DeskPage("targets", "/targets", targets.content, words="nav_targets"),
    DeskPage("index", "/index", index.content, words="nav_index"),
    DeskPage("sources", "/sources", sources.content, words="nav_sources"),
    DeskPage("replay", "/replay", replay.content, words="nav_replay", live=False, of_moment=False),
)


def register(app: dash.Dash, context: PageContext, usual: str) -> None:
    """Add the pages, and the callback that refreshes an open page."""
    for page in PAGES:
        _register(page, context, usual)

    app.clientside_callback(  # type: ignore[no-untyped-call]
        dash.ClientsideFunction("live", "renew"),
        Output("renewal", "data"),
        Input("renew", "n_intervals"),
        prevent_initial_call=True,
    )

    # The icon of a tab, on the wall and at the desk: both receive heartbeats.
    app.clientside_callback(  # type: ignore[no-untyped-call]
        dash.ClientsideFunction("favicon", "draw"), Input("pulse", "data")
    )

    @app.callback(
        Output("content", "data-content"),
        Output("seen", "data"),
        Input("renewal", "data"),
        State("viewer", "data"),
        State("seen", "data"),
        prevent_initial_call=True,
    )
    def renew(_turn: Any, viewer: Any, seen: str | None) -> Any:
        """Return the content of an open page if it has changed."""
        request = _shown_to(viewer)
        if request is None:
            return dash.no_update, dash.no_update
        text = to_json(drawn(page_of(request.path), context, request))
        now = content_tag(text)
        return (dash.no_update, dash.no_update) if now == seen else (text, now)


def _register(page: DeskPage, context: PageContext, usual: str) -> None:
    varying = [part.strip("<>") for part in page.template.split("/") if part.startswith("<")]

    def show(**given: str | None) -> Any:
        path = page.template
        for name in varying:
            # Dash calls this once without a path when it starts. A code may hold slashes, which
            # Dash splits as it likes, and arrives as the browser encodes it.
            path = path.replace(f"<{name}>", unquote(given.pop(name, None) or ""))
        search = tuple(sorted((name, str(value)) for name, value in given.items() if value))
        language = choose_language(given.get("lang"), remembered(), usual)
        return layout(
            PAGES, page, context, PageRequest(path, search, language), empty=not in_request()
        )

    named = {"path_template": page.template} if varying else {"path": page.template}
    dash.register_page(page.name, title="IOC", layout=show, **named)  # type: ignore[no-untyped-call]


def _shown_to(viewer: Any) -> PageRequest | None:
    """Return the address that a browser says it shows; None if it is no valid one."""
    if not isinstance(viewer, dict) or not isinstance(given := viewer.get("parameters"), dict):
        return None
    path, parameters = (
        str(viewer.get("path")),
        {str(name): str(value) for name, value in given.items()},
    )
    if not is_page(path):
        return None
    return PageRequest(
        path, tuple(sorted(parameters.items())), "en" if viewer.get("language") == "en" else "vi"
    )


def late(http_request: Request, body: Mapping[str, Any], why: str, usual: str) -> html.Div:
    """Return the page shown when one was not made in time: the reason, and a link to try again."""
    given = {one["property"]: str(one.get("value") or "") for one in body["inputs"]}
    request = PageRequest.of(
        given.get("pathname", "/"),
        given.get("search", ""),
        http_request.cookies.get("ioc_language"),
        usual,
    )
    translator = request.translator
    again = html.P(html.A(translator("try_again"), href=request.with_()), className="way-on")
    content = html.Main(
        [nothing(translator(why), translator(f"{why}_hint")), again],
        id="content",
        className="page",
        tabIndex=-1,
    )
    return html.Div(content, className=f"desk theme-{request.theme}", lang=request.language)


def page_of(path: str) -> DeskPage:
    """Return the page of a path.

    Raises:
        LookupError: there is none.
    """
    found = next((one for one in PAGES if _is_of(one, path)), None)
    if found is None:
        raise LookupError(path)
    return found


def is_page(path: str) -> bool:
    """Tell whether a path is that of a desk page."""
    return any(_is_of(page, path) for page in PAGES)


def _is_of(page: DeskPage, path: str) -> bool:
    return path == page.template or (
        path.startswith(page.template.partition("<")[0]) and "<" in page.template
    )
