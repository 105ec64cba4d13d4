"""Sums by commune over a period in which the units changed.

They are restated to the units of today, or given by those of each day. Sums of `windows_K FINAL`
are computed per code and side of the reform first: restating some hundreds of groups costs nothing,
restating millions of rows does. `schemas.places.restate` defines what a code means when. Every
method may raise `dashboard.query.connection.UnreachableError`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from dashboard.query.connection import Connection
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import moment
from schemas.clickhouse.tables import windows_table
from schemas.events.kinds import Kind
from schemas.moments import milliseconds
from schemas.places import Commune, restate
from schemas.places.restate import Units

NAMED = ("name", "type", "valid_from", "valid_to")


def unit_of(code: str, is_former: bool) -> Commune | None:
    """Return the unit of a row of `UnitStore.sums`; None for an unknown code."""
    return restate.meaning(code, restate.EVE if is_former else None)


@dataclass(frozen=True)
class UnitStore:
    """Queries one ClickHouse database; it cannot be replayed, as windows have no past."""

    connection: Connection

    def sums(
        self, kind: Kind, measures: Sequence[str], since: datetime, until: datetime, units: Units
    ) -> pd.DataFrame:
        """Return sums of measures by unit, over the windows from `since` until just before `until`.

        Columns: unit (code), is_former, name, type, valid_from, valid_to (None for unknown codes),
        then each measure and `<measure>_uncertain`: the part that was restated from divided units,
        which may belong to another commune in reality; 0 by the units of the day. Sums over all
        rows are the same for both values of `units`.

        Raises:
            ValueError: the kind lacks one of the measures.
        """
        if unknown := set(measures) - {measure.name for measure in kind.measures}:
            raise ValueError(f"{kind.name} has no measures {sorted(unknown)}")
        counted = ", ".join(f"sum({name}) AS {name}" for name in measures)
        divided = restate.divided_sql("commune", "before") if units == "today" else "false"
        summed = ", ".join(
            f"sum(by_code.{name}) AS {name}, sumIf(by_code.{name}, divided) AS {name}_uncertain"
            for name in measures
        )
        windows = windows_table(kind)
        query = Query(
            f"""SELECT unit, is_former, {summed}
            FROM (
                SELECT *, {restate.key_sql(units, "commune", "before")}, {divided} AS divided
                FROM ({_by_side(f"commune, {counted}", windows.final)})
            ) AS by_code GROUP BY unit, is_former ORDER BY unit, is_former""",
            (windows,),
        )
        frame: pd.DataFrame = self.connection.frame(
            query, since=milliseconds(since), until=milliseconds(until)
        )
        return _named(frame, measures)


def _by_side(selected: str, windows: str) -> str:
    """Return SQL of sums by code on each side of the reform.

    The two halves together read each row once, as windows are sorted by time; grouping by a second
    key would cost three times as much.
    """
    before = restate.before_sql("window_start")
    return " UNION ALL ".join(
        f"""SELECT {selected}, {side} AS before FROM {windows}
            WHERE window_start > toDateTime(0) AND window_start >= {moment("since")}
                AND window_start < {moment("until")} AND {condition}
            GROUP BY commune"""
        for side, condition in (("true", before), ("false", f"NOT ({before})"))
    )


def _named(frame: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    columns = [column for name in measures for column in (name, f"{name}_uncertain")]
    if frame.empty:
        return pd.DataFrame(columns=["unit", "is_former", *NAMED, *columns])
    found = [
        unit_of(code, bool(former))
        for code, former in zip(frame["unit"], frame["is_former"], strict=True)
    ]
    for name in NAMED:
        frame[name] = pd.Series(
            [getattr(one, name, None) for one in found], index=frame.index, dtype=object
        )
    return frame[["unit", "is_former", *NAMED, *columns]]
