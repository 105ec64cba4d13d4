"""`/replay`: choose a past moment; then compare what was known with what is known now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.parts import PICKER, Part, chip, kept, link, listed, nothing, section
from dashboard.components.replay_bar import chooser, line_period
from dashboard.components.table import TableColumn, TableState, sorted_rows, table
from dashboard.components.unit_refs import unit_link
from dashboard.history.arrivals import PastStore
from dashboard.pages.replay.differences import differences, late_link
from dashboard.pages.replay.runs import one_run, runs
from dashboard.query import alarm_groups as alarms
from dashboard.query.clock import Picture, Replay
from dashboard.query.store import Row
from dashboard.request.address import VIEWER, PageRequest, format_moment
from dashboard.request.context import PageContext
from schemas.clickhouse.watch_tables import ALARM_STEPS_DAYS
from schemas.events.kinds import KINDS, Kind

DAYS = 7
REACH = ("whole", "kafka", "windows", "alarms", "snapshots")
NEWEST, PROVEN_SECONDS = 6, 60.0
MAX_ALARMS, MAX_LATE = 40, 12
PAGES = {
    "nav_wall": "/wall",
    "nav_map": "/map",
    "nav_unit": "/unit/{province}",
    "nav_targets": "/targets",
    "nav_sources": "/sources",
}


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page.

    Raises:
        ValueError: the moment is impossible, or there is no such run.
    """
    replay, run = context.replay(request), context.run(request)
    if run is not None and not request.get("moment"):
        return one_run(context, request, run)
    context.base(request).look_back()
    return _moment(context, request, replay) if replay is not None else _choose(context, request)


def _choose(context: PageContext, request: PageRequest) -> Part:
    translator, now = request.translator, context.clock.now()
    quick = {
        "hour_ago": timedelta(hours=1),
        "day_ago": timedelta(days=1),
        "week_ago": timedelta(days=7),
    }
    return [
        html.H1(translator("nav_replay")),
        html.P(translator("look_back_hint")),
        html.Form(
            [
                html.Label(translator("moment"), htmlFor="moment"),
                dcc.Input(
                    id="moment",
                    name="moment",
                    value=format_moment(now - timedelta(hours=1))[:16],
                    required=True,
                    **PICKER,
                ),
                *kept(request, VIEWER),
                html.Button(translator("look_back"), type="submit"),
                html.Nav(
                    [
                        dcc.Link(
                            translator(words), href=request.with_(moment=format_moment(now - ago))
                        )
                        for words, ago in quick.items()
                    ],
                    className="quick",
                ),
            ],
            action="/replay",
            className="chooser",
        ),
        chooser(context, request),
        runs(context, request),
        html.Div(
            [
                _alarms(context, request, now),
                html.Div(
                    [part(context, request) for part in (_reach, _proof, _disk)], className="column"
                ),
            ],
            className="columns",
        ),
    ]


def _alarms(context: PageContext, request: PageRequest, now: datetime) -> Part:
    """List the alarms of the last days, each with a link to the moment it was raised."""
    translator = request.translator
    rows = context.cached(
        "alarms of the last days", lambda: context.alarms.history(now - timedelta(days=DAYS), now)
    )
    if not rows:
        return section(translator("alarms_lately"), nothing(translator("no_alarms_lately")))
    return section(
        translator("alarms_lately"),
        html.Ul(
            [_raised(context, request, row, now) for row in rows[:MAX_ALARMS]], className="calls"
        ),
    )


def _raised(
    context: PageContext, request: PageRequest, row: Mapping[str, Any], now: datetime
) -> Part:
    (alarm,) = alarms.read([row])
    translator = request.translator
    moment = request.link("/wall", moment=format_moment(row["raised_at"] + timedelta(seconds=1)))
    head = [
        chip(translator(f"priority_{alarm.priority}"), f"p{alarm.priority}"),
        html.A(translator.moment(row["raised_at"], now), href=moment),
        html.Span(where(alarm, context.place, translator)),
    ]
    return html.Li([html.Div(head), html.P(sentence(alarm, translator))])


def _reach(context: PageContext, request: PageRequest) -> Part:
    translator = request.translator
    found = dict(
        context.cached("reach of the past", PastStore(context.connection).reach, seconds=60)
    )
    days = {**vars(context.kept), "whole": context.kept.events, "alarms": ALARM_STEPS_DAYS}
    if found["whole"]:
        found["kafka"] = max(found["whole"], context.clock.now() - timedelta(days=days["kafka"]))
    rows = [
        {"what": translator(f"reach_{name}"), "since": found[name], "days": days[name]}
        for name in REACH
        if name in found
    ]
    columns = [
        TableColumn("what", translator("what_of"), lambda row: row["what"]),
        TableColumn(
            "since",
            translator("since_when"),
            lambda row: translator.full(row["since"]) if row["since"] else translator("none"),
            short=True,
        ),
        TableColumn(
            "days",
            translator("kept_for"),
            lambda row: (
                translator("kept_days", n=translator.number(row["days"]))
                if row["days"]
                else translator("kept_ever")
            ),
            short=True,
        ),
    ]
    return section(
        translator("reach"),
        table(request, columns, rows, TableState(), paging=False, label=translator("reach")),
    )


def _proof(context: PageContext, request: PageRequest) -> Part:
    """List the recorded snapshots of the screens, each with a link to its comparison."""
    translator, now = request.translator, context.clock.now()
    count, first = context.cached("recorded snapshots", context.proof.count, seconds=20)
    if first is None:
        return section(
            translator("proof"), nothing(translator("proof_none"), translator("proof_hint"))
        )
    newest = context.cached(
        "newest snapshots", lambda: context.proof.recorded(first, now, NEWEST), seconds=20
    )
    links = [
        link(
            request,
            translator.moment(one.moment, now),
            "/replay",
            moment=format_moment(one.moment, "milliseconds"),
        )
        for one in newest
    ]
    return section(
        translator("proof"),
        html.P(
            translator("proof_count", n=translator.number(count), since=translator.full(first)),
            title=translator("proof_hint"),
        ),
        html.P([translator("proof_newest"), ": ", *listed(links, " · ")], className="seen-on"),
    )


def _proven(context: PageContext, request: PageRequest, at: datetime) -> list[Part]:
    """Say whether the replay of a recorded moment matches its snapshot; nothing for others."""
    if request.get("run") or request.get("picture") == Picture.CORRECTED:
        return []
    found = context.cached(
        ("recorded at", at), lambda: context.proof.recorded(at, at), seconds=PROVEN_SECONDS
    )
    if not found:
        return []
    (one,), translator = found, request.translator
    if not context.proof.comparable(one):
        return [html.P(chip(translator("proof_other_rules"), "quiet"))]
    same = context.cached(("proven", at), lambda: context.proof.same(one), seconds=PROVEN_SECONDS)
    words = translator(
        "proof_same" if same else "proof_differs",
        n=translator.number(one.readings),
        hash=f"{one.hash:016x}",
    )
    return [html.P(chip(words, "good" if same else "p1"), className="proof")]


def _disk(context: PageContext, request: PageRequest) -> Part:
    translator = request.translator
    found = context.cached("disk of the past", PastStore(context.connection).disk, seconds=60)
    names = ("events", "lives", "windows", "snapshots", "runs", "apart", "rest")
    rows = [{"what": translator(f"disk_{name}"), "bytes": found.get(name, 0)} for name in names]
    columns = [
        TableColumn("what", translator("what_of"), lambda row: row["what"]),
        TableColumn(
            "bytes", "MB", lambda row: translator.number(row["bytes"] / 1e6, 1), number=True
        ),
    ]
    return section(
        translator("disk"),
        table(request, columns, rows, TableState(), paging=False, label=translator("disk")),
    )


def _moment(context: PageContext, request: PageRequest, replay: Replay) -> Part:
    translator = request.translator
    seen = [
        link(request, translator(words), path.format(province=context.place.code))
        for words, path in PAGES.items()
    ]
    return [
        html.H1(
            f"{translator('nav_replay')}: {translator.weekday(replay.at)}, "
            f"{translator.full(replay.at)}"
        ),
        html.P([translator("seen_on"), ": ", *listed(seen, " · ")], className="seen-on"),
        _package(context, request),
        *_proven(context, request, replay.at),
        differences(context, request),
        _late(context, request, replay.at),
    ]


def _package(context: PageContext, request: PageRequest) -> Part:
    """Link to the incident package of the timeline's period, with pictures of the moment."""
    translator, (since, until) = request.translator, line_period(context, request)
    href = request.link(
        "/export/package.zip", since=format_moment(since), until=format_moment(until)
    )
    words = translator("package", since=translator.full(since), until=translator.full(until))
    return html.P(
        html.A(words, href=href, download="", title=translator("package_hint")), className="seen-on"
    )


def _late(context: PageContext, request: PageRequest, at: datetime) -> Part:
    translator = request.translator
    base = context.base(request)
    rows = base.cached(
        ("late", at), lambda: PastStore(base.connection).late(at, MAX_LATE), seconds=30
    )
    if not rows:
        return section(translator("late_events"), nothing(translator("nothing_late")))
    parts = []
    for kind in KINDS:
        its = [row for row in rows if row["kind"] == kind.name]
        if its:
            parts.append(
                html.H3(
                    translator(
                        "late_of",
                        kind=kind.label(request.language),
                        n=translator.number(its[0]["total"]),
                    )
                )
            )
            parts.append(_late_table(context, request, kind, its, at))
    return section(translator("late_events"), *parts)


def _late_table(
    context: PageContext, request: PageRequest, kind: Kind, rows: Sequence[Row], at: datetime
) -> Part:
    translator, table_state = request.translator, TableState("came")
    columns = [
        TableColumn(
            "record",
            translator("record"),
            lambda row: late_link(request, kind, row["entity_id"]),
            short=True,
        ),
        TableColumn(
            "agency",
            translator("agency"),
            lambda row: unit_link(request, context.place, row["agency"]),
        ),
        TableColumn(
            "happened",
            translator("happened"),
            lambda row: translator.moment(row["occurred_at"], at),
            short=True,
        ),
        TableColumn(
            "came",
            translator("came"),
            lambda row: translator.moment(row["received_at"], at),
            lambda row: row["received_at"],
            short=True,
        ),
        TableColumn(
            "delay",
            translator("delay"),
            lambda row: translator.span(row["received_at"] - row["occurred_at"]),
            number=True,
        ),
    ]
    return table(
        request,
        columns,
        sorted_rows(rows, columns, table_state),
        table_state,
        prefix=f"{kind.name}_",
        paging=False,
        label=kind.label(request.language),
    )
