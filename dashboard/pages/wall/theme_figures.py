"""The figures of a scene about one kind: each as it is declared, against its target and how it stood a day before."""

from dataclasses import dataclass
from typing import Literal

from dashboard.i18n.speech import Translator
from dashboard.pages.wall.cards import DAY_HOURS, FigureCard, trend
from dashboard.query.snapshot import ProvinceContext, Snapshot
from schemas.figures import BY_CODE, UNKNOWN, MeasureUnit, Reading


@dataclass(frozen=True)
class Shown:
    """A figure of a scene: its code, and of `today` so far whether it counts what came since midnight."""

    code: str
    span: Literal["now", "today"] = "now"


THEMES: dict[str, tuple[Shown, ...]] = {
    "filings": (
        Shown("filing.overdue"),
        Shown("filing.on_time"),
        Shown("filing.due_soon"),
        Shown("filing.registered", "today"),
        Shown("filing.open"),
        Shown("filing.duration_p50"),
        Shown("filing.wholly_online"),
    ),
    "feedback": (
        Shown("feedback.open"),
        Shown("feedback.overdue"),
        Shown("feedback.on_time"),
        Shown("feedback.satisfied"),
        Shown("feedback.received", "today"),
        Shown("feedback.duration_p50"),
        Shown("feedback.reopened"),
    ),
    "documents": (
        Shown("document.waiting"),
        Shown("document.flash_waiting"),
        Shown("document.waiting_longest"),
        Shown("document.on_time"),
        Shown("document.sent", "today"),
        Shown("document.receive_p50"),
        Shown("document.signed"),
    ),
    "meetings": (
        Shown("meeting.live"),
        Shown("meeting.connected"),
        Shown("meeting.missing"),
        Shown("meeting.scheduled"),
    ),
}
"""Scene → its figures, the weightiest first."""
NONE_IS_RIGHT = ("filing.overdue", "document.flash_waiting")
"""Counts whose target is nothing at all."""


def figures(
    theme: str, snapshot: Snapshot, place: ProvinceContext, speech: Translator
) -> list[FigureCard]:
    """The figures of the scene about a kind."""
    return [_figure(one, snapshot, place, speech) for one in THEMES[theme]]


def _figure(
    one: Shown, snapshot: Snapshot, place: ProvinceContext, speech: Translator
) -> FigureCard:
    declared = BY_CODE[one.code]
    reading = (snapshot.now if one.span == "now" else snapshot.today).get(one.code, UNKNOWN)
    before = (snapshot.day_ago if one.span == "now" else snapshot.same_time).get(one.code)
    aim, missed = _aim(one.code, reading, place, speech)
    return FigureCard(
        one.code.replace(".", "-"),
        speech(f"short_{one.code}"),
        written(reading.value, declared.unit, speech),
        trend=_trend(reading, before, declared.unit, speech),
        target=aim,
        detail=_detail(one, reading, snapshot, speech),
        at=snapshot.newest.get(declared.kind.name),
        call=2 if missed else 0,
        stale=snapshot.stale(declared.kind.name),
    )


def written(value: float | None, unit: MeasureUnit, speech: Translator) -> str:
    """A value as short as it can be read: a count, a share, hours or working days; a dash for what is not known."""
    if value is None:
        return speech("none")
    if unit is MeasureUnit.PERCENT:
        return f"{speech.number(value, 1)}%"
    if unit is MeasureUnit.HOURS:
        days = value / DAY_HOURS
        return (
            speech("hours", n=speech.number(value, 1))
            if days < 1
            else speech("days", n=speech.number(days, days < 100))
        )
    return speech.number(value)


def _aim(
    code: str, reading: Reading, place: ProvinceContext, speech: Translator
) -> tuple[str, bool]:
    """The target of a figure in words, and whether it is missed."""
    if code in NONE_IS_RIGHT:
        return speech("target", target=speech.number(0)), code == "document.flash_waiting" and bool(
            reading.value
        )
    aim = place.aim(code)
    if aim is None:
        return "", False
    missed = reading.value is not None and not aim.met(reading.value)
    return speech("below_target" if missed else "target", target=speech.percent(aim.value)), missed


def _trend(reading: Reading, before: Reading | None, unit: MeasureUnit, speech: Translator) -> str:
    if reading.value is None or before is None or before.value is None:
        return ""
    change = reading.value - before.value
    if unit is MeasureUnit.HOURS:
        return (
            trend(change, speech, 1, "h")
            if abs(change) < DAY_HOURS
            else trend(change / DAY_HOURS, speech, 1, speech("days", n=""))
        )
    return trend(change, speech, 1 if unit is MeasureUnit.PERCENT else 0)


def _detail(one: Shown, reading: Reading, snapshot: Snapshot, speech: Translator) -> str:
    """What stands behind a figure: the numbers of a share, what a change is measured against, on which clock hours count."""
    unit = BY_CODE[one.code].unit
    if unit is MeasureUnit.PERCENT and reading.whole:
        return speech(
            "of_whole", part=speech.number(reading.part or 0), whole=speech.number(reading.whole)
        )
    if unit is MeasureUnit.HOURS:
        return speech("working_time")
    if one.span == "today":
        return speech("versus_day", day=speech.weekday(snapshot.compare_day))
    return speech("versus_yesterday") if one.code in snapshot.day_ago else ""
