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
from ingest.producer import KafkaUnavailable, Producer
from schemas.envelope import Category, Read, Reader, Refusal, bodies, body, identities, identity
from schemas.kinds import BY_NAME, FEEDBACK
from schemas.members import perhaps_repeated, repeated_member
from schemas.refusals import Said, code, said
from schemas.retention import Keeping
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


class _Sent(msgspec.Struct, frozen=True, gc=False):
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
        self._sent: list[_Sent] = []
        self._repeats: list[tuple[int, int]] = []
        self._kinds: dict[int, str] = {}
        self._started = 0.0
        self._away = False

    def steps(self, records: Sequence[bytes], producer: Producer, arrived_ms: int) -> Iterator[None]:
        """Read every record and send what is valid and new, a few milliseconds at a time. What Kafka has no room for is left
        unacknowledged."""
        self._started = time.perf_counter()
        arrival = datetime.fromtimestamp(arrived_ms / 1000, UTC)
        first: dict[int, _Sent] = {}
        for at, until in _pieces(records):
            together = self._read_together(records[at:until])
            quiet = together is not None and none_of(together[0][0].kind, [one[0] for one in together], arrival)
            for index in range(at, until):
                read = None if together is None else together[index - at]
                self._take(index, records[index], read, quiet, first, producer, arrival, arrived_ms)
                if read is None or index % STEP_EVENTS == 0:
                    yield

    def _take(
        self,
        index: int,
        record: bytes,
        read_before: _Read | None,
        quiet: bool,
        first: dict[int, _Sent],
        producer: Producer,
        arrival: datetime,
        arrived_ms: int,
    ) -> None:
        result = Result(index)
        self.results.append(result)
        try:
            read, closed, mark, content = read_before or self._read(record)
            result.id, result.source = read.id, read.source
            self._kinds[index] = read.kind.name
            if self._keeping.days:
                self._keeping.check(read, arrived_ms)
            if not quiet and (found := notices(read, record, arrival)) is not None:
                self._notices[index] = found
                result.warning = told(found, self._language)
            if (earlier := first.get(mark)) is not None:
                _same_or_refuse(earlier.body, content)
                self._repeats.append((index, earlier.index))
            elif (known := self._recent.get(mark)) is not None:
                _same_or_refuse(known.body, content)
                _place(result, DUPLICATE, known)
            elif not self._away:
                first[mark] = sent = self._give(index, mark, content, read, closed, producer, arrived_ms)
                self._sent.append(sent)
        except Refusal as refusal:
            self._refuse(result, refusal, record)
        except KafkaUnavailable:
            self._away = True

    def _read(self, record: bytes) -> _Read:
        if len(record) <= self._reader.max_bytes and (name := repeated_member(record)) is not None:
            # Before anything is sealed or sent: which of the two holds would depend on the reader.
            raise Refusal(Category.WRONG_VALUE, words.REPEATED.format(f"`{code(name) or '…'}`"))
        read, closed = read_sealed(record, self._reader, self._sealer)
        return read, closed, identity(read.event_id), body(read)

    def _read_together(self, records: Sequence[bytes]) -> list[_Read] | None:
        """What `_read` gives for each, in one pass: a sender's records are of one kind as a rule. None if they have to be read one
        by one, as those in which somebody is named are, too."""
        kind = BY_NAME.get(said(records[0]).kind, FEEDBACK) if len(records) > 1 else FEEDBACK
        if kind is FEEDBACK or (reads := self._reader.read_all(kind, records)) is None:
            return None
        if perhaps_repeated(kind, records) and any(repeated_member(record) is not None for record in records):
            return None
        marks = identities([read.event_id for read in reads])
        return list(zip(reads, records, marks, bodies(kind, reads), strict=True))

    def _give(self, index: int, mark: int, content: int, read: Read, record: bytes, producer: Producer, arrived_ms: int) -> _Sent:
        topic = self._topics.get(read.kind.name) or self._topics.setdefault(read.kind.name, read.kind.topic(self._prefix))
        future = producer.put(topic, read.kind.entity_id(read.data).encode(), record)
        return _Sent(index, mark, content, topic, future)

    def _refuse(self, result: Result, refusal: Refusal, record: bytes) -> None:
        named = said(record) if refusal.category is not Category.TOO_LARGE else Said()
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
        for sent in self._sent:
            if sent.future.is_done and sent.future.exception is None:
                _place(self.results[sent.index], ACCEPTED, _remember(self._recent, sent, sent.future.value))
        for index, original in self._repeats:
            found = self.results[original]
            if found.status == ACCEPTED:
                result = self.results[index]
                result.status, result.topic = DUPLICATE, found.topic
                result.partition, result.offset = found.partition, found.offset
        for result in self.results:
            if not result.status:
                result.status, result.reason = UNACKNOWLEDGED, words.of(words.UNACKNOWLEDGED, self._language)
            elif result.warning and result.status == ACCEPTED:
                self.notices.update((self._kinds[result.index], one.about, one.field) for one in self._notices[result.index])
        statuses = [result.status for result in self.results]
        kinds = [self._kinds.get(index, "unknown") for index in range(len(statuses))]
        self.outcomes.update(zip(kinds, statuses, strict=True))
        count = Counter(statuses)
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
        raise Refusal(Category.CONFLICT, "")


def _place(result: Result, status: str, position: Position) -> None:
    result.status = status
    result.topic, result.partition, result.offset = position.topic, position.partition, position.offset


def _remember(recent: Recent, sent: _Sent, metadata: Any) -> Position:
    position = Position(sent.body, sent.topic, metadata.partition, metadata.offset)
    recent.put(sent.identity, position)
    return position


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event, _: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)
