"""The order of work for a batch of chunks: the one place where exactness is decided.

1. decode and validate each record: bad ones become dead letters; 2. judge: drop repeats, by the order of offsets within the
partition; 3. fold into windows; 4. write raw rows; 5. write the touched windows' absolute values and the checkpoint, in one atomic
part; only then may the chunks be acknowledged. Steps 1 to 3 are here, `streams.worker.batch.write` is 4 and 5; the next batch may
be taken in while one is being written, but is written only after it. A write that failed is repeated: rows are keyed by offset and
values carry theirs, so what is written twice, or late, converges. After any other error the memory of the partitions is dropped and
the same chunks are taken in again.
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
"""Records that are decoded and made rows together: so few that all of it stays in the processor's cache, a quarter less time."""


class Engine:
    """Takes in chunks of the kinds' topics. Not thread-safe: one thread at a time."""

    def __init__(
        self,
        store: WorkerStore,
        topic_prefix: str,
        reader: Reader,
        sealer: Sealer,
        keeping: RetentionCheck = RetentionCheck(),
    ) -> None:
        self._store = store
        self._prefix = topic_prefix
        self._reader = reader
        self._keeping = keeping
        self._sealer = sealer
        self._opened: Counter[Kind] = Counter()
        self._told: set[Kind] = set()
        self._partitions: dict[tuple[Kind, int], Partition] = {}

    def forget(self) -> None:
        """Drop all memory: it is loaded again from the store."""
        self._partitions.clear()

    def take(self, chunks: Iterable[tuple[Kind, int, Sequence[ConsumedRecord]]]) -> Batch:
        """Steps 1 to 3 for chunks given in the order of their offsets. Reads the store, writes nothing."""
        batch = Batch()
        self._opened.clear()
        for kind, number, records in chunks:
            self._take(batch, kind, number, records)
        batch.opened = self._tell_opened()
        for kind, number in batch.upto:
            append(batch.windows, kind, self._partitions[kind, number].changes())
        return batch

    def written(self, batch: Batch) -> None:
        """A batch was written: what it brought may be let go of when memory runs full."""
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
            # Another worker is ahead of us in this partition (it owned it a moment ago): go on from where it stands.
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
        """Whether records are missing before a chunk, so that it has to be fetched again from where we stand.

        A chunk tells from where on it holds all that can be read: what lies before its first record may be the markers of
        transactions and aborted records, or have been removed by retention. The latter is a loss, and is told.
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
        """The valid events as rows, and their records; the others become dead letters."""

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
        """The events with who reported sealed. The gateway does it; what was put into Kafka by others may be in the open."""
        if kind is not FEEDBACK or all(hides(event.data.reporter) for event in events):
            return events
        closed = []
        for event in events:
            if not hides(event.data.reporter):
                self._opened[kind] += 1
                data = msgspec.structs.replace(
                    event.data, reporter=self._sealer.seal(event.data.reporter)
                )
                event = msgspec.structs.replace(event, data=data)
            closed.append(event)
        return closed

    def _tell_opened(self) -> dict[Kind, int]:
        for kind in self._opened.keys() - self._told:
            self._told.add(kind)
            log.warning(
                "%s: who reported came in the open and was sealed here; it stays open in Kafka, so send it through the gateway",
                kind.topic(self._prefix),
            )
        return dict(self._opened)

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
        """Load the stored minutes that rows need. A checkpoint, when the store is ahead of the partition's position."""
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
        closed = sealed_remains(payload, self._sealer)
        if (
            closed is not payload and refusal.category is not RefusalCategory.CONFLICT
        ):  # A conflict was counted when it was read.
            self._opened[kind] += 1
        received_at = from_milliseconds(received_ms(record))
        return DeadLetter(
            topic=kind.topic(self._prefix),
            partition=number,
            offset=record.offset,
            received_at=received_at,
            category=refusal.category.value,
            reason=refusal.reason,
            key=record.key or b"",
            payload=closed,
            kind=kind.name,
            agency=stated_sender(closed).agency,
            changed_at=received_at,
        )
