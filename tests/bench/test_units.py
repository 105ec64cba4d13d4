"""What restating costs over 3 million rows of all days of 2025.

Row by row, and after summing by code on each side of the reform.
"""

import time
from collections.abc import Callable

import pytest
from clickhouse_driver import Client

from schemas import places
from schemas.clickhouse.columns import MOMENT
from schemas.places import restate

pytestmark = [pytest.mark.stack, pytest.mark.bench]
ROWS, ROUNDS, AIM_MS = 3_000_000, 25, 50


def quickest(database: Client, question: str) -> float:
    """Return milliseconds of the quickest of some rounds: what it takes when nothing else runs."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        database.execute(question)
        taken.append(time.perf_counter() - start)
    return 1000 * min(taken)


def test_restating_three_million_rows_costs_less_than_the_aim(
    database: Client, record_property: Callable[[str, object], None]
) -> None:
    codes = sorted({one.code for on in (restate.EVE, None) for one in places.communes("46", on)})
    database.execute(
        f"CREATE TABLE rows (commune LowCardinality(String), at {MOMENT}, n UInt32) ENGINE = "
        "MergeTree ORDER BY at"
    )
    database.execute(
        f"INSERT INTO rows SELECT {codes}[1 + cityHash64(number) % {len(codes)}], "
        "toDateTime64('2025-01-01 00:00:00', 3) + toIntervalSecond(number * 10.5), number % 7 "
        f"FROM numbers({ROWS})"
    )
    before, since = restate.before_sql("at"), "at >= toDateTime64('2025-01-01 00:00:01', 3)"
    sums = f"sum(n) AS n FROM rows WHERE {since}"
    halves = " UNION ALL ".join(
        f"SELECT commune, {side} AS before, {sums} AND {condition} GROUP BY commune"
        for side, condition in (("true", before), ("false", f"NOT ({before})"))
    )
    plain = quickest(database, f"SELECT commune AS unit, {sums} GROUP BY unit")
    row_by_row = f"SELECT {restate.today_sql('commune', before)} AS unit, {sums} GROUP BY unit"
    by_code = (
        f"SELECT {restate.today_sql('commune', 'before')} AS unit, sum(n) FROM ({halves}) GROUP BY "
        "unit"
    )
    assert sorted(database.execute(row_by_row)) == sorted(database.execute(by_code))
    more = {
        name: quickest(database, question) - plain
        for name, question in (("row by row", row_by_row), ("by code", by_code))
    }
    print(
        f"plain {plain:.0f} ms; " + "; ".join(f"{name} {ms:+.0f} ms" for name, ms in more.items())
    )
    record_property("milliseconds more", more)
    assert more["by code"] < AIM_MS
