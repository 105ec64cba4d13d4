"""The alarms of a unit: what is open, and what was in the last days; with links to the units that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard import alarms
from dashboard.alarms import Alarm, Watched
from dashboard.desk.ask import Ask
from dashboard.desk.asked import Asked
from dashboard.desk.parts import Part, chip, listed, nothing, section
from dashboard.desk.who import Who, unit_link
from dashboard.snapshot import Place
from dashboard.wall.alarms import sentence, where
from schemas.reference import agency

DAYS = 7
MOST_OPEN, MOST_OVER, MOST_NAMES = 8, 6, 2


@dataclass(frozen=True)
class Call:
    """An alarm with its end: None while it is open."""

    alarm: Alarm
    raised: datetime
    cleared: datetime | None


def of_unit(rows: Sequence[Mapping[str, Any]], unit: Who) -> list[Call]:
    """The alarms that are about a unit, from rows of `AlarmStore.history`: of a commune also those of its agencies."""
    found = []
    for row in rows:
        agencies = row["agencies"]
        hit = (
            unit.what == "province"
            or unit.code in (*row["communes"], *agencies)
            or (unit.what == "commune" and any(agency(code).commune == unit.code for code in agencies))
        )
        if hit:
            found.append(Call(alarms.read([row])[0], row["raised_at"], row["cleared_at"]))
    return found


def calls(ask: Ask, asked: Asked, unit: Who, now: datetime) -> Part:
    """The section."""
    speech = asked.speech
    rows = ask.once("alarms of the last days", lambda: ask.alarms.history(now - timedelta(days=DAYS), now))
    watched = ask.once("watched", lambda: alarms.watched(ask.alarms.jobs(), now, ask.stale_after))
    found = of_unit(rows, unit)
    is_open = sorted((one for one in found if one.cleared is None), key=lambda one: (one.alarm.priority, -one.raised.timestamp()))
    over = [one for one in found if one.cleared is not None]
    said: list[Part] = []
    if not watched.alive:
        said.append(
            html.P(
                chip(speech("blind_since", time=speech.moment(watched.until, now)) if watched.until else speech("blind"), "unknown")
            )
        )
    elif not is_open:
        said.append(html.P(speech("no_alarms"), className="quiet"))
    said += (
        [html.Ul([_row(one, ask.place, asked, now, watched) for one in is_open[:MOST_OPEN]], className="calls")] if is_open else []
    )
    said += (
        [html.P(speech("more_alarms", n=speech.number(len(is_open) - MOST_OPEN)), className="quiet")]
        if len(is_open) > MOST_OPEN
        else []
    )
    if over:
        said += [
            html.H3(speech("alarms_over", days=DAYS, n=speech.number(len(over)))),
            html.Ul([_row(one, ask.place, asked, now, watched) for one in over[:MOST_OVER]], className="calls over"),
        ]
    return section(speech("alarms", n=len(is_open) if watched.alive else "?"), *said or [nothing(speech("no_alarms"))], id="alarms")


def _row(one: Call, place: Place, asked: Asked, now: datetime, watched: Watched) -> html.Li:
    speech, alarm = asked.speech, one.alarm
    word = speech(f"priority_{alarm.priority}")
    state = "quiet" if one.cleared else f"p{alarm.priority}" if watched.alive else "unknown"
    since = speech("since", time=speech.moment(alarm.since or one.raised, now))
    ended = speech("cleared", time=speech.moment(one.cleared, now)) if one.cleared else since
    return html.Li(
        [
            html.Div([chip(word, state), html.Span(_where(alarm, place, asked), className="place"), html.Small(ended)]),
            html.P(sentence(alarm, speech)),
        ]
    )


def _where(alarm: Alarm, place: Place, asked: Asked) -> Part:
    """The places of an alarm as links; many as the wall says them."""
    codes = alarm.communes or alarm.agencies
    if not codes or len(codes) > MOST_NAMES:
        return where(alarm, place, asked.speech)
    return listed(unit_link(asked, place, code) for code in codes)
