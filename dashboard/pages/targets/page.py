"""`/targets`: how the province's targets stand, grouped by status, what calls first; `?unit=` of a commune, `?target=` one."""

from collections.abc import Callable
from functools import partial
from typing import Any

from dash import dcc, html

from dashboard.components import target_board as board
from dashboard.components import target_cells as cells
from dashboard.components.actions import actions, chooser
from dashboard.components.measured import behind
from dashboard.components.parts import Part, age, chip, labelled, link, nothing, section
from dashboard.components.scores import board_unit, earlier, past
from dashboard.components.table import Row, TableColumn, table
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.speech import Translator
from dashboard.pages.targets.detail import detail
from dashboard.query.concurrent import beside
from dashboard.query.scoreboard import Scoreboard
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.scores import TargetStanding, TargetStatus


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page."""
    beside(
        partial(earlier, ask, board_unit(ask, asked))
    )  # of the course, which is shown in the end
    whole, rows = board.shown(ask, asked)
    if code := asked.get("target"):
        return detail(ask, asked, whole, board.named(whole, code, asked.speech))
    speech, place = asked.speech, ask.place.code
    return [
        html.Div(
            [
                html.Hgroup(
                    [
                        html.H1(speech("nav_targets")),
                        html.P(unit_name(whole.unit, ask.place, speech)),
                    ]
                ),
                chooser(ask, asked, whole.unit),
                html.Div(actions(asked), className="actions"),
            ],
            className="head",
        ),
        _counts(asked, whole),
        *(
            [html.P([speech("board_hint"), " ", link(asked, speech("all_targets"), "/targets")])]
            if whole.unit != place
            else []
        ),
        section(speech("board_of"), *_table(ask, asked, whole, rows), id="board", grow=True),
    ]


def _counts(asked: PageRequest, whole: Scoreboard) -> Part:
    chosen, items = board.status_of(asked), []
    for status, number in board.counts(whole):
        here = status is chosen
        items.append(
            html.Li(
                dcc.Link(
                    [
                        html.B(asked.speech.number(number)),
                        chip(
                            status.words(asked.spoken), board.CHIPS[status] if number else "quiet"
                        ),
                    ],
                    href=asked.with_(status=None if here else status.value),
                ),
                className="here" if here else "",
                **labelled(f"{status.words(asked.spoken)}: {number}"),
            )
        )
    return html.Ul(items, className="counts filters")


def _table(
    ask: PageContext, asked: PageRequest, whole: Scoreboard, rows: list[TargetStanding]
) -> list[Part]:
    speech = asked.speech
    if not whole.standings:
        return [nothing(speech("no_targets"))]
    if not rows:
        return [nothing(speech("no_target_so"))]
    silent = all(one.reading.value is None for one in whole.standings)
    wish = board.wish(asked)
    grouped = wish.by == "status"
    numbers = dict(board.counts(whole))

    def heading(row: Row) -> tuple[str, Part]:
        status: TargetStatus = row["one"].status
        return status.value, [
            chip(status.words(asked.spoken), board.CHIPS[status]),
            html.Small(speech.number(numbers[status])),
        ]

    grid = table(
        asked,
        [one for one in columns(ask, asked, whole) if not (grouped and one.name == "status")],
        [{"one": one} for one in rows],
        wish,
        label=speech("board_of"),
        classes=lambda row: f"is-{row['one'].status.value}",
        group=heading if grouped else None,
    )
    return [nothing(speech("no_reports"), speech("no_reports_hint")), grid] if silent else [grid]


def columns(ask: PageContext, asked: PageRequest, whole: Scoreboard) -> tuple[TableColumn, ...]:
    """The columns of the scoreboard; each row holds its standing as `one`."""
    speech, today, days = asked.speech, board.local_day(whole), past(ask, whole.unit)
    shows = {
        "status": lambda row: chip(
            row["one"].status.words(asked.spoken), board.CHIPS[row["one"].status]
        ),
        "name": lambda row: _name(asked, row["one"]),
        "now": lambda row: _now(row["one"], speech),
        "due": lambda row: [
            board.aim(row["one"].target, speech),
            html.Small(
                f"{speech.day(row['one'].target.due)} · {board.left(row['one'].target.due, today, speech)}"
            ),
        ],
        "trend": lambda row: cells.trend(
            row["one"], days.get(row["one"].target.indicator, ()), speech
        ),
        "forecast": lambda row: _ahead(row["one"], speech),
        "reporter": lambda row: cells.reporter(row["one"], asked),
        "age": lambda row: age(row["one"].reading.as_of),
    }
    words = {"status": "state", "name": "target_name", "due": "aim", "trend": "course"}
    numbers = ("now", "due", "forecast", "age")
    return tuple(
        TableColumn(name, speech(words.get(name, name)), show, _sort(name), number=name in numbers)
        for name, show in shows.items()
    )


def _sort(name: str) -> Callable[[Row], Any] | None:
    key = board.SORTED.get(name)
    return None if key is None else lambda row: key(row["one"])


def _name(asked: PageRequest, one: TargetStanding) -> Part:
    target = one.target
    href = asked.with_(target=target.code, status=None, sort=None)
    return [
        dcc.Link(target.words(asked.spoken), href=href, className="named"),
        html.Small(
            [target.source, " · ", board.told(target, asked.speech)],
            className="" if target.verified else "assumed",
        ),
    ]


def _now(one: TargetStanding, speech: Translator) -> Part:
    old = [chip(speech("old_figure"), "unknown")] if one.reading.stale else []
    return [
        *old,
        html.Small(behind(one.reading, speech)),
        html.B(board.now(one, speech)),
        cells.meter(one, speech),
    ]


def _ahead(one: TargetStanding, speech: Translator) -> Part:
    if one.forecast is None:
        return speech("none")
    told = (
        speech("steady")
        if one.forecast.steady
        else speech("by_trend", n=one.trend.points if one.trend else 0)
    )
    return [html.B(board.ahead(one, speech)), html.Small(told)]
