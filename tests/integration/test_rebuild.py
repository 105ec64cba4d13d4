"""Verify finds whatever differs from the raw events, and rebuild puts it right."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings
from streams.admin.period import MinutePeriod, parse
from streams.admin.rebuild import rebuild
from streams.admin.verify import verify
from tests.integration.rebuild_cases import (
    DAY,
    WRONG_STATES,
    WRONG_WINDOWS,
    change,
    counted_reports,
    windows,
)
from tests.running import command

pytestmark = pytest.mark.stack


@pytest.fixture
def database(settings: Settings) -> Iterator[Client]:
    yield from counted_reports(settings)


@pytest.mark.parametrize("wrong", WRONG_WINDOWS)
def test_whatever_is_wrong_with_windows_is_found_told_and_put_right(
    settings: Settings, database: Client, wrong: str
) -> None:
    statement, said = WRONG_WINDOWS[wrong]
    right = windows(database)
    change(database, statement)
    (found,) = verify(settings, [FEEDBACK])
    assert found.differences and all(said in line for line in found.differences), found.differences
    told = rebuild(settings, DAY, [FEEDBACK], dry_run=True)
    assert (told[0].differing > 0, told[0].swapped) == (True, False)
    assert windows(database) != right, "a dry run changes nothing"
    (done,) = rebuild(settings, DAY, [FEEDBACK])
    assert done.swapped
    assert windows(database) == right
    assert not verify(settings, [FEEDBACK])[0].differences
    assert not rebuild(settings, DAY, [FEEDBACK])[0].swapped, "what is right is left alone"


@pytest.mark.parametrize("wrong", WRONG_STATES)
def test_whatever_is_wrong_with_states_is_found_told_and_put_right(
    settings: Settings, database: Client, wrong: str
) -> None:
    statement, said = WRONG_STATES[wrong]
    look = "SELECT * FROM state_feedback FINAL ORDER BY ALL"
    right = database.execute(look)
    change(database, statement)
    (found,) = verify(settings, [FEEDBACK])
    assert len(found.differences) == 1 and said in found.differences[0], found.differences
    assert database.execute(look) != right
    done = rebuild(settings, DAY, [FEEDBACK], states=True)
    assert [(one.what, one.swapped) for one in done] == [("windows", False), ("states", True)]
    assert database.execute(look) == right
    assert not verify(settings, [FEEDBACK])[0].differences


def test_an_event_that_is_kept_twice_is_found(settings: Settings, database: Client) -> None:
    database.execute(
        "INSERT INTO events_feedback SELECT * REPLACE (offset + 1000 AS offset) FROM "
        "events_feedback WHERE event_id = '/test#7'"
    )
    (found,) = verify(settings, [FEEDBACK])
    assert found.differences == ["event counted 2 times: /test#7"]
    assert found.pending == 1


def test_an_event_that_is_kept_again_with_another_time_is_found(
    settings: Settings, database: Client
) -> None:
    later = "offset + 1000 AS offset, occurred_at + INTERVAL 5 HOUR AS occurred_at"
    database.execute(
        f"INSERT INTO events_feedback SELECT * REPLACE ({later}) FROM events_feedback WHERE "
        "event_id = '/test#7'"
    )
    (found,) = verify(settings, [FEEDBACK])
    assert found.differences == ["event counted 2 times: /test#7"]


def test_the_commands_say_how_much_they_compared_and_what_differs(
    settings: Settings, environment: dict[str, str], database: Client
) -> None:
    clean = command(environment, "streams", "verify")
    assert clean.returncode == 0, clean.stderr
    assert b"300 windows, 20 states and 0 lives equal what 300 raw events give" in clean.stdout
    change(database, "ALTER TABLE windows_feedback UPDATE received = 7 WHERE steps > 0")
    wrong = command(environment, "streams", "verify", "--kind", "feedback")
    assert wrong.returncode == 1
    assert b"and 250 more" in wrong.stdout and b"must be" in wrong.stdout
    assert command(environment, "streams", "verify", "--kind", "filing").returncode == 0
    assert command(environment, "streams", "verify", "--to", "2026-11-02").returncode == 0
    period = (
        "--from",
        "2026-11-02T12:00",
        "--to",
        "2026-11-02T13:00",
    )  # 05:00 to 06:00 UTC: the first 150 reports
    dry = command(environment, "streams", "rebuild", *period, "--dry-run")
    assert dry.returncode == 1 and b"would be" in dry.stdout
    done = command(environment, "streams", "rebuild", *period)
    assert done.returncode == 0 and b"150 differences were repaired" in done.stdout, (
        done.stdout + done.stderr
    )
    assert command(environment, "streams", "verify", *period).returncode == 0
    assert command(environment, "streams", "verify").returncode == 1, "the other half is as it was"
    again = command(environment, "streams", "rebuild", *period)
    assert again.returncode == 0 and b"No difference" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "yesterday", "--to", "2026-11-03"), b"'yesterday' is not a date or time"),
        (("--from", "2026-11-03", "--to", "2026-11-02"), b"is empty or impossible"),
        (
            ("--from", "2026-11-02", "--to", "2026-11-03", "--kind", "weather"),
            b"There is no kind 'weather'",
        ),
    ],
)
def test_what_cannot_be_rebuilt_is_one_sentence(
    environment: dict[str, str], arguments: tuple[str, ...], said: bytes
) -> None:
    done = command(environment, "streams", "rebuild", *arguments)
    assert done.returncode == 1
    assert said in done.stderr and b"Traceback" not in done.stderr


def test_a_period_is_of_the_provinces_clock_and_of_whole_minutes() -> None:
    assert parse("2026-11-02", "2026-11-02T00:00:30") == MinutePeriod(1793552400, 1793552460)
    assert parse("2026-11-01T17:00:59+00:00", "2026-11-01T17:01:00Z") == MinutePeriod(
        1793552400, 1793552460
    )
