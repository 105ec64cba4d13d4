"""Alarms of a unit, open ones and those of the last days, with links to the units concerned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.parts import Part, chip, listed, section
from dashboard.components.unit_refs import UnitRef, unit_link
from dashboard.query import alarm_groups as alarms
from dashboard.query.alarm_groups import StoredAlarm, Watched
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import agency

DAYS = 7
MAX_OPEN, MAX_OVER, MAX_NAMES = 8, 6, 2


@dataclass(frozen=True)
class PastAlarm:
    """An alarm that is over."""

    alarm: StoredAlarm
    cleared: datetime


def of_unit(
    rows: Sequence[Mapping[str, Any]], unit: UnitRef
) -> tuple[list[StoredAlarm], list[PastAlarm]]:
    """Return the open and the past alarms of a unit; those of a commune include its agencies'.

    Several alarms about one matter count once.

    Args:
        rows: rows of `AlarmStore.history`.
        unit: the unit.

    Returns:
        The open alarms, most severe first, and those that are over.
    """
    its = [row for row in rows if _is_about(row, unit)]
    is_open = alarms.merged(alarms.read(row for row in its if row["cleared_at"] is None))
    is_open.sort(
        key=lambda one: (one.priority, -(one.since.timestamp() if one.since else 0.0), one.id)
    )
    return is_open, [
        PastAlarm(alarms.read([row])[0], row["cleared_at"])
        for row in its
        if row["cleared_at"] is not None
    ]


def _is_about(row: Mapping[str, Any], unit: UnitRef) -> bool:
    if unit.what == "province" or unit.code in (*row["communes"], *row["agencies"]):
        return True
    return unit.what == "commune" and any(
        agency(code).commune == unit.code for code in row["agencies"]
    )


def alarms_section(
    context: PageContext, request: PageRequest, unit: UnitRef, now: datetime
) -> Part:
    """Build the section."""
    translator = request.translator
    rows = context.cached(
        "alarms of the last days", lambda: context.alarms.history(now - timedelta(days=DAYS), now)
    )
    watched = context.cached(
        "watched", lambda: alarms.watched(context.alarms.jobs(), now, context.stale_after)
    )
    is_open, over = of_unit(rows, unit)
    parts: list[Part] = []
    if not watched.alive:
        blind = (
            translator("blind_since", time=translator.moment(watched.until, now))
            if watched.until
            else translator("blind")
        )
        parts.append(html.P(chip(blind, "unknown")))
    elif not is_open:
        parts.append(html.P(translator("no_alarms"), className="quiet"))
    if is_open:
        parts.append(
            html.Ul(
                [_open(one, context.place, request, now, watched) for one in is_open[:MAX_OPEN]],
                className="calls",
            )
        )
    if len(is_open) > MAX_OPEN:
        parts.append(
            html.P(
                translator("more_alarms", n=translator.number(len(is_open) - MAX_OPEN)),
                className="quiet",
            )
        )
    if over:
        parts.append(html.H3(translator("alarms_over", days=DAYS, n=translator.number(len(over)))))
        parts.append(
            html.Ul(
                [_over(one, context.place, request, now) for one in over[:MAX_OVER]],
                className="calls over",
            )
        )
    # While the watch does not run, the number of alarms is unknown.
    return section(
        translator("alarms", n=len(is_open) if watched.alive else "?"), *parts, id="alarms"
    )


def _open(
    one: StoredAlarm, place: ProvinceContext, request: PageRequest, now: datetime, watched: Watched
) -> html.Li:
    since = (
        request.translator("since", time=request.translator.moment(one.since, now))
        if one.since
        else ""
    )
    return _row(one, place, request, f"p{one.priority}" if watched.alive else "unknown", since)


def _over(one: PastAlarm, place: ProvinceContext, request: PageRequest, now: datetime) -> html.Li:
    return _row(
        one.alarm,
        place,
        request,
        "quiet",
        request.translator("cleared", time=request.translator.moment(one.cleared, now)),
    )


def _row(
    alarm: StoredAlarm, place: ProvinceContext, request: PageRequest, state: str, when: str
) -> html.Li:
    word = request.translator(f"priority_{alarm.priority}")
    head = [
        chip(word, state),
        html.Span(_where(alarm, place, request), className="at-unit"),
        html.Small(when),
    ]
    return html.Li([html.Div(head), html.P(sentence(alarm, request.translator))])


def _where(alarm: StoredAlarm, place: ProvinceContext, request: PageRequest) -> Part:
    """Link the places of an alarm; many are summed up in the wall's words."""
    codes = alarm.communes or alarm.agencies
    if not codes or len(codes) > MAX_NAMES:
        return where(alarm, place, request.translator)
    return listed(unit_link(request, place, code) for code in codes)
