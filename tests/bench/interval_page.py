"""`python -m tests.bench.interval_page`.

The wall's content as a page by Dash's documentation of live updates: `dcc.Interval` and a callback,
which asks ClickHouse for each viewer and returns all of it. What is compared a day back is asked
once a minute, as by us.
"""

from typing import Any

import dash
import dash_leaflet as dl
import uvicorn
from dash import Input, Output, dcc, html

from dashboard.pages.wall.frame import Frame, Painter
from dashboard.query.cache import AnswerCache
from dashboard.query.clock import Live
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.snapshot import ProvinceContext, a_day_ago, take
from dashboard.query.store import ScreenStore
from dashboard.request.view import WallView
from schemas.settings import Settings, load

TICK = "tick"


def main() -> None:
    """Serve it where the dashboard would be."""
    settings = load()
    uvicorn.run(
        create(settings).server, host="127.0.0.1", port=settings.dashboard_port, log_level="warning"
    )


def create(settings: Settings) -> dash.Dash:
    """Return the page.

    Its callback is synchronous, as in the documentation: Dash runs it on a pool of threads.
    """
    painter, store, once = (
        Painter(ProvinceContext(settings.province)),
        ScreenStore(Connection(settings.clickhouse_url)),
        AnswerCache(),
    )
    figures = FigureStore(store.connection, painter.place.calendar)

    def content() -> Frame:
        before = once("a day ago", lambda: a_day_ago(figures, Live()), 60.0)
        taken = take(
            store, Live(), painter.place, settings.partitions, settings.stale_after_seconds, before
        )
        return painter.frame(taken, WallView("vi"))

    shown = list(content())
    app = dash.Dash("interval", backend="fastapi")
    app.layout = html.Div(
        [
            dcc.Interval(id=TICK, interval=1000),
            *map(_component, dict.fromkeys(name for name, _ in shown)),
        ]
    )

    @app.callback(
        [Output(component, prop) for component, prop in shown], Input(TICK, "n_intervals")
    )
    def update(_count: int | None) -> list[Any]:
        found = content()
        return [found[one] for one in shown]

    return app


def _component(name: str) -> Any:
    return (
        dl.Map(dl.GeoJSON(id=name), id=f"{name}-map")
        if name.startswith("map-")
        else html.Div(id=name)
    )


if __name__ == "__main__":
    main()
