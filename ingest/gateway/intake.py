"""The events of one request on their way: each is read, sent, and answered for once the broker has acknowledged."""

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

from ingest.gateway import words
from ingest.gateway.notices import Notice, none_of, notices, told
from ingest.gateway.recent import Position, Recent
from ingest.gateway.refusals import Refusals
from ingest.producer import KafkaUnavailableError, Producer
from schemas.clickhouse.retention import Keeping
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
    """What became of one event of a request."""

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
    """The body of every answer; `category` and `reason` are there when the request as a whole has a problem."""

    accepted: int
    duplicates: int
    refused: int
    unacknowledged: int = 0
    category: str | None = None
    reason: str | None = None
    events: list[Result]


PIECE_EVENTS, PIECE_BYTES = 1_000, 1 << 20
"""What is read in one pass: some milliseconds of work."""
STEP_EVENTS = 32
"""Events that were read in one pass and are sent in one step."""
ACCEPTED, DUPLICATE, REFUSED, UNACKNOWLEDGED = "accepted", "duplicate", "refused", "unacknowledged"


_Read = tuple[Read, bytes, int, int]
"""An event, its record with who reported sealed, what stands for its identity and for what it says."""


class _Produced(msgspec.Struct, frozen=True, gc=False):
    """An event that was given to the producer."""

    index: int
    identity: int
    body: int
    topic: str
    future: Any


class Intake:
    """Takes the events of one request: all `steps` (off the event loop), then `acknowledged`, then `answer`."""

    def __init__(
        self,
        reader: Reader,
        sealer: Sealer,
        recent: Recent,
        prefix: str,
        language: str,
        refused: Refusals,
        keeping: Keeping = Keeping(),
    ) -> None:
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
        """(kind, what, field) → accepted events' notices, for the metrics."""
        self._notices: dict[int, list[Notice]] = {}
        self._sent: list[_Produced] = []
        self._first: dict[int, _Produced] = {}
        """What stands for an identity → the event of this request that has it."""
        self._repeats: list[tuple[int, int]] = []
        self._kinds: dict[int, str] = {}
        self._producer: Producer
        self._arrival: datetime
        self._arrived_ms = 0
        self._started = 0.0
        self._away = False

    def steps(
        self, records: Sequence[bytes], producer: Producer, arrived_ms: int
    ) -> Iterator[None]:
        """Read every record and send what is valid and new, a few milliseconds at a time. What Kafka has no room for is left
        unacknowledged."""
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
            quiet = not self._keeping.days and none_of(
                kind, [one[0] for one in together], piece, self._arrival
            )
            for index, (record, read) in enumerate(zip(piece, together, strict=True), at):
                self._take(index, record, read, quiet)
                if not index % STEP_EVENTS:
                    yield

    def _take(
        self, index: int, record: bytes, read_before: _Read | None = None, quiet: bool = False
    ) -> None:
        """Read an event, unless that was done, and send it if it is valid and new; `quiet` ones were found to need no word."""
        result = Result(index)
        self.results.append(result)
        try:
            read, closed, mark, content = read_before or self._read(record)
            result.id, result.source = read.id, read.source
            if not quiet:
                self._kinds[index] = read.kind.name
                if self._keeping.days:
                    self._keeping.check(read, self._arrived_ms)
                if (found := notices(read, record, self._arrival)) is not None:
                    self._notices[index] = found
                    result.warning = told(found, self._language)
            if (earlier := self._first.get(mark)) is not None:
                _same_or_refuse(earlier.body, content)
                self._repeats.append((index, earlier.index))
            elif (known := self._recent.get(mark)) is not None:
                _same_or_refuse(known.body, content)
                _place(result, DUPLICATE, known)
            elif not self._away:
                self._give(index, read, closed, mark, content)
        except RefusalError as refusal:
            self._refuse(result, refusal, record)
        except KafkaUnavailableError:
            self._away = True

    def _read(self, record: bytes) -> _Read:
        read, closed = read_sealed(record, self._reader, self._sealer)
        return read, closed, identity(read.event_id), body(read)

    def _read_together(self, records: Sequence[bytes]) -> list[_Read] | None:
        """What `_read` gives for each, in one pass: a sender's records are of one kind as a rule. None if they have to be read one
        by one, as those in which somebody is named are, too."""
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

    def _give(self, index: int, read: Read, record: bytes, mark: int, content: int) -> None:
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
        result.reason = words.explain(refusal, self._language)
        self.refusals[refusal.category.value] += 1

    async def acknowledged(self, timeout: float) -> float:
        """Wait until the broker has answered for all that was sent, at most `timeout` seconds; returns the seconds it took."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        news = asyncio.Event()
        wake = partial(_wake, loop, news)
        # Kafka acknowledges batches of records, so waiting for the first that is not done skips most of them.
        for sent in self._sent:
            if sent.future.is_done:
                continue
            if loop.time() < deadline:
                sent.future.add_both(wake)
                while not sent.future.is_done and loop.time() < deadline:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(news.wait(), deadline - loop.time())
                    news.clear()
            if not sent.future.is_done:
                # Should it be acknowledged yet, the resend that we ask for is a duplicate.
                sent.future.add_callback(partial(_remember, self._recent, sent))
        return time.perf_counter() - self._started

    def answer(self) -> Answer:
        """What became of every event, in the order of the request."""
        accepted = [
            sent for sent in self._sent if sent.future.is_done and sent.future.exception is None
        ]
        positions = [_position(sent, sent.future.value) for sent in accepted]
        for sent, position in zip(accepted, positions, strict=True):
            _place(self.results[sent.index], ACCEPTED, position)
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
                        words.of(words.UNACKNOWLEDGED, self._language),
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
    """Where each piece begins and ends: as many records as make `PIECE_BYTES`, at most `PIECE_EVENTS`."""
    ends = list(accumulate(map(len, records)))
    at = before = 0
    while at < len(records):
        until = min(at + PIECE_EVENTS, max(at + 1, bisect_right(ends, before + PIECE_BYTES)))
        yield at, min(until, len(records))
        at, before = until, ends[min(until, len(records)) - 1]


def _same_or_refuse(earlier: int, content: int) -> None:
    if earlier != content:
        raise RefusalError(RefusalCategory.CONFLICT, "")


def _place(result: Result, status: str, position: Position) -> None:
    result.status = status
    result.topic, result.partition, result.offset = (
        position.topic,
        position.partition,
        position.offset,
    )


def _position(sent: _Produced, metadata: Any) -> Position:
    return Position(sent.body, sent.topic, metadata.partition, metadata.offset)


def _remember(recent: Recent, sent: _Produced, metadata: Any) -> None:
    recent.put([(sent.identity, _position(sent, metadata))])


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event, _: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)
