"""The page of the wall: where everything stands. What it shows comes by push; until then it says that it is opening."""

from urllib.parse import urlencode

from dash import dcc, html

from dashboard.sight import Sight, sight
from dashboard.spoken import SPOKEN
from dashboard.visitor import remembered
from dashboard.wall import map
from dashboard.wall.frame import Painter
from dashboard.wall.view import View, language, measure, theme
from dashboard.words import WORDS


def page(painter: Painter, usual_language: str, usual_sight: Sight, asked: dict[str, str]) -> html.Div:
    """The wall for an address's parameters: `lang`, `theme`, `distance` (m), `pitch` (mm per pixel), `measure`."""
    view = View(language(asked.get("lang"), remembered(), usual_language), measure(asked.get("measure")))
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
