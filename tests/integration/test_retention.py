"""Single events that are kept no longer go with all that was derived from them.

All that stays is as it was, and still follows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboard.history.arrivals import PastStore
from dashboard.history.proof import Proof
from dashboard.pages.package.build import build
from dashboard.query.clock import Live
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from schemas.clickhouse.retention import LOOKBACK, Horizon, RetentionCheck, horizon
from schemas.events.codes import Channel, FilingStatus
from schemas.events.envelope import Reader, write
from schemas.events.kinds import FILING, KINDS
from schemas.events.payloads import Filing
from schemas.figures.snapshots import SNAPSHOTS
from schemas.moments import milliseconds
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.period import ALL_TIME, parse
from streams.admin.rebuild import rebuild
from streams.admin.retain import WorkersBehindError, retain
from streams.admin.verify import verify
from streams.lives import Lives
from streams.watch.jobs import Task, UpdateLives
from streams.worker.engine import Engine
from streams.worker.store import WorkerStore
from streams.worker.table_rows import ProgressRow
from tests.counting import Counter
from tests.records import Record
from tests.running import command
from tests.sealing import SEALER

pytestmark = pytest.mark.stack
DAYS = 10
NOW = datetime.now(UTC)
GONE = DAYS + LOOKBACK.days
TABLES = ("events", "state", "life", "current")


def filing(name: str, status: FilingStatus) -> Filing:
    return Filing(
        agency="H57.19753.UB",
        commune="19753",
        filing_id=name,
        procedure="1.005129",
        status=status,
        channel=Channel.ONLINE,
        registered_at=NOW - timedelta(days=200),
    )


@dataclass
class Archive:
    """A database with entities of all ages, its lives computed."""

    settings: Settings
    client: Client
    counter: Counter
    lives: Lives

    def told(
        self, name: str, status: FilingStatus, ago: float, arrived: float | None = None
    ) -> None:
        """Count a step of a filing, so many days ago; it arrived then, too, unless said."""
        at, came = (
            NOW - timedelta(days=days) for days in (ago, ago if arrived is None else arrived)
        )
        self.counter.arrive(FILING, [(at, came, filing(name, status))])

    def rows(self, name: str = "") -> dict[str, list[Any]]:
        """Return all rows of the tables; those of an entity."""
        which = f"WHERE entity_id = '{name}'" if name else "WHERE entity_id != 'old'"
        names = {table: f"{table}_filing" for table in TABLES}
        return {
            table: sorted(self.client.execute(f"SELECT * FROM {of} FINAL {which}"))
            for table, of in names.items()
        }

    def windows(self) -> list[Any]:
        return sorted(self.client.execute("SELECT * FROM windows_filing FINAL"))

    def wrong(self) -> list[str]:
        return [line for report in verify(self.settings) for line in report.differences]


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    settings = settings.model_copy(update={"keep_events_days": DAYS})
    migrate(settings)
    client, counter = Client.from_url(settings.clickhouse_url), Counter(settings)
    made = Archive(settings, client, counter, Lives(client, settings.province))
    done, begun = FilingStatus.RETURNED, FilingStatus.PROCESSING
    made.told("waiting", begun, 190)
    made.told("old", begun, GONE + 9)
    made.told("old", done, GONE + 2)
    made.told("told-late", done, GONE + 2, arrived=1)
    made.told("young", begun, GONE + 2)
    made.told("young", done, GONE - 2)
    made.lives.catch_up()
    yield made
    counter.close()
    client.disconnect()


def test_what_is_closed_for_long_goes_and_all_else_is_as_it_was(archive: Archive) -> None:
    rows, windows = archive.rows(), archive.windows()
    assert {len(found) for found in archive.rows("old").values()} == {2, 1} and not archive.wrong()
    archive.counter.caught_up()
    (gone, *others) = retain(archive.client, archive.settings)
    assert (gone.kind, gone.entities, gone.events) == (FILING, 1, 2) and not any(
        one.entities for one in others
    )
    assert archive.rows("old") == {table: [] for table in TABLES}
    assert archive.rows() == rows and archive.windows() == windows
    (report, *_) = verify(archive.settings)
    assert not report.differences
    due = Horizon.due(datetime.now(UTC), DAYS)
    assert report.windows_from == due.removed_before.timestamp(), (
        "windows from before hold more than what is there"
    )
    assert [one.entities for one in retain(archive.client, archive.settings)] == [0] * 4, (
        "once is enough"
    )
    assert not archive.client.execute("SHOW TABLES LIKE 'leaving%'")
    archive.told("old", FilingStatus.PROCESSING, 0)
    archive.lives.catch_up()
    assert [len(found) for found in archive.rows("old").values()] == [1] * 4, (
        "heard of again it begins anew"
    )
    assert not archive.wrong()


def test_nothing_goes_while_workers_may_be_behind(archive: Archive) -> None:
    with pytest.raises(WorkersBehindError, match="No worker"):
        retain(archive.client, archive.settings)
    archive.counter.caught_up()
    ago = datetime.now(UTC) - timedelta(days=2)
    store = WorkerStore(archive.settings.clickhouse_url)
    store.write_progress(
        [
            ProgressRow(
                kind="filing",
                partition=0,
                worker="test",
                written=1,
                end=9,
                received_at=None,
                waits_since=ago,
                moved_at=ago,
                at=datetime.now(UTC) + timedelta(milliseconds=1),
            )
        ]
    )
    store.close()
    with pytest.raises(WorkersBehindError, match=r"filing\[0\]"):
        retain(archive.client, archive.settings)
    assert archive.rows("old")["events"] and horizon(archive.client.execute) is None
    archive.counter.caught_up()
    assert [
        one.entities
        for one in retain(
            archive.client, archive.settings.model_copy(update={"keep_events_days": 0})
        )
    ] == []
    assert archive.rows("old")["events"], "kept for ever"


def test_the_watch_lets_go_by_itself_but_not_of_what_a_run_of_the_stream_has(
    archive: Archive,
) -> None:
    archive.counter.caught_up()
    for settings in (
        archive.settings.model_copy(update={"topic_prefix": "ioc.replay.week."}),
        archive.settings,
    ):
        assert archive.rows("old")["events"]
        store = WorkerStore(settings.clickhouse_url)
        UpdateLives()(Task(settings, store, datetime.now(UTC)))
        store.close()
    assert not archive.rows("old")["events"]


@pytest.mark.parametrize("step", range(7))
def test_killed_at_any_step_the_next_run_ends_it(
    archive: Archive, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.counter.caught_up()
    windows, rows, writes = archive.windows(), archive.rows(), iter(range(step))
    execute = archive.client.execute

    def until_killed(query: str, *args: Any, **options: Any) -> Any:
        if not query.startswith("SELECT") and next(writes, None) is None:
            raise KeyboardInterrupt
        return execute(query, *args, **options)

    monkeypatch.setattr(archive.client, "execute", until_killed)
    with pytest.raises(KeyboardInterrupt):
        retain(archive.client, archive.settings)
    monkeypatch.undo()
    # What was listed and heard of since stays: with what is left of it, as that is all that is
    # known.
    archive.told("old", FilingStatus.PROCESSING, 0)
    archive.lives.catch_up()
    retain(archive.client, archive.settings)
    listed = step >= 3
    assert (
        len(archive.rows("old")["life"]) == (1 if listed else 3)
        and len(archive.rows("old")["current"]) == 1
    )
    assert not archive.wrong()
    assert archive.rows() == rows
    assert [one for one in archive.windows() if one in windows] and not archive.client.execute(
        "SHOW TABLES LIKE 'leaving%'"
    )


def test_what_happened_before_what_is_kept_is_a_dead_letter(archive: Archive) -> None:
    engine = Engine(
        WorkerStore(archive.settings.clickhouse_url),
        archive.settings.topic_prefix,
        Reader(),
        SEALER,
        RetentionCheck(DAYS),
    )
    values = [
        write(
            FILING,
            filing(f"F{ago}", FilingStatus.PROCESSING),
            id=f"age-{ago}",
            source="/x",
            time=NOW - timedelta(days=ago),
        )
        for ago in (DAYS + 1, DAYS - 1)
    ]
    keys = (f"F{DAYS + 1}", f"F{DAYS - 1}")
    records = [
        Record(n, milliseconds(NOW), key.encode(), value)
        for n, (key, value) in enumerate(zip(keys, values, strict=True))
    ]
    batch = engine.take([(FILING, 1, records)])
    ((letter,), events) = batch.dead, batch.events[FILING]
    assert (
        letter.category == "too-old"
        and "IOC_KEEP_EVENTS_DAYS" in letter.reason
        and len(events[0]) == 1
    )


def test_rebuild_and_a_run_of_the_stream_refuse_what_is_gone(
    archive: Archive, environment: dict[str, str]
) -> None:
    archive.counter.caught_up()
    settings = environment | {"IOC_KEEP_EVENTS_DAYS": str(DAYS)}
    done = command(settings, "streams", "retain")
    assert done.returncode == 0 and b"filing: 2 events deleted" in done.stdout, done.stderr
    assert b"were not compared" in command(settings, "streams", "verify").stdout
    with pytest.raises(ValueError, match="deleted in part by retention"):
        rebuild(archive.settings, ALL_TIME)
    since = format_moment(Horizon.due(datetime.now(UTC), DAYS).removed_before)
    assert not any(
        one.differing for one in rebuild(archive.settings, parse(since, None), states=True)
    )
    done = command(
        settings,
        "streams",
        "replay",
        "--from",
        "2020-01-01",
        "--to",
        "2030-01-01",
        "--into",
        "gone",
    )
    assert done.returncode == 1 and b"deleted in part by retention" in done.stderr


def test_the_screens_say_what_can_still_be_replayed_how(archive: Archive) -> None:
    connection = Connection(archive.settings.clickhouse_url)
    past, since = PastStore(connection), NOW - timedelta(days=300)
    before, first = past.volume(since, NOW, 100), past.reach()["whole"]
    assert first and first < NOW - timedelta(days=180)
    names = SNAPSHOTS.names
    recorded = [(NOW - timedelta(days=ago), 1, 1, 1, "{}", NOW) for ago in (GONE, 1)]
    archive.client.execute(f"INSERT INTO {SNAPSHOTS.name} ({names}) VALUES", recorded)
    archive.counter.caught_up()
    retain(archive.client, archive.settings)
    due = Horizon.due(datetime.now(UTC), DAYS)
    reach = past.reach()
    assert (
        reach["whole"] == due.whole_from
        and reach["windows"]
        and reach["windows"] < NOW - timedelta(days=180)
    )
    assert past.volume(since, NOW, 100)[:30] == before[:30], "counts of what is gone, by windows"
    assert sum(past.volume(since, NOW, 100)) == 7, (
        "of what came late both is told: when it happened, and when it came"
    )
    assert (
        Proof(connection, "46").count()[0] == 1
        and len(Proof(connection, "46").recorded(since, NOW)) == 1
    )
    assert past.disk()["snapshots"] > 0 and "runs" not in past.disk()
    left_out = build(connection, "46", since, NOW, BytesIO()).left_out
    assert any(
        f"single events that are kept no longer, from before {reach['whole'].isoformat()}" in one
        for one in left_out
    )
    ask = PageContext(connection, Live(), ProvinceContext("46"))

    def asked(ago: float) -> PageRequest:
        return PageRequest(
            "/unit/46", (("moment", format_moment(NOW - timedelta(days=ago))),), "vi"
        )

    assert ask.replay(asked(DAYS - 1)) is not None
    with pytest.raises(ValueError, match="không còn được lưu trọn vẹn"):
        ask.replay(asked(DAYS + 2))


def test_how_long_windows_are_kept_is_a_setting(archive: Archive) -> None:
    shorter = archive.settings.model_copy(update={"keep_windows_days": 100, "keep_events_days": 0})
    assert len([line for line in migrate(shorter) if "is kept for 100 days" in line]) == len(KINDS)
    assert not [line for line in migrate(shorter) if "kept" in line]
    archive.client.execute("OPTIMIZE TABLE windows_filing FINAL")
    ages = [NOW - start for start, *_ in archive.windows()]
    assert max(ages) > timedelta(days=10_000), "the checkpoint of 1970 stays"
    assert not [age for age in ages if timedelta(days=101) < age < timedelta(days=10_000)]
    assert not [line for report in verify(shorter) for line in report.differences]
    since = format_moment(NOW - timedelta(days=99))
    archive.client.execute(
        "ALTER TABLE windows_filing DELETE WHERE window_start > toDateTime(0)",
        settings={"mutations_sync": 1},
    )
    (done, *_) = rebuild(shorter, parse(since, None))
    assert (
        done.differing
        and done.swapped
        and not [line for report in verify(shorter) for line in report.differences]
    )
    assert [line for line in migrate(archive.settings) if "windows_filing is kept forever" in line]
