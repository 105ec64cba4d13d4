"""The stream run again.

From Kafka and from ClickHouse, at full speed and at a speed, to its end, stopped and killed; and
all the while live goes on untouched.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from clickhouse_driver import Client

from dashboard.history.past import PastConnection
from dashboard.pages.package.tables import extracts
from dashboard.pages.replay.starting import RunRequestError, Starter
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.replays import ReplayStore
from ingest import topics
from ingest.producer import Producer
from ingest.simulator import World
from schemas.clickhouse import replays
from schemas.clickhouse.query import Query
from schemas.clickhouse.replays import ReplayRun, RunState, sandbox
from schemas.clickhouse.sql import at, database
from schemas.clickhouse.tables import state_table, windows_table
from schemas.clickhouse.watch_tables import WATCH
from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import write
from schemas.events.kinds import FEEDBACK, FILING, KINDS, Kind
from schemas.events.payloads import Feedback
from schemas.moments import milliseconds
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.period import parse
from streams.replay import run, run_store
from streams.replay.admission import DiskSpaceError
from streams.replay.history import NotInKafkaError
from streams.replay.plan import Plan
from streams.replay.sandbox import remove
from tests.running import Running, command, wait_for, worker
from tests.simulated import backfill

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
END = datetime(2026, 11, 10, 17, tzinfo=UTC)
"""Midnight in Viet Nam."""
START = END - timedelta(days=1)
DAY = parse("2026-11-10", "2026-11-11")
DAY_MS = 86_400_000


@dataclass
class Live:
    """A day of Huế that was counted, with repeats, a conflict, what no event can be, and what came
    a day late.
    """

    settings: Settings
    environment: dict[str, str]
    client: Client

    def windows(self, where: Settings | None = None) -> dict[str, list[Any]]:
        """Return all windows of the day; Kafka's partitions and offsets left out."""
        return {kind.name: self._rows(where, kind) for kind in KINDS}

    def _rows(self, where: Settings | None, kind: Kind) -> list[Any]:
        names = ", ".join(("window_start", *kind.dimensions))
        sums = ", ".join(f"sum(w.{one.name}) AS s_{one.name}" for one in kind.measures)
        table = f"{base(where or self.settings)}.{windows_table(kind).name}"
        return list(
            self.client.execute(
                f"SELECT {names}, {sums} FROM {table} AS w FINAL WHERE {DAY.windows} GROUP BY "
                f"{names} ORDER BY ALL"
            )
        )

    def states(self, where: Settings, kind: Kind) -> list[Any]:
        """Return the states of the entities whose events all lie in the day.

        Without offsets and what is made of them.
        """
        kept = [
            c.name
            for c in state_table(kind).columns
            if c.name not in ("offset", "version", "occurred_at")
        ]
        table, live = (
            f"{base(where)}.{state_table(kind).name}",
            f"{base(self.settings)}.events_{kind.name}",
        )
        only = f"SELECT entity_id FROM {live} GROUP BY entity_id HAVING min({DAY.events})"
        return list(
            self.client.execute(
                f"SELECT {', '.join(kept)} FROM {table} FINAL WHERE entity_id IN ({only}) ORDER BY "
                "entity_id"
            )
        )

    def replay(self, *arguments: str) -> str:
        """Return a command that succeeds, and what it says."""
        done = command(self.environment, "streams", "replay", *arguments)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    def run(self, name: str) -> ReplayRun:
        """Return how a run stands."""
        (found,) = run_store.read(self.client, name)
        return found


def base(settings: Settings) -> str:
    """Return the database of an installation or a run, for SQL."""
    return f"`{database(settings.clickhouse_url)}`"


@pytest.fixture(scope="module")
def live(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    migrate(module_settings)
    topics.ensure(module_settings)
    ledger, _ = backfill(
        module_settings, World("46", 7, beginning=milliseconds(START) - DAY_MS), START, END
    )
    client = Client.from_url(module_settings.clickhouse_url)
    with Producer(module_settings) as producer:
        arrived = milliseconds(END) + DAY_MS
        for number, (id, status) in enumerate([("1", 0), ("1", 0), ("1", 1), ("2", 1), ("2", 1)]):
            late = Feedback(
                agency="H57.IOC",
                commune="19753",
                report_id=f"R{id}",
                category="water",
                status=list(FeedbackStatus)[status],
                reported_at=START,
                reporter="Nguyễn Thị Mẫu, 0900000000",
            )
            value = write(FEEDBACK, late, id=id, source="/late", time=START + timedelta(hours=3))
            producer.send_record(FEEDBACK, late.report_id.encode(), value, arrived + number)
        producer.send_record(FILING, b"x", b'{"specversion":"1.0"', milliseconds(START) + 1000)
        producer.flush()
    with worker(module_environment, tmp_path_factory.mktemp("logs") / "worker.log"):
        for kind in KINDS:
            good = ledger.good[kind.name] + (2 if kind is FEEDBACK else 0)
            wait_for(
                partial(has_counted, client, f"events_{kind.name} FINAL", good),
                what=f"all of {kind.name}",
            )
        wait_for(
            lambda: counted(client, "dead_letters") == sum(ledger.bad.values()) + 2,
            what="the dead letters",
        )
    assert sum(ledger.repeats.values()) > 0
    found = Live(module_settings, module_environment, client)
    yield found
    for one in run_store.read(client):
        asyncio.run(remove(module_settings, one.name))
    client.disconnect()


def counted_by(client: Client, question: str) -> int:
    ((count,),) = client.execute(question)
    return int(count)


def counted(client: Client, table: str) -> int:
    return counted_by(client, f"SELECT count() FROM {table}")


def has_counted(client: Client, table: str, count: int) -> bool:
    return counted(client, table) == count


def is_in(live: Live, name: str, state: RunState) -> bool:
    return live.run(name).state is state


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


def _processes(own: Settings) -> list[str]:
    """Return its workers and its watch: processes with the settings of a run."""
    found, mark = [], own.topic_prefix.encode()
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (one / "environ").read_bytes():
                found.append(one.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_at_a_speed_goes_on_in_order_and_may_be_ended_at_any_time(
    live: Live, end: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = end.name.lower()
    own = sandbox(live.settings, name)
    going = Running(
        "streams",
        "replay",
        "--from",
        "2026-11-10",
        "--to",
        "2026-11-11",
        "--speed",
        "900",
        "--into",
        name,
        environment=live.environment,
        log=tmp_path / "run.log",
    )
    try:
        wait_for(
            lambda: (
                live.run(name).counted > 0 and live.run(name).moment > START + timedelta(hours=1)
            ),
            what="an hour of it",
        )
        one = live.run(name)
        assert one.state is RunState.RUNNING and one.sent < one.total
        ((last,),) = live.client.execute(f"SELECT max(received_at) FROM {base(own)}.events_filing")
        seen = datetime.now(UTC)
        told = wait_for(
            lambda: (now := live.run(name)).at > seen and now, what="how far it was by then"
        )
        assert last <= told.moment, "nothing is sent before its time"
        assert _processes(own)
        if end is signal.SIGTERM:
            refused = command(live.environment, "streams", "replay", "remove", name)
            assert refused.returncode != 0 and b"is running" in refused.stderr
        going.process.send_signal(end)
        going.process.wait(60)
        wait_for(lambda: not _processes(own), what="the end of its worker")
    finally:
        going.stop()
    if end is signal.SIGKILL:
        monkeypatch.setattr(replays, "SILENT_AFTER", timedelta(0))
        one = live.run(name)
        assert one.state is RunState.FAILED and "killed" in one.said
        return
    assert live.run(name).state is RunState.STOPPED
    assert 0 < live.run(name).sent < live.run(name).total
    live.replay("remove", name)


def test_two_runs_go_on_at_a_time_and_the_next_waits_for_its_turn(
    live: Live, tmp_path: Path
) -> None:
    period = ("--from", "2026-11-10", "--to", "2026-11-11", "--speed", "60")
    going: dict[str, Running] = {}
    try:
        for name in ("one", "two", "three", "four"):
            log = tmp_path / f"{name}.log"
            going[name] = Running(
                "streams", "replay", *period, "--into", name, environment=live.environment, log=log
            )
            state = RunState.RUNNING if name in ("one", "two") else RunState.QUEUED
            wait_for(partial(is_in, live, name, state), what=f"{name} {state}")
        assert not _processes(sandbox(live.settings, "three")), "nothing of it has begun"
        refused = command(live.environment, "streams", "replay", "remove", "three")
        assert refused.returncode != 0 and b"is queued" in refused.stderr
        assert "asked to stop" in live.replay("stop", "three")
        wait_for(
            lambda: live.run("three").state is RunState.STOPPED, what="the end of one that waited"
        )
        going["one"].stop(60)
        wait_for(lambda: live.run("four").state is RunState.RUNNING, what="its turn")
        assert live.run("two").state is RunState.RUNNING
    finally:
        for one in going.values():
            one.stop(60)
    wait_for(
        lambda: not any(_processes(sandbox(live.settings, name)) for name in going),
        what="the end of their processes",
    )


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


def test_a_worker_that_ends_is_noticed_while_nothing_is_due(live: Live, tmp_path: Path) -> None:
    own, hour = (
        sandbox(live.settings, "ended"),
        ("--from", "2026-11-10T02:00", "--to", "2026-11-10T03:00"),
    )
    going = Running(
        "streams",
        "replay",
        *hour,
        "--speed",
        "0.01",
        "--into",
        "ended",
        environment=live.environment,
        log=tmp_path / "run.log",
    )
    try:
        (worker_of_it,) = wait_for(lambda: _processes(own), what="its worker")
        wait_for(
            lambda: (
                live.run("ended").counted >= 0
                and live.run("ended").moment > live.run("ended").since
            ),
            what="its course",
        )
        os.kill(int(worker_of_it), signal.SIGKILL)
        assert going.process.wait(60) != 0
    finally:
        going.stop()
    one = live.run("ended")
    assert one.state is RunState.FAILED and "a worker ended" in one.said


def test_a_day_of_the_past_is_an_exercise_of_today_and_is_watched_over(
    live: Live, tmp_path: Path
) -> None:
    own = sandbox(live.settings, "today")
    going = Running(
        "streams",
        "replay",
        "--from",
        "2026-11-10",
        "--to",
        "2026-11-11",
        "--as-now",
        "--into",
        "today",
        environment=live.environment,
        log=tmp_path / "run.log",
    )
    try:
        wait_for(lambda: live.run("today").counted > 0, what="its first events")
        one = live.run("today")
        now = datetime.now(UTC)
        shift = one.since - START
        assert (one.mark, one.state) == ("exercise", RunState.RUNNING)
        assert shift % timedelta(days=1) == timedelta(0), "the same time of day"
        assert timedelta(0) <= now - one.since < timedelta(days=1)
        due = f"SELECT count() FROM events_filing FINAL WHERE {DAY.events} AND received_at <= {{}}"
        first, last = (
            counted_by(live.client, due.format(at(moment - shift)))
            for moment in (now, now + timedelta(seconds=60))
        )
        wait_for(
            lambda: first <= counted(live.client, f"{base(own)}.events_filing FINAL") <= last,
            what="what has happened by now",
        )
        late = "occurred_at > now() OR received_at > now() + 1 OR registered_at > now()"
        assert counted(live.client, f"{base(own)}.events_filing WHERE {late}") == 0
        wait_for(
            lambda: counted(live.client, f"{base(own)}.watch_jobs FINAL") > 5, what="its watch"
        )
        shown = PastConnection(
            Connection(own.clickhouse_url),
            "46",
            Replay(live.run("today").moment, Picture.CORRECTED),
        )
        jobs = shown.tuples(Query(f"SELECT count() FROM {WATCH.ref}", (WATCH,)))
        assert jobs[0][0] > 5, "and the screens say that it is watched"
        wait_for(
            lambda: counted(live.client, f"{base(own)}.current_filing FINAL") > 0, what="its lives"
        )
    finally:
        going.stop()
    assert live.run("today").state is RunState.STOPPED
    wait_for(lambda: not _processes(own), what="the end of its processes")


def test_an_exercise_is_fed_by_the_simulator_and_live_hears_nothing_of_it(
    live: Live, tmp_path: Path
) -> None:
    own, before = sandbox(live.settings, "storm"), live.windows()
    events = counted(live.client, "events_feedback")
    with Running(
        "streams", "replay", "open", "storm", environment=live.environment, log=tmp_path / "run.log"
    ):
        wait_for(lambda: live.run("storm").state is RunState.RUNNING, what="the exercise")
        arguments = (
            "simulate",
            "--seed",
            "3",
            "--days",
            "1",
            "--live",
            "--scene",
            "storm",
            "--scene",
            "tet",
            "--into",
            "storm",
        )
        with Running(
            "ingest", *arguments, environment=live.environment, log=tmp_path / "simulate.log"
        ):
            wait_for(lambda: live.run("storm").counted > 50, what="what the simulator sends")
            one = live.run("storm")
            assert timedelta(seconds=-1) < datetime.now(UTC) - one.moment < timedelta(seconds=10), (
                "it goes as time goes"
            )
            refused = command(live.environment, "streams", "replay", "compare", "storm")
            assert (
                one.live
                and refused.returncode == 1
                and b"no live windows to compare" in refused.stderr
            )
            raised = f"{base(own)}.alarm_rows WHERE rule IN ('burst', 'cluster')"
            wait_for(
                lambda: counted(live.client, raised) > 0,
                what="the alarm that the storm raises",
                seconds=180,
            )
        assert "asked to stop" in live.replay("stop", "storm"), "by whom it was not begun"
        wait_for(lambda: live.run("storm").state is RunState.STOPPED, what="the end of it")
    again = command(live.environment, "streams", "replay", "stop", "storm")
    assert again.returncode == 1 and b"it is stopped" in again.stderr
    assert counted(live.client, f"{base(own)}.events_feedback") > 0
    assert (live.windows(), counted(live.client, "events_feedback")) == (before, events)
    assert not (live.settings.home / "simulator.json").exists(), (
        "what is simulated for it is not gone on with"
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
