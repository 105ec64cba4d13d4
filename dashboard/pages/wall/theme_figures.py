"""Figures of a scene about one kind, as declared, with their targets and earlier values."""

from dataclasses import dataclass
from typing import Literal

from dashboard.components.parts import share_text
from dashboard.i18n.translator import Translator
from dashboard.pages.wall.cards import DAY_HOURS, FigureCard, trend
from dashboard.query.snapshot import ProvinceContext, Snapshot
from schemas.figures import BY_CODE, UNKNOWN, MeasureUnit, Reading


@dataclass(frozen=True)
class Shown:
    """A figure of a scene; with the span `today` it counts since midnight."""

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
"""Figures by scene, most important first."""
NONE_IS_RIGHT = ("filing.overdue", "document.flash_waiting")
"""Counts whose target is zero."""


def figures(
    theme: str, snapshot: Snapshot, place: ProvinceContext, translator: Translator
) -> list[FigureCard]:
    """Return the figures of the scene about a kind."""
    return [_figure(one, snapshot, place, translator) for one in THEMES[theme]]


def _figure(
    one: Shown, snapshot: Snapshot, place: ProvinceContext, translator: Translator
) -> FigureCard:
    declared = BY_CODE[one.code]
    reading = (snapshot.now if one.span == "now" else snapshot.today).get(one.code, UNKNOWN)
    before = (snapshot.day_ago if one.span == "now" else snapshot.same_time).get(one.code)
    aim, missed = _aim(one.code, reading, place, translator)
    return FigureCard(
        one.code.replace(".", "-"),
        translator(f"short_{one.code}"),
        written(reading.value, declared.unit, translator),
        trend=_trend(reading, before, declared.unit, translator),
        target=aim,
        detail=_detail(one, reading, snapshot, translator),
        at=snapshot.newest.get(declared.kind.name),
        call=2 if missed else 0,
        stale=snapshot.stale(declared.kind.name),
    )


def written(value: float | None, unit: MeasureUnit, translator: Translator) -> str:
    """Format a value briefly: a count, a share, hours or working days; a dash if unknown."""
    if value is None:
        return translator("none")
    if unit is MeasureUnit.PERCENT:
        return f"{translator.number(value, 1)}%"
    if unit is MeasureUnit.HOURS:
        days = value / DAY_HOURS
        return (
            translator("hours", n=translator.number(value, 1))
            if days < 1
            else translator("days", n=translator.number(days, days < 100))
        )
    return translator.number(value)


def _aim(
    code: str, reading: Reading, place: ProvinceContext, translator: Translator
) -> tuple[str, bool]:
    """Format the target of a figure, and tell whether it is missed."""
    if code in NONE_IS_RIGHT:
        return translator(
            "target", target=translator.number(0)
        ), code == "document.flash_waiting" and bool(reading.value)
    aim = place.aim(code)
    if aim is None:
        return "", False
    missed = reading.value is not None and not aim.met(reading.value)
    return translator(
        "below_target" if missed else "target", target=translator.percent(aim.value)
    ), missed


def _trend(
    reading: Reading, before: Reading | None, unit: MeasureUnit, translator: Translator
) -> str:
    if reading.value is None or before is None or before.value is None:
        return ""
    change = reading.value - before.value
    if unit is MeasureUnit.HOURS:
        return (
            trend(change, translator, 1, "h")
            if abs(change) < DAY_HOURS
            else trend(change / DAY_HOURS, translator, 1, translator("days", n=""))
        )
    return trend(change, translator, 1 if unit is MeasureUnit.PERCENT else 0)


def _detail(one: Shown, reading: Reading, snapshot: Snapshot, translator: Translator) -> str:
    """Say what a figure rests on: numbers of a share, base of a change, clock of hours."""
    unit = BY_CODE[one.code].unit
    if unit is MeasureUnit.PERCENT and reading.whole:
        return share_text(reading, translator)
    if unit is MeasureUnit.HOURS:
        return translator("working_time")
    if one.span == "today":
        return translator("versus_day", day=translator.weekday(snapshot.compare_day))
    return translator("versus_yesterday") if one.code in snapshot.day_ago else ""
