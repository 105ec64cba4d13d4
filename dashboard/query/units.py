"""Questions per commune over a period in which the units changed: restated to the units of today, or by those of each day.

As in `dashboard.query.store`, sums come from `windows_K FINAL`. They are made per code and side of the reform first: restating some
hundreds of groups costs nothing, restating each of millions of rows does. What a code means when is told in
`schemas.places.restate`. Every question may raise `dashboard.query.connection.Unreachable`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from dashboard.query.connection import Connection
from schemas.clickhouse.sql import moment
from schemas.events.kinds import Kind
from schemas.moments import milliseconds
from schemas.places import Commune, restate
from schemas.places.restate import Units

NAMED = ("name", "type", "valid_from", "valid_to")


def unit_of(code: str, is_former: bool) -> Commune | None:
    """The unit of a row of `UnitStore.sums`: its name, type and validity; None for a code that no unit has."""
    return restate.meaning(code, restate.EVE if is_former else None)


@dataclass(frozen=True)
class UnitStore:
    """Asks the questions of one ClickHouse database."""

    connection: Connection

    def sums(
        self, kind: Kind, measures: Sequence[str], since: datetime, until: datetime, units: Units
    ) -> pd.DataFrame:
        """Sums of measures per unit in the windows from `since` up to but not including `until`.

        Columns: unit (code), is_former, name, type, valid_from, valid_to (None where no unit has the code), then each measure and
        `<measure>_uncertain`: what of it was restated from divided units, which may partly belong to another commune; 0 by the
        units of the day. Sums over all rows are the same for both `units`. Raises `ValueError` for a measure that the kind lacks.
        """
        if unknown := set(measures) - {measure.name for measure in kind.measures}:
            raise ValueError(f"{kind.name} has no measures {sorted(unknown)}")
        counted = ", ".join(f"sum({name}) AS {name}" for name in measures)
        divided = restate.divided_sql("commune", "before") if units == "today" else "false"
        summed = ", ".join(
            f"sum(by_code.{name}) AS {name}, sumIf(by_code.{name}, divided) AS {name}_uncertain"
            for name in measures
        )
        frame: pd.DataFrame = self.connection.frame(
            f"""SELECT unit, is_former, {summed}
            FROM (
                SELECT *, {restate.key_sql(units, "commune", "before")}, {divided} AS divided
                FROM ({_by_side(f"commune, {counted}", f"windows_{kind.name} FINAL")})
            ) AS by_code GROUP BY unit, is_former ORDER BY unit, is_former""",
            since=milliseconds(since),
            until=milliseconds(until),
        )
        return _named(frame, measures)


def _by_side(selected: str, windows: str) -> str:
    """SQL: sums by code on each side of the reform. Both halves together read each row once, as windows are kept by time; a second
    key to group by would cost three times as much."""
    before = restate.before_sql("window_start")
    return " UNION ALL ".join(
        f"""SELECT {selected}, {side} AS before FROM {windows}
            WHERE window_start > toDateTime(0) AND window_start >= {moment("since")} AND window_start < {moment("until")}
                AND {condition}
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
