"""Figures of the overview: at most seven, most important first; a wall shows those that fit."""

from dashboard.i18n.translator import Translator
from dashboard.pages.wall.cards import DAY_HOURS, FigureCard, number, trend, value
from dashboard.query.snapshot import ProvinceContext, Snapshot
from schemas.figures import UNKNOWN
from schemas.sources.freshness import SourceState


def figures(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> list[FigureCard]:
    """Return the figures of a snapshot, in a language."""
    return [
        _overdue(snapshot, place, translator),
        _on_time(snapshot, place, translator),
        _filings(snapshot, place, translator),
        _feedback(snapshot, place, translator),
        _documents(snapshot, translator),
        _meetings(snapshot, translator),
        _sources(snapshot, place, translator),
    ]


def _overdue(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> FigureCard:
    overdue, before = (
        number(snapshot.now, "filing.overdue"),
        number(snapshot.day_ago, "filing.overdue"),
    )
    longest = value(snapshot.now, "filing.overdue_longest")
    oldest = (
        translator("oldest_working_days", n=translator.number(longest / DAY_HOURS))
        if longest is not None
        else ""
    )
    return FigureCard(
        "overdue",
        translator("overdue"),
        translator.number(overdue),
        trend=trend(overdue - before, translator) if "filing.overdue" in snapshot.day_ago else "",
        target=", ".join(filter(None, (translator("target", target=translator.number(0)), oldest))),
        detail=translator("versus_yesterday"),
        at=snapshot.newest.get("filing"),
        call=2 if before and overdue > 1.2 * before else 0,
        stale=snapshot.stale("filing"),
    )


def _on_time(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> FigureCard:
    """Show the share closed on time of all that was closed or is overdue, beside the naive rate."""
    honest, naive = (
        value(snapshot.now, "filing.on_time"),
        value(snapshot.now, "filing.on_time_naive"),
    )
    before, target = value(snapshot.day_ago, "filing.on_time"), place.target("filing.on_time")
    below = honest is not None and target is not None and honest < target
    return FigureCard(
        "on_time",
        translator("on_time"),
        translator.exact(honest) or translator("none"),
        trend=trend(honest - before, translator, digits=1)
        if honest is not None and before is not None
        else "",
        target=_target(translator, target, below, "below_target"),
        detail=translator("naive", value=translator.exact(naive)) if naive is not None else "",
        at=snapshot.newest.get("filing"),
        call=2 if below else 0,
        stale=snapshot.stale("filing"),
    )


def _filings(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> FigureCard:
    today, before = (
        number(snapshot.today, "filing.registered"),
        number(snapshot.same_time, "filing.registered"),
    )
    change = 100 * (today - before) / before if before else 0
    online, target = (
        value(snapshot.today, "filing.wholly_online"),
        place.target("filing.wholly_online"),
    )
    known = online is not None and target is not None
    return FigureCard(
        "filings",
        translator("filings_today"),
        translator.number(today),
        trend=trend(change, translator, unit="%") if before else "",
        target=translator(
            "online_share", value=translator.exact(online), target=translator.percent(target or 0)
        )
        if known
        else "",
        detail=translator("versus_day", day=translator.weekday(snapshot.compare_day)),
        at=snapshot.newest.get("filing"),
        call=2 if online is not None and target is not None and online < target else 0,
        stale=snapshot.stale("filing"),
    )


def _feedback(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> FigureCard:
    opened, before = (
        number(snapshot.now, "feedback.open"),
        number(snapshot.day_ago, "feedback.open"),
    )
    satisfied, on_time = (
        value(snapshot.now, "feedback.satisfied"),
        value(snapshot.now, "feedback.on_time"),
    )
    target = place.target("feedback.satisfied")
    known = satisfied is not None and target is not None
    return FigureCard(
        "feedback",
        translator("feedback_open"),
        translator.number(opened),
        trend=trend(opened - before, translator) if "feedback.open" in snapshot.day_ago else "",
        target=translator(
            "satisfied_target",
            value=translator.exact(satisfied),
            target=translator.percent(target or 0),
        )
        if known
        else "",
        detail=translator("feedback_on_time", value=translator.exact(on_time))
        if on_time is not None
        else "",
        at=snapshot.newest.get("feedback"),
        call=2 if satisfied is not None and target is not None and satisfied < target else 0,
        stale=snapshot.stale("feedback"),
    )


def _documents(snapshot: Snapshot, translator: Translator) -> FigureCard:
    waiting, before = (
        number(snapshot.now, "document.waiting"),
        number(snapshot.day_ago, "document.waiting"),
    )
    flash, since = number(snapshot.now, "document.flash_waiting"), snapshot.waiting_since
    return FigureCard(
        "documents",
        translator("documents_waiting"),
        translator.number(waiting),
        trend=trend(waiting - before, translator) if "document.waiting" in snapshot.day_ago else "",
        target=translator("flash_waiting", n=translator.number(flash), target=translator.number(0)),
        detail=translator("oldest_since", time=translator.moment(since, snapshot.at))
        if waiting and since
        else "",
        at=snapshot.newest.get("document"),
        call=2 if any(alarm.cause == "flash" for alarm in snapshot.alarms) else 0,
        stale=snapshot.stale("document"),
    )


def _meetings(snapshot: Snapshot, translator: Translator) -> FigureCard:
    live, sites = (
        number(snapshot.now, "meeting.live"),
        snapshot.now.get("meeting.connected", UNKNOWN),
    )
    connected = translator(
        "sites",
        connected=translator.number(sites.part or 0),
        invited=translator.number(sites.whole or 0),
    )
    return FigureCard(
        "meetings",
        translator("meetings"),
        translator.number(live),
        target=connected if live else "",
        detail=translator(
            "scheduled", n=translator.number(number(snapshot.now, "meeting.scheduled"))
        ),
        at=snapshot.newest.get("meeting"),
        stale=snapshot.stale("meeting"),
    )


def _sources(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> FigureCard:
    states = [one.state for one in snapshot.sources]
    silent, late, refused = (
        states.count(one) for one in (SourceState.SILENT, SourceState.LATE, SourceState.MALFORMED)
    )
    expected = len(states) - states.count(SourceState.QUIET) - states.count(SourceState.NEVER)
    counts = {"silent_count": silent, "malformed_count": refused, "late_count": late}
    parts = [translator(key, n=count) for key, count in counts.items() if count]
    target = place.target("source.timely")
    return FigureCard(
        "sources",
        translator("sources_live"),
        f"{translator.number(states.count(SourceState.LIVE))}/{translator.number(len(states))}",
        target=", ".join(parts) or translator("all_on_rhythm" if expected else "off_hours"),
        detail=translator("target", target=translator.percent(target)) if target else "",
        at=max(snapshot.newest.values(), default=None),
        call=3 if silent or refused else 0,
    )


def _target(translator: Translator, target: float | None, missed: bool, missed_key: str) -> str:
    return (
        translator(missed_key if missed else "target", target=translator.percent(target))
        if target is not None
        else ""
    )
