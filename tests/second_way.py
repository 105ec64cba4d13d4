"""Lives and figures computed a second way.

Pandas over raw events, in plain Python, with the working calendar itself.

Nothing here is shared with what is tested but the codes and the calendar. Events are given as
dictionaries, as the columns of an `events_K` table; times are aware datetimes.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from schemas.reference import WorkingCalendar, categories, procedures

HOUR = timedelta(hours=1)
NOTHING = timedelta(0)
FOLLOW: dict[str, dict[Any, tuple[Any, ...]]] = {
    "filing": {
        1: (2, 3, 5, 7),
        2: (4, 5, 6, 7, 8, 9),
        3: (),
        4: (4, 5, 6, 7, 8, 9),
        5: (2, 3, 4, 7, 8),
        6: (4, 7, 8, 9),
        7: (),
        8: (4, 7, 9),
        9: (10,),
        10: (),
    },
    "feedback": {
        "received": ("verified", "rejected", "routed"),
        "verified": ("routed", "rejected"),
        "rejected": ("reopened",),
        "routed": ("routed", "processing", "published"),
        "processing": ("processing", "routed", "published"),
        "published": ("rated", "reopened"),
        "rated": ("reopened",),
        "reopened": ("routed", "processing", "published"),
    },
    "document": {
        1: (2, 3, 13),
        2: (),
        3: (2, 4, 5, 6, 13),
        4: (4, 5, 6, 13),
        5: (4, 5, 6, 13),
        6: (),
        13: (15, 16),
        15: (),
        16: (2, 3, 4, 5, 6, 13),
    },
}
PAUSED = {"filing": (5, 6, 8), "feedback": (), "document": ()}
CLOSED = {
    "filing": (3, 7, 9, 10),
    "feedback": ("rejected", "published", "rated"),
    "document": (2, 6, 15),
}
STARTED = {"filing": "registered_at", "feedback": "reported_at", "document": "sent_at"}
TAKEN = {"filing": 2, "feedback": "verified", "document": 3}
DUE_FROM = {"filing": 2, "feedback": "routed"}


def around(kind: str, event: Mapping[str, Any]) -> bool:
    """Return whether the clock of an event's entity runs round the clock."""
    return (
        event.get("urgency") == "immediate"
        if kind == "feedback"
        else kind == "document" and event["priority"] >= 3
    )


def allowed(kind: str, event: Mapping[str, Any]) -> timedelta | None:
    """Return what the reference data allow where no due date is stated."""
    rows: Iterable[Any] = (
        procedures() if kind == "filing" else categories() if kind == "feedback" else ()
    )
    code = event.get("procedure", event.get("category"))
    return next((timedelta(hours=row.hours) for row in rows if row.code == code), None)


def lives(
    kind: str, events: Iterable[Mapping[str, Any]], calendar: WorkingCalendar, at: datetime
) -> pd.DataFrame:
    """Return how each entity stands at a moment by the events that happened until then: one row
    each.
    """
    steps = [
        {**event, "since": min(event["occurred_at"], event["received_at"])} for event in events
    ]
    steps = sorted(
        (step for step in steps if step["since"] <= at),
        key=itemgetter("entity_id", "since", "occurred_at", "offset"),
    )
    return pd.DataFrame(
        [_life(kind, list(its), calendar, at) for _, its in groupby(steps, itemgetter("entity_id"))]
    )


def _life(
    kind: str, steps: list[dict[str, Any]], calendar: WorkingCalendar, at: datetime
) -> dict[str, Any]:
    last = steps[-1]
    clock: Callable[[datetime, datetime], timedelta] = (
        (lambda start, end: end - start) if around(kind, last) else calendar.working_time
    )
    later: Callable[[datetime, timedelta], datetime] = (
        (lambda start, span: start + span) if around(kind, last) else calendar.add_working
    )
    worked, paused, paused_since_due = NOTHING, NOTHING, NOTHING
    taken = promised = allowed_until = closed_at = None
    reopened = impossible = 0
    began = False
    previous: dict[str, Any] | None = None
    for step in steps:
        status = step["status"]
        if previous is not None:
            span = clock(previous["since"], step["since"])
            if previous["status"] in PAUSED[kind]:
                paused, paused_since_due = paused + span, paused_since_due + span
            elif previous["status"] not in CLOSED[kind]:
                worked += span
            impossible += status not in FOLLOW[kind][previous["status"]]
        if status == TAKEN[kind] and taken is None:
            taken = worked
        if kind == "filing" and status == 2 and not began:
            worked, began = NOTHING, True
        if (
            status == DUE_FROM.get(kind)
            and allowed_until is None
            and (hours := allowed(kind, step))
        ):
            allowed_until = later(step["since"], hours)
            if promised is None:
                paused_since_due = NOTHING
        due = step["due_at"]
        if not _missing(due) and due != promised:
            promised, paused_since_due = due, NOTHING
        if status in CLOSED[kind]:
            if previous is None or previous["status"] not in CLOSED[kind]:
                closed_at = step["since"]
        else:
            closed_at = None
        reopened += status == "reopened"
        previous = step
    if closed_at is not None and not _missing(last["finished_at"]):
        closed_at = last["finished_at"]
    base = promised or allowed_until
    due = None if base is None else later(base, paused_since_due)
    running = last["status"] not in CLOSED[kind] and last["status"] not in PAUSED[kind]
    return {
        **last,
        "started_at": last[STARTED[kind]],
        "open": last["status"] not in CLOSED[kind],
        "paused_now": last["status"] in PAUSED[kind],
        "overdue": running and due is not None and due < at,
        "due_soon": running and due is not None and due >= at and clock(at, due) < 24 * HOUR,
        "late": closed_at is not None and due is not None and due < closed_at,
        "has_due": due is not None,
        "overdue_by": clock(due, at) / HOUR if running and due is not None and due < at else None,
        "closed_at": closed_at,
        "due": due,
        "worked": worked / HOUR,
        "paused": paused / HOUR,
        "age": (worked + (clock(last["since"], at) if running else NOTHING)) / HOUR,
        "waited": clock(last["since"], at) / HOUR,
        "taken": None if taken is None else taken / HOUR,
        "reopened": reopened,
        "impossible": impossible,
    }


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT


def figures(kind: str, now: pd.DataFrame, since: datetime, at: datetime) -> dict[str, float | None]:
    """Return the figures of a kind over the rows of `lives`, for a moment and the period that ends
    with it.
    """
    now = now[now["started_at"] <= at]
    started = now[now["started_at"] > since]
    closed = now[
        (pd.to_datetime(now["closed_at"], utc=True) > since)
        & (pd.to_datetime(now["closed_at"], utc=True) <= at)
    ]
    return {"filing": _filings, "feedback": _feedback, "document": _documents}[kind](
        now, started, closed
    )


def _filings(
    now: pd.DataFrame, started: pd.DataFrame, closed: pd.DataFrame
) -> dict[str, float | None]:
    done = closed[closed["status"].isin([9, 10])]
    accepted = started[~started["status"].isin([1, 3])]
    rated = closed[closed["satisfaction"].notna()]
    paid = done[done["fee"] > 0]
    backlog = now[now["open"]]
    on_time = int((~done["late"]).sum())
    return {
        "filing.registered": len(started),
        "filing.closed": len(closed),
        "filing.open": len(backlog),
        "filing.paused": int(now["paused_now"].sum()),
        "filing.overdue": int(now["overdue"].sum()),
        "filing.due_soon": int(now["due_soon"].sum()),
        "filing.overdue_longest": greatest(now["overdue_by"]),
        "filing.on_time": share(on_time, len(done) + int(now["overdue"].sum())),
        "filing.on_time_naive": share(on_time, len(done)),
        "filing.duration_p50": quantile(done["worked"], 0.5),
        "filing.duration_p90": quantile(done["worked"], 0.9),
        "filing.backlog_age": quantile(backlog["age"], 0.5),
        "filing.backlog_oldest": float(backlog["age"].max()) if len(backlog) else None,
        "filing.online": share((started["channel"] == 2).sum(), len(started)),
        "filing.wholly_online": share(
            ((started["channel"] == 2) & (started["service_level"] == "full")).sum(), len(started)
        ),
        "filing.digitised": share((accepted["digitisation"] != "none").sum(), len(accepted)),
        "filing.reused": share((started["reuse"] != "none").sum(), len(started)),
        "filing.paid_online": share(paid["paid_online"].sum(), len(paid)),
        "filing.satisfaction": share((rated["satisfaction"] >= 4).sum(), len(rated)),
        "filing.impossible": int((started["impossible"] > 0).sum()),
    }


def _feedback(
    now: pd.DataFrame, started: pd.DataFrame, closed: pd.DataFrame
) -> dict[str, float | None]:
    answered = closed[closed["status"].isin(["published", "rated"])]
    accepted = started[~started["status"].isin(["received", "rejected"])]
    rated = closed[closed["rating"].notna()]
    overdue = int(now["overdue"].sum())
    return {
        "feedback.received": len(started),
        "feedback.open": int(now["open"].sum()),
        "feedback.overdue": overdue,
        "feedback.accepted": share(len(accepted), len(started)),
        "feedback.handled": share(
            accepted["status"].isin(["published", "rated"]).sum(), len(accepted)
        ),
        "feedback.on_time": share((~answered["late"]).sum(), len(answered) + overdue),
        "feedback.satisfied": share((rated["rating"] >= 4).sum(), len(rated)),
        "feedback.reopened": int((started["reopened"] > 0).sum()),
        "feedback.verify_p50": quantile(started["taken"].dropna(), 0.5),
        "feedback.duration_p50": quantile(answered["worked"], 0.5),
        "feedback.duration_p90": quantile(answered["worked"], 0.9),
        "feedback.impossible": int((started["impossible"] > 0).sum()),
    }


def _documents(
    now: pd.DataFrame, started: pd.DataFrame, closed: pd.DataFrame
) -> dict[str, float | None]:
    waiting, done = now[now["status"] == 1], closed[closed["status"] == 6]
    promised, overdue = done[done["has_due"]], int(now["overdue"].sum())
    return {
        "document.sent": len(started),
        "document.waiting": len(waiting),
        "document.flash_waiting": int((waiting["priority"] >= 3).sum()),
        "document.waiting_longest": float(waiting["waited"].max()) if len(waiting) else None,
        "document.open": int(now["open"].sum()),
        "document.overdue": overdue,
        "document.on_time": share((~promised["late"]).sum(), len(promised) + overdue),
        "document.receive_p50": quantile(started["taken"].dropna(), 0.5),
        "document.receive_p90": quantile(started["taken"].dropna(), 0.9),
        "document.duration_p50": quantile(done["worked"], 0.5),
        "document.signed": share(started["signed"].sum(), len(started)),
        "document.refused": int((closed["status"] == 2).sum()),
        "document.recalled": int((closed["status"] == 15).sum()),
        "document.impossible": int((started["impossible"] > 0).sum()),
    }


def share(part: float, whole: float) -> float | None:
    """Return a share in percent, None of nothing."""
    return 100 * float(part) / whole if whole else None


def quantile(values: "pd.Series[float]", level: float) -> float | None:
    """Return a quantile, None of nothing."""
    return float(values.astype(float).quantile(level)) if len(values) else None


def greatest(values: "pd.Series[float]") -> float | None:
    """Return the greatest that is known, None of nothing."""
    known = values.dropna()
    return float(known.max()) if len(known) else None
