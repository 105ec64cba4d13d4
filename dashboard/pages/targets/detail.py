"""One target: its course with the forecast, what is known of it, how the communes rank, and the reports that could not be used."""

from collections.abc import Sequence
from datetime import date

from dash import html

from dashboard.components import target_board as board
from dashboard.components import target_cells as cells
from dashboard.components.actions import actions
from dashboard.components.measured import measured
from dashboard.components.parts import Part, age, chip, link, lost, nothing, section
from dashboard.components.scores import past, ranking
from dashboard.components.table import TableColumn, Wish, sorted_rows, table
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.speech import Translator, in_order
from dashboard.pages.targets.chart import Course, drawing
from dashboard.query.scoreboard import Scoreboard
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import indicator
from schemas.scores import SeriesPoint, TargetStanding


def detail(ask: PageContext, asked: PageRequest, whole: Scoreboard, one: TargetStanding) -> Part:
    """The page of a target."""
    speech, target = asked.speech, one.target
    ranked = _ranking(ask, asked, one) if whole.unit == ask.place.code else None
    return [
        html.Div(
            [
                html.Hgroup(
                    [
                        html.H1(target.words(asked.spoken)),
                        html.P(unit_name(whole.unit, ask.place, speech)),
                    ]
                ),
                link(
                    asked,
                    speech("all_targets"),
                    "/targets",
                    unit=None if whole.unit == ask.place.code else whole.unit,
                ),
                html.Div(actions(asked), className="actions"),
            ],
            className="head",
        ),
        _facts(asked, one, board.local_day(whole)),
        section(speech("course"), *_course(ask, asked, one, board.local_day(whole)), id="course"),
        html.Div(
            [
                html.Div(
                    [ranked] if ranked else [_left_out(asked, ask.place, one)], className="column"
                ),
                html.Div(
                    [_about(asked, one), *([_left_out(asked, ask.place, one)] if ranked else [])],
                    className="column",
                ),
            ],
            className="columns",
        ),
    ]


def _facts(asked: PageRequest, one: TargetStanding, today: date) -> Part:
    speech, target = asked.speech, one.target
    steady = one.forecast is not None and one.forecast.steady
    told = (
        speech("steady")
        if steady
        else speech("by_trend", n=one.trend.points)
        if one.trend
        else speech("no_forecast")
    )
    facts: Sequence[tuple[str, Part, Part]] = (
        (
            speech("state"),
            chip(one.status.words(asked.spoken), board.CHIPS[one.status]),
            board.left(target.due, today, speech),
        ),
        (
            speech("now"),
            html.B(board.now(one, speech)),
            speech("old_figure") if one.reading.stale else cells.meter(one, speech),
        ),
        (speech("aim"), html.B(board.aim(target, speech)), speech.day(target.due)),
        (speech("forecast"), html.B(board.ahead(one, speech)), told),
        (
            speech("age"),
            html.B(age(one.reading.as_of)) if one.reading.as_of else speech("none"),
            [cells.trend_word(one, speech), lost(one.reading, speech)],
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


def _course(ask: PageContext, asked: PageRequest, one: TargetStanding, today: date) -> list[Part]:
    speech, target = asked.speech, one.target
    points = one.points or past(ask, one.unit).get(target.indicator, ())
    if not points:
        return [nothing(speech("no_reports"), speech("no_reports_hint"))]
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
        return measured(value, target.measure_unit, speech, short=True)

    told = f"{target.words(asked.spoken)}: {board.now(one, speech)}; {speech('aim')} {board.aim(target, speech)}"
    hint = [html.P(speech("as_then"), className="hint")] if not one.points else []
    return [
        drawing(course, told, written, speech.day, board.aim(target, speech), speech("today")),
        *hint,
        _figures(points, asked, target.measure_unit),
    ]


def _figures(points: Sequence[SeriesPoint], asked: PageRequest, unit: str) -> Part:
    speech = asked.speech
    rows = [
        html.Tr(
            [html.Td(speech.day(day)), html.Td(measured(value, unit, speech), className="number")]
        )
        for day, value in reversed(points)
    ]
    heads = html.Tr(
        [
            html.Th(speech("day"), scope="col"),
            html.Th(speech("value"), scope="col", className="number"),
        ]
    )
    return html.Details(
        [
            html.Summary(speech("all_figures", n=speech.number(len(points)))),
            html.Table([html.Thead(heads), html.Tbody(rows)]),
        ]
    )


def _about(asked: PageRequest, one: TargetStanding) -> Part:
    speech, target, of = asked.speech, one.target, indicator(one.target.indicator)
    facts = [
        (speech("reporter"), cells.reporter(one, asked)),
        (speech("reported_rhythm"), speech(f"rhythm_{of.rhythm}") if of else speech("none")),
        (speech("source"), [target.source, html.Small(board.told(target, speech))]),
    ]
    items = [part for name, said in facts for part in (html.Dt(name), html.Dd(said))]
    return section(speech("about"), html.Dl(items), id="about")


def _ranking(ask: PageContext, asked: PageRequest, one: TargetStanding) -> Part:
    speech, found = asked.speech, ranking(ask, one.target)
    if not found:
        return None
    known = [each for each in found if each.reading.value is not None and not each.reading.stale]
    places = {each.unit: number for number, each in enumerate(known, 1)}
    rows = [
        {
            "one": each,
            "place": places.get(each.unit),
            "name": unit_name(each.unit, ask.place, speech),
        }
        for each in found
    ]
    columns = (
        TableColumn(
            "place",
            "#",
            lambda row: row["place"] or speech("none"),
            lambda row: row["place"],
            number=True,
        ),
        TableColumn(
            "commune",
            speech("unit"),
            lambda row: link(
                asked, row["name"], "/targets", unit=row["one"].unit, target=one.target.code
            ),
            lambda row: in_order(row["name"]),
            short=True,
        ),
        TableColumn(
            "now",
            speech("now"),
            lambda row: [html.B(board.now(row["one"], speech)), cells.meter(row["one"], speech)],
            lambda row: row["one"].reading.value,
            number=True,
        ),
        TableColumn(
            "state",
            speech("state"),
            lambda row: chip(row["one"].status.words(asked.spoken), board.CHIPS[row["one"].status]),
            lambda row: board.GRAVITY.index(row["one"].status),
        ),
        TableColumn(
            "age",
            speech("age"),
            lambda row: age(row["one"].reading.as_of),
            lambda row: row["one"].reading.as_of,
            number=True,
        ),
    )
    wish = Wish.of(asked, "rank_", "place", size=200)
    grid = table(
        asked,
        columns,
        sorted_rows(rows, columns, wish),
        wish,
        prefix="rank_",
        label=speech("ranking"),
    )
    return section(speech("ranking"), grid, id="ranking")


def _left_out(asked: PageRequest, place: ProvinceContext, one: TargetStanding) -> Part:
    speech = asked.speech
    rows = [{"report": report, "why": why} for report, why in one.series.left_out]
    columns = (
        TableColumn("period", speech("period"), lambda row: row["report"].period),
        TableColumn(
            "value", speech("value"), lambda row: _as_sent(row["report"].value, speech), number=True
        ),
        TableColumn("measure", speech("measure_of"), lambda row: row["report"].measure_unit),
        TableColumn(
            "agency",
            speech("agency"),
            lambda row: place.agency(row["report"].agency).words(asked.spoken),
        ),
        TableColumn(
            "at", speech("reported_at"), lambda row: age(row["report"].reported_at), number=True
        ),
        TableColumn("why", speech("reason"), lambda row: row["why"].words(asked.spoken)),
    )
    shown: Part = nothing(speech("none_left_out"))
    if rows:
        shown = table(asked, columns, rows, Wish(size=500), label=speech("left_out"))
    return section(speech("left_out"), shown, id="left-out")


def _as_sent(value: float, speech: Translator) -> str:
    return speech.number(value, 0 if value == round(value) else 2)
