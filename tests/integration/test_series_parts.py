"""The parts of a series in SQL: in which one a moment lies, to the millisecond."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from clickhouse_driver import Client

from schemas.clickhouse.sql import at
from schemas.figures.series import SeriesStep, crossed, held_ends, parts
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.integration.figures_province import END, Province

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def province(module_settings: Settings) -> Iterator[Province]:
    """Yield an empty database: in which part a moment lies is asked of no table."""
    migrate(module_settings)
    client = Client.from_url(module_settings.clickhouse_url)
    yield Province(client, module_settings)
    client.disconnect()


@pytest.mark.parametrize(
    "last",
    [END, END - timedelta(minutes=7), END.replace(hour=17, minute=0)],
    ids=["", "in a part", "of a part"],
)
@pytest.mark.parametrize("step", SeriesStep, ids=str)
def test_a_step_holds_at_the_ends_from_its_begin_on_and_before_its_end(
    province: Province, step: SeriesStep, last: datetime
) -> None:
    """To the millisecond: from `since` on, and no more at `until`."""
    since = last - timedelta(days=70 if step is SeriesStep.MONTH else 2, hours=3, minutes=7)
    ends = parts(step, since, last)[1]
    near = sorted(
        {
            end + timedelta(milliseconds=by)
            for end in (ends[0], ends[len(ends) // 2], *ends[-2:])
            for by in (-1, 0, 1)
        }
    )
    beyond = (since - timedelta(days=400), since, last + timedelta(days=400))
    spans = [
        (first, until)
        for first in (*near, *beyond)
        for until in (*near, *beyond)
        if first < until and first < last
    ]
    given = ", ".join(f"({at(first)}, {at(until)})" for first, until in spans)
    earliest, latest = held_ends(step, since, ends)
    rows = province.client.execute(
        f"SELECT {earliest}, {latest} FROM (SELECT arrayJoin([{given}]) AS s, s.1 AS since, s.2 AS "
        "until)"
    )
    found = [list(range(first, newest + 1)) for first, newest in rows]
    assert found == [
        [number for number, end in enumerate(ends, 1) if first <= end < until]
        for first, until in spans
    ]


@pytest.mark.parametrize("step", SeriesStep, ids=str)
def test_the_number_of_a_part_is_that_of_the_starts_that_came(
    province: Province, step: SeriesStep
) -> None:
    since = END - timedelta(days=70 if step is SeriesStep.MONTH else 2, hours=3, minutes=7)
    starts, _ = parts(step, since, END)
    near = [
        start + timedelta(milliseconds=by)
        for start in starts[1:][:3] + starts[1:][-3:]
        for by in (-1, 0, 1)
    ]
    asked = ", ".join(crossed(step, at(since), at(moment)) for moment in (since, *near))
    (found,) = province.client.execute(f"SELECT {asked}")
    assert list(found) == [0, *(sum(start <= moment for start in starts) - 1 for moment in near)]
