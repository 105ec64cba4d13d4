"""The units in ClickHouse.

Written once by the migration, and restating by SQL is restating by Python.
"""

from datetime import UTC, datetime

import pytest
from clickhouse_driver import Client

from schemas import places
from schemas.clickhouse.columns import MOMENT
from schemas.clickhouse.unit_tables import UNITS
from schemas.moments import milliseconds
from schemas.places import restate
from schemas.places.rows import successor_rows, unit_rows
from schemas.settings import Settings
from streams.admin.migrate import migrate

pytestmark = pytest.mark.stack
MOMENTS = [
    datetime(2025, 5, 2, 3, tzinfo=UTC),
    datetime(2025, 6, 30, 16, 59, 59, 999_000, tzinfo=UTC),
    datetime(2025, 6, 30, 17, tzinfo=UTC),
    datetime(2026, 11, 24, 1, tzinfo=UTC),
]


def test_migrating_writes_all_units_once_and_mends_what_differs(
    settings: Settings, database: Client
) -> None:
    columns = UNITS.names
    assert set(database.execute(f"SELECT {columns} FROM units")) == set(unit_rows())
    assert set(database.execute("SELECT * FROM unit_successors")) == set(successor_rows())
    assert migrate(settings) == []
    database.execute("INSERT INTO unit_rows (code, level, name) VALUES", [("46", "planet", "X")])
    database.execute("DELETE FROM unit_rows WHERE code = '19753'")
    assert migrate(settings) == ["rows of unit_rows"]
    assert set(database.execute(f"SELECT {columns} FROM units")) == set(unit_rows())
    database.execute("OPTIMIZE TABLE unit_rows FINAL")
    assert database.execute("SELECT count() FROM unit_rows") == [(len(unit_rows()),)]


@pytest.mark.parametrize("column", ["LowCardinality(String)", "String"])
def test_sql_and_python_restate_every_code_of_every_day_alike(
    database: Client, column: str
) -> None:
    here = places.atlas()
    codes = sorted({*here.former_communes, *here.commune_by_code, "", "BROOKLYN", "99999"})
    database.execute(
        f"CREATE TABLE asked (commune {column}, occurred_at {MOMENT}) ENGINE = MergeTree ORDER BY "
        "occurred_at"
    )
    rows = [(code, milliseconds(moment)) for code in codes for moment in MOMENTS]
    database.execute(
        "INSERT INTO asked VALUES", [(code, moment) for code in codes for moment in MOMENTS]
    )
    before = restate.before_sql("occurred_at")
    expressions = ", ".join(
        make("commune", before)
        for make in (restate.today_sql, restate.former_sql, restate.divided_sql)
    )
    found = database.execute(
        f"SELECT commune, toUnixTimestamp64Milli(occurred_at), {expressions} FROM asked"
    )
    assert len(found) == len(rows) == 4 * len(codes)
    days = {milliseconds(moment): restate.day(moment) for moment in MOMENTS}
    for code, at, today, is_former, is_divided in found:
        on = days[at]
        assert (today, bool(is_former), bool(is_divided)) == (
            restate.today(code, on),
            restate.is_former(code, on),
            restate.is_divided(code, on),
        ), (code, on)


def test_what_the_dictionary_shows_for_outsiders_can_be_asked(database: Client) -> None:
    from schemas.dictionary import dictionary

    _, _, rest = dictionary().partition("```sql\n")
    sql, _, _ = rest.partition("```")
    for question in sql.split(";\n"):
        if question.strip():
            assert database.execute(question) == []
