"""Frames as sent to viewers: rendered once for all, and the difference of two frames found once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components.rotation import Turn
from dashboard.i18n.bidi import without_controls_json
from dashboard.i18n.translator import Language
from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.frame import Frame, Painter, heading
from dashboard.query.snapshot import Snapshot
from dashboard.request.view import Measure, Scene, WallView

Texts = Mapping[tuple[str, str], str]
"""Values as JSON by component id and property: equal texts need not be sent again."""
NOTHING: Texts = {}


@dataclass
class Drawings:
    """The frames of one snapshot, dropped with it: each viewer keeps the frame it was sent last."""

    painter: Painter
    _of: tuple[Snapshot, Backdrop] | None = None
    _bodies: dict[tuple[Language, Measure | None, Scene], Texts] = field(default_factory=dict)
    _frames: dict[tuple[WallView, Turn], Texts] = field(default_factory=dict)
    _changes: dict[tuple[int, int], tuple[Texts, Texts, Texts]] = field(default_factory=dict)
    """Differences by the ids of two frames; the frames are kept so that their ids are not reused.
    """

    def frame(self, snapshot: Snapshot, backdrop: Backdrop, view: WallView, turn: Turn) -> Texts:
        """Return the frame of a view at a turn, as JSON by component and property."""
        if self._of is None or self._of[0] is not snapshot or self._of[1] is not backdrop:
            self._of = (snapshot, backdrop)
            self._bodies.clear()
            self._frames.clear()
            self._changes.clear()
        if (view, turn) not in self._frames:
            key = (view.language, view.measure, turn.scene)
            if key not in self._bodies:
                self._bodies[key] = _texts(self.painter.frame(snapshot, view, turn.scene, backdrop))
            self._frames[view, turn] = {
                **self._bodies[key],
                **_texts({("scene", "children"): heading(view, turn)}),
            }
        return self._frames[view, turn]

    def changes(self, shown: Texts, frame: Texts) -> Texts:
        """Return what a viewer of one frame must change to show another."""
        if shown is frame:
            return NOTHING
        key = (id(shown), id(frame))
        if key not in self._changes:
            self._changes[key] = (
                shown,
                frame,
                {prop: text for prop, text in frame.items() if shown.get(prop) != text},
            )
        return self._changes[key][2]


def _texts(frame: Frame) -> Texts:
    return {
        prop: without_controls_json(json.dumps(value, cls=PlotlyJSONEncoder))
        for prop, value in frame.items()
    }
