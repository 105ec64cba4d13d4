"""Freshness strip at the foot: agencies live per feed, and which are silent since when."""

from itertools import groupby
from typing import Any

from dash import html

from dashboard.i18n.translator import Translator
from dashboard.pages.wall.cards import age
from dashboard.query.progress import Lag, Pace
from dashboard.query.snapshot import Snapshot
from schemas import reference
from schemas.events.kinds import KINDS
from schemas.moments import milliseconds
from schemas.sources.freshness import DEAD, Source, SourceState

NAMED = 2
"""Agencies named per feed: refused ones first, then silent ones, then those whose clock is ahead.
"""


def strip(snapshot: Snapshot, names: dict[str, str], translator: Translator) -> list[html.Div]:
    """Build a part per feed."""
    return [
        _feed(
            kind.name,
            [one for one in snapshot.sources if one.kind == kind.name],
            snapshot,
            names,
            translator,
        )
        for kind in KINDS
    ]


def incomplete(snapshot: Snapshot, translator: Translator) -> dict[str, Any] | None:
    """Say since when (ms since 1970) partitions are stalled or unread, or no watch runs."""
    lost = [lag for lag in snapshot.lags if lag.pace is not Pace.BEHIND]
    if not lost:
        return _unwatched(snapshot, translator)
    text = [
        translator(
            str(pace),
            feed=translator(f"feed_{kind}"),
            partitions=", ".join(str(lag.partition) for lag in lags),
            n=translator.number(sum(lag.records for lag in lags)),
        )
        for (kind, pace), group in groupby(sorted(lost, key=_which), _which)
        if (lags := list(group))
    ]
    since = min((lag.since for lag in lost if lag.since), default=snapshot.at)
    return {"title": "incomplete", "since": milliseconds(since), "reason": "; ".join(text)}


def _unwatched(snapshot: Snapshot, translator: Translator) -> dict[str, Any] | None:
    """Say that the watch does not run: without it, calm proves nothing."""
    if snapshot.watched.alive:
        return None
    until = snapshot.watched.until
    title = "unwatched" if until else "never_watched"
    return {
        "title": title,
        "since": milliseconds(until or snapshot.at),
        "reason": translator("unwatched_reason"),
    }


def _which(lag: Lag) -> tuple[str, Pace]:
    return lag.kind, lag.pace


def _feed(
    kind: str,
    sources: list[Source],
    snapshot: Snapshot,
    names: dict[str, str],
    translator: Translator,
) -> html.Div:
    states = [one.state for one in sources]
    state = _state(states)
    newest = snapshot.newest.get(kind)
    silent = sorted(
        (one for one in sources if one.state is SourceState.SILENT and one.received_at),
        key=lambda one: one.received_at or snapshot.at,
    )
    refused = [one for one in sources if one.state is SourceState.MALFORMED]
    live = states.count(SourceState.LIVE)
    if state in (SourceState.QUIET, SourceState.NEVER):
        text = translator("off_hours" if state is SourceState.QUIET else "feed_never")
    else:
        text = f"{translator.number(live)}/{translator.number(len(states))}"
    if waiting := sum(lag.records for lag in snapshot.lags if lag.kind == kind):
        text = translator("waiting", count=text, n=translator.number(waiting))
    named = [
        translator("is_malformed", name=_name(one, names, translator)) for one in refused[:NAMED]
    ]
    named += [
        translator(
            "silent_for",
            name=_name(one, names, translator),
            span=translator.span(snapshot.at - one.received_at),
        )
        for one in silent[: NAMED - len(named)]
        if one.received_at
    ]
    wrong = sorted((one for one in sources if one.ahead), key=lambda one: -one.ahead)
    named += [
        translator("ahead_by", name=_name(one, names, translator), span=translator.span(one.ahead))
        for one in wrong[: NAMED - len(named)]
    ]
    return html.Div(
        [
            html.Span([html.I(className="shape hatch")] if state in DEAD else [], className="mark"),
            html.B(translator(f"feed_{kind}")),
            html.Span(text, className="count"),
            age(newest),
            html.Span(", ".join(named), className="named") if named else None,
        ],
        className=f"source {state}",
        key=kind,
    )


def _state(states: list[SourceState]) -> SourceState:
    """Return the state of a feed as a whole: the worst of its agencies."""
    for worst in (
        SourceState.SILENT,
        SourceState.MALFORMED,
        SourceState.LATE,
        SourceState.LIVE,
        SourceState.QUIET,
    ):
        if worst in states:
            return worst
    return SourceState.NEVER


def _name(source: Source, names: dict[str, str], translator: Translator) -> str:
    return names.get(source.commune) or reference.agency(source.agency).label(translator.language)
