"""Compute the Kafka partition of an event.

It is a pure function of the event and the same in every process, for ever. A repeat is recognised
only in the partition of its original, so it must go there, however many partitions were added
since. Both have the same key and the same `occurred_at`. So the number of partitions to use is the
one that was in force at `occurred_at`, by a declared history, and not the one that the topic has
when the event is sent.
"""

import re
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from schemas.events.payloads import Moment
from schemas.moments import ZONE, milliseconds

_LATER = re.compile(r"(?P<moment>\S+)\s*=\s*(?P<count>\d+)")
MAX_PARTITIONS = 1024
"""Maximum number of partitions of a topic, so that a typing mistake does not create a million."""


@dataclass(frozen=True)
class Partitions:
    """The number of partitions over time: `counts[0]` at first, `counts[i + 1]` from `since[i]` on.

    `since` is in milliseconds since 1970, as `occurred_at` is stored: the partition of an event can
    be computed from its row.
    """

    counts: tuple[int, ...]
    since: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a text such as `4` or `4, 2027-01-01T00:00+07:00 = 8`.

        Raises:
            ValueError: The text is malformed; the message says how.
        """
        first, *later = (part.strip() for part in text.split(","))
        counts, since = [_count(first)], list[int]()
        for part in later:
            found = _LATER.fullmatch(part)
            if not found:
                raise ValueError(f"{part!r} is not of the form 2027-01-01T00:00+07:00 = 8")
            count, moment = _count(found["count"]), _moment(found["moment"])
            if count <= counts[-1]:
                raise ValueError(
                    f"partitions can only become more: {count} does not follow {counts[-1]}"
                )
            if since and moment <= since[-1]:
                raise ValueError(
                    f"moments must ascend: {found['moment']} does not follow the one before it"
                )
            counts.append(count)
            since.append(moment)
        return cls(tuple(counts), tuple(since))

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        moments = (datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in self.since)
        later = (
            f"{moment} = {count}" for moment, count in zip(moments, self.counts[1:], strict=True)
        )
        return ", ".join([str(self.counts[0]), *later])

    @property
    def largest(self) -> int:
        """Return the number of partitions that a topic must have."""
        return self.counts[-1]

    def at(self, moment: datetime) -> int:
        """Return the number of partitions in force at a moment."""
        return self.counts[bisect_right(self.since, milliseconds(moment))]

    def of(self, key_hash: int, record: bytes) -> int:
        """Return the partition of a record.

        A record that is not an event has no time, and becomes a dead letter in whichever partition
        it lies: for it, the first number of partitions is used.

        Args:
            key_hash: Kafka's murmur2 hash of the record's key.
            record: The record's bytes.
        """
        count = self.counts[0]
        if self.since:
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                count = self.at(_time(record))
        return (key_hash & 0x7FFFFFFF) % count


def _time(record: bytes) -> datetime:
    """Return the time of an event; a time that is a date is the start of its day.

    Raises msgspec's errors.
    """
    try:
        return _TIMED.decode(record).time
    except msgspec.ValidationError:
        return datetime.combine(_DATED.decode(record).time, time.min, ZoneInfo(ZONE))


class _Timed(msgspec.Struct):
    time: Moment


class _Dated(msgspec.Struct):
    time: date


_TIMED, _DATED = msgspec.json.Decoder(_Timed), msgspec.json.Decoder(_Dated)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PARTITIONS:
        raise ValueError(f"{text!r} is not a number of partitions from 1 to {MAX_PARTITIONS}")
    return int(text)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2027-01-01T00:00+07:00") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} lacks its offset from UTC, such as +07:00")
    return milliseconds(moment)
