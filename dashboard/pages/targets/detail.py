"""Page of one target: course and forecast, facts, ranking of communes, unusable reports."""

from collections.abc import Sequence
from datetime import date

from dash import html

from dashboard.components import target_board as board
from dashboard.components import target_cells as cells
from dashboard.components.actions import actions
from dashboard.components.measured import measured
from dashboard.components.parts import Part, age, chip, link, lost, nothing, section
from dashboard.components.scores import past, ranking
from dashboard.components.table import TableColumn, TableState, sorted_rows, table
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.translator import Translator, sort_key
from dashboard.pages.targets.chart import Course, drawing
from dashboard.query.scoreboard import Scoreboard
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import indicator
from schemas.scores import SeriesPoint, TargetStanding


def detail(
    context: PageContext, request: PageRequest, whole: Scoreboard, one: TargetStanding
) -> Part:
    """Build the page of a target."""
    translator, target = request.translator, one.target
    ranked = _ranking(context, request, one) if whole.unit == context.place.code else None
    return [
        html.Div(
            [
                html.Hgroup(
                    [
                        html.H1(target.label(request.language)),
                        html.P(unit_name(whole.unit, context.place, translator)),
                    ]
                ),
                link(
                    request,
                    translator("all_targets"),
                    "/targets",
                    unit=None if whole.unit == context.place.code else whole.unit,
                ),
                html.Div(actions(request), className="actions"),
            ],
            className="head",
        ),
        _facts(request, one, board.local_day(whole)),
        section(
            translator("course"),
            *_course(context, request, one, board.local_day(whole)),
            id="course",
        ),
        html.Div(
            [
                html.Div(
                    [ranked] if ranked else [_left_out(request, context.place, one)],
                    className="column",
                ),
                html.Div(
                    [
                        _about(request, one),
                        *([_left_out(request, context.place, one)] if ranked else []),
                    ],
                    className="column",
                ),
            ],
            className="columns",
        ),
    ]


def _facts(request: PageRequest, one: TargetStanding, today: date) -> Part:
    translator, target = request.translator, one.target
    steady = one.forecast is not None and one.forecast.steady
    label = (
        translator("steady")
        if steady
        else translator("by_trend", n=one.trend.points)
        if one.trend
        else translator("no_forecast")
    )
    facts: Sequence[tuple[str, Part, Part]] = (
        (
            translator("state"),
            chip(one.status.label(request.language), board.CHIPS[one.status]),
            board.left(target.due, today, translator),
        ),
        (
            translator("now"),
            html.B(board.now(one, translator)),
            translator("old_figure") if one.reading.stale else cells.meter(one, translator),
        ),
        (translator("aim"), html.B(board.aim(target, translator)), translator.day(target.due)),
        (translator("forecast"), html.B(board.ahead(one, translator)), label),
        (
            translator("age"),
            html.B(age(one.reading.as_of)) if one.reading.as_of else translator("none"),
            [cells.trend_word(one, translator), lost(one.reading, translator)],
        ),
    )
    cards = [
        html.Article(
            [html.H3(name), html.P(value, className="reading"), html.Div(more, className="detail")],
            className=f"card{' stale' if number == 1 and one.reading.stale else ''}",
        )
        for number, (name, value, more) in enumerate(facts)
    ]
    return html.Div(cards, className="cards facts")


def _course(
    context: PageContext, request: PageRequest, one: TargetStanding, today: date
) -> list[Part]:
    translator, target = request.translator, one.target
    points = one.points or past(context, one.unit).get(target.indicator, ())
    if not points:
        return [nothing(translator("no_reports"), translator("no_reports_hint"))]
    start = points[-1]
    if one.forecast and one.forecast.steady and one.reading.value is not None:
        start = SeriesPoint(today, one.reading.value)
    course = Course(
        points=points,
        aim=target.value,
        due=target.due,
        today=today,
        ahead=one.forecast.value if one.forecast else None,
        since=start,
        percent=target.measure_unit == "%",
    )

    def written(value: float) -> str:
        return measured(value, target.measure_unit, translator, short=True)

    figure = f"{target.label(request.language)}: {board.now(one, translator)}"
    label = f"{figure}; {translator('aim')} {board.aim(target, translator)}"
    hint = [html.P(translator("as_then"), className="hint")] if not one.points else []
    return [
        drawing(
            course,
            label,
            written,
            translator.day,
            board.aim(target, translator),
            translator("today"),
        ),
        *hint,
        _figures(points, request, target.measure_unit),
    ]


def _figures(points: Sequence[SeriesPoint], request: PageRequest, unit: str) -> Part:
    translator = request.translator
    rows = [
        html.Tr(
            [
                html.Td(translator.day(day)),
                html.Td(measured(value, unit, translator), className="number"),
            ]
        )
        for day, value in reversed(points)
    ]
    heads = html.Tr(
        [
            html.Th(translator("day"), scope="col"),
            html.Th(translator("value"), scope="col", className="number"),
        ]
    )
    return html.Details(
        [
            html.Summary(translator("all_figures", n=translator.number(len(points)))),
            html.Table([html.Thead(heads), html.Tbody(rows)]),
        ]
    )


def _about(request: PageRequest, one: TargetStanding) -> Part:
    translator, target, of = request.translator, one.target, indicator(one.target.indicator)
    facts = [
        (translator("reporter"), cells.reporter(one, request)),
        (
            translator("reported_rhythm"),
            translator(f"rhythm_{of.rhythm}") if of else translator("none"),
        ),
        (translator("source"), [target.source, html.Small(board.verification(target, translator))]),
    ]
    items = [part for name, text in facts for part in (html.Dt(name), html.Dd(text))]
    return section(translator("about"), html.Dl(items), id="about")


def _ranking(context: PageContext, request: PageRequest, one: TargetStanding) -> Part:
    translator, found = request.translator, ranking(context, one.target)
    if not found:
        return None
    known = [each for each in found if each.reading.value is not None and not each.reading.stale]
    places = {each.unit: number for number, each in enumerate(known, 1)}
    rows = [
        {
            "one": each,
            "place": places.get(each.unit),
            "name": unit_name(each.unit, context.place, translator),
        }
        for each in found
    ]
    columns = (
        TableColumn(
            "place",
            "#",
            lambda row: row["place"] or translator("none"),
            lambda row: row["place"],
            number=True,
        ),
        TableColumn(
            "commune",
            translator("unit"),
            lambda row: link(
                request, row["name"], "/targets", unit=row["one"].unit, target=one.target.code
            ),
            lambda row: sort_key(row["name"]),
            short=True,
        ),
        TableColumn(
            "now",
            translator("now"),
            lambda row: [
                html.B(board.now(row["one"], translator)),
                cells.meter(row["one"], translator),
            ],
            lambda row: row["one"].reading.value,
            number=True,
        ),
        TableColumn(
            "state",
            translator("state"),
            lambda row: chip(
                row["one"].status.label(request.language), board.CHIPS[row["one"].status]
            ),
            lambda row: board.GRAVITY.index(row["one"].status),
        ),
        TableColumn(
            "age",
            translator("age"),
            lambda row: age(row["one"].reading.as_of),
            lambda row: row["one"].reading.as_of,
            number=True,
        ),
    )
    table_state = TableState.of(request, "rank_", "place", size=200)
    grid = table(
        request,
        columns,
        sorted_rows(rows, columns, table_state),
        table_state,
        prefix="rank_",
        label=translator("ranking"),
    )
    return section(translator("ranking"), grid, id="ranking")


def _left_out(request: PageRequest, place: ProvinceContext, one: TargetStanding) -> Part:
    translator = request.translator
    rows = [{"report": report, "why": why} for report, why in one.series.left_out]
    columns = (
        TableColumn("period", translator("period"), lambda row: row["report"].period),
        TableColumn(
            "value",
            translator("value"),
            lambda row: _as_sent(row["report"].value, translator),
            number=True,
        ),
        TableColumn("measure", translator("measure_of"), lambda row: row["report"].measure_unit),
        TableColumn(
            "agency",
            translator("agency"),
            lambda row: place.agency(row["report"].agency).label(request.language),
        ),
        TableColumn(
            "at", translator("reported_at"), lambda row: age(row["report"].reported_at), number=True
        ),
        TableColumn("why", translator("reason"), lambda row: row["why"].label(request.language)),
    )
    shown: Part = nothing(translator("none_left_out"))
    if rows:
        shown = table(request, columns, rows, TableState(size=500), label=translator("left_out"))
    return section(translator("left_out"), shown, id="left-out")


def _as_sent(value: float, translator: Translator) -> str:
    return translator.number(value, 0 if value == round(value) else 2)
