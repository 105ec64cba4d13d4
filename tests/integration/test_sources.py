"""How timely sources are and were, and what of theirs was refused.

Through the real gateway, Kafka, worker and ClickHouse.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_driver import Client

from dashboard.query.clock import Live, Replay
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.sources import SourceStore
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from dashboard.server.replay_routes import line
from ingest.producer import Producer
from schemas.clickhouse.views import materialized_views
from schemas.events import envelope
from schemas.events.codes import FeedbackStatus
from schemas.events.kinds import FEEDBACK, KINDS
from schemas.events.payloads import Feedback
from schemas.reference import ZONE
from schemas.settings import Settings
from schemas.sources.freshness import SourceState
from streams.admin.migrate import migrate
from tests.running import Running, wait_for, worker

pytestmark = pytest.mark.stack
PLACE = ProvinceContext("46")
NOW = datetime.now(UTC)
SECRET = "Nguyễn Văn A"


def record(number: int, agency: str = "H57.IOC", **changes: object) -> bytes:
    event = Feedback(
        agency=agency,
        commune="",
        report_id=f"R{number}",
        category="water",
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW,
        reporter=SECRET,
    )
    said = json.loads(
        envelope.write(FEEDBACK, event, id=str(number), source="/test/sources", time=NOW)
    )
    said["data"] |= changes
    return json.dumps(said, ensure_ascii=False).encode()


def store(settings: Settings) -> SourceStore:
    return SourceStore(Connection(settings.clickhouse_url), PLACE.agencies, PLACE.calendar)


@pytest.fixture
def asked(settings: Settings, database: Client) -> Iterator[SourceStore]:
    found = store(settings)
    yield found
    found.connection.close()


def test_what_a_gateway_refuses_is_known_with_its_agency_and_reason_and_without_what_it_says(
    settings: Settings,
    environment: dict[str, str],
    database: Client,
    asked: SourceStore,
    tmp_path: Path,
) -> None:
    def post(body: bytes) -> None:
        address, kind = (
            f"http://127.0.0.1:{settings.gateway_port}/v1/events",
            {"Content-Type": "application/x-ndjson"},
        )
        try:
            urllib.request.urlopen(urllib.request.Request(address, body, kind), timeout=30).close()
        except urllib.error.HTTPError as answer:
            assert answer.code in (207, 422)

    ready = f"http://127.0.0.1:{settings.gateway_port}/readyz"
    with (
        worker(environment, tmp_path / "worker.log"),
        Running(
            "ingest", "gateway", environment=environment, log=tmp_path / "gateway.log", ready=ready
        ),
    ):
        post(b"\n".join(record(number, status=SECRET) for number in range(3)))
        post(record(9, agency="H57.SXD")[:-40])
        # A worker refuses too: what came into Kafka by another way.
        with Producer(settings) as producer:
            producer.send_record(FEEDBACK, b"R20", record(20, agency="H57.CA", category=7))
        found = wait_for(
            lambda: len(rows := asked.refused(Live())) == 3 and rows, what="what was refused"
        )
    by_agency = {row["agency"]: row for row in found}
    assert {
        code: (row["kind"], row["category"], row["count"], row["by"])
        for code, row in by_agency.items()
    } == {
        "H57.IOC": ("feedback", "wrong-value", 3, "gateway"),
        "H57.SXD": ("feedback", "bad-json", 1, "gateway"),
        "H57.CA": ("feedback", "wrong-type", 1, "worker"),
    }
    assert (
        "$.data.status" in by_agency["H57.IOC"]["reason"]
        and by_agency["H57.IOC"]["source"] == "/test/sources"
    )
    assert SECRET not in str(found) and SECRET not in str(
        database.execute("SELECT * FROM refusals")
    )
    assert database.execute("SELECT sum(count) FROM refusals") == [(4,)]
    assert database.execute("SELECT agency, kind FROM dead_letters") == [("H57.CA", "feedback")]
    states = {one.agency: one.state for one in asked.current(Live()) if one.kind == "feedback"}
    assert states["H57.IOC"] is states["H57.CA"] is SourceState.MALFORMED, (
        "they never spoke but in what was refused"
    )
    assert [row["agency"] for row in asked.refused(Live(), agency="H57.CA")] == ["H57.CA"]


def test_the_history_comes_from_the_events_and_survives_a_migration_from_before_it_was_kept(
    settings: Settings, database: Client, asked: SourceStore
) -> None:
    day = datetime(2026, 11, 17, tzinfo=ZONE)
    agency = next(one for one in PLACE.agencies if one.role == "one-stop" and one.commune)
    minutes = [*range(7 * 60 + 30, 9 * 60 + 11, 10), *range(13 * 60 + 40, 17 * 60, 10)]
    rows = [
        (day + timedelta(minutes=minute, seconds=20), number)
        for number, minute in enumerate(minutes)
    ]
    insert = (
        "INSERT INTO events_filing (event_id, entity_id, occurred_at, received_at, agency, "
        "commune, partition, offset) VALUES"
    )
    database.execute(
        insert, [(str(n), str(n), at, at, agency.code, agency.commune, 0, n) for at, n in rows]
    )
    for _ in range(2):  # What is written again is the same.
        database.execute(
            insert, [(str(n), str(n), at, at, agency.code, agency.commune, 0, n) for at, n in rows]
        )
    promised = agency.feed("filing")
    assert promised is not None and (promised.rhythm_minutes, promised.grace_minutes) == (60, 60)
    expected = [
        ("live", "07:30"),
        ("late", "10:10"),
        ("silent", "11:10"),
        ("live", "13:40"),
        ("quiet", "17:50"),
    ]

    def history() -> list[tuple[str, str]]:
        feed = (agency.code, "filing")
        found = asked.histories([feed], rows[0][0], day + timedelta(days=1))
        return [(str(one.state), f"{one.start:%H:%M}") for one in found[feed]]

    assert history() == expected
    unagreed = (agency.code, "meeting")
    assert asked.histories([unagreed], day, day + timedelta(days=1)) == {unagreed: ()}, (
        "it promised none"
    )
    (best, *_) = [
        one
        for one in asked.standings(day, day + timedelta(days=1))
        if one.by_state.get(SourceState.LIVE)
    ]
    assert (best.agency, best.kind) == (agency.code, "filing")
    assert best.by_state[SourceState.SILENT] == timedelta(minutes=30), "to 11:30 and from 13:30 on"
    assert database.execute("SELECT max(received_at), max(occurred_at) FROM source_freshness") == [
        (rows[-1][0], rows[-1][0])
    ]

    # A database as it was before: arrivals in another order, also from before the first event that
    # is kept.
    day_rows = (
        "SELECT day, agency, kind, max(a.received_at), max(a.occurred_at) FROM arrival_days AS a "
        "GROUP BY ALL ORDER BY ALL"
    )
    days, heard = database.execute(day_rows), database.execute("SELECT * FROM source_freshness")
    for name in (
        *(f"fill_arrival_minutes_{kind.name}" for kind in KINDS),
        "fill_freshness",
        "fill_arrival_days",
    ):
        database.execute(f"DROP VIEW {name} SYNC")
    for name in ("arrival_minutes", "arrival_days", "freshness"):
        database.execute(f"TRUNCATE TABLE {name}")
    database.execute(
        "CREATE TABLE arrivals (agency LowCardinality(String), kind LowCardinality(String), minute "
        "DateTime, received_at "
        "DateTime64(3), occurred_at DateTime64(3)) ENGINE = ReplacingMergeTree(received_at) ORDER "
        "BY (agency, kind, minute)"
    )
    by_minute = (
        "SELECT agency, 'filing' AS kind, toStartOfMinute(e.received_at) AS minute, "
        "max(e.received_at) AS received_at, "
    )
    by_minute += "max(e.occurred_at) AS occurred_at FROM events_filing AS e GROUP BY agency, minute"
    database.execute(f"CREATE MATERIALIZED VIEW fill_arrivals_filing TO arrivals AS {by_minute}")
    database.execute(
        f"INSERT INTO arrivals (agency, kind, minute, received_at, occurred_at) {by_minute}"
    )
    older = day - timedelta(days=500)
    database.execute("INSERT INTO arrivals VALUES", [("H57.IOC", "feedback", older, older, older)])
    database.execute(
        "ALTER TABLE migrations DELETE WHERE name = 'arrivals in order of time' SETTINGS "
        "mutations_sync = 1"
    )
    assert "step arrivals in order of time" in migrate(settings)
    assert history() == expected
    assert database.execute(day_rows) == [
        (older.date(), "H57.IOC", "feedback", older, older),
        *days,
    ]
    assert sorted(database.execute("SELECT * FROM source_freshness")) == sorted(
        [("H57.IOC", "feedback", older, older), *heard]
    )
    assert database.execute("SELECT received_at FROM arrival_minutes FINAL ORDER BY minute") == [
        (older,),
        *((at,) for at, _ in rows),
    ]
    present = {
        name
        for (name,) in database.execute(
            "SELECT name FROM system.tables WHERE database = currentDatabase()"
        )
    }
    assert (
        materialized_views().keys() <= present
        and not {"arrivals", "fill_arrivals_filing"} & present
    )


def test_an_agency_that_is_no_more_has_its_silence_on_the_timeline_of_then(
    settings: Settings, database: Client
) -> None:
    day = datetime(2025, 3, 4, tzinfo=ZONE)
    today = {one.code for one in PLACE.agencies}
    former = next(
        one
        for one in PLACE.then(Replay(day)).agencies
        if one.role == "one-stop" and one.code not in today
    )
    times = [
        day + timedelta(minutes=minute, seconds=20)
        for minute in range(7 * 60 + 30, 9 * 60 + 11, 10)
    ]  # then no more that day
    database.execute(
        "INSERT INTO events_filing (event_id, entity_id, occurred_at, received_at, agency, "
        "commune, partition, offset) VALUES",
        [(str(n), str(n), at, at, former.code, former.commune, 0, n) for n, at in enumerate(times)],
    )
    asked = PageRequest(
        "/replay",
        (("since", format_moment(day)), ("until", format_moment(day + timedelta(days=1)))),
        "vi",
    )
    ask = PageContext(Connection(settings.clickhouse_url), Live(), PLACE)
    silent = {(agency, kind) for _, _, agency, kind in line(ask, asked)["outages"]}
    assert silent == {(former.label("vi"), asked.translator("feed_filing"))}
    ask.connection.close()


def test_the_league_of_a_month_is_asked_in_a_moment(database: Client, asked: SourceStore) -> None:
    """A million minutes of arrivals: ClickHouse makes runs of them, Python sees the gaps only."""
    codes = [one.code for one in PLACE.agencies if one.feed("filing")][:30]
    database.execute(
        "INSERT INTO arrival_minutes SELECT now() - toIntervalMinute(number) AS minute, agency, "
        "'filing', minute, minute "
        "FROM numbers(30 * 1440) ARRAY JOIN %(codes)s AS agency",
        {"codes": codes},
    )
    began = datetime.now(UTC)
    found = asked.league(Live())
    assert datetime.now(UTC) - began < timedelta(seconds=20)
    assert {one.agency for one in found if one.share(SourceState.LIVE) == 100} <= set(codes)
    assert found[0].share(SourceState.LIVE) > 99
