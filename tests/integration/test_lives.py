"""Hand-made lives of filings: deadlines over Tết, pauses, and all that goes wrong in one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest
from clickhouse_driver import Client

from schemas.clickhouse.working_time import calendar_row, days_sql, position_sql
from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.moments import from_milliseconds, milliseconds
from schemas.reference import ZONE
from schemas.settings import Settings
from streams.lives import Lives
from tests.integration.lives_desk import (
    ACCEPTED,
    CALENDAR,
    FINISHED,
    PAYMENT,
    PROCESSING,
    REGISTERED,
    RETURNED,
    SUPPLEMENT,
    WITHDRAWN,
    Desk,
    at,
)

pytestmark = pytest.mark.stack


@pytest.fixture
def desk(settings: Settings, database: Client) -> Iterator[Desk]:
    found = Desk(settings, database)
    yield found
    found.counter.close()


def test_a_deadline_runs_over_tet_in_working_time(desk: Desk) -> None:
    """Tết 2026 is off from the 16th to the 20th of February.
    One working day from Friday noon ends on the Monday after."""
    due = CALENDAR.add_working(at("2026-02-13 13:30"), timedelta(hours=7.5))
    assert due == at("2026-02-23 11:30"), "Friday afternoon is 3.5 hours, Monday morning four"
    desk.filing("F1", ("2026-02-13 13:00", REGISTERED))
    desk.filing(
        "F1", ("2026-02-13 13:30", ACCEPTED), registered_at=at("2026-02-13 13:00"), due_at=due
    )
    assert desk.figures(FILING, at("2026-02-18 10:00"))["filing.overdue"].value == 0, (
        "holidays do not count"
    )
    assert desk.figures(FILING, at("2026-02-23 11:29"))["filing.overdue"].value == 0
    assert desk.figures(FILING, at("2026-02-23 11:29"))["filing.due_soon"].value == 1
    assert desk.figures(FILING, at("2026-02-23 13:31"))["filing.overdue"].value == 1
    assert desk.figures(FILING, at("2026-02-23 13:31"))["filing.due_soon"].value == 0


def test_what_is_due_at_the_end_of_a_working_day_is_overdue_that_evening(desk: Desk) -> None:
    evening = at("2026-11-02 17:00")
    desk.filing("stated", ("2026-11-02 08:00", ACCEPTED), due_at=evening)
    desk.filing("midnight", ("2026-11-02 08:00", ACCEPTED), due_at=at("2026-11-02 23:59"))
    paused = (
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 09:00", SUPPLEMENT),
        ("2026-11-02 10:00", PROCESSING),
    )
    desk.filing("moved", *paused, due_at=at("2026-11-02 16:00"))
    assert desk.figures(FILING, evening)["filing.overdue"].value == 0
    assert desk.figures(FILING, evening + timedelta(minutes=1))["filing.overdue"].value == 2
    assert desk.figures(FILING, at("2026-11-03 00:00"))["filing.overdue"].value == 3
    desk.filing("moved", ("2026-11-02 17:05", FINISHED), due_at=at("2026-11-02 16:00"))
    desk.filing("stated", ("2026-11-02 17:00", FINISHED), due_at=evening)
    assert desk.figures(FILING, at("2026-11-03 09:00"))["filing.on_time"].part == 1, (
        "on the stroke of five is on time"
    )


def test_a_make_up_saturday_counts_as_a_working_day(desk: Desk) -> None:
    """Saturday 2026-01-10 makes up for Friday the second.
    What is due in a working day from Friday noon is due that Saturday."""
    desk.filing(
        "F1", ("2026-01-09 13:00", REGISTERED), ("2026-01-09 13:30", ACCEPTED), procedure="1.001193"
    )
    (due,) = desk.life(FILING, "F1", "due")[-1]
    assert due == CALENDAR.position(at("2026-01-10 11:30")), (
        "the procedure allows a working day; no source stated a date"
    )
    assert desk.figures(FILING, at("2026-01-10 11:00"))["filing.overdue"].value == 0
    assert desk.figures(FILING, at("2026-01-10 14:00"))["filing.overdue"].value == 1
    assert desk.figures(FILING, at("2026-01-03 14:00"))["filing.open"].value == 0, (
        "it had not begun"
    )


def test_the_clock_stands_still_while_the_citizen_supplements_and_pays(desk: Desk) -> None:
    due = at("2026-11-04 11:30")
    steps = [
        ("2026-11-02 07:30", REGISTERED),
        ("2026-11-02 08:30", ACCEPTED),
        ("2026-11-02 09:30", SUPPLEMENT),
        ("2026-11-03 09:30", PROCESSING),
        ("2026-11-03 10:30", PAYMENT),
        ("2026-11-03 15:30", PROCESSING),
    ]
    desk.filing("F1", *steps, due_at=due)
    worked = desk.life(
        FILING,
        "F1",
        "status, worked / 3600000, paused / 3600000, due - (SELECT any(due) FROM life_filing "
        "WHERE step = 1)",
    )
    assert [
        (status, hours, still, moved / 3_600_000) for status, hours, still, moved in worked
    ] == [
        (1, 0, 0, 0),
        (2, 0, 0, 0),  # an hour at the desk, but the work begins here
        (5, 1, 0, 0),
        (4, 1, 7.5, 7.5),
        (6, 2, 7.5, 7.5),
        (4, 2, 10.5, 10.5),  # the lunch break is no working time
    ]
    # The deadline moves by 10.5 working hours: from Wednesday 11:30 to Thursday 17:00... and not a
    # minute less.
    moved = CALENDAR.add_working(due, timedelta(hours=10.5))
    assert moved == at("2026-11-05 16:30")
    assert desk.figures(FILING, at("2026-11-03 11:00"))["filing.paused"].value == 1
    assert desk.figures(FILING, moved - timedelta(minutes=1))["filing.overdue"].value == 0
    assert desk.figures(FILING, moved + timedelta(minutes=1))["filing.overdue"].value == 1
    # While paused it is never overdue, however long that takes.
    desk.filing(
        "F2",
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 09:00", SUPPLEMENT),
        due_at=at("2026-11-02 16:00"),
    )
    assert desk.figures(FILING, at("2026-11-30 09:00"))["filing.overdue"].value == 1, "only F1"


def test_a_due_date_that_the_source_states_anew_after_a_pause_is_taken_as_it_is(desk: Desk) -> None:
    later = at("2026-11-06 11:30")
    desk.filing(
        "F1",
        ("2026-11-02 08:30", ACCEPTED),
        ("2026-11-02 09:30", SUPPLEMENT),
        due_at=at("2026-11-04 11:30"),
    )
    desk.filing("F1", ("2026-11-03 09:30", PROCESSING), due_at=later)
    assert desk.life(FILING, "F1", "due")[-1] == (CALENDAR.position(later),)
    desk.filing("F1", ("2026-11-03 10:30", PAYMENT), ("2026-11-03 13:30", PROCESSING), due_at=later)
    assert desk.life(FILING, "F1", "due")[-1] == (CALENDAR.position(later) + 3_600_000,), (
        "a pause after it moves it again"
    )


def test_withdrawn_refused_and_finished_without_result_are_closed_and_say_nothing_of_speed(
    desk: Desk,
) -> None:
    desk.filing(
        "withdrawn",
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 09:00", WITHDRAWN),
        due_at=at("2026-11-02 08:30"),
    )
    desk.filing(
        "refused", ("2026-11-02 08:00", REGISTERED), ("2026-11-02 09:00", FilingStatus.NOT_ACCEPTED)
    )
    desk.filing(
        "done",
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 10:00", FINISHED),
        due_at=at("2026-11-02 11:00"),
    )
    desk.filing(
        "late",
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 10:00", FINISHED),
        due_at=at("2026-11-02 09:00"),
    )
    desk.filing("open", ("2026-11-02 08:00", ACCEPTED), due_at=at("2026-11-02 09:00"))
    found = desk.figures(FILING, at("2026-11-03 08:00"))
    assert (found["filing.closed"].value, found["filing.open"].value) == (4, 1)
    honest, naive = found["filing.on_time"], found["filing.on_time_naive"]
    assert (honest.part, honest.whole, honest.value) == (1, 3, pytest.approx(100 / 3))
    assert (naive.part, naive.whole, naive.value) == (1, 2, 50)
    assert found["filing.duration_p50"].value == 2
    desk.filing(
        "done",
        ("2026-11-03 08:00", RETURNED),
        finished_at=at("2026-11-02 10:00"),
        due_at=at("2026-11-02 11:00"),
    )
    assert desk.figures(FILING, at("2026-11-03 09:00"))["filing.on_time"].part == 1, (
        "handing over the result later is not late"
    )


def test_a_step_out_of_order_is_kept_and_flagged(desk: Desk) -> None:
    desk.filing(
        "F1",
        ("2026-11-02 08:00", REGISTERED),
        ("2026-11-02 09:00", RETURNED),
        ("2026-11-02 10:00", PROCESSING),
    )
    assert desk.life(FILING, "F1", "status, possible, impossible") == [
        (1, True, 0),
        (10, False, 1),
        (4, False, 2),
    ]
    assert desk.figures(FILING, at("2026-11-02 11:00"))["filing.impossible"].value == 1
    desk.filing("F2", ("2026-11-02 08:00", PROCESSING), ("2026-11-02 09:00", FINISHED))
    assert desk.figures(FILING, at("2026-11-02 11:00"))["filing.impossible"].value == 1, (
        "a life may be known from its middle on"
    )


def test_a_late_event_changes_the_life_in_its_own_place(desk: Desk) -> None:
    desk.filing(
        "F1",
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 10:00", PROCESSING),
        due_at=at("2026-11-02 15:00"),
    )
    assert desk.figures(FILING, at("2026-11-02 16:00"), past=False)["filing.overdue"].value == 1
    # A day late: a supplement had been asked for at nine.
    desk.counter.arrive(
        FILING,
        [
            (
                at("2026-11-02 09:00"),
                at("2026-11-03 09:00"),
                Filing(
                    agency="H57.HCC",
                    procedure="1.005129",
                    channel=Channel.ONLINE,
                    filing_id="F1",
                    status=SUPPLEMENT,
                    registered_at=at("2026-11-02 08:00"),
                    due_at=at("2026-11-02 15:00"),
                ),
            )
        ],
    )
    desk.lives.catch_up()
    assert [status for (status,) in desk.life(FILING, "F1", "status")] == [2, 5, 4]
    assert desk.figures(FILING, at("2026-11-02 15:30"), past=False)["filing.overdue"].value == 0, (
        "an hour of pause moved it"
    )
    assert desk.figures(FILING, at("2026-11-02 16:30"), past=False)["filing.overdue"].value == 1


def test_lives_are_computed_once_whoever_computes_them_and_anew_when_the_rules_change(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.filing(
        "F1",
        ("2026-11-02 08:00", ACCEPTED),
        ("2026-11-02 10:00", FINISHED),
        due_at=at("2026-11-02 11:00"),
    )
    before = desk.life(FILING, "F1", "* EXCEPT version")
    other = Lives(desk.client, settings.province)
    assert other.catch_up() == 0, "another one goes on where this one stands"
    # A worker that was killed between the raw rows and the lives' mark: the same again.
    desk.client.execute("TRUNCATE TABLE lives_progress")
    assert Lives(desk.client, settings.province).catch_up() > 0
    assert desk.life(FILING, "F1", "* EXCEPT version") == before
    # Other rules: all of it anew.
    monkeypatch.setattr("schemas.clickhouse.derivation.NEVER", (1 << 61) - 1)
    assert Lives(desk.client, settings.province).catch_up() > 0
    assert desk.life(FILING, "F1", "* EXCEPT version") == before
    assert desk.client.execute("SELECT count() FROM current_filing FINAL") == [(1,)]


def test_a_moment_has_the_same_position_in_clickhouse_whatever_the_week(
    settings: Settings, database: Client
) -> None:
    Lives(database, settings.province)
    number, _ = calendar_row(CALENDAR)
    first, last = datetime(1990, 1, 1, tzinfo=ZONE), datetime(2100, 12, 31, 23, 59, tzinfo=ZONE)
    dice = Random(7)
    moments = [
        first,
        last,
        first + timedelta(hours=9),
        last - timedelta(hours=8),
        last - timedelta(days=6, hours=12),
    ]
    moments += [first + dice.random() * (last - first) for _ in range(5_000)]
    moments += [
        datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(hours=hours) for hours in range(24 * 60)
    ]  # Tet, swapped days
    asked = [milliseconds(moment) for moment in moments]
    found = database.execute(
        f"WITH {days_sql(number)} SELECT groupArray({position_sql('ms')}) FROM (SELECT "
        f"arrayJoin({asked}) AS ms)"
    )
    assert found[0][0] == [CALENDAR.position(from_milliseconds(ms)) for ms in asked]
