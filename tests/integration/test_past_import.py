"""Ten weeks of New York's requests, gone through day by day after they were imported, with the
counts of pandas.
"""

import asyncio
from datetime import datetime, timedelta

import pandas as pd
import pytest
from clickhouse_driver import Client

from dashboard.history.arrivals import PastStore
from dashboard.history.lives import PastLives
from dashboard.history.past import PastConnection
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from schemas.clickhouse.lives import current_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.replays import sandbox_url
from schemas.events.kinds import FEEDBACK
from schemas.figures import BY_CODE
from schemas.moments import milliseconds
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.period import ALL_TIME
from streams.lives import Lives
from streams.replay.history import from_clickhouse
from tests import nyc311
from tests.nyc311 import EVENTS, FILE, counted
from tests.running import Running, command, wait_for, worker

pytestmark = [pytest.mark.stack, nyc311.needed]


@pytest.fixture(scope="module")
def steps() -> pd.DataFrame:
    """Return what the file says that happened, in its order."""
    return nyc311.in_order()


def day_ends(steps: pd.DataFrame) -> list[datetime]:
    days = pd.date_range(
        steps["at"].min().normalize(),
        steps["at"].max().normalize() + timedelta(days=1),
        freq="D",
        tz=None,
    )
    return [day.to_pydatetime() - timedelta(milliseconds=1) for day in days[1:]]


def stood(past: PastConnection) -> dict[str, tuple[int, int]]:
    """Return the same on a connection to the past."""
    table = current_table(FEEDBACK)
    question = Query(
        "SELECT agency, sum(standing != 'closed'), sum(standing = 'closed') "
        f"FROM {table.final} GROUP BY agency",
        (table,),
    )
    return {agency: (stays, closed) for agency, stays, closed in past.tuples(question)}


@pytest.fixture(scope="module")
def imported(
    module_environment: dict[str, str],
    module_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Return an installation into which all of the file was imported just now."""
    logs = tmp_path_factory.mktemp("logs")
    migrate(module_settings)
    done = Running(
        "ingest",
        "import",
        str(FILE),
        "--mapping",
        "nyc311",
        environment=module_environment,
        log=logs / "import.log",
    )
    assert done.process.wait(120) == 0, done.text()
    database = Client.from_url(module_settings.clickhouse_url)
    with worker(module_environment, logs / "worker.log"):
        wait_for(
            lambda: database.execute("SELECT count() FROM events_feedback") == [(EVENTS,)],
            120,
            "every event in ClickHouse",
        )
    Lives(database, module_settings.province).catch_up()
    database.disconnect()
    return module_settings


def test_every_day_of_ten_weeks_has_the_open_and_closed_requests_of_the_file(
    imported: Settings, steps: pd.DataFrame
) -> None:
    settings = imported
    connection = Connection(settings.clickhouse_url)
    lives, days = PastLives(connection, settings.province), day_ends(steps)
    assert len(days) > 60
    opened = BY_CODE["feedback.open"]
    for day in days:
        replay = Replay(day, Picture.CORRECTED)
        past = PastConnection(connection, settings.province, replay, lives)
        expected = counted(steps, day)
        assert stood(past) == expected, day
        shown = FigureStore(past, calendar(settings.province)).now(replay, [opened], ("agency",))
        assert {agency: int(one[opened.code].value or 0) for (agency,), one in shown.items()} == {
            agency: stays for agency, (stays, _) in expected.items()
        }, day
        known = PastConnection(connection, settings.province, Replay(day, Picture.KNOWN), lives)
        table = current_table(FEEDBACK)
        nothing = known.tuples(Query(f"SELECT count() FROM {table.final}", (table,)))
        assert nothing == [(0,)], "all of it was received when it was imported"
    line, winter = PastStore(connection), days[:60]  # of 24 hours each
    before = winter[0] - timedelta(days=1)
    happened = [
        int(((steps["at"] > day - timedelta(days=1)) & (steps["at"] <= day)).sum())
        for day in winter
    ]
    told = line.volume(before, winter[-1], len(winter), Picture.CORRECTED)
    assert told == happened and min(told) > 0, "so the timeline shows when it happened"
    assert sum(line.volume(before, winter[-1], len(winter), Picture.KNOWN)) == 0
    connection.close()


def test_what_is_moved_to_another_day_comes_on_time_there(
    imported: Settings, steps: pd.DataFrame
) -> None:
    later = timedelta(days=600)

    async def read() -> list[int]:
        return [
            one.received_ms
            async for many in from_clickhouse(imported, ALL_TIME, later, on_time=True)
            for one in many
        ]

    assert asyncio.run(read()) == [
        milliseconds(one.to_pydatetime() + later) for one in steps["at"].dt.tz_convert("UTC")
    ]


def test_the_ten_weeks_run_again_on_time_are_known_day_by_day_as_the_file_has_them(
    imported: Settings, module_environment: dict[str, str], steps: pd.DataFrame
) -> None:
    """What was imported all at once comes as it happened."""
    period = ("--from", "2024-12-31", "--to", "2025-03-15", "--speed", "500000", "--on-time")
    done = command(module_environment, "streams", "replay", *period, "--into", "weeks")
    assert done.returncode == 0 and b"equal the live ones" in done.stdout, (
        done.stdout.decode() + done.stderr.decode()
    )
    connection = Connection(sandbox_url(imported.clickhouse_url, "weeks"))
    lives = PastLives(connection, imported.province)
    for day in day_ends(steps):
        past = PastConnection(connection, imported.province, Replay(day, Picture.KNOWN), lives)
        assert stood(past) == counted(steps, day), day
    connection.close()
    assert command(module_environment, "streams", "replay", "remove", "weeks").returncode == 0
