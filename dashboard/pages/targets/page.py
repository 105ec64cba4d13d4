"""`/targets`: the province's targets by status, most urgent first; `?unit=`, `?target=`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from dash import dcc, html

from dashboard.components import target_board as board
from dashboard.components import target_cells as cells
from dashboard.components.actions import actions, chooser
from dashboard.components.parts import Part, age, chip, labelled, link, nothing, section, share_text
from dashboard.components.scores import board_unit, earlier, past
from dashboard.components.table import Row, TableColumn, table
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.translator import Translator
from dashboard.pages.targets.detail import detail
from dashboard.query.concurrent import run_concurrently
from dashboard.query.scoreboard import Scoreboard
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.scores import TargetStanding, TargetStatus


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page."""
    run_concurrently(
        partial(earlier, context, board_unit(context, request))
    )  # of the course, which is shown last
    whole, rows = board.shown(context, request)
    if code := request.get("target"):
        return detail(context, request, whole, board.named(whole, code, request.translator))
    translator, place = request.translator, context.place.code
    return [
        html.Div(
            [
                html.Hgroup(
                    [
                        html.H1(translator("nav_targets")),
                        html.P(unit_name(whole.unit, context.place, translator)),
                    ]
                ),
                chooser(context, request, whole.unit),
                html.Div(actions(request), className="actions"),
            ],
            className="head",
        ),
        _counts(request, whole),
        *(
            [
                html.P(
                    [
                        translator("board_hint"),
                        " ",
                        link(request, translator("all_targets"), "/targets"),
                    ]
                )
            ]
            if whole.unit != place
            else []
        ),
        section(
            translator("board_of"), *_table(context, request, whole, rows), id="board", grow=True
        ),
    ]


def _counts(request: PageRequest, whole: Scoreboard) -> Part:
    chosen, items = board.status_of(request), []
    for status, number in board.counts(whole):
        here = status is chosen
        items.append(
            html.Li(
                dcc.Link(
                    [
                        html.B(request.translator.number(number)),
                        chip(
                            status.label(request.language),
                            board.CHIPS[status] if number else "quiet",
                        ),
                    ],
                    href=request.with_(status=None if here else status.value),
                ),
                className="here" if here else "",
                **labelled(f"{status.label(request.language)}: {number}"),
            )
        )
    return html.Ul(items, className="counts filters")


def _table(
    context: PageContext, request: PageRequest, whole: Scoreboard, rows: list[TargetStanding]
) -> list[Part]:
    translator = request.translator
    if not whole.standings:
        return [nothing(translator("no_targets"))]
    if not rows:
        return [nothing(translator("no_target_so"))]
    silent = all(one.reading.value is None for one in whole.standings)
    table_state = board.table_state(request)
    grouped = table_state.by == "status"
    numbers = dict(board.counts(whole))

    def heading(row: Row) -> tuple[str, Part]:
        status: TargetStatus = row["one"].status
        return status.value, [
            chip(status.label(request.language), board.CHIPS[status]),
            html.Small(translator.number(numbers[status])),
        ]

    grid = table(
        request,
        [one for one in columns(context, request, whole) if not (grouped and one.name == "status")],
        [{"one": one} for one in rows],
        table_state,
        label=translator("board_of"),
        classes=lambda row: f"is-{row['one'].status.value}",
        group=heading if grouped else None,
    )
    return (
        [nothing(translator("no_reports"), translator("no_reports_hint")), grid]
        if silent
        else [grid]
    )


def columns(
    context: PageContext, request: PageRequest, whole: Scoreboard
) -> tuple[TableColumn, ...]:
    """Return the columns of the scoreboard; each row holds its standing as `one`."""
    translator, today, days = request.translator, board.local_day(whole), past(context, whole.unit)
    shows = {
        "status": lambda row: chip(
            row["one"].status.label(request.language), board.CHIPS[row["one"].status]
        ),
        "name": lambda row: _name(request, row["one"]),
        "now": lambda row: _now(row["one"], translator),
        "due": lambda row: [
            board.aim(row["one"].target, translator),
            html.Small(
                f"{translator.day(row['one'].target.due)} · "
                f"{board.left(row['one'].target.due, today, translator)}"
            ),
        ],
        "trend": lambda row: cells.trend(
            row["one"], days.get(row["one"].target.indicator, ()), translator
        ),
        "forecast": lambda row: _ahead(row["one"], translator),
        "reporter": lambda row: cells.reporter(row["one"], request),
        "age": lambda row: age(row["one"].reading.as_of),
    }
    words = {"status": "state", "name": "target_name", "due": "aim", "trend": "course"}
    numbers = ("now", "due", "forecast", "age")
    return tuple(
        TableColumn(
            name, translator(words.get(name, name)), show, _sort(name), number=name in numbers
        )
        for name, show in shows.items()
    )


def _sort(name: str) -> Callable[[Row], Any] | None:
    key = board.SORTED.get(name)
    return None if key is None else lambda row: key(row["one"])


def _name(request: PageRequest, one: TargetStanding) -> Part:
    target = one.target
    href = request.with_(target=target.code, status=None, sort=None)
    return [
        dcc.Link(target.label(request.language), href=href, className="named"),
        html.Small(
            [target.source, " · ", board.verification(target, request.translator)],
            className="" if target.verified else "assumed",
        ),
    ]


def _now(one: TargetStanding, translator: Translator) -> Part:
    old = [chip(translator("old_figure"), "unknown")] if one.reading.stale else []
    return [
        *old,
        html.Small(share_text(one.reading, translator) if one.reading.whole else ""),
        html.B(board.now(one, translator)),
        cells.meter(one, translator),
    ]


def _ahead(one: TargetStanding, translator: Translator) -> Part:
    if one.forecast is None:
        return translator("none")
    label = (
        translator("steady")
        if one.forecast.steady
        else translator("by_trend", n=one.trend.points if one.trend else 0)
    )
    return [html.B(board.ahead(one, translator)), html.Small(label)]
