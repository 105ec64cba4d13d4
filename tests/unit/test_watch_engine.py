"""Rules against what is observed.

Raised once, held, cleared once, whatever the order of restarts.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import reference
from schemas.figures import Reading
from schemas.reference import Rule, alarm_rules
from streams.watch import readings, run
from streams.watch.alarm_store import ALARM_ROWS
from streams.watch.engine import CLEARED, Alarm, Observation, clear_retired, evaluate
from streams.watch.jobs import JOBS
from streams.watch.questions import QUESTIONS

START = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
STEP = timedelta(seconds=10)


def rule(**changes: Any) -> Rule:
    usual: dict[str, Any] = {
        "code": "r",
        "vi": "r",
        "en": "r",
        "cause": "pile",
        "measure": "filing.pile",
        "scope": "commune",
    }
    return Rule(
        **usual
        | {"comparison": "threshold", "raise_at": 20, "clear_at": 10, "priority": 2}
        | changes
    )


class Table:
    """The table of alarms, in memory: the newest version of each key holds."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, datetime], Alarm] = {}

    def write(self, alarms: Sequence[Alarm]) -> None:
        for one in alarms:
            before = self.rows.get((one.id, one.began_at))
            if before is None or one.version >= before.version:
                self.rows[one.id, one.began_at] = one

    def known(self, at: datetime) -> list[Alarm]:
        return [
            one for one in self.rows.values() if one.cleared_at is None or one.evaluated_at >= at
        ]

    @property
    def raised(self) -> list[Alarm]:
        return [
            one
            for one in self.rows.values()
            if one.raised_at and (one.cleared_at is None or one.cleared_at > one.raised_at)
        ]

    @property
    def open(self) -> list[Alarm]:
        return [one for one in self.raised if one.cleared_at is None]


def look(table: Table, of: Rule, at: datetime, *seen: Observation) -> list[Alarm]:
    changed = evaluate([of], {of.code: seen}, at, table.known(at))
    table.write(changed)
    return changed


def through(of: Rule, values: Sequence[float | None], **observed: Any) -> tuple[Table, list[bool]]:
    """Return a table after values that were observed one after the other, and whether the alarm was
    open after each.
    """
    table, opened = Table(), []
    for number, value in enumerate(values):
        seen = [] if value == 0 else [Observation("1", value, **observed)]
        look(table, of, START + number * STEP, *seen)
        opened.append(bool(table.open))
    return table, opened


def test_it_is_raised_at_its_level_stays_in_between_and_is_cleared_below() -> None:
    table, opened = through(rule(), [5, 20, 12, 19, 10, 9, 12, 19])
    assert opened == [False, True, True, True, True, False, False, False]
    (alarm,) = table.raised
    assert (alarm.raised_at, alarm.cleared_at) == (START + STEP, START + 5 * STEP)


def test_less_can_be_worse() -> None:
    assert through(rule(raise_at=80, clear_at=85), [90, 81, 80, 84, 85, 86, 81])[1] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_what_is_usual_raises_both_levels() -> None:
    assert through(rule(comparison="burst", times=4), [20, 39, 40, 21, 20, 19], usual=10.0)[1] == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_the_second_level_is_left_late_and_may_ask_for_growth() -> None:
    priorities = []
    table = Table()
    for number, (value, change) in enumerate([(30, 5), (50, 0), (50, 3), (40, -9), (24, 0)]):
        look(
            table,
            rule(critical_at=50, critical_rising=True),
            START + number * STEP,
            Observation("1", value, change=change),
        )
        priorities.append(table.open[0].priority)
    assert priorities == [2, 2, 1, 1, 2]


def test_hold_times_are_kept_without_a_break() -> None:
    held = rule(hold_raise_seconds=20, hold_clear_seconds=30)
    table, opened = through(held, [20, 20, 15, 20, 20, 20, 5, 5, 12, 5, 5, 5, 5])
    assert opened == [False] * 5 + [True] * 7 + [False]
    (alarm,) = table.raised
    assert (alarm.began_at, alarm.raised_at) == (START + 3 * STEP, START + 5 * STEP)
    assert (alarm.below_since, alarm.cleared_at) == (START + 9 * STEP, START + 12 * STEP)


def test_what_cannot_be_told_changes_nothing_and_what_is_gone_is_over() -> None:
    table, opened = through(rule(), [20, None, None, 0])
    assert opened == [True, True, True, False]
    table = Table()
    look(table, rule(), START, Observation("1", 20))
    assert evaluate([rule()], {"r": None}, START + STEP, table.known(START + STEP)) == []
    assert evaluate([rule()], {}, START + STEP, table.known(START + STEP)) == []


def test_what_it_says_is_kept_up_and_the_cause_keeps_its_beginning() -> None:
    table = Table()
    lately = rule(span_minutes=40)
    look(table, lately, START, Observation("1", 20, since=START - STEP, count=20, communes=("1",)))
    look(
        table,
        lately,
        START + STEP,
        Observation("1", 30, since=START, count=30, communes=("1", "2")),
    )
    (alarm,) = table.open
    assert (alarm.count, alarm.communes, alarm.since, alarm.raised_at) == (
        30,
        ("1", "2"),
        START - STEP,
        START,
    )
    assert (
        look(
            table,
            lately,
            START + 2 * STEP,
            Observation("1", 31, since=START, count=30, communes=("1", "2")),
        )
        == []
    )
    assert look(
        table,
        lately,
        START + 9 * STEP,
        Observation("1", 31, since=START, count=30, communes=("1", "2")),
    ), "now and then"
    look(table, rule(), START + 10 * STEP, Observation("1", 31, since=START + STEP))
    assert table.open[0].since == START + STEP, (
        "what is silent is silent since it was last heard of"
    )


def test_two_watches_that_began_one_alarm_at_once_leave_the_first() -> None:
    table = Table()
    for at in (START, START + STEP):  # The second did not see what the first wrote.
        table.write(evaluate([rule()], {"r": [Observation("1", 25)]}, at, []))
    assert len(table.open) == 2
    look(table, rule(), START + 2 * STEP, Observation("1", 25))
    assert [one.began_at for one in table.open] == [START] and len(table.raised) == 1


def test_a_watch_that_looked_before_an_alarm_was_cleared_does_not_bring_it_back() -> None:
    table = Table()
    look(table, rule(), START, Observation("1", 25))
    seen_before = table.known(START + STEP)
    look(table, rule(), START + STEP, Observation("1", 5))
    table.write(
        evaluate([rule()], {"r": [Observation("1", 26, count=26)]}, START + 2 * STEP, seen_before)
    )
    assert table.open == [] and all(one.version > CLEARED for one in table.raised)
    # Nor does one that evaluates an older moment raise it anew.
    assert look(table, rule(), START, Observation("1", 25)) == []


def test_alarms_of_a_rule_that_is_gone_are_cleared() -> None:
    table = Table()
    look(table, rule(), START, Observation("1", 25))
    assert clear_retired([rule()], START + STEP, table.known(START + STEP)) == []
    (one,) = clear_retired([], START + STEP, table.known(START + STEP))
    assert one.cleared_at == START + STEP


VALUES = st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=40)
RULES = st.builds(
    lambda up, down, critical: rule(
        hold_raise_seconds=10 * up, hold_clear_seconds=10 * down, critical_at=critical
    ),
    st.integers(0, 4),
    st.integers(0, 4),
    st.sampled_from([None, 25]),
)


@given(RULES, VALUES)
def test_it_never_flaps_and_holds_are_respected(of: Rule, values: list[float | None]) -> None:
    table, opened = through(of, values)
    told = [value for value in values if value is not None]
    for before, after in zip([False, *opened], opened, strict=False):
        assert before == after or told
    for one in table.raised:
        assert one.raised_at is not None and one.raised_at - one.began_at >= timedelta(
            seconds=of.hold_raise_seconds
        )
        assert values[round((one.raised_at - START) / STEP)] is not None
        if one.cleared_at:
            assert one.below_since is not None
            assert one.cleared_at - one.below_since >= timedelta(seconds=of.hold_clear_seconds)
            assert (values[round((one.cleared_at - START) / STEP)] or 0) < of.clear_at
    if all(value is None or of.clear_at <= value < of.raise_at for value in values):
        assert not table.raised


@given(RULES, VALUES, st.sets(st.integers(0, 40)))
def test_a_restart_and_a_second_look_change_nothing(
    of: Rule, values: list[float | None], twice: set[int]
) -> None:
    """The engine keeps nothing: all it knows is in the table.

    Looking again at a moment writes nothing.
    """
    once, _ = through(of, values)
    table = Table()
    for number, value in enumerate(values):
        seen = [] if value == 0 else [Observation("1", value)]
        look(table, of, START + number * STEP, *seen)
        if number in twice:
            assert look(table, of, START + number * STEP, *seen) == []
    assert table.rows == once.rows


@given(RULES, VALUES, st.data())
def test_several_watches_converge(
    of: Rule, values: list[float | None], data: st.DataObject
) -> None:
    """Each sees the table as it was a while ago, and writes late.

    In the end there is at most one open alarm, and the right one.
    """
    table, late = Table(), list[list[Alarm]]()
    for number, value in enumerate(values):
        at, seen = START + number * STEP, [] if value == 0 else [Observation("1", value)]
        known = table.known(at)
        for _ in range(data.draw(st.integers(1, 2))):
            late.append(evaluate([of], {of.code: seen}, at, known))
        while bool(late) and data.draw(st.booleans()):
            table.write(late.pop(data.draw(st.integers(0, len(late) - 1))))
    for changed in late:
        table.write(changed)
    at = START + len(values) * STEP
    for more in range(12):
        look(table, of, at + more * STEP, Observation("1", 30))
    assert len(table.open) == 1
    for more in range(12, 24):
        look(table, of, at + more * STEP)
    assert table.open == []


def test_every_rule_says_what_is_looked_at_and_every_question_has_its_job() -> None:
    codes = [one.code for one in alarm_rules()]
    assert len(set(codes)) == len(codes) and not any(":" in code for code in codes)
    figures = {one.code for one in reference.indicators()} | {
        "filing.overdue",
        "feedback.overdue",
        "document.overdue",
        "target.*",
    }
    assert {one.measure for one in alarm_rules()} <= QUESTIONS.keys() | figures
    for one in alarm_rules():
        assert one.vi and one.en and one.source
        assert not one.reached(one.levels()[1] + (0.1 if one.less_is_worse else -0.1)), (
            "a band, or one edge"
        )
        assert one.critical_at is None or one.reached(one.critical_at)
        assert one.span_minutes > 0 or one.comparison not in ("rate",)
    assert len({job.name for job in JOBS}) == len(JOBS)


def test_what_is_written_of_an_alarm_is_what_is_read() -> None:
    (alarm,) = evaluate([OVERDUE], {"r": [Observation("1", 25.0, communes=("1",))]}, START, [])
    written = dict(zip(ALARM_ROWS.names.split(", "), ALARM_ROWS.row(alarm), strict=True))
    assert written.pop("version") == alarm.version and written["communes"] == ["1"]
    assert ALARM_ROWS.read([written[name] for name in ALARM_ROWS.read_names.split(", ")]) == alarm


OVERDUE = rule(measure="filing.overdue", scope="commune")
RISING = rule(
    measure="filing.overdue",
    comparison="rate",
    scope="province",
    raise_at=100,
    clear_at=50,
    span_minutes=1440,
)
TARGETS = rule(measure="target.*", scope="province", raise_at=90, clear_at=95)


def test_figures_are_inputs_and_what_is_stale_or_unknown_never_calls() -> None:
    now = {
        ("filing.overdue", "1"): Reading(25.0),
        ("filing.overdue", "2"): Reading(99.0, stale=True),
        ("filing.overdue", "3"): Reading(None),
    }
    found = readings.observed(OVERDUE, now, {})
    assert found is not None
    assert [(one.key, one.value, one.communes) for one in found] == [
        ("1", 25, ("1",)),
        ("2", None, ("2",)),
        ("3", None, ("3",)),
    ]
    assert [one.id for one in evaluate([OVERDUE], {"r": found}, START, [])] == ["r:1"]
    assert readings.observed(OVERDUE, {}, {}) is None, "a figure that nobody computes"


def test_a_rate_is_the_change_within_its_span() -> None:
    now, before = {("filing.overdue", ""): Reading(250.0)}, {("filing.overdue", ""): Reading(140.0)}
    (found,) = readings.observed(RISING, now, before) or ()
    assert (found.key, found.value, found.change) == ("", 110, 110)
    (found,) = readings.observed(RISING, now, {}) or ()
    assert found.value is None, "without a before there is no change"


def test_all_targets_are_one_rule_with_an_alarm_for_each() -> None:
    now = {
        ("target.online", ""): Reading(70.0),
        ("target.paid", ""): Reading(97.0),
        ("filing.overdue", ""): Reading(1.0),
    }
    found = readings.observed(TARGETS, now, {})
    assert [(one.id, one.value) for one in evaluate([TARGETS], {"r": found}, START, [])] == [
        ("r:target.online", 70)
    ]


@pytest.mark.parametrize("period", [0.5, 1.0, 5.0, 60.0])
def test_watches_side_by_side_look_at_the_same_moments(period: float) -> None:
    found = {
        run.aligned(START + timedelta(seconds=period * part), period) for part in (0, 0.3, 0.99)
    }
    assert found == {START}
    alarm = Alarm(id="x", began_at=START, rule="r", cause="c", priority=2, evaluated_at=START)
    assert alarm.key == ""
