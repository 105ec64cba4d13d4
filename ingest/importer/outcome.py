"""What became of the events of an import behind Kafka: stored, a repeat of what was there, or a dead letter.

Workers tell of repeats and dead letters by two topics, before they commit how far they are. So once their offsets have passed what
was sent, all there is to know stands in these topics, behind where they ended when the import began.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
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

LOOK_SECONDS = 0.25
NO_WORKER_SECONDS = 2.0
"""Seconds without a worker after which none is waited for."""


class Told(NamedTuple):
    """What a worker told of a run of events: repeats, or refused with a reason."""

    place: SentPartition
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
    """Follows the workers from the moment it is made. Raises `KafkaUnavailableError`."""

    def __init__(self, settings: Settings) -> None:
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
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close(autocommit=False)
        self._admin.close()

    def wait(
        self, ends: dict[SentPartition, int], seconds: float, show: Callable[[int], None]
    ) -> tuple[dict[SentPartition, int], str]:
        """Wait until the workers have passed the last offset of each partition, or do not move for some seconds.

        `show` is told how many partitions are left. Returns how far they are in each, and in words why that is not all.
        """
        began = moved = time.monotonic()
        committed: dict[SentPartition, int] = {}
        left: dict[SentPartition, int] = {}
        unheard = ""
        while True:
            try:
                committed, unheard = self._committed(ends), ""
            except KafkaError as error:  # It may be back soon.
                unheard = (
                    f"Kafka did not say how far the worker is ({error or type(error).__name__})"
                )
            before, so_far = left, {place: committed.get(place, -1) for place in ends}
            left = {place: offset for place, offset in so_far.items() if offset <= ends[place]}
            if not left:
                return committed, ""
            now = time.monotonic()
            if left != before:  # Others may send to partitions that are done with.
                moved = now
            if seconds <= 0:
                return committed, unheard or "the worker was not waited for"
            if now - began > NO_WORKER_SECONDS and not unheard and not self._worker_runs():
                return committed, "no worker is running"
            if now - moved > seconds:
                return committed, unheard or f"the worker did not get on for {seconds:g} s"
            show(len(left))
            time.sleep(LOOK_SECONDS)

    def _committed(self, ends: dict[SentPartition, int]) -> dict[SentPartition, int]:
        asked = [TopicPartition(*place) for place in ends]
        found = self._admin.list_group_offsets({self._settings.worker_group: asked})[
            self._settings.worker_group
        ]
        return {SentPartition(tp.topic, tp.partition): one.offset for tp, one in found.items()}

    def _worker_runs(self) -> bool:
        try:
            group = self._admin.describe_groups([self._settings.worker_group])[
                self._settings.worker_group
            ]
        except KafkaError:
            return True  # It is asked again.
        return bool(group.get("members"))

    def told(self) -> Iterator[Told]:
        """What the workers told since this was made. Raises `KafkaUnavailableError`."""
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
            f"Kafka at {self._settings.kafka_servers} does not answer ({error or type(error).__name__})."
        )


def _dead(record: bytes) -> Iterator[Told]:
    try:
        one = msgspec.json.decode(record, type=_Dead)
        category = RefusalCategory(one.category)
    except (msgspec.MsgspecError, ValueError):
        return
    yield Told(
        SentPartition(one.topic, one.partition),
        one.offset,
        one.offset,
        RefusalError(category, one.reason),
    )


def _repeats(record: bytes) -> Iterator[Told]:
    try:
        one = msgspec.json.decode(record, type=Repeats)
    except msgspec.MsgspecError:
        return
    for first, last in one.runs:
        yield Told(SentPartition(one.topic, one.partition), first, last, None)


def reckon(
    summary: Summary,
    sent: SentRows,
    told: Sequence[Told],
    committed: dict[SentPartition, int],
    because: str,
) -> dict[int, RefusalError]:
    """Count in a summary what the workers told of what was sent: number of a row that was refused → why.

    A worker that is killed before its checkpoint, or has to write again, tells the same once more: each offset counts once.
    """
    repeated = [0] * len(sent.numbers)
    dead: dict[int, RefusalError] = {}
    next_repeat: dict[SentPartition, int] = {}
    for place, first, last, refusal in sorted(told, key=lambda one: one[:3]):
        if refusal is not None:
            for index in sent.rows_between(place, first, last):
                dead.setdefault(index, refusal)
            continue
        for index in sent.rows_between(place, max(first, next_repeat.get(place, first)), last):
            repeated[index] += 1
        next_repeat[place] = max(last + 1, next_repeat.get(place, 0))
    waiting = {
        index
        for place in sent.ends()
        for index in sent.rows_from(place, max(committed.get(place, 0), 0))
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
