"""The figures of the overview: at most seven, the weightiest first; a wall shows as many as its letters leave room for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard.snapshot import Place, Snapshot
from dashboard.speech import Speech
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
    now, before = snapshot.total("overdue"), snapshot.total("overdue_before")
    late = snapshot.communes[snapshot.communes["overdue"] > 0]
    oldest = ""
    if not late.empty:
        worked = place.calendar.working_time(late["oldest_due"].min().to_pydatetime(), snapshot.at)
        oldest = speech("oldest_working_days", n=speech.number(worked / timedelta(hours=DAY_HOURS)))
    return Figure(
        "overdue",
        speech("overdue"),
        speech.number(now),
        trend=_trend(now - before, speech),
        target=", ".join(filter(None, (speech("target", target=speech.number(0)), oldest))),
        detail=speech("versus_yesterday"),
        at=snapshot.newest.get("filing"),
        call=2 if before and now > 1.2 * before else 0,
    )


def _on_time(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    """Closed on time of all that was closed or is open and overdue; the naive rate, of what was closed, beside it."""
    closed, on_time, overdue = snapshot.total("closed"), snapshot.total("on_time"), snapshot.total("overdue")
    honest = speech.share(on_time, closed + overdue)
    naive = speech.share(on_time, closed)
    target = place.target("filing.on_time")
    below = honest is not None and target is not None and 100 * on_time / (closed + overdue) < target
    judged_before = snapshot.total("closed_before") + snapshot.total("overdue_before")
    change = (
        100 * on_time / (closed + overdue) - 100 * snapshot.total("on_time_before") / judged_before
        if honest and judged_before
        else 0
    )
    return Figure(
        "on_time",
        speech("on_time"),
        honest or speech("none"),
        trend=_trend(round(change, 1), speech, digits=1) if judged_before else "",
        target=_target(speech, target, below, "below_target"),
        detail=speech("naive", value=naive) if naive else "",
        at=snapshot.newest.get("filing"),
        call=2 if below else 0,
    )


def _filings(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    flow = snapshot.filing_flow
    today, before = int(flow["today"]), int(flow["before"])
    change = 100 * (today - before) / before if before else 0
    online = speech.share(snapshot.total("wholly_online"), snapshot.total("today"))
    target = place.target("filing.wholly_online")
    said = speech("online_share", value=online, target=speech.percent(target)) if online and target else ""
    below = bool(said) and target is not None and 100 * snapshot.total("wholly_online") < target * snapshot.total("today")
    return Figure(
        "filings",
        speech("filings_today"),
        speech.number(today),
        trend=_trend(round(change), speech, unit="%") if before else "",
        target=said,
        detail=speech("versus_day", day=speech.weekday(snapshot.compare_day)),
        at=snapshot.newest.get("filing"),
        call=2 if below else 0,
    )


def _feedback(snapshot: Snapshot, place: Place, speech: Speech) -> Figure:
    flow, opened, before = snapshot.feedback_flow, snapshot.total("feedback_open"), snapshot.total("feedback_open_before")
    satisfied = speech.share(flow["satisfied"], flow["rated"])
    on_time = speech.share(flow["published"] - flow["late"], flow["published"] + snapshot.total("feedback_overdue"))
    target = place.target("feedback.satisfied")
    below = bool(flow["rated"]) and target is not None and 100 * flow["satisfied"] / flow["rated"] < target
    said = speech("satisfied_target", value=satisfied, target=speech.percent(target)) if satisfied and target else ""
    return Figure(
        "feedback",
        speech("feedback_open"),
        speech.number(opened),
        trend=_trend(opened - before, speech),
        target=said,
        detail=speech("feedback_on_time", value=on_time) if on_time else "",
        at=snapshot.newest.get("feedback"),
        call=2 if below else 0,
    )


def _documents(snapshot: Snapshot, speech: Speech) -> Figure:
    row = snapshot.documents
    waiting, flash, change = int(row["waiting"]), int(row["flash"]), int(row["waiting"] - row["waiting_before"])
    return Figure(
        "documents",
        speech("documents_waiting"),
        speech.number(waiting),
        trend=_trend(change, speech),
        target=speech("flash_waiting", n=speech.number(flash), target=speech.number(0)),
        detail=speech("oldest_since", time=speech.moment(row["oldest"], snapshot.at)) if waiting else "",
        at=snapshot.newest.get("document"),
        call=2 if any(alarm.cause == "flash" for alarm in snapshot.calls) else 0,
    )


def _meetings(snapshot: Snapshot, speech: Speech) -> Figure:
    row = snapshot.meetings
    sites = speech("sites", connected=speech.number(row["connected"]), invited=speech.number(row["invited"])) if row["live"] else ""
    return Figure(
        "meetings",
        speech("meetings"),
        speech.number(row["live"]),
        target=sites,
        detail=speech("scheduled", n=speech.number(row["scheduled"])),
        at=snapshot.newest.get("meeting"),
    )


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
