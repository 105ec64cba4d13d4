"""A run: history is read, sent at its speed to topics of its own, counted by workers of its own; live goes on untouched.

All along it says how far it is, in the table `replays`. It ends when every record that was sent is counted: finished, or failed
with the reason, or stopped by whoever began it. What is its own stays until it is removed.
"""

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer
from clickhouse_driver import Client

from schemas.clickhouse.replays import (
    Difference,
    ReplayRun,
    RunMark,
    RunState,
    difference,
    is_asked_to_stop,
    sandbox,
)
from schemas.clickhouse.sql import database
from schemas.events.kinds import KINDS, Kind
from schemas.events.topics import RECEIVED_AT
from schemas.moments import from_milliseconds, milliseconds
from schemas.settings import Settings
from streams.admin.compare import checkpoints
from streams.admin.period import ALL_TIME, MinutePeriod, ProgressCallback
from streams.admin.retain import events_kept_from, require_kept
from streams.lives import Lives
from streams.replay import admission, run_store
from streams.replay.history import (
    HistoryExtent,
    NotInKafkaError,
    ReplayedRecord,
    from_clickhouse,
    from_kafka,
)
from streams.replay.sandbox import RunWorkers, make

DAY = timedelta(days=1)
TELL_SECONDS = 1.0
LOOK_SECONDS = 0.2
LIVES_SECONDS = 1.0
"""How often lives follow what was counted, at a speed; as fast as possible they come at the end, as they would take from it."""
ON_THE_WAY = 200
"""Batches that the broker may still have to acknowledge while more is read."""
SLICE_SECONDS = 0.5
"""How long it sleeps at most while nothing is due."""


@dataclass(frozen=True)
class Plan:
    """What is to be sent again, how."""

    name: str
    period: MinutePeriod | None
    """None: nothing of the past; others send to it, until it is stopped."""
    speed: float = 0.0
    """Seconds of history in a second; 0: as fast as possible."""
    source: str = "auto"
    """kafka, clickhouse, or auto: from Kafka while it holds all of the period."""
    workers: int = 1
    mark: RunMark = RunMark.REPLAY
    as_now: bool = False
    """Moved by whole days so that it happens today, as time goes; a watch looks at it. So it is with what others send."""
    on_time: bool = False
    """As if each event had arrived when it happened: so history is played that was imported later, all at once."""

    def __post_init__(self) -> None:
        if self.on_time and self.source == "kafka":
            raise ValueError(
                "Kafka's records have the times of their arrival: what is to arrive on time is read from ClickHouse."
            )

    @property
    def live(self) -> bool:
        """Whether it goes as time goes."""
        return self.as_now or self.period is None


async def run(
    settings: Settings, plan: Plan, tell: ProgressCallback = lambda what, done, total: None
) -> ReplayRun:
    """Do it. Returns how it ended, finished; raises what went wrong, when that is kept.

    Raises `ValueError` for a plan that cannot be carried out: then nothing was begun.
    """
    client, task = Client.from_url(settings.clickhouse_url), asyncio.current_task()
    if task is not None:
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
        ):  # the latter too: whatever runs in the background of a shell ignores it
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await _Running(settings, plan, client, tell).all()
    finally:
        client.disconnect()


class _StopRequestedError(Exception):
    """Somebody asked the run to stop (`schemas.clickhouse.replays.stop`)."""


class _Running:
    def __init__(
        self, settings: Settings, plan: Plan, client: Client, tell: ProgressCallback
    ) -> None:
        self._settings, self._plan, self._client, self._tell = settings, plan, client, tell
        self._ends: Counter[tuple[Kind, int]] = Counter()
        self._told = self._lived = 0.0
        self._all_sent = False
        self._on_the_way: deque[Awaitable[object]] = deque()

    async def all(self) -> ReplayRun:
        plan = self._plan
        self._own = sandbox(self._settings, plan.name)
        if run_store.read(self._client, plan.name):
            raise ValueError(
                f"There is a run {plan.name} already: take another name, or `replay remove {plan.name}` first."
            )
        self._run = self._planned()
        waited = False
        try:
            waited = await admission.wait(self._client, self._run)
            self._run, chunks = await self._begin()
        except (KeyboardInterrupt, asyncio.CancelledError):
            if run_store.read(self._client, plan.name):
                self._keep(state=RunState.STOPPED)
            raise
        except admission.StoppedError:
            self._keep(state=RunState.STOPPED)
            raise asyncio.CancelledError from None
        except Exception as error:
            # Whoever began it learns at once why it cannot be, and may take the name again; of a run that waited people were told.
            self._keep(state=RunState.FAILED if waited else RunState.REMOVED, said=_why(error))
            raise
        run_store.write(self._client, self._run)
        try:
            await make(self._own)
            await self._send_and_count(chunks)
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._keep(state=RunState.STOPPED)
            raise
        except _StopRequestedError:
            self._keep(state=RunState.STOPPED)
            raise asyncio.CancelledError from None
        except Exception as error:
            self._keep(state=RunState.FAILED, said=_why(error))
            raise
        return self._run

    def _planned(self) -> ReplayRun:
        """The run as it stands before anything of it began. Raises `ValueError` for what cannot be sent again."""
        plan, now = self._plan, datetime.now(UTC)
        since = until = now
        events = 0
        if plan.period is not None:
            require_kept(plan.period, max(events_kept_from(self._client, kind) for kind in KINDS))
            events = HistoryExtent.of(self._client, plan.period).events
            if not events:
                raise ValueError("Nothing happened in that period.")
            since, until = self._period(plan.period)
        admission.require_disk_space(self._client, events)
        speed = 1.0 if plan.live else plan.speed
        return ReplayRun(
            name=plan.name,
            mark=plan.mark,
            source=plan.source,
            since=since,
            until=until,
            speed=speed,
            live=plan.live,
            on_time=plan.on_time,
            state=RunState.QUEUED,
            total=events,
            sent=0,
            counted=0,
            moment=since,
            begun_at=now,
            differing=None,
            said="",
            at=now,
        )

    async def _begin(self) -> tuple[ReplayRun, AsyncIterator[list[ReplayedRecord]]]:
        """The run as it begins now, and what it sends. Raises `ValueError`: things may stand otherwise than when it was planned."""
        planned, period = self._planned(), self._plan.period
        if period is None:
            return planned.now(state=RunState.RUNNING, source="others"), _nothing()
        extent = HistoryExtent.of(self._client, period)
        shift = (
            (planned.begun_at - planned.since) // DAY * DAY if self._plan.as_now else timedelta(0)
        )
        source, chunks = await self._history(period, extent, shift)
        since, until = planned.since + shift, planned.until + shift
        run = planned.now(
            state=RunState.RUNNING,
            source=source,
            since=since,
            until=until,
            moment=since,
            total=extent.events,
        )
        return run, chunks

    def _period(self, period: MinutePeriod) -> tuple[datetime, datetime]:
        """The period; where a side is open, what there is."""
        start, end = period.start, period.end
        if ALL_TIME.start < start and end < ALL_TIME.end:
            return from_milliseconds(start * 1000), from_milliseconds(end * 1000)
        each = " UNION ALL ".join(
            f"SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events_{kind.name} "
            f"WHERE {period.events} HAVING count() > 0"
            for kind in KINDS
        )
        ((first, last),) = self._client.execute(
            f"SELECT toStartOfMinute(min(first)), toStartOfMinute(least(max(last) + INTERVAL 1 MINUTE, now())) FROM ({each})"
        )
        return first.astimezone(UTC), last.astimezone(UTC)

    async def _history(
        self, period: MinutePeriod, extent: HistoryExtent, shift: timedelta
    ) -> tuple[str, AsyncIterator[list[ReplayedRecord]]]:
        """Where it is read, and the first of it looked at, so that what cannot be read is said before anything begins."""
        plan = self._plan
        if plan.source != "clickhouse" and not plan.as_now and not plan.on_time:
            try:
                return "kafka", await _begun(from_kafka(self._settings, period, extent))
            except NotInKafkaError:
                if plan.source == "kafka":
                    raise
        return "clickhouse", await _begun(
            from_clickhouse(self._settings, period, shift, on_time=plan.on_time)
        )

    async def _send_and_count(self, chunks: AsyncIterator[list[ReplayedRecord]]) -> None:
        counting = Client.from_url(self._own.clickhouse_url)
        workers = RunWorkers(self._settings, self._own, self._plan.workers, watched=self._plan.live)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._own.kafka_servers,
            acks="all",
            enable_idempotence=True,
            # Compressing took 40 % of the time; what is sent is read at once, and removed with its run.
            compression_type=None,
            max_batch_size=1 << 18,
        )
        try:
            self._lives = await asyncio.to_thread(Lives, counting, self._settings.province)
            await producer.start()
            sending = asyncio.create_task(self._send_all(producer, chunks))
            watching = asyncio.create_task(self._watch(counting, workers))
            try:
                # Whichever fails ends the other: a worker that ended is noticed while nothing is due, too.
                done, _ = await asyncio.wait(
                    (sending, watching), return_when=asyncio.FIRST_EXCEPTION
                )
                for task in done:
                    task.result()
            finally:
                sending.cancel()
                watching.cancel()
                await asyncio.gather(sending, watching, return_exceptions=True)
            await asyncio.to_thread(self._lives.catch_up)
            differing = None if self._plan.live else await asyncio.to_thread(self._compare)
            self._keep(state=RunState.FINISHED, counted=self._run.sent, differing=differing)
            self._tell(self._plan.name, self._run.sent, self._run.sent)
        finally:
            await producer.stop()
            await asyncio.to_thread(workers.stop)
            counting.disconnect()

    async def _send_all(
        self, producer: AIOKafkaProducer, chunks: AsyncIterator[list[ReplayedRecord]]
    ) -> None:
        async for chunk in self._paced(chunks):
            await self._send(producer, chunk)
        await asyncio.gather(*self._on_the_way)
        if self._plan.period is not None:
            self._run = self._run.now(total=self._run.sent, moment=self._run.until)
            self._all_sent = True

    async def _paced(
        self, chunks: AsyncIterator[list[ReplayedRecord]]
    ) -> AsyncIterator[list[ReplayedRecord]]:
        """The history at its speed. What arrived before the period comes at its beginning, what came after it at its end."""
        if not self._run.speed:
            async for chunk in chunks:
                yield chunk
            return
        since, until = milliseconds(self._run.since), milliseconds(self._run.until)
        begun = time.monotonic()
        async for chunk in chunks:
            first = 0
            while first < len(chunk):
                passed = time.monotonic() - begun
                now = (
                    milliseconds(datetime.now(UTC))
                    if self._plan.live
                    else since + passed * 1000 * self._run.speed
                )
                last = first
                while last < len(chunk) and min(chunk[last].received_ms, until) <= now:
                    last += 1
                self._run = self._run.now(moment=from_milliseconds(int(min(now, until))))
                if last > first:
                    yield chunk[first:last]
                    first = last
                else:
                    due = (min(chunk[first].received_ms, until) - now) / 1000 / self._run.speed
                    await asyncio.sleep(min(due, SLICE_SECONDS))

    async def _send(self, producer: AIOKafkaProducer, chunk: list[ReplayedRecord]) -> None:
        """Send, and wait until the broker has what was sent a while ago."""
        parts: dict[tuple[Kind, int], list[ReplayedRecord]] = {}
        latest = milliseconds(
            datetime.now(UTC)
        )  # what arrived after a period that is moved to today arrives now
        for one in chunk:
            parts.setdefault((one.kind, one.partition), []).append(one)
        sent: list[Awaitable[object]] = []
        for (kind, partition), records in parts.items():
            topic, batch = kind.topic(self._own.topic_prefix), producer.create_batch()
            for one in records:
                arrival = [(RECEIVED_AT, b"%d" % min(one.received_ms, latest))]
                while (
                    batch.append(key=one.key, value=one.value, timestamp=None, headers=arrival)
                    is None
                ):
                    sent.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            self._ends[kind, partition] += len(records)
        self._on_the_way.extend(sent)
        while len(self._on_the_way) > (ON_THE_WAY if not self._run.speed else 0):
            await self._on_the_way.popleft()
        moment = (
            self._run.moment
            if self._run.speed
            else min(from_milliseconds(chunk[-1].received_ms), self._run.until)
        )
        self._run = self._run.now(
            sent=self._run.sent + len(chunk), moment=max(moment, self._run.moment)
        )

    async def _watch(self, counting: Client, workers: RunWorkers) -> None:
        """Say how far it is, until all is counted that was sent; keep the lives up with it. Raises `WorkerEnded`."""
        while True:
            workers.look()
            all_sent, sent = self._all_sent, self._run.sent
            counted = await asyncio.to_thread(self._counted, counting)
            if all_sent and counted == sent:
                return
            now = datetime.now(UTC)
            if self._plan.period is None:  # all that others send is of it
                self._run = self._run.now(total=counted, sent=counted, until=now, moment=now)
            elif self._plan.live:
                self._run = self._run.now(moment=min(now, self._run.until))
            elif self._run.speed and time.monotonic() - self._lived > LIVES_SECONDS:
                await asyncio.to_thread(self._lives.catch_up)
                self._lived = time.monotonic()
            self._tell(self._plan.name, counted, max(self._run.total, sent))
            if time.monotonic() - self._told > TELL_SECONDS:
                self._keep(counted=counted)
                if self._client.execute(is_asked_to_stop(self._run))[0][0]:
                    raise _StopRequestedError
            await asyncio.sleep(LOOK_SECONDS)

    def _counted(self, counting: Client) -> int:
        upto = {
            (kind, number): offset + 1
            for kind in KINDS
            for number, offset in checkpoints(counting, kind).items()
        }
        if self._plan.period is None:
            return sum(upto.values())
        return sum(min(upto.get(part, 0), end) for part, end in list(self._ends.items()))

    def _compare(self) -> int:
        return sum(
            one.differing
            for one in compare(self._client, self._settings, self._own, self._run).values()
        )

    def _keep(self, **changes: object) -> None:
        self._run, self._told = self._run.now(**changes), time.monotonic()
        run_store.write(self._client, self._run)


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__


async def _nothing() -> AsyncIterator[list[ReplayedRecord]]:
    return
    yield []


async def _begun(
    chunks: AsyncIterator[list[ReplayedRecord]],
) -> AsyncIterator[list[ReplayedRecord]]:
    """The same, of which the first part was already asked for."""
    first = await anext(chunks, None)

    async def rest() -> AsyncIterator[list[ReplayedRecord]]:
        if first is not None:
            yield first
        async for chunk in chunks:
            yield chunk

    return rest()


def compare(
    client: Client, settings: Settings, own: Settings, one: ReplayRun
) -> dict[Kind, Difference]:
    """Of each kind how the windows of a run differ from the live ones."""
    live, its = database(settings.clickhouse_url), database(own.clickhouse_url)
    return {
        kind: Difference.of(client.execute(difference(kind, live, its, one.since, one.until))[0])
        for kind in KINDS
    }
