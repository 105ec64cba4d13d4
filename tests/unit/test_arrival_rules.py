"""When a record arrived: as the broker says, or earlier as a backfill of history states.

Nobody else's clock has a say.
"""

import pytest

from schemas.events.topics import RECEIVED_AT
from streams.worker.batch import EARLIEST_MS, LATEST_MS, arrivals, received_ms
from tests.records import Record

BROKER = 1_796_000_000_000


@pytest.mark.parametrize(
    ("stated", "arrived"),
    [
        (b"1700000000000", 1_700_000_000_000),
        (b"%d" % EARLIEST_MS, EARLIEST_MS),
        (b"%d" % BROKER, BROKER),
        (b"%d" % (BROKER + 1), BROKER),
        (b"%d" % (EARLIEST_MS - 1), BROKER),
        (b"0", BROKER),
        (b"-5", BROKER),
        (b"1700000000000.5", BROKER),
        (b"1_700_000_000_000", BROKER),
        (b"9" * 100_000, BROKER),
        (b"\xd9\xa1", BROKER),
        (b"", BROKER),
        (None, BROKER),
    ],
)
def test_a_stated_arrival_is_taken_between_1990_and_the_brokers_time_only(
    stated: bytes | None, arrived: int
) -> None:
    record = Record(0, BROKER, b"k", b"v", [("trace", b"7"), (RECEIVED_AT, stated)])
    assert received_ms(record) == arrived
    assert arrivals([Record(0, BROKER + 1, b"k", b"v"), record]) == [BROKER + 1, arrived]


def test_the_time_of_a_record_of_an_older_log_is_kept_within_what_can_be_held() -> None:
    """Topics took their senders' times once; what lies in them was counted by those."""
    assert arrivals([Record(0, stamp, None, None) for stamp in (-1, 7, 1 << 60)]) == [
        0,
        7,
        LATEST_MS,
    ]
    assert arrivals([]) == []
