"""Process the events of one request: read each, send it, and answer once Kafka has acknowledged."""

import asyncio
import contextlib
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from typing import Any

import msgspec

from ingest.gateway import messages
from ingest.gateway.notices import Notice, find_notices, format_warning, need_no_notice
from ingest.gateway.recent import Position, RecentEvents
from ingest.gateway.refusals import RefusalCounter
from ingest.producer import KafkaUnavailableError, Producer
from schemas.clickhouse.retention import RetentionCheck
from schemas.events.envelope import (
    Read,
    Reader,
    RefusalCategory,
    RefusalError,
    bodies,
    body,
    identities,
    identity,
)
from schemas.events.kinds import BY_NAME, FEEDBACK
from schemas.events.members import may_repeat, repeated_member
from schemas.events.refusals import StatedSender, stated_sender
from schemas.seal import Sealer, read_sealed


class Result(msgspec.Struct, omit_defaults=True, gc=False):
    """The outcome of one event of a request."""

    index: int
    id: str | None = None
    source: str | None = None
    status: str = ""
    category: str | None = None
    reason: str | None = None
    warning: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Answer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The body of every answer; `category` and `reason` are set if the whole request is refused."""

    accepted: int
    duplicates: int
    refused: int
    unacknowledged: int = 0
    category: str | None = None
    reason: str | None = None
    events: list[Result]


PIECE_EVENTS, PIECE_BYTES = 1_000, 1 << 20
"""Records that are read in one pass: some milliseconds of work."""
STEP_EVENTS = 32
"""Events that are sent in one step after they were read in one pass."""
ACCEPTED, DUPLICATE, REFUSED, UNACKNOWLEDGED = "accepted", "duplicate", "refused", "unacknowledged"


_Read = tuple[Read, bytes, int, int]
"""An event, its record with an encrypted reporter, and the hashes of its identity and content."""


class _Produced(msgspec.Struct, frozen=True, gc=False):
    """An event that was passed to the producer."""

    index: int
    identity: int
    body: int
    topic: str
    future: Any


class Intake:
    """Processes a request's events: `steps` (off the event loop), `acknowledged`, then `answer`."""

    def __init__(
        self,
        reader: Reader,
        sealer: Sealer,
        recent: RecentEvents,
        prefix: str,
        language: str,
        refused: RefusalCounter,
        keeping: RetentionCheck = RetentionCheck(),
    ) -> None:
        """Prepare for one request.

        Args:
            reader: validates events.
            sealer: encrypts reporters' identities.
            recent: positions of recently acknowledged events, shared by all requests.
            prefix: prefix of topic names.
            language: `vi` or `en`, for reasons and warnings.
            refused: counts refusals, shared by all requests.
            keeping: the retention rule; events from before its horizon are refused.
        """
        self._reader = reader
        self._keeping = keeping
        self._sealer = sealer
        self._recent = recent
        self._refused = refused
        self._prefix = prefix
        self._topics: dict[str, str] = {}
        self._language = language
        self.results: list[Result] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """(kind, status) → events, for the metrics."""
        self.refusals: Counter[str] = Counter()
        """Category → events, for the metrics."""
        self.notices: Counter[tuple[str, str, str]] = Counter()
        """(kind, what, field) → notices of accepted events, for the metrics."""
        self._notices: dict[int, list[Notice]] = {}
        self._sent: list[_Produced] = []
        self._first: dict[int, _Produced] = {}
        """Hash of an identity → the first event of this request that has it."""
        self._repeats: list[tuple[int, int]] = []
        self._kinds: dict[int, str] = {}
        self._producer: Producer
        self._arrival: datetime
        self._arrived_ms = 0
        self._started = 0.0
        self._unavailable = False

    def steps(
        self, records: Sequence[bytes], producer: Producer, arrived_ms: int
    ) -> Iterator[None]:
        """Read every record and send the valid and new ones, a few milliseconds at a time.

        Events for which Kafka has no room stay unacknowledged.

        Args:
            records: the bytes of each event.
            producer: sends them.
            arrived_ms: when the request arrived, in milliseconds since 1970.

        Yields:
            After each step, so that the caller can serve another request.
        """
        self._started = time.perf_counter()
        self._producer, self._arrived_ms = producer, arrived_ms
        self._arrival = datetime.fromtimestamp(arrived_ms / 1000, UTC)
        for at, until in _pieces(records):
            piece = records[at:until]
            together = self._read_together(piece)
            if together is None:
                for index, record in enumerate(piece, at):
                    self._take(index, record)
                    yield
                continue
            kind = together[0][0].kind
            self._kinds.update(dict.fromkeys(range(at, until), kind.name))
            quiet = not self._keeping.days and need_no_notice(
                kind, [one[0] for one in together], piece, self._arrival
            )
            for index, (record, read) in enumerate(zip(piece, together, strict=True), at):
                self._take(index, record, read, quiet)
                if not index % STEP_EVENTS:
                    yield

    def _take(
        self, index: int, record: bytes, read_before: _Read | None = None, quiet: bool = False
    ) -> None:
        """Read an event, unless that was done, and send it if it is valid and new.

        `quiet` events are known to need no notice.
        """
        result = Result(index)
        self.results.append(result)
        try:
            read, encrypted, mark, content = read_before or self._read(record)
            result.id, result.source = read.id, read.source
            if not quiet:
                self._kinds[index] = read.kind.name
                if self._keeping.days:
                    self._keeping.check(read, self._arrived_ms)
                if (found := find_notices(read, record, self._arrival)) is not None:
                    self._notices[index] = found
                    result.warning = format_warning(found, self._language)
            if (earlier := self._first.get(mark)) is not None:
                _same_or_refuse(earlier.body, content)
                self._repeats.append((index, earlier.index))
            elif (known := self._recent.get(mark)) is not None:
                _same_or_refuse(known.body, content)
                _set_position(result, DUPLICATE, known)
            elif not self._unavailable:
                self._produce(index, read, encrypted, mark, content)
        except RefusalError as refusal:
            self._refuse(result, refusal, record)
        except KafkaUnavailableError:
            self._unavailable = True

    def _read(self, record: bytes) -> _Read:
        read, encrypted = read_sealed(record, self._reader, self._sealer)
        return read, encrypted, identity(read.event_id), body(read)

    def _read_together(self, records: Sequence[bytes]) -> list[_Read] | None:
        """Return what `_read` gives for each record, in one pass: most requests are of one kind.

        None if they must be read one by one, as must those that name a person.
        """
        kind = (
            BY_NAME.get(stated_sender(records[0]).kind, FEEDBACK) if len(records) > 1 else FEEDBACK
        )
        if kind is FEEDBACK or (reads := self._reader.read_all(kind, records)) is None:
            return None
        if may_repeat(kind, records) and any(
            repeated_member(record) is not None for record in records
        ):
            return None
        marks = identities([read.event_id for read in reads])
        return list(zip(reads, records, marks, bodies(kind, reads), strict=True))

    def _produce(self, index: int, read: Read, record: bytes, mark: int, content: int) -> None:
        kind = read.kind
        topic = self._topics.get(kind.name) or self._topics.setdefault(
            kind.name, kind.topic(self._prefix)
        )
        future = self._producer.put(topic, kind.entity_id(read.data).encode(), record)
        self._first[mark] = sent = _Produced(index, mark, content, topic, future)
        self._sent.append(sent)

    def _refuse(self, result: Result, refusal: RefusalError, record: bytes) -> None:
        named = (
            stated_sender(record)
            if refusal.category is not RefusalCategory.TOO_LARGE
            else StatedSender()
        )
        if result.id is None:
            result.id, result.source = named.id, named.source
        self._refused.note(named, refusal.category.value, refusal.reason)
        result.status, result.category, result.warning = REFUSED, refusal.category.value, None
        result.reason = messages.explain(refusal, self._language)
        self.refusals[refusal.category.value] += 1

    async def acknowledged(self, timeout: float) -> float:
        """Wait until the broker has answered for everything sent, at most `timeout` seconds.

        Returns:
            The seconds since the first event was read.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        changed = asyncio.Event()
        wake = partial(_wake, loop, changed)
        # Kafka acknowledges batches of records, so waiting for the first pending one skips most.
        for sent in self._sent:
            if sent.future.is_done:
                continue
            if loop.time() < deadline:
                sent.future.add_both(wake)
                while not sent.future.is_done and loop.time() < deadline:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), deadline - loop.time())
                    changed.clear()
            if not sent.future.is_done:
                # If it is acknowledged after all, the resend that we ask for is a duplicate.
                sent.future.add_callback(partial(_remember, self._recent, sent))
        return time.perf_counter() - self._started

    def answer(self) -> Answer:
        """Return the outcome of every event, in the order of the request."""
        accepted = [
            sent for sent in self._sent if sent.future.is_done and sent.future.exception is None
        ]
        positions = [_position(sent, sent.future.value) for sent in accepted]
        for sent, position in zip(accepted, positions, strict=True):
            _set_position(self.results[sent.index], ACCEPTED, position)
        self._recent.put(
            (sent.identity, position) for sent, position in zip(accepted, positions, strict=True)
        )
        for index, original in self._repeats:
            first = self.results[original]
            if first.status == ACCEPTED:
                result = self.results[index]
                result.status, result.topic = DUPLICATE, first.topic
                result.partition, result.offset = first.partition, first.offset
        for index, found in self._notices.items():
            if self.results[index].status == ACCEPTED:
                self.notices.update((self._kinds[index], one.about, one.field) for one in found)
        statuses = [result.status for result in self.results]
        if "" in statuses:
            for result in self.results:
                if not result.status:
                    result.status, result.reason = (
                        UNACKNOWLEDGED,
                        messages.text(messages.UNACKNOWLEDGED, self._language),
                    )
            statuses = [result.status for result in self.results]
        count = Counter(statuses)
        if len(self._kinds) == len(statuses) and len({*self._kinds.values()}) == 1:
            self.outcomes.update(
                {(self._kinds[0], status): number for status, number in count.items()}
            )
        else:
            self.outcomes.update(
                (self._kinds.get(index, "unknown"), status) for index, status in enumerate(statuses)
            )
        return Answer(
            accepted=count[ACCEPTED],
            duplicates=count[DUPLICATE],
            refused=count[REFUSED],
            unacknowledged=count[UNACKNOWLEDGED],
            events=self.results,
        )


def _pieces(records: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Yield each piece's begin and end: up to `PIECE_BYTES`, at most `PIECE_EVENTS` records."""
    ends = list(accumulate(map(len, records)))
    at = before = 0
    while at < len(records):
        until = min(at + PIECE_EVENTS, max(at + 1, bisect_right(ends, before + PIECE_BYTES)))
        yield at, min(until, len(records))
        at, before = until, ends[min(until, len(records)) - 1]


def _same_or_refuse(earlier: int, content: int) -> None:
    if earlier != content:
        raise RefusalError(RefusalCategory.CONFLICT, "")


def _set_position(result: Result, status: str, position: Position) -> None:
    result.status = status
    result.topic, result.partition, result.offset = (
        position.topic,
        position.partition,
        position.offset,
    )


def _position(sent: _Produced, metadata: Any) -> Position:
    return Position(sent.body, sent.topic, metadata.partition, metadata.offset)


def _remember(recent: RecentEvents, sent: _Produced, metadata: Any) -> None:
    recent.put([(sent.identity, _position(sent, metadata))])


def _wake(loop: asyncio.AbstractEventLoop, changed: asyncio.Event, _: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(changed.set)
