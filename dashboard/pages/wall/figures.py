"""The figures of the overview: at most seven, the weightiest first; a wall shows as many as its letters leave room for."""

from dashboard.i18n.speech import Translator
from dashboard.pages.wall.cards import DAY_HOURS, FigureCard, number, trend, value
from dashboard.query.snapshot import ProvinceContext, Snapshot
from schemas.figures import UNKNOWN
from schemas.sources.freshness import SourceState


def figures(snapshot: Snapshot, place: ProvinceContext, speech: Translator) -> list[FigureCard]:
    """The figures of a snapshot, in a language."""
    return [
        _overdue(snapshot, place, speech),
        _on_time(snapshot, place, speech),
        _filings(snapshot, place, speech),
        _feedback(snapshot, place, speech),
        _documents(snapshot, speech),
        _meetings(snapshot, speech),
        _sources(snapshot, place, speech),
    ]


def _overdue(snapshot: Snapshot, place: ProvinceContext, speech: Translator) -> FigureCard:
    overdue, before = (
        number(snapshot.now, "filing.overdue"),
        number(snapshot.day_ago, "filing.overdue"),
    )
    longest = value(snapshot.now, "filing.overdue_longest")
    oldest = (
        speech("oldest_working_days", n=speech.number(longest / DAY_HOURS))
        if longest is not None
        else ""
    )
    return FigureCard(
        "overdue",
        speech("overdue"),
        speech.number(overdue),
        trend=trend(overdue - before, speech) if "filing.overdue" in snapshot.day_ago else "",
        target=", ".join(filter(None, (speech("target", target=speech.number(0)), oldest))),
        detail=speech("versus_yesterday"),
        at=snapshot.newest.get("filing"),
        call=2 if before and overdue > 1.2 * before else 0,
        stale=snapshot.stale("filing"),
    )


def _on_time(snapshot: Snapshot, place: ProvinceContext, speech: Translator) -> FigureCard:
    """Closed on time of all that was closed or is open and overdue; the naive rate, of what was closed, beside it."""
    honest, naive = (
        value(snapshot.now, "filing.on_time"),
        value(snapshot.now, "filing.on_time_naive"),
    )
    before, target = value(snapshot.day_ago, "filing.on_time"), place.target("filing.on_time")
    below = honest is not None and target is not None and honest < target
    return FigureCard(
        "on_time",
        speech("on_time"),
        speech.exact(honest) or speech("none"),
        trend=trend(honest - before, speech, digits=1)
        if honest is not None and before is not None
        else "",
        target=_target(speech, target, below, "below_target"),
        detail=speech("naive", value=speech.exact(naive)) if naive is not None else "",
        at=snapshot.newest.get("filing"),
        call=2 if below else 0,
        stale=snapshot.stale("filing"),
    )


def _filings(snapshot: Snapshot, place: ProvinceContext, speech: Translator) -> FigureCard:
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
        speech("filings_today"),
        speech.number(today),
        trend=trend(change, speech, unit="%") if before else "",
        target=speech(
            "online_share", value=speech.exact(online), target=speech.percent(target or 0)
        )
        if known
        else "",
        detail=speech("versus_day", day=speech.weekday(snapshot.compare_day)),
        at=snapshot.newest.get("filing"),
        call=2 if online is not None and target is not None and online < target else 0,
        stale=snapshot.stale("filing"),
    )


def _feedback(snapshot: Snapshot, place: ProvinceContext, speech: Translator) -> FigureCard:
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
        speech("feedback_open"),
        speech.number(opened),
        trend=trend(opened - before, speech) if "feedback.open" in snapshot.day_ago else "",
        target=speech(
            "satisfied_target", value=speech.exact(satisfied), target=speech.percent(target or 0)
        )
        if known
        else "",
        detail=speech("feedback_on_time", value=speech.exact(on_time))
        if on_time is not None
        else "",
        at=snapshot.newest.get("feedback"),
        call=2 if satisfied is not None and target is not None and satisfied < target else 0,
        stale=snapshot.stale("feedback"),
    )


def _documents(snapshot: Snapshot, speech: Translator) -> FigureCard:
    waiting, before = (
        number(snapshot.now, "document.waiting"),
        number(snapshot.day_ago, "document.waiting"),
    )
    flash, since = number(snapshot.now, "document.flash_waiting"), snapshot.waiting_since
    return FigureCard(
        "documents",
        speech("documents_waiting"),
        speech.number(waiting),
        trend=trend(waiting - before, speech) if "document.waiting" in snapshot.day_ago else "",
        target=speech("flash_waiting", n=speech.number(flash), target=speech.number(0)),
        detail=speech("oldest_since", time=speech.moment(since, snapshot.at))
        if waiting and since
        else "",
        at=snapshot.newest.get("document"),
        call=2 if any(alarm.cause == "flash" for alarm in snapshot.alarms) else 0,
        stale=snapshot.stale("document"),
    )


def _meetings(snapshot: Snapshot, speech: Translator) -> FigureCard:
    live, sites = (
        number(snapshot.now, "meeting.live"),
        snapshot.now.get("meeting.connected", UNKNOWN),
    )
    connected = speech(
        "sites", connected=speech.number(sites.part or 0), invited=speech.number(sites.whole or 0)
    )
    return FigureCard(
        "meetings",
        speech("meetings"),
        speech.number(live),
        target=connected if live else "",
        detail=speech("scheduled", n=speech.number(number(snapshot.now, "meeting.scheduled"))),
        at=snapshot.newest.get("meeting"),
        stale=snapshot.stale("meeting"),
    )


def _sources(snapshot: Snapshot, place: ProvinceContext, speech: Translator) -> FigureCard:
    states = [one.state for one in snapshot.sources]
    silent, late, refused = (
        states.count(one) for one in (SourceState.SILENT, SourceState.LATE, SourceState.MALFORMED)
    )
    expected = len(states) - states.count(SourceState.QUIET) - states.count(SourceState.NEVER)
    told = {"silent_count": silent, "malformed_count": refused, "late_count": late}
    parts = [speech(key, n=count) for key, count in told.items() if count]
    target = place.target("source.timely")
    return FigureCard(
        "sources",
        speech("sources_live"),
        f"{speech.number(states.count(SourceState.LIVE))}/{speech.number(len(states))}",
        target=", ".join(parts) or speech("all_on_rhythm" if expected else "off_hours"),
        detail=speech("target", target=speech.percent(target)) if target else "",
        at=max(snapshot.newest.values(), default=None),
        call=3 if silent or refused else 0,
    )


def _target(speech: Translator, target: float | None, missed: bool, missed_key: str) -> str:
    return (
        speech(missed_key if missed else "target", target=speech.percent(target))
        if target is not None
        else ""
    )
