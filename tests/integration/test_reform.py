"""A simulated Huế across 2025-07-01 through Kafka, worker and ClickHouse.

Filings by the units of the day and restated to today's, each compared with what the raw events say;
late reports under old codes among them.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clickhouse_driver import Client
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.pages.map import page as operators_map
from dashboard.query.clock import At, Live
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.lists import ListStore, Sought
from dashboard.query.lives import LifeStore
from dashboard.query.snapshot import ProvinceContext
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
LATE = {"19750": "19753", "00006": "00008", "19753": "19753", "BROOKLYN": "BROOKLYN"}
"""Codes of late reports, of after the reform, and what they are restated to.

Two former ones, a reused one, one of nowhere.
"""


@dataclass(frozen=True)
class Way:
    """The database at the end of the path, and how many events were sent into it."""

    connection: Connection
    sent: int


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
    yield Way(connection, len(raw))
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


def test_every_window_of_both_sides_is_what_the_raw_events_give(
    path: Way, module_settings: Settings
) -> None:
    [report] = verify(module_settings, [FILING])
    assert (report.events, report.differences) == (path.sent, [])


@pytest.mark.parametrize(("number", "code"), enumerate(LATE))
def test_late_reports_under_old_codes_are_of_who_took_over(
    path: Way, module_settings: Settings, number: int, code: str
) -> None:
    client = Client.from_url(module_settings.clickhouse_url)
    Lives(client, "46").catch_up()
    client.disconnect()
    records = ListStore(LifeStore(path.connection, calendar("46")))

    def reported(commune: str) -> int:
        return records.total(
            At(END), Sought(FILING, text=f"late-{number}", by="commune", unit=commune)
        )

    assert reported(LATE[code]) == 1
    assert code == LATE[code] or reported(code) == 0


def test_what_was_restated_from_divided_units_is_told(path: Way) -> None:
    divided = next(
        code
        for code in sorted(places.atlas().former_communes)
        if restate.is_divided(code, restate.EVE)
    )
    connection = path.connection
    connection.rows(
        f"CREATE TABLE few (commune LowCardinality(String), at {MOMENT}) ENGINE = Memory"
    )
    connection.rows(
        f"INSERT INTO few SELECT arrayJoin(['{divided}', '19750']), toDateTime64('2025-05-02 "
        "00:00:00', 3)"
    )
    before = restate.before_sql("at")
    rows = connection.rows(
        f"SELECT {restate.today_sql('commune', before)} AS unit, "
        f"{restate.divided_sql('commune', before)} AS uncertain FROM few"
    )
    found = {row["unit"]: bool(row["uncertain"]) for row in rows}
    assert found == {places.successors(divided)[0].code: True, "19753": False}


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
    shown = FigureStore(path.connection, calendar("46")).now(At(END), [opened], ("commune",))
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
    return PageContext(path.connection, Live(), ProvinceContext(province)).of(asked), asked


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
