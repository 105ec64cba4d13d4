"""Every figure two ways.

By the SQL that screens ask with, and by pandas over the raw events, on a simulated province.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pandas as pd
import pytest

from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.lives import FLOW_FIGURES, LifeStore
from dashboard.query.records import RecordStore
from dashboard.query.scoreboard import score_units
from dashboard.query.sources import SourceStore
from dashboard.query.store import ScreenStore
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.figures import BY_CODE, FIGURES, Reading
from schemas.figures.aging import UNITS
from schemas.figures.questions import (
    QueryMoment,
    ask,
    ask_at,
    ask_each,
    dimensions,
    question,
    readings,
)
from schemas.figures.series import SeriesStep, series, series_readings
from schemas.reference import ZONE, Criterion, agencies
from schemas.reference.criteria import UnitKind
from schemas.scores.score import InputState
from schemas.settings import Settings
from schemas.sources.freshness import SourceState
from tests import second_way
from tests.integration.figures_province import CALENDAR, END, KINDS, Province, counted_days, of
from tests.queries import live

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def province(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Province]:
    yield from counted_days(
        module_settings, module_environment, tmp_path_factory.mktemp("logs") / "worker.log"
    )


def same(found: dict[str, Reading], wanted: dict[str, float | None], where: str) -> None:
    assert found.keys() == wanted.keys(), "every figure is computed a second way"
    for code, value in wanted.items():
        assert found[code].value == (None if value is None else pytest.approx(value, abs=1e-6)), (
            f"{code} {where}"
        )


@pytest.mark.parametrize(
    "at", [END, END - timedelta(days=300)], ids=["all of it", "before any of it"]
)
def test_figures_of_all_units_in_one_pass_are_those_that_are_asked_for_by_each(
    province: Province, at: datetime
) -> None:
    moment, execute = QueryMoment.of(at, CALENDAR), live(province.client)
    wanted: dict[tuple[str, ...], dict[str, Reading]] = {(): ask(execute, FIGURES, moment)[()]}
    for by in UNITS:
        ones = [figure for figure in FIGURES if by in dimensions(figure.kind)]
        wanted |= {
            (by, *key): said
            for key, said in ask(execute, ones, moment, (by,), units="today").items()
        }
    found = ask_each(execute, FIGURES, moment, UNITS, units="today")
    assert found.keys() == wanted.keys() and (len(found) > 40) == (at == END)
    for key, said in wanted.items():
        same(found[key], {code: one.value for code, one in said.items()}, f"of {key}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_figures_of_now_are_what_pandas_computes_from_the_raw_events(
    province: Province, kind: Kind
) -> None:
    lives = province.lives(kind, END)
    assert len(lives) > 1000
    same(
        province.ask(kind, END, past=False)[()],
        second_way.figures(kind.name, lives, END - timedelta(days=3), END),
        "now",
    )


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        *((FILING, name) for name in ("commune", "agency", "procedure", "channel")),
        *((FEEDBACK, name) for name in ("commune", "agency", "category")),
        *((DOCUMENT, name) for name in ("to_organ", "from_organ", "priority")),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_unit_has_the_figures_that_pandas_computes_from_its_events(
    province: Province, kind: Kind, by: str
) -> None:
    lives, found = province.lives(kind, END), province.ask(kind, END, by, past=False)
    groups = {str(key): group for key, group in lives.groupby(by)}
    assert {key for (key,) in found} == groups.keys()
    for key, group in groups.items():
        same(
            found[key,],
            second_way.figures(kind.name, group, END - timedelta(days=3), END),
            f"of {by} {key}",
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "back", [timedelta(hours=1), timedelta(hours=14, minutes=7), timedelta(days=2)], ids=str
)
def test_what_held_at_a_moment_of_the_past_is_what_the_events_until_then_give(
    province: Province, kind: Kind, back: timedelta
) -> None:
    at = END - back
    wanted = second_way.figures(kind.name, province.lives(kind, at), at - timedelta(days=3), at)
    same(province.ask(kind, at, past=True)[()], wanted, f"at {at}")


@pytest.mark.parametrize("by", ["", "commune"])
def test_what_held_at_several_moments_is_what_held_at_each(province: Province, by: str) -> None:
    moments = [
        QueryMoment.of(END - back, CALENDAR, timedelta(days=3))
        for back in (timedelta(hours=1), timedelta(days=2), timedelta(days=90))
    ]
    where = f"commune = '{province.lives(FILING, END)['commune'].mode()[0]}'" if by else ""
    figures = [one for one in FIGURES if not by or by in dimensions(one.kind)]
    for moment, found in zip(
        moments, ask_at(live(province.client), figures, moments, where=where), strict=True
    ):
        assert found == ask(live(province.client), figures, moment, past=True, where=where)[()]


@pytest.mark.parametrize(
    ("step", "since"),
    [
        (SeriesStep.DAY, END - timedelta(days=3)),
        (SeriesStep.HOUR, END - timedelta(hours=30)),
        (SeriesStep.MINUTES, END - timedelta(hours=1, minutes=2)),
    ],
    ids=str,
)
def test_a_series_has_in_each_part_what_pandas_computes_of_it(
    province: Province, step: SeriesStep, since: datetime
) -> None:
    codes = (
        "filing.registered",
        "filing.open",
        "filing.overdue",
        "filing.closed",
        "filing.wholly_online",
    )
    figures = [BY_CODE[code] for code in codes]
    ends, questions = series(figures, step, since, END, CALENDAR)
    found = series_readings(figures, ends, map(live(province.client), questions))[()]
    assert ends[-1] == END.astimezone(ZONE)
    starts = [since, *ends[:-1]]
    current = province.lives(FILING, END)
    for number in range(0, len(ends), max(1, len(ends) // 5)):
        start, end = starts[number], ends[number]
        then = province.lives(FILING, end)
        # What tells of a moment, by the lives until then; what tells of a part, by what is known of
        # each entity now.
        assert found["filing.open"][number][1].value == then["open"].sum()
        assert found["filing.overdue"][number][1].value == then["overdue"].sum()
        began = current[(current["started_at"] >= start) & (current["started_at"] < end)]
        assert found["filing.registered"][number][1].value == len(began)
        online = ((began["channel"] == 2) & (began["service_level"] == "full")).sum()
        assert found["filing.wholly_online"][number][1].value == second_way.share(
            online, len(began)
        )
        closed = pd.to_datetime(current["closed_at"], utc=True)
        assert found["filing.closed"][number][1].value == ((closed >= start) & (closed < end)).sum()
    assert sum(reading.value or 0 for _, reading in found["filing.registered"]) > 50


def test_a_series_by_unit_adds_up_to_that_of_the_province(province: Province) -> None:
    figures = [BY_CODE["filing.registered"], BY_CODE["filing.open"]]
    ends, questions = series(
        figures, SeriesStep.DAY, END - timedelta(days=3), END, CALENDAR, ["commune"]
    )
    found = series_readings(figures, ends, map(live(province.client), questions), 1)
    whole_ends, whole = series(figures, SeriesStep.DAY, END - timedelta(days=3), END, CALENDAR)
    total = series_readings(figures, whole_ends, map(live(province.client), whole))[()]
    for figure in figures:
        for number, (_, reading) in enumerate(total[figure.code]):
            assert (
                sum(unit[figure.code][number][1].value or 0 for unit in found.values())
                == reading.value
            )


def test_who_holds_what_since_when_is_what_the_raw_steps_say(province: Province) -> None:
    connection = Connection(province.settings.clickhouse_url)
    records = RecordStore(LifeStore(connection, CALENDAR))
    held = records.behind(At(END), BY_CODE["filing.open"], "province", "", limit=100_000).rows
    lives = province.lives(FILING, END)
    opened = lives[lives["open"]].set_index("entity_id")
    assert {row["entity_id"] for row in held} == set(opened.index)
    raw = pd.DataFrame(province.raw(FILING)).sort_values(["occurred_at", "offset"])
    for row in held[:50] + held[-50:]:
        steps = raw[raw["entity_id"] == row["entity_id"]]
        others = steps[steps["agency"] != steps["agency"].iloc[-1]]
        mine = steps if others.empty else steps[steps["occurred_at"] > others["occurred_at"].max()]
        assert (row["agency"], row["held_since"]) == (
            mine["agency"].iloc[-1],
            mine["occurred_at"].min(),
        )
        assert row["overdue"] == opened.loc[row["entity_id"], "overdue"]
        assert row["held_hours"] == pytest.approx(
            CALENDAR.working_time(row["held_since"], END) / timedelta(hours=1)
        )
        assert row["level"] in ("province", "commune")
    connection.close()


def test_documents_flow_between_organisations(province: Province) -> None:
    connection = Connection(province.settings.clickhouse_url)
    lives = province.lives(DOCUMENT, END)
    sent = lives[lives["started_at"] > END - timedelta(days=3)]
    wanted = sent.groupby(["from_organ", "to_organ"])
    figures = [BY_CODE[code] for code in FLOW_FIGURES]
    asked = QueryMoment.of(END, CALENDAR, timedelta(days=3))
    flows = ask(connection.tuples, figures, asked, ("from_organ", "to_organ"))
    counts = {pair: int(found["document.sent"].value or 0) for pair, found in flows.items()}
    assert {pair: count for pair, count in counts.items() if count} == wanted.size().to_dict()
    largest = max(counts, key=lambda pair: counts[pair])
    assert flows[largest]["document.receive_p50"].value == pytest.approx(
        second_way.quantile(wanted.get_group(largest)["taken"].dropna(), 0.5)
    )
    connection.close()


def test_a_meeting_tells_which_sites_are_missing(province: Province) -> None:
    """At ten on a working morning some meeting goes on."""
    store = LifeStore(Connection(province.settings.clickhouse_url), CALENDAR)
    raw = (
        pd.DataFrame(province.rows(MEETING))
        .sort_values(["occurred_at", "offset"])
        .groupby("entity_id")
        .tail(1)
    )
    live = raw[raw["state"] == "live"].set_index("entity_id")
    meetings = store.meetings(At(END))
    assert {row["entity_id"] for row in meetings} == set(live.index)
    for row in meetings:
        one = live.loc[row["entity_id"]]
        assert set(row["missing"]) == set(one["invited"]) - set(one["connected"])
        assert set(row["missing"]) | set(row["connected"]) == set(row["invited"]) and row["title"]
    asked = question(of(MEETING), QueryMoment.of(END, CALENDAR))
    found = readings(of(MEETING), province.client.execute(asked.live))[()]
    assert found["meeting.live"].value == len(live)
    assert (
        found["meeting.scheduled"].value
        == ((raw["state"] == "scheduled") & (raw["starts_at"] > END)).sum()
        > 0
    )
    assert found["meeting.missing"].value == sum(len(row["missing"]) for row in meetings)
    invited = sum(len(row["invited"]) for row in meetings)
    assert found["meeting.connected"].value == second_way.share(
        sum(len(row["connected"]) for row in meetings), invited
    )
    store.connection.close()


def test_a_life_is_told_step_by_step(province: Province) -> None:
    store = LifeStore(Connection(province.settings.clickhouse_url), CALENDAR)
    entity = max(province.raw(FILING), key=lambda row: row["status"])["entity_id"]
    steps = store.steps(FILING, entity)
    raw = sorted(
        (row for row in province.raw(FILING) if row["entity_id"] == entity),
        key=lambda row: (row["occurred_at"], row["offset"]),
    )
    assert [row["status"] for row in steps] == [row["status"] for row in raw]
    for row, start, end in zip(steps, raw, raw[1:], strict=False):
        assert row["hours"] == pytest.approx(
            CALENDAR.working_time(start["occurred_at"], end["occurred_at"]) / timedelta(hours=1),
            abs=1e-6,
        )
    assert steps[-1]["hours"] is None
    store.connection.close()


def test_the_index_is_live_for_every_unit_from_the_same_figures(province: Province) -> None:
    """A silent commune has no score.

    The others have what their figures give, and the province has its own.
    """
    connection, clock = Connection(province.settings.clickhouse_url), At(END)
    sources = SourceStore(connection, agencies("46"), CALENDAR).current(clock)
    silent = {
        one.commune
        for one in sources
        if one.kind == "filing" and one.state is SourceState.SILENT and one.commune
    }
    live = FigureStore(connection, CALENDAR).units(clock, "46", lambda: sources)
    communes: dict[str, UnitKind] = {code: "commune" for code in live if len(code) == 5}
    assert len(communes) == 40
    scores = score_units(
        ScreenStore(connection), clock, "46", "766", communes | {"46": "province"}, live
    )
    honest = second_way.figures(
        "filing", province.lives(FILING, END), END - timedelta(days=30), END
    )["filing.on_time"]
    assert live["46"]["filing.on_time"].value == pytest.approx(honest)
    assert live["46"]["filing.on_time"].as_of is not None
    for unit, score in scores.items():
        part = next(
            one
            for one in score.parts
            if isinstance(one.of, Criterion) and one.of.reads == "filing.on_time"
        )
        if unit in silent:
            assert (part.state, part.points, score.total) == (InputState.STALE, None, None)
        elif live[unit]["filing.on_time"].value is not None:
            assert part.points is not None and 0 <= part.points <= part.of.points
        assert score.total is None or 0 <= score.total <= 100
    assert any(score.losses for score in scores.values()), "what would raise it most"
    connection.close()
