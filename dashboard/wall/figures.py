"""The figures of the overview: at most seven, the weightiest first; a wall shows as many as its letters leave room for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html

from dashboard.snapshot import Place, Snapshot
from dashboard.speech import Speech
from schemas.figures import UNKNOWN, Readings
from schemas.freshness import State
from schemas.moments import milliseconds

DAY_HOURS = 7.5


@dataclass(frozen=True)
class Figure:
    """One figure: its value with trend, target and age. `call` is 0 for normal, 1 to 3 for the priority of what is abnormal."""

    key: str
    label: str
    value: str
    trend: str = ""
    target: str = ""
    detail: str = ""
    at: datetime | None = None
    call: int = 0


def figures(snapshot: Snapshot, place: Place, speech: Speech) -> list[Figure]:
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


def _overdue(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    overdue, before = _number(snapshot.now, "filing.overdue"), _number(snapshot.day_ago, "filing.overdue")
    longest = _value(snapshot.now, "filing.overdue_longest")
    oldest = speech("oldest_working_days", n=speech.number(longest / DAY_HOURS)) if longest is not None else ""
    return Figure(
        "overdue",
        speech("overdue"),
        speech.number(overdue),
        trend=_trend(overdue - before, speech),
        target=", ".join(filter(None, (speech("target", target=speech.number(0)), oldest))),
        detail=speech("versus_yesterday"),
        at=snapshot.newest.get("filing"),
        call=2 if before and overdue > 1.2 * before else 0,
    )


def _on_time(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    """Closed on time of all that was closed or is open and overdue; the naive rate, of what was closed, beside it."""
    honest, naive = _value(snapshot.now, "filing.on_time"), _value(snapshot.now, "filing.on_time_naive")
    before, target = _value(snapshot.day_ago, "filing.on_time"), place.target("filing.on_time")
    below = honest is not None and target is not None and honest < target
    return Figure(
        "on_time",
        speech("on_time"),
        speech.exact(honest) or speech("none"),
        trend=_trend(round(honest - before, 1), speech, digits=1) if honest is not None and before is not None else "",
        target=_target(speech, target, below, "below_target"),
        detail=speech("naive", value=speech.exact(naive)) if naive is not None else "",
        at=snapshot.newest.get("filing"),
        call=2 if below else 0,
    )


def _filings(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    today, before = _number(snapshot.today, "filing.registered"), _number(snapshot.same_time, "filing.registered")
    change = 100 * (today - before) / before if before else 0
    online, target = _value(snapshot.today, "filing.wholly_online"), place.target("filing.wholly_online")
    known = online is not None and target is not None
    return Figure(
        "filings",
        speech("filings_today"),
        speech.number(today),
        trend=_trend(round(change), speech, unit="%") if before else "",
        target=speech("online_share", value=speech.exact(online), target=speech.percent(target or 0)) if known else "",
        detail=speech("versus_day", day=speech.weekday(snapshot.compare_day)),
        at=snapshot.newest.get("filing"),
        call=2 if online is not None and target is not None and online < target else 0,
    )


def _feedback(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    opened, before = _number(snapshot.now, "feedback.open"), _number(snapshot.day_ago, "feedback.open")
    satisfied, on_time = _value(snapshot.now, "feedback.satisfied"), _value(snapshot.now, "feedback.on_time")
    target = place.target("feedback.satisfied")
    known = satisfied is not None and target is not None
    return Figure(
        "feedback",
        speech("feedback_open"),
        speech.number(opened),
        trend=_trend(opened - before, speech),
        target=speech("satisfied_target", value=speech.exact(satisfied), target=speech.percent(target or 0)) if known else "",
        detail=speech("feedback_on_time", value=speech.exact(on_time)) if on_time is not None else "",
        at=snapshot.newest.get("feedback"),
        call=2 if satisfied is not None and target is not None and satisfied < target else 0,
    )


def _documents(snapshot: Snapshot, speech: Speech) -> Figure:
    waiting, before = _number(snapshot.now, "document.waiting"), _number(snapshot.day_ago, "document.waiting")
    flash, since = _number(snapshot.now, "document.flash_waiting"), snapshot.waiting_since
    return Figure(
        "documents",
        speech("documents_waiting"),
        speech.number(waiting),
        trend=_trend(waiting - before, speech),
        target=speech("flash_waiting", n=speech.number(flash), target=speech.number(0)),
        detail=speech("oldest_since", time=speech.moment(since, snapshot.at)) if waiting and since else "",
        at=snapshot.newest.get("document"),
        call=2 if any(alarm.cause == "flash" for alarm in snapshot.alarms) else 0,
    )


def _meetings(snapshot: Snapshot, speech: Speech) -> Figure:
    live, sites = _number(snapshot.now, "meeting.live"), snapshot.now.get("meeting.connected", UNKNOWN)
    connected = speech("sites", connected=speech.number(sites.part or 0), invited=speech.number(sites.whole or 0))
    return Figure(
        "meetings",
        speech("meetings"),
        speech.number(live),
        target=connected if live else "",
        detail=speech("scheduled", n=speech.number(_number(snapshot.now, "meeting.scheduled"))),
        at=snapshot.newest.get("meeting"),
    )


def _value(readings: Readings, code: str) -> float | None:
    return readings.get(code, UNKNOWN).value


def _number(readings: Readings, code: str) -> float:
    """A count; 0 where nothing was ever counted."""
    return _value(readings, code) or 0


def _sources(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    states = [one.state for one in snapshot.sources]
    silent, late, refused = (states.count(one) for one in (State.SILENT, State.LATE, State.MALFORMED))
    expected = len(states) - states.count(State.QUIET) - states.count(State.NEVER)
    told = {"silent_count": silent, "malformed_count": refused, "late_count": late}
    parts = [speech(key, n=count) for key, count in told.items() if count]
    target = place.target("source.timely")
    return Figure(
        "sources",
        speech("sources_live"),
        f"{speech.number(states.count(State.LIVE))}/{speech.number(len(states))}",
        target=", ".join(parts) or speech("all_on_rhythm" if expected else "off_hours"),
        detail=speech("target", target=speech.percent(target)) if target else "",
        at=max(snapshot.newest.values(), default=None),
        call=3 if silent or refused else 0,
    )


def _target(speech: Speech, target: float | None, missed: bool, missed_key: str) -> str:
    return speech(missed_key if missed else "target", target=speech.percent(target)) if target is not None else ""


def _trend(change: float, speech: Speech, digits: int = 0, unit: str = "") -> str:
    """A change as an arrow and its size."""
    return f"{'↑' if change > 0 else '↓' if change < 0 else '±'}{speech.number(abs(change), digits if change else 0)}{unit}"


def card(figure: Figure) -> html.Article:
    """A figure as a card."""
    mark = [html.I(className=f"shape p{figure.call}")] if figure.call else []
    return html.Article(
        [
            html.H3(figure.label),
            html.Div([html.B(figure.value), html.Span(figure.trend, className="trend"), age(figure.at)], className="reading"),
            html.P([*mark, html.Span(figure.target)], className="aim"),
            html.P(figure.detail, className="detail"),
        ],
        className=f"figure call-{figure.call}" if figure.call else "figure",
        id=f"figure-{figure.key}",
    )


def age(at: datetime | None) -> html.Span:
    """How old something is, written and kept up by the page itself."""
    stamp: dict[str, Any] = {"data-at": str(milliseconds(at))} if at else {}
    return html.Span(className="age", **stamp)
