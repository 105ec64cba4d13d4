"""A frame: all that changes on a wall, by component, for one snapshot, view and scene."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dash import html

from dashboard.components import alarm_texts as alarms
from dashboard.components import outlines as map
from dashboard.components.parts import Part, labelled
from dashboard.components.rotation import Turn
from dashboard.i18n.translator import Translator
from dashboard.pages.wall import cards, sources
from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.scenes import DRAWN, Stage
from dashboard.query.snapshot import ProvinceContext, Snapshot
from dashboard.request.view import Scene, WallView
from schemas.events.kinds import KINDS

Frame = dict[tuple[str, str], Any]
"""Values by component id and property."""


@dataclass(frozen=True)
class Painter:
    """Renders the frames of one province; holds what never changes."""

    place: ProvinceContext

    @cached_property
    def centres(self) -> dict[str, tuple[float, float]]:
        """Positions of the names of communes."""
        return map.centres(self.place)

    @cached_property
    def schematic(self) -> bool:
        """Whether the outlines are schematic."""
        return bool(map.outlines(self.place)["schematic"])

    def frame(
        self,
        snapshot: Snapshot,
        view: WallView,
        scene: Scene = "overview",
        backdrop: Backdrop | None = None,
    ) -> Frame:
        """Return all that a wall of a view shows of a snapshot in a scene.

        Each figure and each feed is a component of its own, so that only changed ones are sent.
        """
        translator, drawn = view.translator, DRAWN[scene]
        stage = Stage(snapshot, backdrop or Backdrop(), self.place, translator)
        shown = [cards.card(one, translator) for one in drawn.figures(stage)]
        feeds = sources.strip(snapshot, self.place.names, translator)
        frame: Frame = {
            ("notice", "children"): html.Div(translator("no_data"), className="empty")
            if snapshot.empty
            else None,
            ("alarms-title", "children"): translator(
                "alarms", n=len(snapshot.alarms) if snapshot.watched.alive else "?"
            ),
            ("alarms", "children"): alarms.rows(snapshot, self.place, translator),
            **{
                (f"figure-{n}", "children"): shown[n] if n < len(shown) else None
                for n in range(cards.MAX_CARDS)
            },
            **{(f"source-{n}", "children"): feeds[n] for n in range(len(KINDS))},
            ("ground", "className"): "ground boarded" if drawn.board else "ground",
            ("board", "children"): drawn.board(stage) if drawn.board else [],
        }
        return frame if drawn.board else frame | self._map(snapshot, view, scene)

    def _map(self, snapshot: Snapshot, view: WallView, scene: Scene) -> Frame:
        drawn = DRAWN[scene]
        measure = view.measure or drawn.measure or "overdue_rate"
        return {
            ("legend", "children"): map.legend(
                measure, self.schematic, view.translator, dotted=drawn.dots
            ),
            ("map-communes", "hideout"): map.hideout(snapshot, measure, drawn.kind),
            ("map-labels", "data"): map.labels(snapshot, self.place, self.centres, drawn.kind),
            ("map-dots", "data"): map.dots(snapshot) if drawn.dots else [],
        }


def heading(view: WallView, turn: Turn) -> Part:
    """Show the scene's number among the scenes, and the alarm that holds it."""
    translator = view.translator
    parts: list[Part] = [html.B(translator(f"scene_{turn.scene}"))]
    if len(view.scenes) > 1:
        number = view.scenes.index(turn.scene)
        marks = [
            html.I(className="turn here" if one == turn.scene else "turn") for one in view.scenes
        ]
        label = translator("scene_of", number=number + 1, count=len(view.scenes))
        parts.append(html.Span(marks, className="turns", role="img", **labelled(label)))
    if turn.held is not None:
        parts.append(_held(turn.held.priority, translator))
    return parts


def _held(priority: int, translator: Translator) -> Part:
    return html.Span(
        [html.I(className=f"shape p{priority}"), translator("held_by_alarm")], className="held"
    )
