"""Where an event lies.

The same place for its repeats, in every process, whatever was added since.
"""

import random
from datetime import UTC, datetime, timedelta

import aiokafka.partitioner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import DefaultPartitioner, murmur2
from pydantic import ValidationError

from ingest import murmur
from schemas.events.codes import MeetingState
from schemas.events.envelope import write
from schemas.events.kinds import KINDS, MEETING
from schemas.events.partitions import Partitions
from schemas.events.payloads import Meeting
from schemas.events.topics import topics
from schemas.settings import Settings

MOMENT = datetime(2027, 1, 1, tzinfo=UTC)
GROWN = Partitions.parse("4, 2027-01-01T07:00+07:00 = 8, 2028-01-01T00:00Z = 12")


def record(time: datetime) -> bytes:
    return write(
        MEETING,
        Meeting(agency="A", meeting_id="M", state=MeetingState.LIVE, starts_at=time),
        id="1",
        source="/s",
        time=time,
    )


def test_by_default_an_event_lies_where_kafkas_own_partitioner_puts_it() -> None:
    class Cluster:
        def topics(self) -> set[str]:
            return {"t"}

        def partitions_for_topic(self, _topic: str) -> set[int]:
            return {0, 1, 2, 3}

        available_partitions_for_topic = partitions_for_topic

    rng = random.Random(1)
    for _ in range(200):
        key = rng.randbytes(rng.randrange(1, 40))
        usual = DefaultPartitioner().partition("t", None, key, None, b"", Cluster())
        assert Settings().partitions.of(murmur2(key), b"") == usual
        assert murmur2(key) & 0x7FFFFFFF == aiokafka.partitioner.murmur2(key) & 0x7FFFFFFF, (
            "both clients send to one place"
        )


@pytest.mark.parametrize(
    ("time", "count"),
    [
        (MOMENT - timedelta(days=9000), 4),
        (MOMENT - timedelta(milliseconds=1), 4),
        (MOMENT - timedelta(microseconds=400), 4),  # it is stored as the millisecond before
        (MOMENT, 8),
        (MOMENT + timedelta(days=365), 12),
        (MOMENT + timedelta(days=9000), 12),
    ],
)
def test_the_number_in_force_at_the_events_own_time_decides(time: datetime, count: int) -> None:
    assert GROWN.at(time) == count
    assert {GROWN.of(number, record(time)) for number in range(100)} == set(range(count))


@pytest.mark.parametrize(
    "value", [b"", b"\xff", b"{}", b'{"time":"2030-01-01T00:00:00"}', b"[" * 100_000, b'{"time":7}']
)
def test_what_has_no_time_lies_among_the_first(value: bytes) -> None:
    assert {GROWN.of(number, value) for number in range(100)} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a number of partitions"),
        ("0", "'0' is not a number of partitions from 1 to"),
        ("99999999", "'99999999' is not a number"),
        ("4, 8", "'8' is not of the form"),
        ("4, 2027-01-01T00:00 = 8", "lacks its offset"),
        ("4, soon = 8", "'soon' is not a time"),
        ("4, 2027-01-01T00:00Z = 4", "only become more: 4 does not follow 4"),
        ("4, 2027-01-01T00:00Z = 8, 2026-01-01T00:00Z = 9", "moments must ascend"),
    ],
)
def test_a_wrong_history_is_refused_with_what_is_wrong(
    text: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IOC_PARTITIONS", text)
    with pytest.raises(ValidationError, match="partitions") as found:
        Settings()
    assert problem in str(found.value)


def test_topics_have_as_many_partitions_as_were_ever_declared() -> None:
    found = {topic.name: topic.partitions for topic in topics(Settings(partitions=GROWN))}
    one, every = (
        ("dead-letters", "repeats", "refusals"),
        (*(kind.name for kind in KINDS), "heartbeats"),
    )
    assert found == {f"ioc.{name}": 12 for name in every} | {f"ioc.{name}": 1 for name in one}


@pytest.mark.parametrize("day", ["2026-12-31", "2027-01-01", "2028-01-02"])
def test_an_event_of_a_date_lies_where_one_of_its_midnight_lies(day: str) -> None:
    """One is a repeat of the other, so both have to meet."""
    dated, timed = (b'{"time":"%s"}' % time.encode() for time in (day, f"{day}T00:00:00+07:00"))
    assert {GROWN.of(key, dated) for key in range(24)} <= set(range(12))
    assert [GROWN.of(key, dated) for key in range(24)] == [
        GROWN.of(key, timed) for key in range(24)
    ]


@given(st.binary(max_size=700))
def test_the_hash_of_a_key_is_that_of_every_client_of_kafka(key: bytes) -> None:
    assert murmur.murmur2(key) == murmur2(key) & 0xFFFFFFFF


def test_it_is_written_as_it_is_read() -> None:
    assert Partitions.parse(str(GROWN)) == GROWN
