"""Content that changes slowly or is slow to query, kept apart from the snapshot.

The snapshot never waits for it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from dashboard.components import scores as judged
from dashboard.components.scores import Published
from dashboard.query.scoreboard import Scoreboard
from dashboard.query.snapshot import NOTHING, a_day_ago
from dashboard.query.store import Row
from dashboard.request.context import PageContext
from dashboard.request.view import Scene
from schemas.figures import Readings
from schemas.reference import ZONE, criteria_sets
from schemas.scores import Score


@dataclass(frozen=True)
class Backdrop:
    """Scene content besides the snapshot; None where no wall shows it: it is not queried."""

    day_ago: Readings = field(default_factory=lambda: NOTHING)
    """Figures of one day ago."""
    meetings: tuple[Row, ...] | None = None
    """Meetings in progress; see `dashboard.query.lives.LifeStore.meetings`."""
    coming: tuple[Row, ...] = ()
    """The next meetings; see `dashboard.query.lives.LifeStore.coming`."""
    targets: Scoreboard | None = None
    score: Score | None = None
    """The province's score by the first set of criteria."""
    published: Published | None = None


def day_ago(context: PageContext) -> Readings:
    """Return the figures of one day ago, cached for a minute.

    Raises:
        UnreachableError: as the queries of `PageContext` do.
    """
    return context.cached(
        "a day ago", lambda: a_day_ago(context.figures, context.clock), seconds=60
    )


def query_backdrop(context: PageContext, scenes: Collection[Scene]) -> Backdrop:
    """Query what some scenes need besides the snapshot, or take it from the cache.

    Raises:
        UnreachableError: as the queries of `PageContext` do.
    """
    place = context.place.code
    criteria = criteria_sets(context.clock.now().astimezone(ZONE).date())[0]
    return Backdrop(
        day_ago=day_ago(context),
        meetings=tuple(context.cached("meetings", lambda: context.lives.meetings(context.clock)))
        if "meetings" in scenes
        else None,
        coming=tuple(
            context.cached("coming meetings", lambda: context.lives.coming(context.clock, limit=12))
        )
        if "meetings" in scenes
        else (),
        targets=judged.board(context, place) if "targets" in scenes else None,
        score=judged.scored(context, criteria).get(place) if "index" in scenes else None,
        published=judged.published(context, criteria) if "index" in scenes else None,
    )
