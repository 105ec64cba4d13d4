"""How targets and scores are said and drawn.

Figures with their units, axes, bars, files without formulas.
"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components import target_board as board
from dashboard.components.measured import WORDS_OF, measured, named, read
from dashboard.components.score_bars import bar, between, grade_label, total_label
from dashboard.i18n.translator import Translator
from dashboard.pages.index.unit import losses, records, rule
from dashboard.pages.targets.chart import Course, axes, day_ticks, drawing, ticks
from dashboard.request.address import PageRequest
from schemas.figures import Reading
from schemas.reference import Criterion, criteria_set, indicators, targets
from schemas.scores import Question, SeriesPoint, TargetStatus, score

VI, EN = Translator("vi"), Translator("en")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
TAX = next(one for one in targets("46") if one.code == "e-tax")
RANK = next(one for one in targets("46") if one.code == "dti-hue")
INDEX = criteria_set("766")


def text(part: Any) -> str:
    return json.dumps(json.loads(json.dumps(part, cls=PlotlyJSONEncoder)), ensure_ascii=False)


@pytest.mark.parametrize(
    ("value", "unit", "vi", "en"),
    [
        (80.0, "%", "80,0%", "80.0%"),
        (17_000_000, "lượt", "17.000.000 lượt", "17,000,000"),
        (61.7, "điểm", "61,7 điểm", "61.7 points"),
        (4, "hạng", "hạng 4", "rank 4"),
        (2, "cái", "2 cái", "2 cái"),
        (None, "%", "–", "–"),
    ],
)
def test_a_figure_is_written_with_its_unit(
    value: float | None, unit: str, vi: str, en: str
) -> None:
    assert (measured(value, unit, VI), measured(value, unit, EN)) == (vi, en)


def test_every_unit_of_measure_has_its_words() -> None:
    assert {one.measure_unit for one in indicators()} <= set(WORDS_OF)


def test_what_is_computed_and_what_is_reported_are_both_named_and_read() -> None:
    assert (named("filing.on_time", EN), read("filing.on_time", Reading(91.3), EN)) == (
        "On time (honest)",
        "91.3%",
    )
    assert (named("assessment.council", VI), read("assessment.council", Reading(8.8), VI)) == (
        "Điểm của hội đồng đánh giá cơ quan",
        "8,8 điểm",
    )
    assert named("nobody.knows", VI) == "nobody.knows"


def test_an_aim_says_its_direction_and_its_day() -> None:
    assert (board.aim(TAX, VI), board.aim(RANK, VI)) == ("≥ 95%", "≤ hạng 2")
    assert [
        board.left(date(2026, 12, 31), day, VI)
        for day in (date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 2))
    ] == [
        "còn 30 ngày",
        "hôm nay",
        "đã qua 2 ngày",
    ]


def test_figures_of_different_units_compare_by_how_much_of_their_aim_they_reach() -> None:
    assert board.part_of_aim(TAX, 95) == 1
    assert board.part_of_aim(RANK, 2) == 1
    assert board.part_of_aim(RANK, 4) == 0.5


def test_a_target_says_what_of_it_was_verified_and_what_was_assumed() -> None:
    assert board.verification(TAX, VI) == "chưa xác minh; mức và hạn là giả định"
    villages = next(one for one in targets("46") if one.code == "villages")
    assert board.verification(villages, EN) == "in the source; due date assumed"


def test_every_status_is_drawn_and_only_what_is_off_calls_with_a_shape() -> None:
    assert set(board.CHIPS) == set(board.GRAVITY) == set(TargetStatus)
    calling = {status for status, chip in board.CHIPS.items() if chip in ("p1", "p2", "p3")}
    assert calling == {TargetStatus.MISSED, TargetStatus.OFF_TRACK}


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_are_few_and_lie_within(low: float, span: float) -> None:
    high = low + span
    found = ticks(low, high)
    assert len(found) <= 6
    slack = span * 1e-6 + 1e-9
    assert all(low - slack <= one <= high + slack for one in found)


def test_ticks_are_round() -> None:
    assert ticks(78.9, 96.1) == [80, 85, 90, 95]
    assert ticks(0, 100) == [0, 50, 100]


def test_days_on_the_axis_are_firsts_of_months_of_a_long_span_and_days_of_a_short_one() -> None:
    assert day_ticks(date(2026, 1, 5), date(2026, 12, 31))[:2] == [
        date(2026, 2, 1),
        date(2026, 4, 1),
    ]
    short = day_ticks(date(2026, 11, 9), date(2026, 12, 31))
    assert short[0] == date(2026, 11, 9) and len(short) <= 8


COURSE = Course(
    points=(SeriesPoint(date(2026, 11, 9), 80.7), SeriesPoint(date(2026, 11, 16), 80.5)),
    aim=95.0,
    due=date(2026, 12, 31),
    today=date(2026, 11, 24),
    ahead=80.0,
    since=SeriesPoint(date(2026, 11, 16), 80.5),
    percent=True,
)


@pytest.mark.parametrize(
    "course",
    [
        COURSE,
        replace(
            COURSE,
            points=(SeriesPoint(date(2026, 11, 24), 95.0),),
            ahead=None,
            since=None,
            due=date(2026, 11, 24),
        ),
        replace(
            COURSE,
            points=(SeriesPoint(date(2021, 12, 31), 2.0),),
            aim=2.0,
            percent=False,
            ahead=2.0,
        ),
        replace(COURSE, due=date(2022, 12, 31), ahead=None),
    ],
)
def test_all_of_a_course_lies_within_its_chart(course: Course) -> None:
    span = axes(course)
    values = [course.aim, *(point.value for point in course.points)]
    days = [course.due, course.today, *(point.day for point in course.points)]
    assert all(0 <= span.y(value) <= 1 for value in values)
    assert all(0 <= span.x(day) <= 1 for day in days)
    assert not course.percent or span.high <= 100
    drawn = text(drawing(course, "label", str, str, "≥ 95%", "hôm nay"))
    assert drawn.count('"point"') == len(course.points)
    assert ("named-ahead" in drawn) is (course.ahead is not None)


def test_a_bar_shows_what_is_got_lost_and_unknown() -> None:
    parts = {one.className: one.style["width"] for one in bar(6, 8, 10, "words").children}
    assert parts == {"got": "60.00%", "lost": "20.00%", "unknown": "20.00%"}
    assert [one.className for one in bar(10, 10, 10, "words").children] == ["got"]


def test_a_score_with_too_little_data_has_no_number_and_no_grade_but_says_what_is_possible() -> (
    None
):
    one = score(INDEX, {"filing.on_time": Reading(90.0)})
    assert (total_label(one, VI), grade_label(one, VI)) == ("Chưa đủ dữ liệu", "")
    assert between(one, VI) == "từ 18,0 đến 98,0 điểm"
    whole = score(INDEX, {item.reads: Reading(90.0) for item in INDEX.items})
    assert (total_label(whole, EN), grade_label(whole, EN)) == ("90.0", "Excellent (not verified)")


def test_what_loses_most_comes_first_and_leads_to_the_records_of_the_unit() -> None:
    values = {item.reads: Reading(90.0, 90, 100) for item in INDEX.items} | {
        "filing.online": Reading(40.0, 40, 100)
    }
    one = score(INDEX, values, (("commune", ("19753",)),))
    said = text(losses(PageRequest("/index", (("lang", "vi"),)), one, "19753"))
    assert said.index("Hồ sơ nộp trực tuyến") < said.index("Hồ sơ giải quyết đúng hạn")
    assert "mất 7,2 điểm" in said and "40 trên 100" in said
    question = Question("filing.online", (("channel", ("1", "3")), ("commune", ("19753",))))
    href = records(PageRequest("/index", (("lang", "en"), ("set", "766"))), question, "19753")
    assert href == "/unit/19753?channel=1%2C3&lang=en&records=filing.online"


@pytest.mark.parametrize(
    "item",
    [item for code in ("766", "agency") for item in criteria_set(code).items],
    ids=lambda one: one.code,
)
def test_every_rule_is_told_in_words(item: Criterion) -> None:
    assert all(rule(item, translator) for translator in (VI, EN))
