"""`/replay`: choose a moment of the past; once chosen, what was known then beside what is known by now, and what came late."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html

from dashboard import alarms
from dashboard.clock import Picture, Replay
from dashboard.desk.ask import Ask
from dashboard.desk.asked import Asked, written
from dashboard.desk.map.bar import PICKER
from dashboard.desk.measured import named, read
from dashboard.desk.parts import Part, chip, link, nothing, section
from dashboard.desk.record_rows import record_link
from dashboard.desk.table import Column, Wish, sorted_rows, table
from dashboard.desk.who import unit_link
from dashboard.speech import Speech
from dashboard.store import Row
from dashboard.store_past import PastStore
from dashboard.wall.alarms import sentence, where
from schemas.figures import FIGURES, Figure, Reading
from schemas.kinds import KINDS, Kind

DAYS = 7
MOST_ALARMS, MOST_LATE = 40, 12
PAGES = {
    "nav_wall": "/wall",
    "nav_map": "/map",
    "nav_unit": "/unit/{province}",
    "nav_targets": "/targets",
    "nav_sources": "/sources",
}


def content(ask: Ask, asked: Asked) -> Part:
    """The page. Raises `ValueError` for a moment that cannot be."""
    replay = ask.of(asked).clock
    return _moment(ask, asked, replay) if isinstance(replay, Replay) else _choose(ask, asked)


def _choose(ask: Ask, asked: Asked) -> Part:
    speech, now = asked.speech, ask.clock.now()
    quick = {"hour_ago": timedelta(hours=1), "day_ago": timedelta(days=1), "week_ago": timedelta(days=7)}
    return [
        html.H1(speech("nav_replay")),
        html.P(speech("look_back_hint")),
        html.Form(
            [
                html.Label(speech("moment"), htmlFor="moment"),
                dcc.Input(id="moment", name="moment", value=written(now - timedelta(hours=1))[:16], required=True, **PICKER),
                *[dcc.Input(type="hidden", name=name, value=asked.get(name)) for name in ("lang", "theme") if asked.get(name)],
                html.Button(speech("look_back"), type="submit"),
                html.Nav(
                    [dcc.Link(speech(words), href=asked.with_(moment=written(now - ago))) for words, ago in quick.items()],
                    className="quick",
                ),
            ],
            action="/replay",
            className="chooser",
        ),
        html.Div(
            [_alarms(ask, asked, now), html.Div([_reach(ask, asked), _disk(ask, asked)], className="column")], className="columns"
        ),
    ]


def _alarms(ask: Ask, asked: Asked, now: datetime) -> Part:
    """The alarms of the last days, each with the moment at which it was raised as a link."""
    speech = asked.speech
    rows = ask.once("alarms of the last days", lambda: ask.alarms.history(now - timedelta(days=DAYS), now))
    if not rows:
        return section(speech("alarms_lately"), nothing(speech("no_alarms_lately")))
    return section(
        speech("alarms_lately"), html.Ul([_raised(ask, asked, row, now) for row in rows[:MOST_ALARMS]], className="calls")
    )


def _raised(ask: Ask, asked: Asked, row: Mapping[str, Any], now: datetime) -> Part:
    (alarm,) = alarms.read([row])
    speech = asked.speech
    moment = asked.link("/wall", moment=written(row["raised_at"] + timedelta(seconds=1)))
    head = [
        chip(speech(f"priority_{alarm.priority}"), f"p{alarm.priority}"),
        html.A(speech.moment(row["raised_at"], now), href=moment),
        html.Span(where(alarm, ask.place, speech)),
    ]
    return html.Li([html.Div(head), html.P(sentence(alarm, speech))])


def _reach(ask: Ask, asked: Asked) -> Part:
    speech = asked.speech
    found = ask.once("reach of the past", PastStore(ask.connection).reach, seconds=60)
    rows = [{"what": speech(f"reach_{name}"), "since": at} for name, at in found.items()]
    columns = [
        Column("what", speech("what_of"), lambda row: row["what"]),
        Column(
            "since", speech("since_when"), lambda row: speech.full(row["since"]) if row["since"] else speech("none"), short=True
        ),
    ]
    return section(speech("reach"), table(asked, columns, rows, Wish(), paging=False, label=speech("reach")))


def _disk(ask: Ask, asked: Asked) -> Part:
    speech = asked.speech
    found = ask.once("disk of the past", PastStore(ask.connection).disk, seconds=60)
    rows = [{"what": speech(f"disk_{name}"), "bytes": found.get(name, 0)} for name in ("events", "lives", "windows", "rest")]
    columns = [
        Column("what", speech("what_of"), lambda row: row["what"]),
        Column("bytes", "MB", lambda row: speech.number(row["bytes"] / 1e6, 1), number=True),
    ]
    return section(speech("disk"), table(asked, columns, rows, Wish(), paging=False, label=speech("disk")))


def _moment(ask: Ask, asked: Asked, replay: Replay) -> Part:
    speech = asked.speech
    seen = [link(asked, speech(words), path.format(province=ask.place.code)) for words, path in PAGES.items()]
    return [
        html.H1(f"{speech('nav_replay')}: {speech.weekday(replay.at)}, {speech.full(replay.at)}"),
        html.P([speech("seen_on"), ": ", *[part for one in seen for part in (one, " · ")][:-1]], className="seen-on"),
        html.Div([_differences(ask, asked), _late(ask, asked, replay.at)], className="columns"),
    ]


def differences(ask: Ask, asked: Asked) -> list[tuple[Figure, Reading, Reading]]:
    """The figures of the province that are written otherwise by now than they were at the moment: figure, as known then, as
    corrected since."""
    pictures = [Asked(asked.path, (("moment", asked.get("moment")), ("picture", one)), asked.spoken) for one in Picture]
    known, corrected = (_figures(ask.of(one)) for one in pictures)
    pairs = [(one, known[one.code], corrected[one.code]) for one in FIGURES]
    return [one for one in pairs if len({read(one[0].code, reading, asked.speech) for reading in one[1:]}) > 1]


def _figures(ask: Ask) -> Mapping[str, Reading]:
    return ask.once("figures of the province", lambda: ask.figures.now(ask.clock).get((), {}))


def _differences(ask: Ask, asked: Asked) -> Part:
    speech = asked.speech
    found: Sequence[Row] = [{"figure": one, "known": known, "corrected": by_now} for one, known, by_now in differences(ask, asked)]
    if not found:
        return section(speech("differences"), nothing(speech("no_differences")))
    columns = [
        Column("figure", speech("figure_head"), lambda row: named(row["figure"].code, speech)),
        Column("known", speech("picture_known"), lambda row: read(row["figure"].code, row["known"], speech), number=True),
        Column(
            "corrected", speech("picture_corrected"), lambda row: read(row["figure"].code, row["corrected"], speech), number=True
        ),
        Column("difference", speech("difference"), lambda row: _difference(row, speech), number=True),
    ]
    return section(speech("differences"), table(asked, columns, found, Wish(), paging=False, label=speech("differences")))


def _difference(row: Row, speech: Speech) -> str:
    before, after = row["known"].value, row["corrected"].value
    if before is None or after is None:
        return speech("none")
    whole = float(after - before).is_integer()
    return speech.change(after - before, 0 if whole else 1)


def _late(ask: Ask, asked: Asked, at: datetime) -> Part:
    speech = asked.speech
    rows = ask.once(("late", at), lambda: PastStore(ask.connection).late(at, MOST_LATE), seconds=30)
    if not rows:
        return section(speech("late_events"), nothing(speech("no_differences")))
    parts = []
    for kind in KINDS:
        its = [row for row in rows if row["kind"] == kind.name]
        if its:
            parts.append(html.H3(speech("late_of", kind=kind.words(asked.spoken), n=speech.number(its[0]["total"]))))
            parts.append(_late_table(ask, asked, kind, its, at))
    return section(speech("late_events"), *parts)


def _late_table(ask: Ask, asked: Asked, kind: Kind, rows: Sequence[Row], at: datetime) -> Part:
    speech, wish = asked.speech, Wish("came")
    is_record = kind.name in ("filing", "feedback", "document", "meeting")
    columns = [
        Column(
            "record", speech("record"), lambda row: record_link(asked, kind, row["entity_id"]) if is_record else row["entity_id"]
        ),
        Column("agency", speech("agency"), lambda row: unit_link(asked, ask.place, row["agency"])),
        Column("happened", speech("happened"), lambda row: speech.moment(row["occurred_at"], at), short=True),
        Column(
            "came", speech("came"), lambda row: speech.moment(row["received_at"], at), lambda row: row["received_at"], short=True
        ),
        Column("delay", speech("delay"), lambda row: speech.span(row["received_at"] - row["occurred_at"]), number=True),
    ]
    return table(
        asked, columns, sorted_rows(rows, columns, wish), wish, prefix=f"{kind.name}_", paging=False, label=kind.words(asked.spoken)
    )
