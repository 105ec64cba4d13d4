"""The simulator across 2025-07-01.

The units and agencies of each day, and what was open goes on under whoever took over.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache

import pytest
import typer
from typer.testing import CliRunner

from ingest.simulator import SimulatedRecord, World, events
from ingest.simulator.cli import province_problem, simulate
from ingest.simulator.clock import DAY, HOUR, REFORMED, ZONE
from ingest.simulator.scenes import Silence
from ingest.simulator.staging import past
from schemas import places
from schemas.events.envelope import Read, Reader
from schemas.moments import milliseconds
from schemas.places import restate
from schemas.reference import agency, agency_today

pytestmark = pytest.mark.slow

START, DAY_OF_REFORM, END = (datetime(2025, *day, tzinfo=ZONE) for day in ((6, 28), (7, 1), (7, 3)))
READER = Reader()


def world(province: str) -> World:
    return World(province, 7, beginning=milliseconds(START) - 2 * DAY)


@cache
def records(province: str) -> tuple[SimulatedRecord, ...]:
    return tuple(events(world(province), START, END))


@cache
def good(province: str) -> tuple[Read, ...]:
    return tuple(READER.read(record.value) for record in records(province) if record.fate == "good")


def before(event: Read) -> bool:
    return milliseconds(event.time) < REFORMED


def sides(province: str) -> dict[str, dict[bool, list[Read]]]:
    """Per entity its steps of before the reform and of after, for those that have both."""
    found: defaultdict[str, defaultdict[bool, list[Read]]] = defaultdict(lambda: defaultdict(list))
    for event in good(province):
        found[event.kind.entity_id(event.data)][before(event)].append(event)
    return {key: steps for key, steps in found.items() if len(steps) == 2}


def test_from_the_reform_on_a_world_is_itself_and_before_it_has_the_units_of_then() -> None:
    hue = World("46")
    assert hue.of(REFORMED) is hue
    then = hue.of(REFORMED - 1)
    assert then is not None
    assert (len(then.communes), len(then.districts), len(hue.communes), hue.districts) == (
        133,
        9,
        40,
        (),
    )
    assert then.scale == hue.scale == 1
    assert (len(World("38").before.communes), World("38").before.scale) == (547, World("38").scale)


@pytest.mark.parametrize("province", ["46", "38", "60"])
def test_every_event_names_the_units_and_agencies_of_its_day(province: str) -> None:
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for event in good(province):
        on = restate.day(event.time)
        who = agency(event.data.agency, on)
        assert who.known and who.valid(on), (event.data.agency, on)
        if event.data.commune:
            unit = restate.meaning(event.data.commune, on)
            assert unit is not None and unit.in_force(on), (event.data.commune, on)
            seen[before(event)].add(event.data.commune)
    former = {one.code for one in places.communes(province, restate.EVE)}
    assert seen[True] == former
    heirs = {restate.today(code, restate.EVE) for code in former}
    assert {restate.today(code, restate.EVE) for code in seen[True]} == heirs
    if province != "60":
        assert heirs == seen[False] == {one.code for one in places.communes(province)}, (
            "all of today's have history"
        )


@pytest.mark.parametrize("province", ["46", "60"])
def test_an_open_filing_goes_on_under_whoever_took_over(province: str) -> None:
    crossing = [
        steps for key, steps in sides(province).items() if steps[True][0].kind.name == "filing"
    ]
    assert len(crossing) > 300
    renamed = 0
    for steps in crossing:
        born, on = steps[True][0].data, restate.EVE
        for event in steps[False]:
            assert event.data.commune == restate.today(born.commune, on)
            assert event.data.registered_at == born.registered_at
            holders = {agency_today(step.data.agency, on) for step in steps[True]}
            centre = agency_today(f"{world(province).prefix}.{born.commune}", on)
            assert (
                event.data.agency in holders | {centre}
                or agency(event.data.agency).level == "province"
            )
            renamed += event.data.commune != born.commune
    assert renamed > 100


def test_no_step_is_lost_or_doubled_on_the_way_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.simulator.stream.hand_over", lambda world, steps: steps)

    def steps(some: Iterable[SimulatedRecord]) -> list[tuple[bytes, str, str]]:
        return sorted((one.key, one.event_id.partition("#")[2], one.fate) for one in some)

    assert steps(events(world("46"), START, END)) == steps(records("46"))


def test_districts_send_receive_and_handle_before_the_reform_and_not_after() -> None:
    roles: Counter[tuple[str, bool]] = Counter()
    for event in good("46"):
        for role, code in (
            ("handles", event.data.agency),
            ("sends", getattr(event.data, "from_organ", "")),
            ("receives", getattr(event.data, "to_organ", "")),
        ):
            if agency(code, restate.day(event.time)).level == "district":
                roles[f"{role} {event.kind.name}", before(event)] += 1
    assert all(
        roles[role, True] > 100
        for role in ("handles filing", "handles document", "sends document", "receives document")
    )
    late = {role for role, is_before in roles if not is_before}
    assert late <= {"sends document", "receives document"}, (
        "a document keeps its sender and receiver, not its holder"
    )


def test_a_meeting_that_was_planned_before_is_held_with_the_sites_of_today() -> None:
    crossing = [steps for steps in sides("46").values() if steps[True][0].kind.name == "meeting"]
    assert crossing
    for steps in crossing:
        assert any(
            agency(site, restate.EVE).level == "district" for site in steps[True][0].data.invited
        )
        for event in steps[False]:
            assert set(event.data.connected) <= set(event.data.invited)
            assert all(agency(site).valid_to is None for site in event.data.invited)


def test_binh_thuan_ends_with_the_reform_and_goes_on_in_lam_dong() -> None:
    births = [event for event in good("60") if event.id.endswith("/1")]
    assert births and all(map(before, births)), "nothing begins in a province that is no more"
    after = [event for event in good("60") if not before(event)]
    assert {event.data.agency.partition(".")[0] for event in after} == {"H36"}
    assert {
        places.commune(event.data.commune).province for event in after if event.data.commune
    } == {"68"}


def test_spans_that_meet_on_the_day_are_the_whole_and_the_seed_decides() -> None:
    assert (
        *events(world("46"), START, DAY_OF_REFORM),
        *events(world("46"), DAY_OF_REFORM, END),
    ) == records("46")


def test_a_scene_of_the_former_province_changes_nothing_but_its_own() -> None:
    since = REFORMED - 3 * DAY + 8 * HOUR
    silent = world("46").before.centre(world("46").before.communes[5])
    staged = {
        record.event_id: record
        for record in events(
            world("46").staging(Silence(since, since + 5 * HOUR, silent)), START, END
        )
    }
    plain = {record.event_id: record for record in records("46")}
    assert staged.keys() == plain.keys()
    moved = {key for key in plain if staged[key].arrival_ms != plain[key].arrival_ms}
    assert all(key.startswith(f"urn:vn:{silent}#") for key in moved)


def test_the_scenes_of_a_past_run_are_those_of_units_of_their_day() -> None:
    end = milliseconds(datetime(2025, 7, 4, tzinfo=ZONE))
    [silence] = [scene for scene in past(World("46"), end) if isinstance(scene, Silence)]
    assert agency(silence.agency, date(2025, 6, 27)).valid_to == places.REFORM
    assert past(World("60"), end + 30 * DAY) == ()


def test_reports_of_a_former_commune_lie_in_an_equal_share_of_its_heirs_area() -> None:
    then = World("46").before
    for event in good("46"):
        if (
            event.kind.name == "feedback"
            and milliseconds(event.data.reported_at) < REFORMED
            and before(event)
        ):
            unit = restate.meaning(event.data.commune, restate.EVE)
            assert unit is not None
            radius = (then._area(unit) / 3.1416) ** 0.5 / 111.2
            assert abs(event.data.lat - unit.lat) < 0.62 * radius


@pytest.mark.parametrize(
    ("province", "at", "problem"),
    [
        ("46", END, ""),
        ("60", START, ""),
        (
            "60",
            DAY_OF_REFORM,
            "Tỉnh Bình Thuận (60) is part of Tỉnh Lâm Đồng (68) since 01/07/2025; choose "
            "--province 68",
        ),
        ("99", START, "unknown province code '99'"),
    ],
)
def test_a_province_that_is_no_more_names_its_heir(
    province: str, at: datetime, problem: str
) -> None:
    assert province_problem(province, at).startswith(problem)
    assert bool(province_problem(province, at)) == bool(problem)


def test_the_command_refuses_a_province_that_is_no_more_before_it_sends_anything() -> None:
    app = typer.Typer()
    app.command()(simulate)
    result = CliRunner().invoke(
        app, ["--province", "60", "--from", "2025-07-02"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 2
    assert "--province 68" in " ".join(result.output.split())
