"""`/replay`: choose a moment of the past; once chosen, what was known then beside what is known by now, and what came late."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.parts import PICKER, Part, chip, kept, link, listed, nothing, section
from dashboard.components.replay_bar import chooser, line_period
from dashboard.components.table import TableColumn, Wish, sorted_rows, table
from dashboard.components.unit_refs import unit_link
from dashboard.history.arrivals import PastStore
from dashboard.pages.replay.differences import differences, late_link
from dashboard.pages.replay.runs import one_run, runs
from dashboard.query import alarm_groups as alarms
from dashboard.query.clock import Picture, Replay
from dashboard.query.store import Row
from dashboard.request.address import VIEWER, PageRequest, written
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


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page. Raises `ValueError` for a moment that cannot be, and for a run that there is not."""
    replay, run = ask.replay(asked), ask.run(asked)
    if run is not None and not asked.get("moment"):
        return one_run(ask, asked, run)
    ask.base(asked).look_back()
    return _moment(ask, asked, replay) if replay is not None else _choose(ask, asked)


def _choose(ask: PageContext, asked: PageRequest) -> Part:
    speech, now = asked.speech, ask.clock.now()
    quick = {
        "hour_ago": timedelta(hours=1),
        "day_ago": timedelta(days=1),
        "week_ago": timedelta(days=7),
    }
    return [
        html.H1(speech("nav_replay")),
        html.P(speech("look_back_hint")),
        html.Form(
            [
                html.Label(speech("moment"), htmlFor="moment"),
                dcc.Input(
                    id="moment",
                    name="moment",
                    value=written(now - timedelta(hours=1))[:16],
                    required=True,
                    **PICKER,
                ),
                *kept(asked, VIEWER),
                html.Button(speech("look_back"), type="submit"),
                html.Nav(
                    [
                        dcc.Link(speech(words), href=asked.with_(moment=written(now - ago)))
                        for words, ago in quick.items()
                    ],
                    className="quick",
                ),
            ],
            action="/replay",
            className="chooser",
        ),
        chooser(ask, asked),
        runs(ask, asked),
        html.Div(
            [
                _alarms(ask, asked, now),
                html.Div(
                    [part(ask, asked) for part in (_reach, _proof, _disk)], className="column"
                ),
            ],
            className="columns",
        ),
    ]


def _alarms(ask: PageContext, asked: PageRequest, now: datetime) -> Part:
    """The alarms of the last days, each with the moment at which it was raised as a link."""
    speech = asked.speech
    rows = ask.once(
        "alarms of the last days", lambda: ask.alarms.history(now - timedelta(days=DAYS), now)
    )
    if not rows:
        return section(speech("alarms_lately"), nothing(speech("no_alarms_lately")))
    return section(
        speech("alarms_lately"),
        html.Ul([_raised(ask, asked, row, now) for row in rows[:MAX_ALARMS]], className="calls"),
    )


def _raised(ask: PageContext, asked: PageRequest, row: Mapping[str, Any], now: datetime) -> Part:
    (alarm,) = alarms.read([row])
    speech = asked.speech
    moment = asked.link("/wall", moment=written(row["raised_at"] + timedelta(seconds=1)))
    head = [
        chip(speech(f"priority_{alarm.priority}"), f"p{alarm.priority}"),
        html.A(speech.moment(row["raised_at"], now), href=moment),
        html.Span(where(alarm, ask.place, speech)),
    ]
    return html.Li([html.Div(head), html.P(sentence(alarm, speech))])


def _reach(ask: PageContext, asked: PageRequest) -> Part:
    speech = asked.speech
    found = dict(ask.once("reach of the past", PastStore(ask.connection).reach, seconds=60))
    days = {**vars(ask.kept), "whole": ask.kept.events, "alarms": ALARM_STEPS_DAYS}
    if found["whole"]:
        found["kafka"] = max(found["whole"], ask.clock.now() - timedelta(days=days["kafka"]))
    rows = [
        {"what": speech(f"reach_{name}"), "since": found[name], "days": days[name]}
        for name in REACH
        if name in found
    ]
    columns = [
        TableColumn("what", speech("what_of"), lambda row: row["what"]),
        TableColumn(
            "since",
            speech("since_when"),
            lambda row: speech.full(row["since"]) if row["since"] else speech("none"),
            short=True,
        ),
        TableColumn(
            "days",
            speech("kept_for"),
            lambda row: (
                speech("kept_days", n=speech.number(row["days"]))
                if row["days"]
                else speech("kept_ever")
            ),
            short=True,
        ),
    ]
    return section(
        speech("reach"), table(asked, columns, rows, Wish(), paging=False, label=speech("reach"))
    )


def _proof(ask: PageContext, asked: PageRequest) -> Part:
    """What was recorded of what the screens showed; each leads to its moment, which is compared there."""
    speech, now = asked.speech, ask.clock.now()
    count, first = ask.once("recorded snapshots", ask.proof.count, seconds=20)
    if first is None:
        return section(speech("proof"), nothing(speech("proof_none"), speech("proof_hint")))
    newest = ask.once(
        "newest snapshots", lambda: ask.proof.recorded(first, now, NEWEST), seconds=20
    )
    links = [
        link(
            asked,
            speech.moment(one.moment, now),
            "/replay",
            moment=written(one.moment, "milliseconds"),
        )
        for one in newest
    ]
    return section(
        speech("proof"),
        html.P(
            speech("proof_count", n=speech.number(count), since=speech.full(first)),
            title=speech("proof_hint"),
        ),
        html.P([speech("proof_newest"), ": ", *listed(links, " · ")], className="seen-on"),
    )


def _proven(ask: PageContext, asked: PageRequest, at: datetime) -> list[Part]:
    """Whether the replay of a moment that was recorded shows what was shown; nothing for any other moment, or another picture."""
    if asked.get("run") or asked.get("picture") == Picture.CORRECTED:
        return []
    found = ask.once(
        ("recorded at", at), lambda: ask.proof.recorded(at, at), seconds=PROVEN_SECONDS
    )
    if not found:
        return []
    (one,), speech = found, asked.speech
    if not ask.proof.comparable(one):
        return [html.P(chip(speech("proof_other_rules"), "quiet"))]
    same = ask.once(("proven", at), lambda: ask.proof.same(one), seconds=PROVEN_SECONDS)
    words = speech(
        "proof_same" if same else "proof_differs",
        n=speech.number(one.readings),
        hash=f"{one.hash:016x}",
    )
    return [html.P(chip(words, "good" if same else "p1"), className="proof")]


def _disk(ask: PageContext, asked: PageRequest) -> Part:
    speech = asked.speech
    found = ask.once("disk of the past", PastStore(ask.connection).disk, seconds=60)
    names = ("events", "lives", "windows", "snapshots", "runs", "apart", "rest")
    rows = [{"what": speech(f"disk_{name}"), "bytes": found.get(name, 0)} for name in names]
    columns = [
        TableColumn("what", speech("what_of"), lambda row: row["what"]),
        TableColumn("bytes", "MB", lambda row: speech.number(row["bytes"] / 1e6, 1), number=True),
    ]
    return section(
        speech("disk"), table(asked, columns, rows, Wish(), paging=False, label=speech("disk"))
    )


def _moment(ask: PageContext, asked: PageRequest, replay: Replay) -> Part:
    speech = asked.speech
    seen = [
        link(asked, speech(words), path.format(province=ask.place.code))
        for words, path in PAGES.items()
    ]
    return [
        html.H1(f"{speech('nav_replay')}: {speech.weekday(replay.at)}, {speech.full(replay.at)}"),
        html.P([speech("seen_on"), ": ", *listed(seen, " · ")], className="seen-on"),
        _package(ask, asked),
        *_proven(ask, asked, replay.at),
        differences(ask, asked),
        _late(ask, asked, replay.at),
    ]


def _package(ask: PageContext, asked: PageRequest) -> Part:
    """A link to the incident package of the timeline's period, with pictures of the moment."""
    speech, (since, until) = asked.speech, line_period(ask, asked)
    href = asked.link("/export/package.zip", since=written(since), until=written(until))
    words = speech("package", since=speech.full(since), until=speech.full(until))
    return html.P(
        html.A(words, href=href, download="", title=speech("package_hint")), className="seen-on"
    )


def _late(ask: PageContext, asked: PageRequest, at: datetime) -> Part:
    speech = asked.speech
    base = ask.base(asked)
    rows = base.once(
        ("late", at), lambda: PastStore(base.connection).late(at, MAX_LATE), seconds=30
    )
    if not rows:
        return section(speech("late_events"), nothing(speech("nothing_late")))
    parts = []
    for kind in KINDS:
        its = [row for row in rows if row["kind"] == kind.name]
        if its:
            parts.append(
                html.H3(
                    speech(
                        "late_of", kind=kind.words(asked.spoken), n=speech.number(its[0]["total"])
                    )
                )
            )
            parts.append(_late_table(ask, asked, kind, its, at))
    return section(speech("late_events"), *parts)


def _late_table(
    ask: PageContext, asked: PageRequest, kind: Kind, rows: Sequence[Row], at: datetime
) -> Part:
    speech, wish = asked.speech, Wish("came")
    columns = [
        TableColumn(
            "record",
            speech("record"),
            lambda row: late_link(asked, kind, row["entity_id"]),
            short=True,
        ),
        TableColumn(
            "agency", speech("agency"), lambda row: unit_link(asked, ask.place, row["agency"])
        ),
        TableColumn(
            "happened",
            speech("happened"),
            lambda row: speech.moment(row["occurred_at"], at),
            short=True,
        ),
        TableColumn(
            "came",
            speech("came"),
            lambda row: speech.moment(row["received_at"], at),
            lambda row: row["received_at"],
            short=True,
        ),
        TableColumn(
            "delay",
            speech("delay"),
            lambda row: speech.span(row["received_at"] - row["occurred_at"]),
            number=True,
        ),
    ]
    return table(
        asked,
        columns,
        sorted_rows(rows, columns, wish),
        wish,
        prefix=f"{kind.name}_",
        paging=False,
        label=kind.words(asked.spoken),
    )
