"""Above the map: the window of time, what reports and records are narrowed to, and the ways to choose a part of the province."""

from dash import dcc, html

from dashboard.components.parts import PICKER, Part, labelled, stated
from dashboard.i18n.speech import in_order
from dashboard.pages.map import gathered
from dashboard.pages.map.legends import picked
from dashboard.pages.map.spots import spots
from dashboard.pages.map.view import USUAL_WINDOW, WINDOWS, MapView, written
from dashboard.query.map import STATES
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import category_words

ANEW = {"records_page": None}
"""What another choice takes away: the page of a table that is no more."""


def bar(ask: PageContext, asked: PageRequest, view: MapView) -> list[Part]:
    """The parts of the bar."""
    return [_window(asked, view), _filters(ask, asked, view), _choose(ask, asked, view)]


def _window(asked: PageRequest, view: MapView) -> html.Div:
    speech = asked.speech
    tabs = [
        html.A(
            speech(f"map_window_{name}"),
            href=asked.with_(
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
                    ("from", speech("map_from"), view.since),
                    ("to", speech("map_to"), view.until),
                )
            ),
            html.Button(speech("show"), type="submit"),
        ],
        action=asked.path,
        id="window-form",
    )
    custom = html.Details(
        [
            html.Summary(
                speech("map_window_custom"), className="here" if view.window == "custom" else ""
            ),
            form,
        ],
        id="window-custom",
        className="drop",
    )
    return html.Div(
        [html.Nav(tabs, className="tabs", **labelled(speech("map_window"))), custom],
        className="window",
    )


def _filters(ask: PageContext, asked: PageRequest, view: MapView) -> html.Div:
    speech = asked.speech
    scope = view.scope(ask.place, spots(ask.place))
    counts = gathered.categories(ask, view, scope)
    known = sorted(
        {*counts, *filter(None, [view.category])},
        key=lambda code: in_order(category_words(code, asked.spoken)),
    )
    categories = [("", speech("map_any_category"))]
    categories += [
        (code, f"{category_words(code, asked.spoken)} ({speech.number(counts.get(code, 0))})")
        for code in known
    ]
    states = [
        ("", speech("map_any_state")),
        *((name, speech(f"map_state_{name}")) for name in STATES),
    ]
    return html.Div(
        [
            picked(asked, "category", categories, view.category, speech("map_category")),
            picked(asked, "state", states, view.state, speech("state")),
        ],
        className="filters",
    )


def _choose(ask: PageContext, asked: PageRequest, view: MapView) -> html.Div:
    speech, chosen = asked.speech, view.communes
    rows = []
    for code, words in sorted(ask.place.names.items(), key=lambda one: in_order(one[1])):
        on = code in chosen
        codes = [one for one in chosen if one != code] if on else [*chosen, code]
        href = asked.with_(unit=",".join(codes) or None, box=None, record=None, **ANEW)
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
            html.Summary(speech("map_choose_communes")),
            html.Ul(rows, className="communes", **labelled(speech("map_choose_communes"))),
        ],
        id="choose-communes",
        className="drop",
    )
    return html.Div(listed, className="choosing") if rows else html.Div()
