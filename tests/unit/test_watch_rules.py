"""The rules as they stand in alarms.csv, on what questions would answer.

What calls for people and what does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.reference import ZONE, Agency, Feed, alarm_rule, calendar
from schemas.sources.freshness import Source, SourceState, judge
from streams.watch import questions
from streams.watch.context import MeasureContext, WatchedProvince
from streams.watch.engine import Alarm, Observation, evaluate

FEED = Feed(kind="filing", rhythm_minutes=60, grace_minutes=60)
TUESDAY = datetime(2026, 11, 17, 15, 0, tzinfo=ZONE)


class Answers:
    """A ClickHouse that gives one answer after the other."""

    def __init__(self, *answers: list[tuple[Any, ...]]) -> None:
        self._answers = list(answers)

    def execute(self, query: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        # A figure's question has its moments in it.
        assert values is None or (set(values) >= {"now"} and query % dict.fromkeys(values, 0)), (
            "every parameter is given"
        )
        return self._answers.pop(0)


def asked(
    code: str, *answers: list[tuple[Any, ...]], sources: Sequence[Source] | None = None
) -> list[Observation]:
    rule = alarm_rule(code)
    assert rule is not None
    look = MeasureContext(Answers(*answers), TUESDAY, WatchedProvince("46"))  # type: ignore[arg-type]
    if sources is not None:
        look.__dict__["sources"] = tuple(sources)
    return list(questions.QUESTIONS[rule.measure](look, rule))


def raised(code: str, observed: Sequence[Observation]) -> list[Alarm]:
    """Return what a rule makes of what is observed for long enough."""
    rule = alarm_rule(code)
    assert rule is not None
    held = replace_hold(rule)
    return [one for one in evaluate([held], {code: observed}, TUESDAY, []) if one.raised_at]


def replace_hold(rule: Any) -> Any:
    from msgspec.structs import replace as with_

    return with_(rule, hold_raise_seconds=0)


def bursts(recent: int, usual: float = 1.0, commune: str = "1") -> list[Alarm]:
    before = usual * 14 * 1440 / 40
    return raised(
        "burst", asked("burst", [(commune, "water", recent, TUESDAY)], [(commune, "water", before)])
    )


def test_a_burst_is_many_and_far_more_than_usual() -> None:
    assert bursts(14) == []
    assert bursts(30, usual=10) == []
    (found,) = bursts(23)
    assert (found.priority, found.communes, found.count, found.subject) == (2, ("1",), 23, "water")
    assert bursts(60)[0].priority == 1
    assert asked("burst", []) == [], "nothing recent: what is usual is not asked for"


def filings(
    *rows: tuple[str, int, int, int],
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return answers about units, each with its filings, those overdue and those overdue a day ago.

    Of now, and of then.
    """
    return [(code, late, known) for code, known, late, _ in rows], [
        (code, before) for code, _, _, before in rows
    ]


def test_a_pile_is_measured_against_the_rest_of_the_province() -> None:
    rows = [(str(n), 1000, 5, 5) for n in range(9)]
    (found,) = raised("pile", asked("pile", *filings(*rows, ("9", 1000, 61, 50))))
    assert (found.communes, found.count, found.change, found.priority) == (("9",), 61, 11, 1)
    assert raised("pile", asked("pile", *filings(*rows, ("9", 1000, 61, 61))))[0].priority == 2, (
        "it does not grow"
    )
    assert (
        raised("pile", asked("pile", *filings(*((str(n), 1000, 61, 50) for n in range(10))))) == []
    ), "what is so everywhere"
    assert asked("pile", [], []) == []


def test_an_agency_that_is_slow_is_seen_while_its_filings_are_few() -> None:
    rows = [(f"H57.{n}", 400, 1, 1) for n in range(9)]
    (found,) = raised("slow", asked("slow", *filings(*rows, ("H57.20050", 400, 8, 7))))
    assert (found.agencies, found.communes, found.cause, found.priority) == (
        ("H57.20050",),
        ("20050",),
        "pile",
        3,
    )
    assert raised("slow", asked("slow", *filings(*rows, ("H57.CA", 7000, 9, 7)))) == [], (
        "many of very many"
    )


def test_a_flash_document_gets_two_hours() -> None:
    def waiting(minutes: int) -> list[Alarm]:
        return raised(
            "flash", asked("flash", [("A", "1", 1, TUESDAY - timedelta(minutes=minutes))])
        )

    assert waiting(119) == []
    assert waiting(121)[0].priority == 2
    assert waiting(300)[0].priority == 1


def test_a_silent_source_and_one_that_is_refused_call_and_a_quiet_one_does_not() -> None:
    sources = [
        Source(
            str(state),
            "filing",
            state,
            TUESDAY - timedelta(hours=4),
            "3",
            missed=1.5 if state is SourceState.SILENT else 0.7,
        )
        for state in SourceState
    ]
    (silent,) = raised("silent", asked("silent", sources=sources))
    assert (silent.agencies, silent.communes, silent.subject, silent.priority) == (
        ("silent",),
        ("3",),
        "filing",
        3,
    )
    assert silent.since == TUESDAY - timedelta(hours=4)
    (wrong,) = raised("malformed", asked("malformed", sources=sources))
    assert (wrong.agencies, wrong.cause) == (("malformed",), "malformed")


def test_when_nothing_comes_at_all_that_is_one_alarm_and_no_flood() -> None:
    heard = TUESDAY - timedelta(hours=6)
    sources = [
        Source(str(number), "filing", SourceState.SILENT, heard, "3", missed=2.0)
        for number in range(40)
    ]
    (found,) = raised("silent", asked("silent", sources=sources))
    assert (found.subject, found.agencies, found.since) == ("all", (), heard)
    rule = alarm_rule("silent")
    assert rule is not None
    kept = evaluate(
        [rule],
        {"silent": asked("silent", sources=sources)},
        TUESDAY + timedelta(minutes=1),
        [found],
    )
    assert all(one.cleared_at is None for one in kept)
    spoke = [*sources, Source("x", "filing", SourceState.LIVE, TUESDAY - timedelta(minutes=5))]
    assert len(raised("silent", asked("silent", sources=spoke))) == 40


def test_a_clock_that_is_ahead_is_told_with_its_source() -> None:
    agency = Agency(
        code="A", vi="A", en="A", role="one-stop", level="commune", commune="1", feeds=(FEED,)
    )
    heard = [
        {"agency": "A", "kind": "filing", "received_at": TUESDAY},
        {"agency": "B", "kind": "filing", "received_at": TUESDAY},
    ]
    ahead = [
        {"agency": "A", "kind": "filing", "seconds": 7200, "since": TUESDAY - timedelta(minutes=20)}
    ]
    found = judge([agency], heard, TUESDAY, calendar("46"), ahead)
    assert [(one.state, one.ahead) for one in found] == [
        (SourceState.LIVE, timedelta(hours=2)),
        (SourceState.LIVE, timedelta(0)),
    ]
    (alarm,) = raised("ahead", asked("ahead", sources=found))
    assert (alarm.priority, alarm.agencies, alarm.value, alarm.since) == (
        3,
        ("A",),
        7200,
        TUESDAY - timedelta(minutes=20),
    )
    wrong = [replace(found[0], agency=code, ahead=timedelta(hours=int(code))) for code in "1234"]
    assert len({one.id for one in raised("ahead", asked("ahead", sources=wrong))}) == 4


@pytest.mark.parametrize(
    ("recent", "usual", "calls"), [(19, 0.0, False), (30, 0.0, True), (30, 20.0, False)]
)
def test_dead_letters_call_only_when_they_are_many(recent: int, usual: float, calls: bool) -> None:
    found = raised(
        "dead_letters", asked("dead_letters", [(recent, usual * 14 * 24, TUESDAY, ["bad-json"])])
    )
    assert [(one.subject, one.count) for one in found] == ([("bad-json", recent)] if calls else [])
    assert asked("dead_letters", [(0, 99, TUESDAY, [])]) == []


@pytest.mark.parametrize(
    ("recent", "usual", "calls"), [(19, 0.0, False), (30, 0.0, True), (30, 20.0, False)]
)
def test_refusals_of_an_agency_call_only_when_they_are_many(
    recent: int, usual: float, calls: bool
) -> None:
    found = raised(
        "refused",
        asked("refused", [("H57.IOC", recent, usual * 14 * 24, TUESDAY, ["wrong-value"])]),
    )
    assert [(one.subject, one.agencies) for one in found] == (
        [("wrong-value", ("H57.IOC",))] if calls else []
    )


def test_a_province_that_is_not_known_has_no_promised_feeds() -> None:
    assert (
        WatchedProvince("nowhere").agencies == ()
        and WatchedProvince("nowhere").communes_of("A") == ()
    )
