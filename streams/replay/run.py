"""Run a replay: read history, send it at a given speed, and count it apart from live data.

The records go to topics of the run, which workers of the run count into tables of the run. The
run's progress is stored in the table `replays`. It ends when every record that was sent is counted
(finished), with an error (failed), or when it is asked to stop (stopped). Its data stays until the
run is removed.
"""

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer
from clickhouse_driver import Client

from schemas.clickhouse.replays import (
    ReplayRun,
    RunState,
    is_asked_to_stop,
    sandbox,
)
from schemas.events.kinds import KINDS, Kind
from schemas.events.topics import RECEIVED_AT
from schemas.moments import from_milliseconds, milliseconds
from schemas.settings import Settings
from streams.admin.compare import checkpoints
from streams.admin.period import ALL_TIME, MinutePeriod, ProgressCallback
from streams.admin.retain import events_kept_from, require_kept
from streams.lives import Lives
from streams.replay import admission, run_store
from streams.replay.comparison import compare
from streams.replay.history import (
    HistoryExtent,
    NotInKafkaError,
    ReplayedRecord,
    from_clickhouse,
    from_kafka,
    no_chunks,
    started,
)
from streams.replay.plan import Plan
from streams.replay.sandbox import RunWorkers, create

DAY = timedelta(days=1)
STORE_INTERVAL_SECONDS = 1.0
"""Seconds between two rows about the run's progress."""
POLL_INTERVAL_SECONDS = 0.2
"""Seconds between two checks of how much is counted."""
LIVES_INTERVAL_SECONDS = 1.0
"""Seconds between two updates of lives in a run with a speed.

At full speed, lives are computed at the end: meanwhile they would slow the run down.
"""
MAX_UNACKNOWLEDGED = 200
"""Maximum number of batches that were sent but not yet acknowledged while more is read."""
MAX_SLEEP_SECONDS = 0.5
"""Seconds to sleep at most while no record is due."""


async def run(
    settings: Settings, plan: Plan, tell: ProgressCallback = lambda what, done, total: None
) -> ReplayRun:
    """Run a replay to its end.

    Args:
        settings: The settings of the live installation.
        plan: What to replay, and how.
        tell: Called as the run proceeds.

    Returns:
        The finished run.

    Raises:
        ValueError: If the plan cannot be carried out; nothing was started.
        asyncio.CancelledError: If the run was stopped; this is stored.
        Exception: Whatever else ended the run; its reason is stored.
    """
    client, task = Client.from_url(settings.clickhouse_url), asyncio.current_task()
    if task is not None:
        # SIGINT, too: a shell's background processes ignore it by default.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await _Runner(settings, plan, client, tell).run()
    finally:
        client.disconnect()


class _StopRequestedError(Exception):
    """The run was asked to stop (`schemas.clickhouse.replays.stop`)."""


class _Runner:
    def __init__(
        self, settings: Settings, plan: Plan, client: Client, tell: ProgressCallback
    ) -> None:
        self._settings, self._plan, self._client, self._tell = settings, plan, client, tell
        self._ends: Counter[tuple[Kind, int]] = Counter()
        self._stored_at = self._lives_at = 0.0
        self._all_sent = False
        self._unacknowledged: deque[Awaitable[object]] = deque()

    async def run(self) -> ReplayRun:
        plan = self._plan
        self._own = sandbox(self._settings, plan.name)
        if run_store.read(self._client, plan.name):
            raise ValueError(
                f"There is already a run {plan.name}: choose another name, "
                f"or `replay remove {plan.name}` first."
            )
        self._run = self._planned()
        waited = False
        try:
            waited = await admission.wait(self._client, self._run)
            self._run, chunks = await self._begin()
        except (KeyboardInterrupt, asyncio.CancelledError):
            if run_store.read(self._client, plan.name):
                self._store(state=RunState.STOPPED)
            raise
        except admission.StoppedError:
            self._store(state=RunState.STOPPED)
            raise asyncio.CancelledError from None
        except Exception as error:
            # If the run did not wait, its caller sees the error at once and may use the name again;
            # a run that waited was shown on screens, so its failure must be, too.
            end = RunState.FAILED if waited else RunState.REMOVED
            self._store(state=end, said=run_store.reason(error))
            raise
        run_store.write(self._client, self._run)
        try:
            await create(self._own)
            await self._send_and_count(chunks)
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._store(state=RunState.STOPPED)
            raise
        except _StopRequestedError:
            self._store(state=RunState.STOPPED)
            raise asyncio.CancelledError from None
        except Exception as error:
            self._store(state=RunState.FAILED, said=run_store.reason(error))
            raise
        return self._run

    def _planned(self) -> ReplayRun:
        """Return the run before it starts.

        Raises:
            ValueError: If the period cannot be replayed.
        """
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
        """Return the run as it starts now, and the records to send.

        Raises:
            ValueError: If the period can no longer be replayed; data may have changed while the run
                waited.
        """
        planned, period = self._planned(), self._plan.period
        if period is None:
            return planned.now(state=RunState.RUNNING, source="others"), no_chunks()
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
        """Return the start and end of a period; those of the data where a side is open."""
        start, end = period.start, period.end
        if ALL_TIME.start < start and end < ALL_TIME.end:
            return from_milliseconds(start * 1000), from_milliseconds(end * 1000)
        each = " UNION ALL ".join(
            f"SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events_{kind.name} "
            f"WHERE {period.events} HAVING count() > 0"
            for kind in KINDS
        )
        ((first, last),) = self._client.execute(
            "SELECT toStartOfMinute(min(first)), "
            f"toStartOfMinute(least(max(last) + INTERVAL 1 MINUTE, now())) FROM ({each})"
        )
        return first.astimezone(UTC), last.astimezone(UTC)

    async def _history(
        self, period: MinutePeriod, extent: HistoryExtent, shift: timedelta
    ) -> tuple[str, AsyncIterator[list[ReplayedRecord]]]:
        """Choose the source, and fetch its first chunk, so that it fails before the run starts.

        Returns:
            The name of the source, and its records.
        """
        plan = self._plan
        if plan.source != "clickhouse" and not plan.as_now and not plan.on_time:
            try:
                return "kafka", await started(from_kafka(self._settings, period, extent))
            except NotInKafkaError:
                if plan.source == "kafka":
                    raise
        return "clickhouse", await started(
            from_clickhouse(self._settings, period, shift, on_time=plan.on_time)
        )

    async def _send_and_count(self, chunks: AsyncIterator[list[ReplayedRecord]]) -> None:
        counting = Client.from_url(self._own.clickhouse_url)
        workers = RunWorkers(self._settings, self._own, self._plan.workers, watched=self._plan.live)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._own.kafka_servers,
            acks="all",
            enable_idempotence=True,
            # Compressing took 40 % of the time; records are read at once, and deleted with the run.
            compression_type=None,
            max_batch_size=1 << 18,
        )
        try:
            self._lives = await asyncio.to_thread(Lives, counting, self._settings.province)
            await producer.start()
            sending = asyncio.create_task(self._send_all(producer, chunks))
            watching = asyncio.create_task(self._watch(counting, workers))
            try:
                # If either fails, the other ends: a worker that ended is noticed even while no
                # record is due.
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
            self._store(state=RunState.FINISHED, counted=self._run.sent, differing=differing)
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
        await asyncio.gather(*self._unacknowledged)
        if self._plan.period is not None:
            self._run = self._run.now(total=self._run.sent, moment=self._run.until)
            self._all_sent = True

    async def _paced(
        self, chunks: AsyncIterator[list[ReplayedRecord]]
    ) -> AsyncIterator[list[ReplayedRecord]]:
        """Yield the records when they are due at the run's speed.

        Records that arrived before the period are due at its start, those after it at its end.
        """
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
                    await asyncio.sleep(min(due, MAX_SLEEP_SECONDS))

    async def _send(self, producer: AIOKafkaProducer, chunk: list[ReplayedRecord]) -> None:
        """Send records; wait while too many batches are unacknowledged."""
        parts: dict[tuple[Kind, int], list[ReplayedRecord]] = {}
        # In a period that is shifted to today, what arrived after the period arrives now.
        latest = milliseconds(datetime.now(UTC))
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
        self._unacknowledged.extend(sent)
        while len(self._unacknowledged) > (MAX_UNACKNOWLEDGED if not self._run.speed else 0):
            await self._unacknowledged.popleft()
        moment = (
            self._run.moment
            if self._run.speed
            else min(from_milliseconds(chunk[-1].received_ms), self._run.until)
        )
        self._run = self._run.now(
            sent=self._run.sent + len(chunk), moment=max(moment, self._run.moment)
        )

    async def _watch(self, counting: Client, workers: RunWorkers) -> None:
        """Report progress and update lives, until everything that was sent is counted.

        Raises:
            WorkerEndedError: If a worker of the run has ended.
        """
        while True:
            workers.check()
            all_sent, sent = self._all_sent, self._run.sent
            counted = await asyncio.to_thread(self._counted, counting)
            if all_sent and counted == sent:
                return
            now = datetime.now(UTC)
            if self._plan.period is None:  # Everything that others send belongs to the run.
                self._run = self._run.now(total=counted, sent=counted, until=now, moment=now)
            elif self._plan.live:
                self._run = self._run.now(moment=min(now, self._run.until))
            elif self._run.speed and time.monotonic() - self._lives_at > LIVES_INTERVAL_SECONDS:
                await asyncio.to_thread(self._lives.catch_up)
                self._lives_at = time.monotonic()
            self._tell(self._plan.name, counted, max(self._run.total, sent))
            if time.monotonic() - self._stored_at > STORE_INTERVAL_SECONDS:
                self._store(counted=counted)
                if self._client.execute(is_asked_to_stop(self._run))[0][0]:
                    raise _StopRequestedError
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

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
        found = compare(self._client, self._settings, self._own, self._run)
        return sum(one.differing for one in found.values())

    def _store(self, **changes: object) -> None:
        self._run, self._stored_at = self._run.now(**changes), time.monotonic()
        run_store.write(self._client, self._run)
