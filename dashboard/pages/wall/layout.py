"""Page of the wall: its layout. Content is pushed; until it arrives, a text says so."""

from collections.abc import Callable
from urllib.parse import urlencode

from dash import dcc, html

from dashboard.components import outlines as map
from dashboard.components.parts import Part
from dashboard.i18n.catalogue import catalogue
from dashboard.i18n.page_keys import PAGE_KEYS
from dashboard.pages.wall import cards
from dashboard.pages.wall.frame import Painter
from dashboard.query.connection import UnreachableError
from dashboard.query.rights import NoRightsError
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.browser import remembered
from dashboard.request.view import (
    SCENES,
    WallView,
    choose_language,
    measure,
    scenes,
    theme,
    unknown_scenes,
)
from dashboard.request.viewing_distance import ViewingDistance, viewing_distance
from schemas.events.kinds import KINDS


def page(
    painter: Painter,
    usual_language: str,
    default_distance: ViewingDistance,
    usual_rotation: int,
    parameters: dict[str, str],
    past: Callable[[PageRequest], tuple[Part, ProvinceContext] | None] = lambda _asked: None,
) -> html.Div:
    """Build the wall for the parameters of an address.

    Args:
        painter: renders the frames.
        usual_language: of the installation.
        default_distance: the viewing distance of the installation.
        usual_rotation: seconds per scene of the installation.
        parameters: of the address: `scene` (names with commas, or `all`), `rotate` (seconds, 0 for
            never), `lang`, `theme`, `distance` (m), `pitch` (mm per pixel), `measure`.
        past: returns the bar of a wall that shows the past, and the province as it was then.
    """
    distance = viewing_distance(
        parameters.get("distance"), parameters.get("pitch"), default_distance
    )
    language = choose_language(parameters.get("lang"), remembered(), usual_language)
    chosen, rotate = scenes(parameters.get("scene"), parameters.get("rotate"), usual_rotation)
    view = WallView(language, measure(parameters.get("measure")), scenes=chosen, rotate=rotate)
    translator, place = view.translator, painter.place
    other = "vi" if view.language == "en" else "en"
    wrong = unknown_scenes(parameters.get("scene"))
    notes = (
        [translator("unknown_scene", names=", ".join(wrong), known=", ".join(SCENES))]
        if wrong
        else []
    )
    try:
        then = past(PageRequest("/wall", tuple(sorted(parameters.items())), language))
        replay, place = then or (None, place)
    except (ValueError, UnreachableError, NoRightsError) as error:
        replay = None
        why = (
            translator("store_away")
            if isinstance(error, UnreachableError)
            else translator("no_rights")
        )
        notes.append(
            translator("not_that_moment", why=str(error) if isinstance(error, ValueError) else why)
        )
    outlines = map.outlines(place)
    centres = painter.centres if place is painter.place else map.centres(place)
    return html.Div(
        [
            dcc.Store(
                id="viewer",
                data=_viewer(view, place.full_name(view.language))
                | ({"past": True} if replay is not None else {}),
            ),
            dcc.Store(id="pulse"),
            dcc.Store(id="map-dots"),
            dcc.Interval(id="fallback", interval=2000, disabled=True),
            html.Div(id="banner", role="alert", hidden=True),
            html.Header(
                [
                    html.H1(place.full_name(view.language)),
                    html.Div(id="scene", className="scene"),
                    html.Span(id="beat", className="beat", role="status"),
                    html.A(
                        translator("other_language"),
                        id="language",
                        href="?" + urlencode({**parameters, "lang": other}),
                        lang=other,
                    ),
                    html.Time(id="clock"),
                ]
            ),
            *([replay] if replay is not None else []),
            html.Section(
                [html.Div(id=f"figure-{n}", className="slot") for n in range(cards.MAX_CARDS)],
                id="figures",
                className="figures",
            ),
            html.Main(
                [
                    html.Section(
                        [
                            map.component(
                                place,
                                map.bounds(centres, outlines),
                                outlined=bool(outlines["features"]),
                            ),
                            html.Div([], id="legend", className="legend"),
                            html.Div([], id="board", className="board"),
                        ],
                        id="ground",
                        className="ground",
                    ),
                    html.Section(
                        [
                            html.H2(translator("loading"), id="alarms-title"),
                            html.Div([], id="alarms", className="alarms"),
                        ],
                        className="calls",
                    ),
                ]
            ),
            html.Footer(
                [
                    html.B(translator("sources"), className="lead"),
                    html.Div(
                        [html.Div(id=f"source-{n}", className="slot") for n in range(len(KINDS))],
                        id="sources",
                        className="sources",
                    ),
                ]
            ),
            html.Div(id="notice"),
            *([html.Div([html.Div(note) for note in notes], className="empty")] if notes else []),
        ],
        id="wall",
        className=f"wall theme-{theme(parameters.get('theme'))}"
        f"{' past' if replay is not None else ''}",
        lang=view.language,
        style={"--letter": f"{distance.pixels():.2f}"},
    )


def _viewer(view: WallView, province: str) -> dict[str, object]:
    """Return what the page stores: its view, for the server, and its own messages."""
    return {
        "language": view.language,
        "measure": view.measure,
        "scenes": list(view.scenes),
        "rotate": view.rotate,
        "title": view.translator("title", province=province),
        "words": {key: catalogue(view.language)[key] for key in PAGE_KEYS},
    }
