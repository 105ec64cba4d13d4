"""The events that every peer is measured on.

Filings of the simulated province, squeezed into the span that is asked for.

What happens to whom keeps the simulator's shares: fourteen days of filings are lived through once,
and their steps are dealt out again and again, each time as filings with numbers of their own. Only
`time`, the identity and the key change; the record's time is the event's arrival. One record in a
hundred is a repeat of an earlier one.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import chain
from random import Random
from typing import NamedTuple

from ingest.simulator import filings
from ingest.simulator.clock import DAY, HOUR, ZONE, moment
from ingest.simulator.steps import source
from ingest.simulator.world import World
from schemas.events.envelope import Reader, write
from schemas.events.kinds import FILING
from schemas.moments import milliseconds

SEED = 7
REPEATED = 0.01
LAG = 4.0
"""Mean seconds from an event to its arrival, exponential as in the simulator.

Events are a little out of order.
"""
FRAME = struct.Struct("<HIq")
"""What precedes a record on its way to the publisher.

Lengths of key and value, arrival in milliseconds.
"""


class Record(NamedTuple):
    """A record as it is sent: `arrival` in milliseconds since 1970."""

    key: bytes
    value: bytes
    arrival: int


@dataclass(frozen=True)
class Load:
    """`count` records whose arrivals are spread evenly over `span`, from `start` on.

    The same for ever: the seed is fixed.
    """

    count: int
    start: datetime
    span: timedelta
    name: str = ""
    """Makes the filings' numbers differ from those of other loads."""
    repeated: float = REPEATED
    check_every: int = 1
    """Of how many originals one is checked to be what `Reader` takes and what was meant."""

    def records(self) -> Iterator[Record]:
        """Yield the records in order of arrival."""
        chance = Random(SEED).random
        patterns = _patterns()
        read = Reader().read
        first, step = milliseconds(self.start), self.span.total_seconds() * 1000 / self.count
        repeats: list[tuple[int, int, Record]] = []
        originals = 0
        for index in range(self.count):
            arrival = first + int(index * step)
            if repeats and repeats[0][0] <= index:
                yield heappop(repeats)[-1]._replace(arrival=arrival)
                continue
            cycle, which = divmod(originals, len(patterns))
            originals += 1
            key, pattern = patterns[which]
            filing = b"%b%b.%d" % (key, self.name.encode(), cycle)
            occurred = arrival - int(1000 * LAG * min(-math.log(1 - chance()), 6.0))
            record = Record(
                filing, pattern % {b"filing": filing, b"time": _stamp(occurred)}, arrival
            )
            if (
                not index % self.check_every
                and read(record.value).data.filing_id.encode() != filing
            ):
                raise AssertionError(f"not the event that was meant: {record.value!r}")
            yield record
            if chance() < self.repeated:
                # From a second to ten minutes later, each order of magnitude as likely as the next.
                heappush(repeats, (index + 1 + int(1000 * 600 ** chance() / step), index, record))

    def frames(self) -> Iterator[bytes]:
        """Yield the records as the publisher reads them."""
        for key, value, arrival in self.records():
            yield FRAME.pack(len(key), len(value), arrival) + key + value


def last_hour(count: int, name: str = "", repeated: float = REPEATED) -> Load:
    """Return an hour of events, which ended at the beginning of this hour."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    return Load(count, start, timedelta(hours=1), name, repeated)


def _patterns() -> list[tuple[bytes, bytes]]:
    """Return (filing, the bytes of one of its steps with places for what changes), in the order in
    which they happened.
    """
    world = World("46", SEED)
    start = milliseconds(datetime(2026, 10, 5, tzinfo=ZONE))
    hours = range(start, start + 14 * DAY, HOUR)
    steps = sorted(
        chain.from_iterable(
            filings.generate(world, hour, world.dice("filing", hour), 0) for hour in hours
        )
    )
    found = []
    for one in steps:
        key = FILING.entity_id(one.event).encode()
        value = write(
            FILING, one.event, id=one.id, source=source(one.agency), time=moment(one.occurred)
        )
        when = b'"time":"%b"' % moment(one.occurred).isoformat().encode()
        pattern = (
            value.replace(b"%", b"%%")
            .replace(key, b"%(filing)b")
            .replace(when, b'"time":"%(time)b"')
        )
        assert b"%(time)b" in pattern
        found.append((key, pattern))
    return found


@lru_cache(4096)
def _second(seconds: int) -> bytes:
    return f"{moment(seconds * 1000):%Y-%m-%dT%H:%M:%S}".encode()


def _stamp(ms: int) -> bytes:
    """Return the moment in Viet Nam's time, as `schemas.events.envelope.write` puts it."""
    seconds, rest = divmod(ms, 1000)
    return b"%b.%03d000+07:00" % (_second(seconds), rest)
