"""Figures as declared: their questions, what answers come to, and how old they are."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.kinds import FEEDBACK, FILING, KINDS
from schemas.figures import BY_CODE, FIGURES, Figure, Reading
from schemas.figures.aging import aged, of_units, timely
from schemas.figures.questions import QueryMoment, dimensions, pieces_of, question, reader, readings
from schemas.figures.series import SeriesStep, parts, series, series_readings
from schemas.reference import ZONE, calendar, indicators, statuses
from schemas.sources.freshness import Source, SourceState

CALENDAR = calendar("46")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def of(code: str) -> Figure:
    return BY_CODE[code]


def test_every_figure_says_what_it_is_in_both_languages_and_has_a_code_of_its_own() -> None:
    assert len(BY_CODE) == len(FIGURES)
    for figure in FIGURES:
        assert figure.code.startswith(figure.kind.name + ".")
        assert figure.vi and figure.en and figure.vi != figure.en and figure.sentence.endswith(".")
        assert len(figure.part) == 1 or figure.whole, "only a share has several pieces"


def test_what_the_reference_data_call_computed_is_a_figure() -> None:
    live = {one.code for one in indicators() if one.rhythm == "live"}
    renamed = {"source.timely"}
    assert live - renamed <= BY_CODE.keys()


def test_a_share_is_the_sum_of_its_parts_and_unknown_of_nothing() -> None:
    honest = of("filing.on_time")
    read = reader([honest])
    assert pieces_of([honest]) == [honest.part[0], *honest.whole], "on time, closed, overdue"
    assert read([8, 9, 1]) == {honest.code: Reading(80, 8, 10)}
    assert read([0, 0, 0]) == {honest.code: Reading(None, 0, 0)}


def test_a_median_of_nothing_is_unknown() -> None:
    median = of("filing.duration_p50")
    read = reader([median])
    assert [read([value])[median.code].value for value in (nan, None, 0.0)] == [None, None, 0]


def test_a_dimension_that_a_kind_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"category.*agency, commune"):
        question([of("filing.open")], QueryMoment.of(NOW, CALENDAR), ("category",))
    with pytest.raises(ValueError, match="cannot be grouped by"):
        series(
            [of("feedback.open")],
            SeriesStep.DAY,
            NOW - timedelta(days=1),
            NOW,
            CALENDAR,
            ("procedure",),
        )
    assert "reporter" not in dimensions(FEEDBACK)


def test_rows_become_readings_by_their_dimensions() -> None:
    figures = [of("filing.open"), of("filing.online")]
    assert len(pieces_of(figures)) == 3
    found = readings(figures, [("19753", "1", 7, 3, 4), ("19777", "2", 1, 0, 0)], 2)
    assert found["19753", "1"] == {"filing.open": Reading(7), "filing.online": Reading(75, 3, 4)}
    assert found["19777", "2"]["filing.online"].value is None


@given(st.sampled_from(SeriesStep), st.integers(1, 50_000), st.integers(0, 10_000_000))
def test_parts_follow_one_another_without_a_gap_from_the_first_moment_to_the_last(
    step: SeriesStep, minutes: int, start: int
) -> None:
    since = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    until = since + timedelta(minutes=minutes)
    try:
        starts, ends = parts(step, since, until)
    except ValueError:
        assert step in (SeriesStep.MINUTES,) and minutes > 4_000
        return
    assert (starts[0], ends[-1]) == (since, until)
    assert starts[1:] == ends[:-1] and all(
        start < end for start, end in zip(starts, ends, strict=True)
    )
    for edge in (at.astimezone(ZONE) for at in ends[:-1]):
        assert edge.second == edge.microsecond == 0 and edge.minute % 5 == 0
        assert step in (SeriesStep.MINUTES,) or edge.minute == 0
        assert step in (SeriesStep.MINUTES, SeriesStep.HOUR) or edge.hour == 0
        assert step is not SeriesStep.MONTH or edge.day == 1


def test_a_part_in_which_nothing_happened_reads_zero_and_not_unknown() -> None:
    figures = [of("filing.registered"), of("filing.open"), of("filing.online")]
    ends, questions = series(figures, SeriesStep.DAY, NOW - timedelta(days=2), NOW, CALENDAR)
    assert len(questions) == 2, "one for what began in a part, one for what stood at its end"
    registered, opened, online = (figure.part[0] for figure in figures)
    row = {registered: 4, online: 1, opened: None}
    order = pieces_of(figures)
    found = series_readings(
        figures,
        ends,
        [
            [(2, *(row.get(piece) for piece in order))],
            [(2, *(9 if p is opened else None for p in order))],
        ],
    )
    assert [one.value for _, one in found[()]["filing.registered"]] == [0, 4, 0]
    assert [one.value for _, one in found[()]["filing.open"]] == [0, 9, 0]
    assert [one.value for _, one in found[()]["filing.online"]] == [None, 25, None]


def source(
    agency: str, state: SourceState, minutes: int, kind: str = "filing", commune: str = ""
) -> Source:
    return Source(agency, kind, state, NOW - timedelta(minutes=minutes), commune)


def test_a_figure_is_as_old_as_its_newest_event_and_stale_when_too_many_sources_are_silent() -> (
    None
):
    sources = [
        source(f"a{number}", SourceState.LIVE, number + 1, commune=f"c{number}")
        for number in range(19)
    ]
    sources.append(source("quiet", SourceState.SILENT, 600, commune="c99"))
    said = {"filing.open": Reading(7)}
    whole = aged(said, sources)["filing.open"]
    assert (whole.value, whole.as_of, whole.stale) == (7, NOW - timedelta(minutes=1), False), (
        "one of twenty"
    )
    assert whole.silent == 1, "it is told nevertheless"
    many = aged(
        said, [*sources, source("b", SourceState.MALFORMED, 5), source("c", SourceState.SILENT, 5)]
    )["filing.open"]
    assert (many.as_of, many.stale, many.silent) == (whole.as_of, True, 3), (
        "however new its newest event is"
    )
    units = of_units(sources)
    own = aged(said, units["commune", "c99"])["filing.open"]
    assert (own.as_of, own.stale, own.silent) == (NOW - timedelta(minutes=600), True, 1)
    assert aged(said, units["agency", "a3"])["filing.open"] == Reading(
        7, as_of=NOW - timedelta(minutes=4)
    )
    assert (
        len(units) == 40
        and timely(units["commune", "c99"]).part == 0
        and timely(units["agency", "a3"]).part == 1
    )


def test_at_night_a_figure_is_old_not_stale_and_who_promised_nothing_is_counted_not_missed() -> (
    None
):
    said = {"filing.open": Reading(7)}
    night = aged(said, [source("a", SourceState.QUIET, 700), source("b", SourceState.QUIET, 800)])[
        "filing.open"
    ]
    assert night == Reading(7, as_of=NOW - timedelta(minutes=700))
    stranger = replace(source("x", SourceState.SILENT, 2), promised=False)
    assert aged(said, [source("a", SourceState.LIVE, 5), stranger])["filing.open"] == Reading(
        7, as_of=NOW - timedelta(minutes=2)
    )
    sources = [source("a", SourceState.LIVE, 5)]
    nobody = aged({"document.open": Reading(1)}, sources)["document.open"]
    assert (nobody.as_of, nobody.stale) == (None, False)


def test_timely_is_what_comes_as_it_was_promised() -> None:
    states = (
        SourceState.LIVE,
        SourceState.QUIET,
        SourceState.LATE,
        SourceState.SILENT,
        SourceState.NEVER,
    )
    found = timely([source(str(number), state, 5) for number, state in enumerate(states)])
    assert (found.value, found.part, found.whole) == (50, 2, 4), "what never spoke was never late"


def test_every_kind_with_a_life_has_figures() -> None:
    assert {figure.kind for figure in FIGURES} == set(KINDS[:4]) and FILING in KINDS


def test_what_tells_of_a_moment_tells_of_what_is_open_then() -> None:
    """What is closed long ago is not looked at for figures of the past
    (`dashboard.history.slices`): it must not matter to them.
    """
    pieces = {
        (figure.kind, piece) for figure in FIGURES for piece in figure.pieces if not piece.when
    }
    assert pieces
    for kind, piece in pieces:
        found = re.match(r"(standing|status|state) (=|!=) '?(\w+)'?", piece.where)
        assert found, piece
        name, sign, value = found.groups()
        standing = {one.status: one.standing for one in statuses(kind.name)}.get(value, value)
        assert (standing != "closed") == (sign == "="), (name, piece)
