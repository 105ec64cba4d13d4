"""Everything that a wall shows, of one moment, in no language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pandas as pd

from dashboard import alarms, progress
from dashboard.alarms import Alarm, Watched
from dashboard.clock import Clock
from dashboard.progress import Lag
from dashboard.store import HERE, Store
from dashboard.store_alarms import AlarmStore
from dashboard.store_sources import SourceStore
from schemas import places, reference
from schemas.freshness import DEAD, Source
from schemas.partitions import Partitions


@dataclass(frozen=True)
class Place:
    """A province as the screens know it, from the places and the reference data; loaded once.

    A code that the places do not know is a place without names, outlines or promised feeds: its reports still lie on a map.
    """

    code: str

    @cached_property
    def known(self) -> bool:
        return any(one.code == self.code for one in places.provinces())

    @cached_property
    def communes(self) -> list[places.Commune]:
        return places.communes(self.code) if self.known else []

    @cached_property
    def names(self) -> dict[str, str]:
        """Commune code → name."""
        return {one.code: one.name for one in self.communes}

    @cached_property
    def agencies(self) -> tuple[reference.Agency, ...]:
        return reference.agencies(self.code) if self.known else ()

    @cached_property
    def calendar(self) -> reference.WorkingCalendar:
        return reference.calendar(self.code)

    def full_name(self, language: str) -> str:
        """The name of the province for a heading."""
        if not self.known:
            return self.code
        province = places.province(self.code)
        return province.full_name_en if language == "en" else province.full_name

    def target(self, indicator: str) -> float | None:
        """The target of an indicator, None where there is none."""
        found = reference.target(self.code, indicator)
        return found.value if found else None

    def working_day_before(self, at: datetime) -> datetime:
        """Midnight of the newest working day before a moment's day."""
        day = at.astimezone(HERE).replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(30):
            day -= timedelta(days=1)
            if self.calendar.is_working_day(day.date()):
                break
        return day


@dataclass(frozen=True)
class Snapshot:
    """The state of the province at a moment."""

    at: datetime
    compare_day: datetime
    filing_flow: Mapping[str, Any]
    communes: pd.DataFrame
    """Per commune, by code: the columns of `Store.filing_state`, and `feedback_` and those of `Store.feedback_state`."""
    feedback_flow: Mapping[str, Any]
    points: pd.DataFrame
    documents: Mapping[str, Any]
    meetings: Mapping[str, Any]
    sources: tuple[Source, ...]
    alarms: tuple[Alarm, ...]
    lags: tuple[Lag, ...] = ()
    watched: Watched = field(default_factory=Watched)

    @cached_property
    def newest(self) -> dict[str, datetime]:
        """Kind → arrival of its newest event."""
        found: dict[str, datetime] = {}
        for one in self.sources:
            if one.received_at is not None:
                found[one.kind] = max(one.received_at, found.get(one.kind, one.received_at))
        return found

    @property
    def calls(self) -> tuple[Alarm, ...]:
        """The alarms that may be shown as what they are: none while nobody looks, as they may be over."""
        return self.alarms if self.watched.alive else ()

    @property
    def empty(self) -> bool:
        """Whether nothing was ever counted."""
        return not self.newest

    def total(self, column: str) -> int:
        """The sum of a column over all communes."""
        return int(self.communes[column].sum())

    @property
    def unknown(self) -> frozenset[str]:
        """Communes whose own filings have gone silent or are refused: of them nothing current is known."""
        return frozenset(one.commune for one in self.sources if one.commune and one.kind == "filing" and one.state in DEAD)


def take(store: Store, clock: Clock, place: Place, partitions: Partitions, stale_after: float) -> Snapshot:
    """Ask every question of a wall once; `stale_after` is in seconds. Raises `dashboard.connection.Unreachable`."""
    now = clock.now()
    compare_day = place.working_day_before(now)
    filings = store.filing_state(clock).set_index("commune", drop=False)
    feedback = store.feedback_state(clock).set_index("commune").add_prefix("feedback_")
    communes = filings.join(feedback, how="outer")
    communes["commune"] = communes.index
    counts = communes.columns.difference(["commune", "oldest_due"])
    communes[counts] = communes[counts].fillna(0).astype("int64")
    sources = SourceStore(store.connection, place.agencies, place.calendar).current(clock)
    calling = AlarmStore(store.connection)
    return Snapshot(
        at=now,
        compare_day=compare_day,
        filing_flow=store.filing_flow(clock, compare_day),
        communes=communes,
        feedback_flow=store.feedback_flow(clock),
        points=store.feedback_points(clock),
        documents=store.documents(clock),
        meetings=store.meetings(clock),
        sources=sources,
        alarms=alarms.grouped(alarms.read(calling.open(clock))),
        watched=alarms.watched(calling.jobs(), now, stale_after),
        lags=progress.judge(store.progress(), partitions.at(now), stale_after),
    )
