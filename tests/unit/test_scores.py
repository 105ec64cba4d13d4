"""Scores by sets of criteria.

What is known is counted, what is not is told, and nothing is put in its place.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clickhouse.tables import annotations
from schemas.events.kinds import BY_NAME
from schemas.figures import BY_CODE, Reading
from schemas.figures.aging import TIMELY
from schemas.reference import CriteriaSet, Criterion, criteria_set, criteria_sets, indicator
from schemas.reference.criteria import check
from schemas.scores import InputState, Score, league, published, score
from schemas.scores.rules import points

INDEX, AGENCY = criteria_set("766"), criteria_set("agency")
FIGURES = {*BY_CODE, TIMELY}
"""Figures that are computed from events."""
SHARES = {item.reads: 90.0 for item in INDEX.items}


def of(values: Mapping[str, float | None], stale: tuple[str, ...] = ()) -> dict[str, Reading]:
    return {code: Reading(value, stale=code in stale) for code, value in values.items()}


def item(**changes: Any) -> Criterion:
    usual: dict[str, Any] = {
        "set": "s",
        "group": "g",
        "code": "c",
        "vi": "v",
        "en": "e",
        "points": 10.0,
        "reads": "x",
        "rule": "share",
    }
    return Criterion(**usual | changes)


@pytest.mark.parametrize(
    ("criterion", "value", "expected"),
    [
        (item(), 73.5, 7.35),
        (item(direction="down"), 30, 7),
        (item(), 100.01, None),
        (item(), -1, None),
        (item(rule="linear", zero=70.0, full=100.0), 85, 5),
        (item(rule="linear", zero=70.0, full=100.0), 60, 0),
        (item(rule="linear", zero=0.0, full=50.0), 80, 10),
        (item(rule="linear", direction="down", zero=150.0, full=15.0), 15, 10),
        (item(rule="linear", direction="down", zero=150.0, full=15.0), 200, 0),
        (item(rule="steps", steps="95:10 90:7"), 95, 10),
        (item(rule="steps", steps="95:10 90:7"), 94.9, 7),
        (item(rule="steps", steps="95:10 90:7"), 10, 0),
        (item(rule="steps", direction="down", steps="0:10 5:4"), 3, 4),
        (item(rule="steps", direction="down", steps="0:10 5:4"), 6, 0),
        (item(rule="reported"), 8.2, 8.2),
        (item(rule="reported"), 10.1, None),
    ],
)
def test_a_value_becomes_points_by_the_rule_of_its_item(
    criterion: Criterion, value: float, expected: float | None
) -> None:
    got = points(criterion, value)
    assert got == (None if expected is None else pytest.approx(expected))


def test_the_index_of_all_that_is_known_is_a_number_with_a_grade() -> None:
    found = score(INDEX, of(SHARES))
    assert (found.coverage, found.complete) == (100, True)
    assert found.total == pytest.approx(90)
    assert found.grade is not None and found.grade.code == "excellent"
    assert [group.points for group in found.groups] == pytest.approx([16.2, 18, 19.8, 19.8, 16.2])
    assert not found.unknown


def test_one_group_missing_makes_it_not_enough_data_with_its_coverage() -> None:
    readings = of(
        {
            code: value
            for code, value in SHARES.items()
            if code not in ("filing.digitised", "filing.reused")
        }
    )
    found = score(INDEX, readings)
    assert (found.total, found.grade) == (None, None)
    assert found.coverage == pytest.approx(78)
    assert (found.points, found.max_points) == (pytest.approx(70.2), pytest.approx(92.2))
    missing = found.groups[2]
    assert (missing.group.code, missing.points, missing.coverage, missing.complete) == (
        "digitisation",
        None,
        0,
        False,
    )
    assert [(part.of.code, part.state) for part in found.unknown] == [
        ("digitisation.papers", InputState.UNKNOWN),
        ("digitisation.reuse", InputState.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("reading", "state"),
    [
        (Reading(90.0, stale=True), InputState.STALE),
        (Reading(None), InputState.UNKNOWN),
        (Reading(None, stale=True), InputState.UNKNOWN),
        (Reading(140.0), InputState.IMPOSSIBLE),
    ],
)
def test_an_input_that_is_stale_or_cannot_be_counts_as_unknown(
    reading: Reading, state: InputState
) -> None:
    found = score(INDEX, of(SHARES) | {"filing.on_time": reading})
    assert [(part.of.code, part.state, part.points) for part in found.unknown] == [
        ("progress.on_time", state, None)
    ]
    assert (found.total, found.coverage) == (None, pytest.approx(80))


def test_what_loses_most_comes_first_with_the_question_behind_it() -> None:
    worse = SHARES | {
        "filing.on_time": 70.0,
        "filing.paid_online": 20.0,
        "procedure.published": 100.0,
    }
    found = score(INDEX, of(worse), (("commune", ("19753",)),))
    first, second, *rest = found.losses
    assert (first.of.code, first.lost) == ("online.payment", pytest.approx(8))
    assert first.question is not None and second.question is not None
    assert (first.question.figure, first.question.query) == (
        "filing.paid_online",
        "paid_online=0&commune=19753",
    )
    assert (second.question.figure, second.question.query) == ("filing.overdue", "commune=19753")
    assert [part.lost for part in rest] == sorted((part.lost for part in rest), reverse=True)
    assert "publicity.published" not in [part.of.code for part in found.losses]


def test_weights_that_were_not_seen_are_told() -> None:
    found = score(INDEX, of(SHARES))
    told = {part.of.code for part in found.unverified}
    assert {"online.payment", "digitisation.papers", "satisfaction.feedback"} <= told
    assert not told & {"publicity.published", "progress.on_time", "satisfaction.filings"}
    assert all(group.group.verified for group in found.groups)
    assert not any(grade.verified for grade in INDEX.grades)


@given(
    st.fixed_dictionaries({code: st.floats(0, 100) for code in SHARES}),
    st.dictionaries(
        st.sampled_from(sorted(SHARES)),
        st.sampled_from([Reading(None), Reading(50.0, stale=True), Reading(101.0)]),
    ),
)
def test_whatever_is_missing_the_whole_lies_between_the_least_and_the_most(
    values: dict[str, float], missing: dict[str, Reading]
) -> None:
    whole, part = score(INDEX, of(dict(values))), score(INDEX, of(dict(values)) | missing)
    assert whole.total is not None
    assert part.points - 1e-9 <= whole.total <= part.max_points + 1e-9
    assert (part.total is None) == bool(missing)
    assert part.coverage == pytest.approx(
        100 - sum(item.points for item in INDEX.items if item.reads in missing)
    )
    assert sum(one.lost for one in part.losses) == pytest.approx(part.known - part.points, abs=1e-6)


def test_a_published_reading_shows_what_is_known_and_invents_no_rest() -> None:
    """Thừa Thiên Huế on 10/10/2023."""
    readings = of(
        {
            "service.index": 61.7,
            "service.index.publicity": 11.3,
            "service.index.progress": 17.1,
            "service.index.satisfaction": 16.4,
        }
    )
    found = published(INDEX, readings)
    assert found.reported == Reading(61.7)
    assert (found.total, found.grade) == (None, None)
    assert found.coverage == pytest.approx(56)
    assert found.points == pytest.approx(44.8)
    assert [(group.group.code, group.points, group.coverage) for group in found.groups] == [
        ("publicity", 11.3, 100),
        ("progress", 17.1, 100),
        ("digitisation", None, 0),
        ("online", None, 0),
        ("satisfaction", 16.4, 100),
    ]
    assert [part.of.code for part in found.unknown] == ["digitisation", "online"]
    assert [(part.of.code, part.lost) for part in found.losses] == [
        ("publicity", pytest.approx(6.7)),
        ("progress", pytest.approx(2.9)),
        ("satisfaction", pytest.approx(1.6)),
    ]


def test_nothing_at_all_is_no_score_of_zero() -> None:
    for found in (score(INDEX, {}), published(INDEX, {}), score(AGENCY, {})):
        assert (found.total, found.grade, found.coverage) == (None, None, 0)
        assert all(group.points is None for group in found.groups)


def test_agencies_are_assessed_by_the_same_engine_on_what_is_known_of_them() -> None:
    values = {
        "filing.on_time": 85.0,
        "filing.digitised": 80.0,
        "filing.backlog_age": 15.0,
        "filing.satisfaction": 90.0,
        "document.overdue": 2.0,
        "document.signed": 100.0,
        "feedback.on_time": 100.0,
        "feedback.satisfied": 75.0,
        "source.timely": 80.0,
    }
    found = score(AGENCY, of(values), (("agency", ("H57.SYT",)),))
    expected = 10 + 4 + 5 + 4.5 + 7 + 10 + 12 + 6 + 12
    assert (found.points, found.coverage) == (pytest.approx(expected), pytest.approx(90))
    assert found.total == pytest.approx(100 * expected / 90), (
        "the council has not spoken: 90 of 100 points are enough by the set's rule"
    )
    assert found.grade is not None and found.grade.code == "good"
    assert len(found.unverified) == len(AGENCY.items)
    del values["source.timely"]
    assert score(AGENCY, of(values)).total is None, "75 of 100 are not"


def test_a_league_compares_only_what_can_be_compared() -> None:
    def at(value: float) -> Score:
        return score(INDEX, of(dict.fromkeys(SHARES, value)))

    table = league({"b": at(80), "a": at(80), "c": at(95), "e": score(INDEX, {}), "d": at(70)})
    assert [(rank.unit, rank.place) for rank in table] == [
        ("c", 1),
        ("a", 2),
        ("b", 2),
        ("d", 4),
        ("e", None),
    ]


@pytest.mark.parametrize("criteria", criteria_sets(), ids=lambda one: one.code)
def test_every_item_reads_a_figure_or_indicator_and_asks_for_records_that_exist(
    criteria: CriteriaSet,
) -> None:
    codes = [one.code for one in criteria.items]
    assert len(set(codes)) == len(codes)
    assert all(
        one.vi and one.en and one.source
        for one in (criteria, *criteria.groups, *criteria.items, *criteria.grades)
    )
    assert criteria.grades[-1].least == 0
    for one in criteria.items:
        assert one.reads in FIGURES or indicator(one.reads)
        assert not one.question or one.question in FIGURES
        kind = (one.question or one.reads).partition(".")[0]
        for name, values in one.narrowed:
            known = annotations(BY_NAME[kind])[name]
            for value in values:
                said: object = value if not value.isdigit() else int(value)
                msgspec.convert(bool(said) if name in ("paid_online", "signed") else said, known)
    for group in criteria.groups:
        assert not group.reported or indicator(group.reported)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"points": 4.0}, "add up to 4 points instead of 10"),
        ({"rule": "linear", "zero": 5.0}, "two different levels"),
        ({"rule": "linear", "zero": 5.0, "full": 1.0}, "contradict the direction up"),
        ({"rule": "steps", "steps": "much"}, "level:points"),
        ({"rule": "steps", "steps": "90:7 95:10"}, "from the best level to the worst"),
        ({"rule": "steps", "steps": "95:11"}, "0 to 10 points"),
    ],
)
def test_a_set_that_cannot_be_computed_is_told_by_what_is_wrong(
    changes: dict[str, Any], told: str
) -> None:
    group = msgspec.structs.replace(INDEX.groups[0], points=10.0, items=(item(**changes),))
    with pytest.raises(ValueError, match=told):
        check(msgspec.structs.replace(INDEX, points=10.0, groups=(group,)))


def test_items_of_a_group_that_is_not_there_are_told() -> None:
    with pytest.raises(ValueError, match="strange"):
        check(INDEX, {"online", "strange"})


def test_a_set_holds_from_the_day_it_is_valid() -> None:
    with pytest.raises(KeyError):
        criteria_set("766", date(2022, 6, 22))
    assert criteria_set("766", date(2022, 6, 23)) == INDEX
