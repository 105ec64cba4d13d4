"""Bar above the map: the period, the filters of reports and records, and ways to select an area."""

from dash import dcc, html

from dashboard.components.parts import PICKER, Part, labelled, stated
from dashboard.i18n.translator import sort_key
from dashboard.pages.map import layer_data
from dashboard.pages.map.legends import picked
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import USUAL_WINDOW, WINDOWS, MapView, written
from dashboard.query.map import STATES
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import category_label

ANEW = {"records_page": None}
"""Parameters to remove when the selection changes, such as the page of a table that is replaced."""


def bar(context: PageContext, request: PageRequest, view: MapView) -> list[Part]:
    """Build the parts of the bar."""
    return [
        _window(request, view),
        _filters(context, request, view),
        _choose(context, request, view),
    ]


def _window(request: PageRequest, view: MapView) -> html.Div:
    translator = request.translator
    tabs = [
        html.A(
            translator(f"map_window_{name}"),
            href=request.with_(
                **{
                    "window": None if name == USUAL_WINDOW else name,
                    "from": None,
                    "to": None,
                    **ANEW,
                }
            ),
            className="here" if view.window == name else "",
            **stated("current", view.window == name),
        )
        for name in WINDOWS
    ]
    form = html.Form(
        [
            *(
                html.Label(
                    [
                        html.Span(words),
                        dcc.Input(name=name, value=written(at), id=f"window-{name}", **PICKER),
                    ]
                )
                for name, words, at in (
                    ("from", translator("map_from"), view.since),
                    ("to", translator("map_to"), view.until),
                )
            ),
            html.Button(translator("show"), type="submit"),
        ],
        action=request.path,
        id="window-form",
    )
    custom = html.Details(
        [
            html.Summary(
                translator("map_window_custom"), className="here" if view.window == "custom" else ""
            ),
            form,
        ],
        id="window-custom",
        className="drop",
    )
    return html.Div(
        [html.Nav(tabs, className="tabs", **labelled(translator("map_window"))), custom],
        className="window",
    )


def _filters(context: PageContext, request: PageRequest, view: MapView) -> html.Div:
    translator = request.translator
    scope = view.scope(context.place, spots(context.place))
    counts = layer_data.categories(context, view, scope)
    known = sorted(
        {*counts, *filter(None, [view.category])},
        key=lambda code: sort_key(category_label(code, request.language)),
    )
    categories = [("", translator("map_any_category"))]
    categories += [
        (
            code,
            f"{category_label(code, request.language)} ({translator.number(counts.get(code, 0))})",
        )
        for code in known
    ]
    states = [
        ("", translator("map_any_state")),
        *((name, translator(f"map_state_{name}")) for name in STATES),
    ]
    return html.Div(
        [
            picked("category", categories, view.category, translator("map_category")),
            picked("state", states, view.state, translator("state")),
        ],
        className="filters",
    )


def _choose(context: PageContext, request: PageRequest, view: MapView) -> html.Div:
    translator, chosen = request.translator, view.communes
    rows = []
    for code, words in sorted(context.place.names.items(), key=lambda one: sort_key(one[1])):
        on = code in chosen
        codes = [one for one in chosen if one != code] if on else [*chosen, code]
        href = request.with_(unit=",".join(codes) or None, box=None, record=None, **ANEW)
        rows.append(
            html.Li(
                html.A(
                    [html.I(className="tick"), words],
                    href=href,
                    role="checkbox",
                    className="switch",
                    **stated("checked", on),
                )
            )
        )
    listed = html.Details(
        [
            html.Summary(translator("map_choose_communes")),
            html.Ul(rows, className="communes", **labelled(translator("map_choose_communes"))),
        ],
        id="choose-communes",
        className="drop",
    )
    return html.Div(listed, className="choosing") if rows else html.Div()
