"""A simulated Huế across 2025-07-01 through Kafka, worker and ClickHouse.

Filings by the units of the day and restated to today's, each compared with what the raw events say;
late reports under old codes among them.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from clickhouse_driver import Client
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.pages.map import page as operators_map
from dashboard.query.clock import At, Live
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.figures import FigureStore
from dashboard.query.lists import Sought
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.units import UnitStore
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from dashboard.server.pages import page_of
from ingest.producer import Producer
from ingest.simulator import World, events, staging
from ingest.simulator.clock import ZONE
from schemas import places
from schemas.clickhouse.columns import MOMENT
from schemas.events.codes import Channel, FilingStatus
from schemas.events.envelope import Reader
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.figures import BY_CODE
from schemas.figures.questions import QueryMoment, ask
from schemas.moments import milliseconds
from schemas.places import restate
from schemas.reference import calendar, statuses
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.verify import verify
from streams.lives import Lives
from tests.queries import live
from tests.running import command, wait_for, worker

pytestmark = pytest.mark.stack
START, END = datetime(2025, 6, 20, tzinfo=ZONE), datetime(2025, 7, 10, tzinfo=ZONE)
MEASURES = ("steps", "registered", "finished")
LATE = {"19750": "19753", "00006": "00008", "19753": "19753", "BROOKLYN": "BROOKLYN"}
"""Codes of late reports, of after the reform, and what they are restated to.

Two former ones, a reused one, one of nowhere.
"""


@dataclass(frozen=True)
class Way:
    """The database at the end of the path, and the raw events that were sent into it."""

    store: UnitStore
    raw: pd.DataFrame


@pytest.fixture(scope="module")
def path(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Way]:
    log: Path = tmp_path_factory.mktemp("logs") / "worker.log"
    migrate(module_settings)
    arguments = ("--province", "46", "--from", "2025-06-20", "--to", "2025-07-10")
    sent = command(module_environment, "ingest", "simulate", *arguments)
    assert sent.returncode == 0, sent.stderr.decode()
    raw = [*simulated(), *late(module_settings)]
    connection = Connection(module_settings.clickhouse_url)
    with worker(module_environment, log):
        wait_for(
            lambda: (
                connection.rows("SELECT count() AS n FROM events_filing FINAL")[0]["n"] == len(raw)
            ),
            240,
            "all filings",
        )
        windowed = (
            "SELECT sum(steps) AS n FROM windows_filing FINAL WHERE window_start > toDateTime(0)"
        )
        wait_for(lambda: connection.rows(windowed)[0]["n"] == len(raw), 60, "all windows")
    frame = pd.DataFrame(raw, columns=["time", "commune", "status"])
    yield Way(UnitStore(connection), frame)
    connection.close()


def simulated() -> Iterator[tuple[datetime, str, FilingStatus]]:
    """Yield the distinct good filing events that the command sent."""
    reader, seen = Reader(), set()
    world = World("46", 7)
    for record in events(world.staging(*staging.past(world, milliseconds(END))), START, END):
        if record.kind is FILING and record.fate != "bad" and record.event_id not in seen:
            seen.add(record.event_id)
            event = reader.read(record.value)
            yield event.time, event.data.commune, event.data.status


def late(settings: Settings) -> Iterator[tuple[datetime, str, FilingStatus]]:
    """Yield reports of after the reform under old codes, sent."""
    time = datetime(2025, 7, 3, 2, tzinfo=UTC)
    with Producer(settings) as producer:
        for number, code in enumerate(LATE):
            filing = Filing(
                agency=f"H57.{code}",
                commune=code,
                filing_id=f"late-{number}",
                procedure="1.005129",
                status=FilingStatus.FINISHED,
                channel=Channel.ONLINE,
                registered_at=datetime(2025, 6, 25, 2, tzinfo=UTC),
            )
            producer.send(FILING, filing, id=str(number), source="/late", time=time)
            yield time, code, filing.status


def expected(raw: pd.DataFrame, units: restate.Units) -> pd.DataFrame:
    """Return the same sums from the raw events, by pandas and the pure rule."""
    days = [restate.day(time) for time in raw["time"]]
    codes = list(zip(raw["commune"], days, strict=True))
    frame = raw.assign(
        unit=[restate.today(code, on) if units == "today" else code for code, on in codes],
        is_former=[units == "day" and restate.is_former(code, on) for code, on in codes],
        steps=1,
        registered=raw["status"] == FilingStatus.REGISTERED,
        finished=raw["status"] == FilingStatus.FINISHED,
    )
    return frame.groupby(["unit", "is_former"], as_index=False)[list(MEASURES)].sum()


@pytest.mark.parametrize("units", ["today", "day"])
def test_figures_per_unit_are_those_of_the_raw_events(path: Way, units: restate.Units) -> None:
    found = path.store.sums(FILING, MEASURES, START - timedelta(days=100), END, units)
    wanted = expected(path.raw, units)
    assert len(found) == len(wanted) == {"today": 42, "day": 133 + 40 + 2}[units]
    assert found[["unit", "is_former", *MEASURES]].astype(wanted.dtypes.to_dict()).equals(wanted)


def test_nothing_is_lost_or_doubled_by_restating(path: Way) -> None:
    sums = {
        units: path.store.sums(FILING, MEASURES, START, END, units)[list(MEASURES)].sum().to_dict()
        for units in ("today", "day")
    }
    assert sums["today"] == sums["day"]
    assert sums["day"]["steps"] == len(path.raw[path.raw["time"] >= START])


def test_every_window_of_both_sides_is_what_the_raw_events_give(
    path: Way, module_settings: Settings
) -> None:
    [report] = verify(module_settings, [FILING])
    assert (report.events, report.differences) == (len(path.raw), [])


def test_every_commune_of_today_has_history_before_the_reform(path: Way) -> None:
    before = path.store.sums(
        FILING, ["registered"], START, datetime(2025, 7, 1, tzinfo=ZONE), "today"
    )
    registered = dict(zip(before["unit"], before["registered"], strict=True))
    assert set(registered) == {one.code for one in places.communes("46")}
    assert min(registered.values()) > 20
    assert before["registered_uncertain"].sum() == 0, "no unit of Huế was divided"


def test_units_of_a_day_have_their_names_types_and_validity(path: Way) -> None:
    rows = path.store.sums(FILING, ["steps"], START, END, "day")
    named = {(row.unit, row.is_former): row for row in rows.itertuples()}
    former, now = named["19753", True], named["19753", False]
    assert (former.name, former.type, former.valid_to) == ("Thuận Lộc", "phường", places.REFORM)
    assert (now.name, now.type, now.valid_from, now.valid_to) == (
        "Phú Xuân",
        "phường",
        places.REFORM,
        None,
    )
    assert named["BROOKLYN", False].name is None


@pytest.mark.parametrize("code", LATE)
def test_late_reports_under_old_codes_are_of_who_took_over(path: Way, code: str) -> None:
    at = datetime(2025, 7, 3, 2, tzinfo=UTC)
    minute = path.store.sums(FILING, ["steps"], at, at + timedelta(minutes=1), "today")
    mine = Counter(dict(zip(minute["unit"], minute["steps"], strict=True)))
    others = path.raw[(path.raw["time"] >= at) & (path.raw["time"] < at + timedelta(minutes=1))]
    wanted = Counter(restate.today(one, places.REFORM) for one in others["commune"])
    assert mine == wanted and mine[LATE[code]] >= 1


def test_what_was_restated_from_divided_units_is_told(path: Way) -> None:
    divided = next(
        code
        for code in sorted(places.atlas().former_communes)
        if restate.is_divided(code, restate.EVE)
    )
    connection = path.store.connection
    connection.rows(
        f"CREATE TABLE few (commune LowCardinality(String), at {MOMENT}) ENGINE = Memory"
    )
    connection.rows(
        f"INSERT INTO few SELECT arrayJoin(['{divided}', '19750']), toDateTime64('2025-05-02 "
        "00:00:00', 3)"
    )
    before = restate.before_sql("at")
    rows = connection.rows(
        f"SELECT {restate.key_sql('today', 'commune', before)}, "
        f"{restate.divided_sql('commune', before)} AS uncertain FROM few"
    )
    found = {row["unit"]: bool(row["uncertain"]) for row in rows}
    assert found == {places.successors(divided)[0].code: True, "19753": False}


def test_an_unknown_measure_is_named(path: Way) -> None:
    with pytest.raises(ValueError, match=r"filing has no measures \['smiles'\]"):
        path.store.sums(FILING, ["smiles"], START, END, "day")
    with pytest.raises(UnreachableError):
        UnitStore(Connection("clickhouse://127.0.0.1:1/ioc")).sums(
            FILING, ["steps"], START, END, "day"
        )


def test_figures_over_lives_are_restated_to_the_units_of_today(
    path: Way, module_settings: Settings
) -> None:
    """Each filing counts for the heir of the commune that its newest step names, by the day of that
    step.
    """
    client = Client.from_url(module_settings.clickhouse_url)
    Lives(client, "46").catch_up()
    opened, moment = BY_CODE["filing.open"], QueryMoment.of(END, calendar("46"))
    rows = client.execute(
        "SELECT commune, since FROM current_filing FINAL WHERE standing != 'closed'"
    )
    wanted = Counter(restate.today(commune, restate.day(since)) for commune, since in rows)
    found = ask(live(client), [opened], moment, ("commune",), units="today")
    assert {
        unit: said["filing.open"].value
        for (unit,), said in found.items()
        if said["filing.open"].value
    } == wanted
    shown = FigureStore(path.store.connection, calendar("46")).now(At(END), [opened], ("commune",))
    assert shown == found, "screens show communes of today"
    by_day = ask(live(client), [opened], moment, ("commune",))
    assert (
        sum(said["filing.open"].value or 0 for said in by_day.values())
        == sum(wanted.values())
        > 100
    )
    client.disconnect()


THEN = datetime(2025, 6, 27, 10, tzinfo=ZONE)


def drawn_text(components: object) -> str:
    return json.dumps(json.loads(json.dumps(components, cls=PlotlyJSONEncoder)), ensure_ascii=False)


def looking(
    path: Way, address: str, province: str = "46", **given: str
) -> tuple[PageContext, PageRequest]:
    asked = PageRequest(
        address,
        tuple({"moment": format_moment(THEN), "picture": "corrected", **given}.items()),
        "vi",
    )
    return PageContext(path.store.connection, Live(), ProvinceContext(province)).of(asked), asked


def test_a_moment_before_the_reform_has_the_units_of_its_day(
    path: Way, module_settings: Settings
) -> None:
    client = Client.from_url(module_settings.clickhouse_url)
    Lives(client, "46").catch_up()
    closed = tuple(int(one.status) for one in statuses("filing") if one.standing == "closed")
    happened = f"least(occurred_at, received_at) <= fromUnixTimestamp64Milli({milliseconds(THEN)})"
    rows = client.execute(
        "SELECT commune, count() FROM (SELECT argMax(e.commune, e.occurred_at) AS commune, "
        "argMax(e.status, e.occurred_at) AS last "
        f"FROM events_filing AS e WHERE {happened} GROUP BY entity_id) WHERE last NOT IN {closed} "
        "GROUP BY commune"
    )
    client.disconnect()
    wanted = dict(rows)
    ask, _ = looking(path, "/unit/46")
    units = ask.units()
    found = {code: units[code]["filing.open"].value for code in ask.place.names if code in units}
    assert {code: value for code, value in found.items() if value} == wanted
    assert len(wanted) > 100 > len(ProvinceContext("46").names), (
        "more than there are communes today"
    )
    assert units["46"]["filing.open"].value == sum(wanted.values())


def test_pages_of_before_the_reform_speak_of_its_units(path: Way) -> None:
    ask, asked = looking(path, "/unit/46")
    below = drawn_text(page_of("/unit/46").content(ask, asked))
    assert "Thuận Lộc" in below and "/unit/19750" in below
    assert len({code for code in ask.place.names if f"/unit/{code}" in below}) == 133
    ward = drawn_text(page_of("/unit/19753").content(*looking(path, "/unit/19753")))
    assert (
        "Phường Thuận Lộc" in ward
        and "(đến 30/06/2025)" not in ward
        and "hường Phú Xuân" not in ward
    )


def test_a_special_zone_of_today_is_still_to_come_before_the_reform(path: Way) -> None:
    zone = drawn_text(page_of("/unit/21548").content(*looking(path, "/unit/21548", province="51")))
    assert "Đặc khu Lý Sơn" in zone and "Đơn vị chưa có hiệu lực" in zone and "Huyện Lý Sơn" in zone


def test_the_map_and_the_lists_of_before_the_reform_are_told_by_its_units(path: Way) -> None:
    ask, asked = looking(
        path, "/map", unit="19750", layers="communes", kind="filing", measure="filing.open"
    )
    shown = operators_map.parts(ask, asked)["drawn"]
    assert shown["outlines"] == "/outlines/46-former.json" and shown["chosen"]["communes"] == [
        "19750"
    ]
    assert (
        len(shown["names"]) == 133
        and shown["names"]["19753"] == "Thuận Lộc"
        and len(shown["values"]) > 100
    )
    listed, total = Sought(FILING, only=(("commune", ("19750",)),)), ask.lists.total
    assert (
        total(ask.clock, listed) == total(ask.clock, Sought(FILING, by="commune", unit="19750")) > 0
    )
