"""The moment and the province that an alarm measure is evaluated for, with shared queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from schemas import reference
from schemas.clickhouse import sql
from schemas.clickhouse.query import Query
from schemas.moments import milliseconds
from schemas.sources.freshness import Source, judge
from streams.watch.engine import Alarm
from streams.worker.store import WorkerStore

REFUSED_DAYS = 60
"""Days for which the last refusal of a feed is searched."""


@dataclass(frozen=True)
class WatchedProvince:
    """The province whose sources are watched; one without reference data has no agreed feeds."""

    code: str

    @cached_property
    def agencies(self) -> tuple[reference.Agency, ...]:
        """Return the province's agencies; none if the reference data does not have it."""
        try:
            return reference.agencies(self.code)
        except KeyError:
            return ()

    @cached_property
    def communes(self) -> Mapping[str, str]:
        """Return the commune of each agency that belongs to one."""
        return {one.code: one.commune for one in self.agencies if one.commune}

    def communes_of(self, agency: str) -> tuple[str, ...]:
        """Return the commune of an agency, if it belongs to one."""
        return (self.communes[agency],) if agency in self.communes else ()


@dataclass
class MeasureContext:
    """The context of measuring at one moment; what several measures need is queried once."""

    store: WorkerStore
    at: datetime
    province: WatchedProvince
    known: Sequence[Alarm] = field(default_factory=tuple)

    def rows(self, query: Query | str, **given: Any) -> list[tuple[Any, ...]]:
        """Run a query for the moment `at`.

        Args:
            query: The query; `now` is `at`.
            given: Its parameters; a timedelta stands for that span before `at`.
        """
        values: dict[str, Any] = {"now": milliseconds(self.at)}
        for name, value in given.items():
            when = self.at - value if isinstance(value, timedelta) else value
            values[name] = milliseconds(when) if isinstance(when, datetime) else when
        return list(self.store.execute(query if isinstance(query, str) else query.live, values))

    def figures(self, query: Query) -> list[tuple[Any, ...]]:
        """Run a query of `schemas.figures`."""
        return list(self.store.execute(query.live))

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Return the feeds with their freshness."""
        heard = [
            {"agency": a, "kind": k, "received_at": at} for a, k, at, _ in self.rows(sql.HEARD)
        ]
        ahead = [
            {"agency": a, "kind": k, "seconds": seconds, "since": since}
            for a, k, seconds, since in self.rows(sql.AHEAD, hour_ago=timedelta(hours=1))
        ]
        refused = [
            {"agency": a, "kind": k, "refused_at": at}
            for a, k, at in self.rows(
                sql.REFUSED_LAST, start=timedelta(days=REFUSED_DAYS), end=self.at
            )
        ]
        return judge(
            self.province.agencies,
            heard,
            self.at,
            reference.calendar(self.province.code),
            ahead,
            refused,
        )
