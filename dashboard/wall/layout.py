"""The page of the wall: where everything stands. What it shows comes by push; until then it says that it is opening."""

from urllib.parse import urlencode

import dash
from dash import dcc, html
from dash.exceptions import MissingCallbackContextException

from dashboard.sight import Sight, sight
from dashboard.wall import map
from dashboard.wall.frame import Painter
from dashboard.wall.view import View, language, measure, theme
from dashboard.words import WORDS

SPOKEN = (
    "data_until",
    "ago",
    "seconds",
    "minutes",
    "hours",
    "hours_minutes",
    "days",
    "stopped",
    "stopped_path",
    "stopped_store",
    "stopped_failed",
    "stopped_server",
    "incomplete",
    "unwatched",
    "never_watched",
    "no_pulse",
)
"""The words that the page itself needs: it goes on speaking when the server is gone."""


def page(painter: Painter, usual_language: str, usual_sight: Sight, asked: dict[str, str]) -> html.Div:
    """The wall for an address's parameters: `lang`, `theme`, `distance` (m), `pitch` (mm per pixel), `measure`."""
    view = View(language(asked.get("lang"), _remembered(), usual_language), measure(asked.get("measure")))
    speech, place = view.speech, painter.place
    outlines = map.outlines(place.code)
    other = "vi" if view.language == "en" else "en"
    return html.Div(
        [
            dcc.Store(id="viewer", data=_viewer(view, place.full_name(view.language))),
            dcc.Store(id="pulse"),
            dcc.Interval(id="fallback", interval=2000, disabled=True),
            html.Div(id="banner", role="alert", hidden=True),
            html.Header(
                [
                    html.H1(place.full_name(view.language)),
                    html.Span(id="beat", className="beat", role="status"),
                    html.A(speech("other_language"), id="language", href="?" + urlencode({**asked, "lang": other}), lang=other),
                    html.Time(id="clock"),
                ]
            ),
            html.Section([], id="figures", className="figures"),
            html.Main(
                [
                    html.Section(
                        [
                            map.component(place.code, map.bounds(painter.centres, outlines), outlined=bool(outlines["features"])),
                            html.Div(map.legend(view.measure, outlines["schematic"], speech), className="legend"),
                        ],
                        className="ground",
                    ),
                    html.Section(
                        [html.H2(speech("loading"), id="alarms-title"), html.Div([], id="alarms", className="alarms")],
                        className="calls",
                    ),
                ]
            ),
            html.Footer([html.B(speech("sources"), className="lead"), html.Div([], id="sources", className="sources")]),
            html.Div(id="notice"),
        ],
        id="wall",
        className=f"wall theme-{theme(asked.get('theme'))}",
        lang=view.language,
        style={"--letter": f"{sight(asked.get('distance'), asked.get('pitch'), usual_sight).pixels():.2f}"},
    )


def _viewer(view: View, province: str) -> dict[str, object]:
    """What the page knows of itself: its view, for the server; its words, for itself."""
    return {
        "language": view.language,
        "measure": view.measure,
        "title": view.speech("title", province=province),
        "words": {key: WORDS[key][view.language == "en"] for key in SPOKEN},
    }


def _remembered() -> str | None:
    """The language that this browser was last shown; None outside of a request (Dash asks for the page once when it starts)."""
    try:
        return str(dash.ctx.cookies.get("ioc_language") or "") or None
    except (MissingCallbackContextException, LookupError):
        return None
