"""The order of work for a batch of chunks: the one place that makes counting exactly-once.

1. Decode and validate each record; bad ones become dead letters.
2. Judge: drop repeats, by the order of offsets within the partition.
3. Fold into windows.
4. Write raw rows.
5. Write the touched windows' absolute values and the checkpoint, in one atomic part.

Only then may the chunks be acknowledged. Steps 1 to 3 are here, `streams.worker.batch.write` is 4
and 5. The next batch may be processed while one is being written, but is written only after it. A
write that failed is repeated: rows are keyed by offset and values carry theirs, so what is written
twice, or late, converges. After any other error the memory of the partitions is dropped and the
same chunks are processed again.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from schemas.clickhouse.retention import RetentionCheck
from schemas.events.envelope import Read, Reader, RefusalCategory, RefusalError
from schemas.events.kinds import FEEDBACK, Kind
from schemas.events.refusals import stated_sender
from schemas.moments import from_milliseconds
from schemas.seal import Sealer, sealed_remains
from schemas.seal.identity import hides
from streams.worker.batch import Batch, Chunk, ConsumedRecord, arrivals, received_ms
from streams.worker.fold import Checkpoint, Partition, minutes_of
from streams.worker.rows import ENTITY_ID, Columns, append, columns_maker
from streams.worker.store import WorkerStore
from streams.worker.table_rows import DeadLetter

log = logging.getLogger(__name__)
PIECE = 500
"""Records that are decoded and converted to rows together.

A piece of this size fits in the processor's cache, which saves a quarter of the time.
"""


class Engine:
    """Processes chunks of the kinds' topics. Not thread-safe: one thread at a time."""

    def __init__(
        self,
        store: WorkerStore,
        topic_prefix: str,
        reader: Reader,
        sealer: Sealer,
        keeping: RetentionCheck = RetentionCheck(),
    ) -> None:
        """Start without memory of any partition.

        Args:
            store: A connection for this engine only.
            topic_prefix: The prefix of this installation's topics.
            reader: Decodes and validates records.
            sealer: Encrypts reporters' identities that arrive unencrypted.
            keeping: The retention of raw events; older events are refused.
        """
        self._store = store
        self._prefix = topic_prefix
        self._reader = reader
        self._keeping = keeping
        self._sealer = sealer
        self._unencrypted: Counter[Kind] = Counter()
        self._warned: set[Kind] = set()
        self._partitions: dict[tuple[Kind, int], Partition] = {}

    def forget(self) -> None:
        """Drop all memory of partitions; it is loaded again from the store."""
        self._partitions.clear()

    def take(self, chunks: Iterable[tuple[Kind, int, Sequence[ConsumedRecord]]]) -> Batch:
        """Do steps 1 to 3 for chunks; this reads the store and writes nothing.

        Args:
            chunks: (kind, partition, records), in the order of offsets within each partition.

        Raises:
            clickhouse_driver.errors.Error: If ClickHouse cannot be used; call `forget` before the
                next attempt.
        """
        batch = Batch()
        self._unencrypted.clear()
        for kind, number, records in chunks:
            self._take(batch, kind, number, records)
        batch.unencrypted = self._warn_of_unencrypted()
        for kind, number in batch.upto:
            append(batch.windows, kind, self._partitions[kind, number].changes())
        return batch

    def written(self, batch: Batch) -> None:
        """Note that a batch was written: its minutes may be dropped when memory is full."""
        for key, upto in batch.upto.items():
            if partition := self._partitions.get(key):
                partition.written = max(partition.written, upto)
        for partition in self._partitions.values():
            partition.forget_old(1 / len(self._partitions))

    def _take(
        self, batch: Batch, kind: Kind, number: int, records: Sequence[ConsumedRecord]
    ) -> None:
        partition = self._partitions.get((kind, number))
        if partition is None:
            partition = Partition(kind, number, self._store.checkpoint(kind, number))
        if self._is_gap(batch, partition, records):
            return
        while True:
            new = records
            if records[0].offset <= partition.position:
                new = [record for record in records if record.offset > partition.position]
            if not new:
                self._partitions[kind, number] = partition
                return
            dead: list[DeadLetter] = []
            pieces = [
                self._read(kind, number, new[start : start + PIECE], dead)
                for start in range(0, len(new), PIECE)
            ]
            minutes = [minutes_of(columns) for columns, _ in pieces]
            newer = self._load(partition, chain.from_iterable(minutes))
            if newer is None:
                break
            # Another worker, which owned the partition a moment ago, is ahead: continue from its
            # checkpoint.
            partition = Partition(kind, number, newer)
        for (columns, kept), its in zip(pieces, minutes, strict=True):
            judged = partition.judge(its, columns)
            dead += [
                self._dead(kind, number, kept[index], refusal)
                for index, refusal in judged.conflicts.items()
            ]
            batch.repeats += len(judged.repeats)
            if judged.repeats:
                batch.repeated.setdefault((kind, number), []).extend(
                    kept[index].offset for index in judged.repeats
                )
            append(batch.events, kind, judged.columns)
            partition.fold(judged, new[-1].offset)
        batch.dead += dead
        batch.upto[kind, number] = partition.position
        self._partitions[kind, number] = partition

    def _is_gap(
        self, batch: Batch, partition: Partition, records: Sequence[ConsumedRecord]
    ) -> bool:
        """Return whether records are missing before a chunk, so that they must be fetched again.

        A chunk says from which offset on it is complete: before its first record there may be
        markers of transactions and aborted records, or records that retention deleted. The latter
        are a loss, which is logged.
        """
        key, expected = (partition.kind, partition.number), partition.position + 1
        if records[0].offset <= expected:
            return False
        if not isinstance(records, Chunk) or records.start > expected:
            batch.gaps.setdefault(key, expected)
            return True
        if records.begins > expected:
            log.error(
                "%s[%d]: Kafka no longer has offsets %d to %d",
                key[0].topic(self._prefix),
                key[1],
                expected,
                records.begins - 1,
            )
        return False

    def _read(
        self, kind: Kind, number: int, records: Sequence[ConsumedRecord], dead: list[DeadLetter]
    ) -> tuple[Columns, Sequence[ConsumedRecord]]:
        """Return the valid events as rows, and their records; the others become dead letters."""

        def rows(events: list[Read], records: Sequence[ConsumedRecord]) -> Columns:
            return columns_maker(kind)(
                events, arrivals(records), [record.offset for record in records], number
            )

        events = self._reader.read_all(kind, [record.value or b"" for record in records])
        if events is not None and not self._any_too_old(events, records):
            columns = rows(self._sealed(kind, events), records)
            if [record.key for record in records] == list(map(str.encode, columns[ENTITY_ID])):
                return columns, records
        events, kept = [], []
        for record in records:
            try:
                events.append(self._read_one(kind, record))
                kept.append(record)
            except RefusalError as refusal:
                dead.append(self._dead(kind, number, record, refusal))
        return rows(self._sealed(kind, events), kept), kept

    def _any_too_old(self, events: list[Read], records: Sequence[ConsumedRecord]) -> bool:
        return bool(self._keeping.days) and any(
            map(self._keeping.refuses, events, map(received_ms, records))
        )

    def _sealed(self, kind: Kind, events: list[Read]) -> list[Read]:
        """Return the events with reporters' identities encrypted.

        The gateway does that; others may write unencrypted events to Kafka.
        """
        if kind is not FEEDBACK or all(hides(event.data.reporter) for event in events):
            return events
        sealed = []
        for event in events:
            if not hides(event.data.reporter):
                self._unencrypted[kind] += 1
                data = msgspec.structs.replace(
                    event.data, reporter=self._sealer.seal(event.data.reporter)
                )
                event = msgspec.structs.replace(event, data=data)
            sealed.append(event)
        return sealed

    def _warn_of_unencrypted(self) -> dict[Kind, int]:
        for kind in self._unencrypted.keys() - self._warned:
            self._warned.add(kind)
            log.warning(
                "%s: reporter identity arrived unencrypted; encrypted before storage, but it stays "
                "unencrypted in Kafka: send such events through the gateway",
                kind.topic(self._prefix),
            )
        return dict(self._unencrypted)

    def _read_one(self, kind: Kind, record: ConsumedRecord) -> Read:
        event = self._reader.read(record.value or b"")
        if event.kind is not kind:
            raise RefusalError(
                RefusalCategory.UNKNOWN_KIND,
                f"A {event.kind.type} event does not belong in {kind.topic(self._prefix)}.",
            )
        entity = kind.entity_id(event.data)
        if record.key != entity.encode():
            raise RefusalError(RefusalCategory.WRONG_KEY, f"The record's key must be {entity!r}.")
        self._keeping.check(event, received_ms(record))
        return event

    def _load(self, partition: Partition, minutes: Iterable[int]) -> Checkpoint | None:
        """Load the stored minutes that rows need.

        Returns:
            None; or the newer checkpoint if the store is ahead of the partition's position.
        """
        missing = partition.missing(minutes)
        if not missing:
            return None
        checkpoint, values = self._store.windows(partition.kind, partition.number, missing)
        if checkpoint > partition.position:
            return self._store.checkpoint(partition.kind, partition.number)
        partition.load(
            missing,
            self._store.identities(partition.kind, partition.number, missing, partition.position),
            values,
        )
        return None

    def _dead(
        self, kind: Kind, number: int, record: ConsumedRecord, refusal: RefusalError
    ) -> DeadLetter:
        payload = record.value or b""
        sealed = sealed_remains(payload, self._sealer)
        # The unencrypted identity of a conflict was counted when the record was read.
        if sealed is not payload and refusal.category is not RefusalCategory.CONFLICT:
            self._unencrypted[kind] += 1
        received_at = from_milliseconds(received_ms(record))
        return DeadLetter(
            topic=kind.topic(self._prefix),
            partition=number,
            offset=record.offset,
            received_at=received_at,
            category=refusal.category.value,
            reason=refusal.reason,
            key=record.key or b"",
            payload=sealed,
            kind=kind.name,
            agency=stated_sender(sealed).agency,
            changed_at=received_at,
        )
