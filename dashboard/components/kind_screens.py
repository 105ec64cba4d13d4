"""Screens of a kind of event, declared as one: list, statuses, figures on the map.

The fields of its list are in `dashboard.components.list_fields`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from dashboard.components.list_fields import FIELDS
from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.tables import annotations
from schemas.declared import same, whole
from schemas.events.codes import DocumentStatus, FeedbackStatus, FilingStatus, MeetingState
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.figures import BY_CODE

LEFT_OUT = (
    "event_id",
    "entity_id",
    "occurred_at",
    "received_at",
    "partition",
    "offset",
    "status",
    "state",
    "sealed",
    "lat",
    "lon",
    "precision",
)
"""Fields that a record's page shows elsewhere, or only among the raw events."""


@dataclass(frozen=True, kw_only=True)
class KindScreens:
    """What the screens show of a kind whose entities have a history.

    Raises:
        IncompleteDeclarationError: names empty parts and unknown figures.
    """

    kind: Kind
    title: str
    """The message key of its list's title."""
    hint: str
    """The message key of the hint in its list's search field."""
    statuses: type[Enum]
    map_figures: tuple[str, ...]
    """The figures beside the map."""
    nearby: str
    """The message key of the heading of nearby records; empty for a kind that lists none."""

    def __post_init__(self) -> None:
        whole(
            f"screens of {self.kind.name}",
            *((bool(getattr(self, name)), name) for name in ("title", "hint", "map_figures")),
            *((code in BY_CODE, f"a figure of the code {code}") for code in self.map_figures),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The message keys that its screens build from names: lists, list and record fields."""
        facts = (f"field_{one}" for one in annotations(self.kind) if one not in LEFT_OUT)
        own = (self.title, self.hint, self.nearby, f"feed_{self.kind.name}")
        return tuple(
            key for key in (*own, *(one.words for one in FIELDS[self.kind]), *facts) if key
        )


SCREENS: tuple[KindScreens, ...] = (
    KindScreens(
        kind=FILING,
        title="list_filing",
        hint="text_hint_filing",
        statuses=FilingStatus,
        map_figures=("filing.registered", "filing.open", "filing.overdue", "filing.on_time"),
        nearby="beside_filing",
    ),
    KindScreens(
        kind=FEEDBACK,
        title="list_feedback",
        hint="text_hint_feedback",
        statuses=FeedbackStatus,
        map_figures=(
            "feedback.received",
            "feedback.open",
            "feedback.overdue",
            "feedback.on_time",
        ),
        nearby="beside_feedback",
    ),
    KindScreens(
        kind=DOCUMENT,
        title="list_document",
        hint="text_hint_document",
        statuses=DocumentStatus,
        map_figures=(
            "document.sent",
            "document.waiting",
            "document.overdue",
            "document.receive_p50",
        ),
        nearby="beside_document",
    ),
    KindScreens(
        kind=MEETING,
        title="list_meeting",
        hint="text_hint_meeting",
        statuses=MeetingState,
        map_figures=(
            "meeting.live",
            "meeting.scheduled",
            "meeting.missing",
            "meeting.connected",
        ),
        nearby="",
    ),
)


def check_screens(screens: Sequence[KindScreens]) -> None:
    """Check that every kind whose entities have a history has its screens.

    Raises:
        IncompleteDeclarationError: names each kind that lacks them.
    """
    kinds = (life.kind.name for life in LIVES)
    same("screens of kinds", (one.kind.name for one in screens), kinds, "kind")


check_screens(SCREENS)
_BY_KIND = {one.kind: one for one in SCREENS}


def screens_of(kind: Kind) -> KindScreens:
    """Return the screens of a kind.

    Raises:
        KeyError: its entities have no history.
    """
    return _BY_KIND[kind]
