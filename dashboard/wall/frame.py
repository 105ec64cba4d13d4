"""A frame: all that changes on a wall, as props by component, for one snapshot and view."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dash import html

from dashboard.snapshot import Place, Snapshot
from dashboard.wall import alarms, figures, map, sources
from dashboard.wall.view import View

Frame = dict[tuple[str, str], Any]
"""(component id, property) → value."""


@dataclass(frozen=True)
class Painter:
    """Draws the frames of one province; knows what never changes."""

    place: Place

    @cached_property
    def centres(self) -> dict[str, tuple[float, float]]:
        """Where the names of communes stand."""
        return map.centres(self.place)

    def frame(self, snapshot: Snapshot, view: View) -> Frame:
        """Everything that a wall of that view shows of a snapshot."""
        speech = view.speech
        return {
            ("notice", "children"): html.Div(speech("no_data"), className="empty") if snapshot.empty else None,
            ("figures", "children"): [figures.card(one) for one in figures.figures(snapshot, self.place, speech)],
            ("alarms-title", "children"): speech("alarms", n=len(snapshot.alarms) if snapshot.watched.alive else "?"),
            ("alarms", "children"): alarms.rows(snapshot, self.place, speech),
            ("sources", "children"): sources.strip(snapshot, self.place.names, speech),
            ("map-communes", "hideout"): map.hideout(snapshot, view.measure),
            ("map-labels", "data"): map.labels(snapshot, self.place, self.centres),
            ("map-points", "data"): map.points(snapshot),
        }
