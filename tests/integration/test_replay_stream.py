"""The stream run again at full speed, from Kafka and from ClickHouse; live goes on untouched."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from dashboard.pages.package.tables import extracts
from dashboard.pages.replay.starting import RunRequestError, Starter
from dashboard.query.connection import Connection
from dashboard.query.replays import ReplayStore
from schemas.clickhouse import replays
from schemas.clickhouse.replays import RunState, sandbox
from schemas.clickhouse.sql import database
from schemas.events.kinds import FILING, KINDS
from schemas.settings import Settings
from streams.replay import run, run_store
from streams.replay.admission import DiskSpaceError
from streams.replay.history import NotInKafkaError
from streams.replay.plan import Plan
from tests.integration.replay_live import DAY, Live, base, counted, counted_day
from tests.running import command

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def live(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    yield from counted_day(
        module_settings, module_environment, tmp_path_factory.mktemp("logs") / "worker.log"
    )


@pytest.mark.parametrize("source", ["kafka", "clickhouse"])
def test_a_day_sent_again_at_full_speed_gives_the_windows_of_live_exactly(
    live: Live, source: str
) -> None:
    before = live.windows()
    said = live.replay(
        "--from", "2026-11-10", "--to", "2026-11-11", "--into", source, "--source", source
    )
    assert "equal the live ones" in said
    own = sandbox(live.settings, source)
    assert live.windows(own) == before == live.windows(), (
        "the run's windows are those of live, and live is untouched"
    )
    for kind in KINDS:
        assert live.states(own, kind) == live.states(live.settings, kind)
    one = live.run(source)
    assert (one.state, one.source, one.differing, one.counted) == (
        RunState.FINISHED,
        source,
        0,
        one.sent,
    )
    letters = counted(live.client, f"{base(own)}.dead_letters")
    assert letters > 1 if source == "kafka" else letters == 0, "the very records, or what counted"
    assert counted(live.client, f"{base(own)}.life_feedback FINAL") > 0, (
        "its records can be looked at"
    )
    assert "0 of " in live.replay("compare", source)


def test_a_run_that_differs_is_told_measure_by_measure(live: Live) -> None:
    live.replay("--from", "2026-11-10", "--to", "2026-11-11", "--into", "spoilt")
    own = sandbox(live.settings, "spoilt")
    live.client.execute(
        f"ALTER TABLE {base(own)}.windows_feedback DELETE WHERE steps > 0 AND {DAY.windows}",
        settings={"mutations_sync": 1},
    )
    done = command(live.environment, "streams", "replay", "compare", "spoilt")
    told = done.stdout.decode()
    ((steps,),) = live.client.execute(
        f"SELECT sum(steps) FROM windows_feedback FINAL WHERE {DAY.windows}"
    )
    assert done.returncode == 1 and f"-{steps:,}" in told


def test_a_name_is_used_once_until_it_is_removed(live: Live) -> None:
    arguments = ("--from", "2026-11-10T08:00", "--to", "2026-11-10T09:00", "--into", "hour")
    live.replay(*arguments)
    again = command(live.environment, "streams", "replay", *arguments)
    assert again.returncode != 0 and b"There is already a run hour" in again.stderr
    assert "hour" in live.replay("list")
    assert "removed" in live.replay("remove", "hour")
    own = sandbox(live.settings, "hour")
    assert not live.client.execute(
        "SELECT 1 FROM system.databases WHERE name = %(name)s",
        {"name": database(own.clickhouse_url)},
    )
    assert not [
        one for one in asyncio.run(_topics(live.settings)) if one.startswith(own.topic_prefix)
    ]
    assert "hour" not in live.replay("list")
    assert "equal the live ones" in live.replay(*arguments), "nothing of the first run is left"
    hour = timedelta(hours=1)
    done = next(
        one
        for one in extracts(datetime.now(UTC) - hour, datetime.now(UTC) + hour)
        if one.name == "actions"
    )
    assert [row[1:3] for row in live.client.execute(done.question) if row[2] == "hour"] == [
        ("replay begun", "hour")
    ]


async def _topics(settings: Settings) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
        return list(await admin.list_topics())
    finally:
        await admin.close()


def test_a_run_for_which_the_disk_has_no_room_says_so_and_does_not_begin(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((taken, known, free),) = live.client.execute(replays.room())
    assert taken > 0 and known > 0 and free > 0
    assert (
        replays.needed_bytes(known, taken, known)
        == replays.RESERVE_BYTES + replays.SPACE_FACTOR * taken
    )
    monkeypatch.setattr(replays, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(DiskSpaceError, match="not enough free disk space"):
        asyncio.run(run.run(live.settings, Plan("crowded", DAY)))
    assert not run_store.read(live.client, "crowded")
    with pytest.raises(RunRequestError, match="disk"):
        store = ReplayStore(Connection(live.settings.clickhouse_url))
        Starter(store, live.settings.home).start(
            {"name": "crowded", "since": "2026-11-10", "until": "2026-11-11"}
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2020-01-01", "--to", "2020-01-02", "--into", "x"], "Nothing happened"),
        (["--into", "Not a name"], "cannot be a name"),
        (["--into", "x", "--speed", "fast"], "--speed must be a number"),
        (["--into", "x", "--source", "tape"], "--source must be one of"),
        (["--into", "x", "--source", "kafka", "--on-time"], "choose ClickHouse as the source"),
        (["--from", "2026-11-10"], "--into NAME is required"),
        (["remove", "nobody"], "There is no run nobody"),
        (["compare", "nobody"], "There is no run nobody"),
    ],
)
def test_what_cannot_be_sent_again_is_said_and_nothing_begins(
    live: Live, arguments: list[str], words: str
) -> None:
    done = command(live.environment, "streams", "replay", *arguments)
    assert done.returncode != 0 and words in done.stderr.decode()
    assert not run_store.read(live.client, "x")


def test_what_kafka_no_longer_holds_is_read_from_clickhouse(live: Live) -> None:
    asyncio.run(_forget_first(live.settings))
    with pytest.raises(NotInKafkaError, match="no longer holds"):
        asyncio.run(run.run(live.settings, Plan("gone", DAY, source="kafka")))
    done = asyncio.run(run.run(live.settings, Plan("gone", DAY)))
    assert (done.state, done.source, done.differing) == (RunState.FINISHED, "clickhouse", 0)


async def _forget_first(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
        await admin.delete_records(
            {
                TopicPartition(FILING.topic(settings.topic_prefix), 0): RecordsToDelete(
                    before_offset=100
                )
            }
        )
    finally:
        await admin.close()
