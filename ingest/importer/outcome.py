"""Find out how the workers processed an import: events stored, repeats, or dead letters.

Workers report repeats and dead letters by two topics, before they commit their offsets. So once
their offsets have passed what was sent, all reports stand in these topics, after the offsets at
which these ended when the import began.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from ingest.importer.sent import SentPartition, SentRows
from ingest.importer.summary import Summary
from ingest.producer import KafkaUnavailableError
from schemas.events.envelope import RefusalCategory, RefusalError
from schemas.events.kinds import DEAD_LETTERS, REPEATS
from schemas.events.payloads import Repeats
from schemas.settings import Settings

POLL_SECONDS = 0.25
NO_WORKER_SECONDS = 2.0
"""Seconds without a worker after which the import stops waiting."""


class WorkerReport(NamedTuple):
    """A worker's report about a run of events: repeats, or refused with a reason."""

    partition: SentPartition
    first: int
    last: int
    refusal: RefusalError | None


class _Dead(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    category: str
    reason: str


class Outcomes:
    """Follows the workers' reports from the moment it is created."""

    def __init__(self, settings: Settings) -> None:
        """Connect, and note where the topics of reports end. Raises `KafkaUnavailableError`."""
        self._settings = settings
        servers = settings.kafka_servers.split(",")
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=servers, client_id="ioc-ingest-import", enable_auto_commit=False
            )
            self._admin = KafkaAdminClient(
                bootstrap_servers=servers, client_id="ioc-ingest-import", request_timeout_ms=10_000
            )
            names = [settings.topic_prefix + name for name in (DEAD_LETTERS, REPEATS)]
            self._topics = [
                TopicPartition(name, part)
                for name in names
                for part in self._consumer.partitions_for_topic(name) or ()
            ]
            self._consumer.assign(self._topics)
            self._begin: dict[Any, int] = self._consumer.end_offsets(self._topics)
        except KafkaError as error:
            raise self._unavailable(error) from None

    def __enter__(self) -> Self:
        """Return the follower."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._consumer.close(autocommit=False)
        self._admin.close()

    def wait(
        self, ends: dict[SentPartition, int], seconds: float, show: Callable[[int], None]
    ) -> tuple[dict[SentPartition, int], str]:
        """Wait until the workers pass the last offset of each partition, or make no progress.

        Args:
            ends: the last offset sent to each partition.
            seconds: how long to wait without progress.
            show: is given the number of partitions that are left.

        Returns:
            The committed offset of each partition, and in words why that is not all.
        """
        began = moved = time.monotonic()
        committed: dict[SentPartition, int] = {}
        left: dict[SentPartition, int] = {}
        unavailable = ""
        while True:
            try:
                committed, unavailable = self._committed(ends), ""
            except KafkaError as error:  # It may be back soon.
                unavailable = (
                    f"Kafka did not say how far the worker is ({error or type(error).__name__})"
                )
            before = left
            so_far = {partition: committed.get(partition, -1) for partition in ends}
            left = {one: offset for one, offset in so_far.items() if offset <= ends[one]}
            if not left:
                return committed, ""
            now = time.monotonic()
            if left != before:  # Others may send to partitions that are complete.
                moved = now
            if seconds <= 0:
                return committed, unavailable or "the worker was not waited for"
            if now - began > NO_WORKER_SECONDS and not unavailable and not self._worker_runs():
                return committed, "no worker is running"
            if now - moved > seconds:
                return committed, unavailable or f"the worker made no progress for {seconds:g} s"
            show(len(left))
            time.sleep(POLL_SECONDS)

    def _committed(self, ends: dict[SentPartition, int]) -> dict[SentPartition, int]:
        wanted = [TopicPartition(*one) for one in ends]
        found = self._admin.list_group_offsets({self._settings.worker_group: wanted})[
            self._settings.worker_group
        ]
        return {SentPartition(tp.topic, tp.partition): one.offset for tp, one in found.items()}

    def _worker_runs(self) -> bool:
        try:
            group = self._admin.describe_groups([self._settings.worker_group])[
                self._settings.worker_group
            ]
        except KafkaError:
            return True  # The next round asks again.
        return bool(group.get("members"))

    def reports(self) -> Iterator[WorkerReport]:
        """Yield the workers' reports since this was created. Raises `KafkaUnavailableError`."""
        try:
            ends = self._consumer.end_offsets(self._topics)
            for tp, offset in self._begin.items():
                self._consumer.seek(tp, offset)
            while any(self._consumer.position(tp) < end for tp, end in ends.items()):
                for tp, records in self._consumer.poll(500).items():
                    dead = tp.topic.endswith(DEAD_LETTERS)
                    for record in records:
                        yield from _dead(record.value) if dead else _repeats(record.value)
        except KafkaError as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: KafkaError) -> KafkaUnavailableError:
        return KafkaUnavailableError(
            f"Kafka at {self._settings.kafka_servers} does not answer "
            f"({error or type(error).__name__})."
        )


def _dead(record: bytes) -> Iterator[WorkerReport]:
    try:
        one = msgspec.json.decode(record, type=_Dead)
        category = RefusalCategory(one.category)
    except (msgspec.MsgspecError, ValueError):
        return
    yield WorkerReport(
        SentPartition(one.topic, one.partition),
        one.offset,
        one.offset,
        RefusalError(category, one.reason),
    )


def _repeats(record: bytes) -> Iterator[WorkerReport]:
    try:
        one = msgspec.json.decode(record, type=Repeats)
    except msgspec.MsgspecError:
        return
    for first, last in one.runs:
        yield WorkerReport(SentPartition(one.topic, one.partition), first, last, None)


def apply_reports(
    summary: Summary,
    sent: SentRows,
    reports: Sequence[WorkerReport],
    committed: dict[SentPartition, int],
    because: str,
) -> dict[int, RefusalError]:
    """Apply the workers' reports to the summary of a file.

    A worker that is killed before its checkpoint, or has to write again, repeats its reports: each
    offset counts once.

    Args:
        summary: is updated.
        sent: the file's rows and their offsets.
        reports: what the workers reported.
        committed: how far they are in each partition.
        because: why they are not further.

    Returns:
        Number of a refused row → why.
    """
    repeated = [0] * len(sent.numbers)
    dead: dict[int, RefusalError] = {}
    next_repeat: dict[SentPartition, int] = {}
    for partition, first, last, refusal in sorted(reports, key=lambda one: one[:3]):
        if refusal is not None:
            for index in sent.rows_between(partition, first, last):
                dead.setdefault(index, refusal)
            continue
        begin = max(first, next_repeat.get(partition, first))
        for index in sent.rows_between(partition, begin, last):
            repeated[index] += 1
        next_repeat[partition] = max(last + 1, next_repeat.get(partition, 0))
    waiting = {
        index
        for partition in sent.ends()
        for index in sent.rows_from(partition, max(committed.get(partition, 0), 0))
    } - dead.keys()
    for index, events in enumerate(sent.events):
        if index in dead:
            summary.accepted -= 1
            summary.events -= events
        elif index not in waiting:
            summary.events -= repeated[index]
            if repeated[index] >= events:
                summary.accepted -= 1
                summary.repeats += 1
    summary.uncounted, summary.uncounted_because = len(waiting), because
    return {sent.numbers[index]: refusal for index, refusal in dead.items()}
