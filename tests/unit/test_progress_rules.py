"""What stands still is noticed, what is idle or catching up is not taken for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.query.progress import Lag, Pace
from dashboard.query.progress import judge as judged
from schemas.events.kinds import KINDS
from streams.worker.batch import heartbeat_rows
from streams.worker.progress import MAX_SEEN, KindPartition, OffsetRange, StallDetector
from streams.worker.table_rows import PROGRESS_ROWS
from tests.records import Record

ONE, TWO = KindPartition("filing", 0), KindPartition("filing", 1)
NOW = datetime(2026, 11, 17, 7, 5, tzinfo=UTC)


def ends(**offsets: int) -> dict[KindPartition, OffsetRange]:
    """Return partitions in which nothing but records lies, all of them committed, by where they
    end.
    """
    return {{"one": ONE, "two": TWO}[name]: OffsetRange(end, end) for name, end in offsets.items()}


def test_a_partition_that_has_records_and_writes_none_stands_still_and_is_said_once() -> None:
    detector, said = StallDetector(10), []
    for second in range(0, 40, 2):
        moving = second if second < 10 or second > 30 else 10
        said.append(
            detector.update(second, ends(one=100, two=50 + second), {ONE: moving, TWO: 50 + second})
        )
    lines = [line for lines in said for line in lines]
    assert lines == [
        "filing[0] is stalled: lag 90 records, nothing written for 10 s",
        "filing[0] is no longer stalled",
    ]
    assert [second for second, some in zip(range(0, 40, 2), said, strict=True) if some] == [20, 32]
    assert detector.stalled() == []


def test_idle_is_not_still_and_waiting_begins_when_something_comes() -> None:
    detector = StallDetector(10)
    for second in range(0, 1000, 100):
        assert detector.update(second, ends(one=7), {ONE: 7}) == []
    assert detector.update(1000, ends(one=8), {ONE: 7}) == []
    assert detector.update(1009, ends(one=9), {ONE: 7}) == []
    assert len(detector.update(1010, ends(one=9), {ONE: 7})) == 1
    assert detector.update(1012, ends(one=9), {}) == [], (
        "while it cannot be asked nothing has moved, and nothing new is said"
    )
    (row,) = detector.rows(1012, 5_000_000, {ONE: 4_000}, "w")
    (told,) = zip(*PROGRESS_ROWS.columns([row]), strict=True)
    since = 5_000_000 - 12_000
    assert told == ("filing", 0, "w", 7, 9, 4_000, since, since, 5_000_000)


def test_markers_and_aborted_records_are_no_lag_whatever_is_behind_them() -> None:
    detector = StallDetector(10)
    for second in range(0, 40, 2):
        assert (
            detector.update(
                second, {ONE: OffsetRange(9, 9, (7, 9)), TWO: OffsetRange(5, 5, (0, 5))}, {ONE: 7}
            )
            == []
        )
    assert [one.lag for one in detector.partitions.values()] == [0, 0]
    assert detector.update(40, {ONE: OffsetRange(12, 12, (7, 9))}, {ONE: 7}) == []
    assert detector.partitions[ONE].lag == 3, "what came behind them waits"
    detector.update(42, {ONE: OffsetRange(12, 12, (11, 12))}, {ONE: 9})
    assert detector.partitions[ONE].lag == 3, (
        "a record that was read and is not written yet waits, and what is behind it with it"
    )


def test_what_waits_for_a_transaction_that_hangs_open_is_said_to_wait_for_that() -> None:
    detector, said = StallDetector(10), []
    for second in range(0, 20, 2):
        said += detector.update(
            second, {ONE: OffsetRange(9, 7), TWO: OffsetRange(9, 9)}, {ONE: 7, TWO: 4}
        )
    idle = "nothing written for 10 s"
    assert said == [
        f"filing[0] is stalled: lag 2 records, {idle}; a sender holds a transaction open",
        f"filing[1] is stalled: lag 5 records, {idle}",
    ]
    assert detector.stalled() == [
        "nothing is written of filing[1]",
        "2 records of filing[0] wait until a sender ends its transaction",
    ]
    assert detector.update(
        20, {ONE: OffsetRange(10, 10, (7, 10)), TWO: OffsetRange(9, 9)}, {ONE: 7, TWO: 9}
    ) == [
        "filing[0] is no longer stalled",
        "filing[1] is no longer stalled",
    ], "it was aborted: there is nothing to write"


def test_catching_up_is_behind_but_not_still() -> None:
    detector = StallDetector(10)
    for second in range(0, 100, 2):
        assert detector.update(second, ends(one=1000 + second), {ONE: second}) == []
    (row,) = detector.rows(98, 98_000, {}, "w")
    (told,) = zip(*PROGRESS_ROWS.columns([row]), strict=True)
    assert told[5:8] == (None, 0, 98_000), "the first end that was seen is still not reached"


def test_what_moved_to_another_worker_is_not_followed() -> None:
    detector = StallDetector(10)
    detector.update(0, ends(one=9, two=9), {})
    detector.update(30, ends(two=9), {TWO: 9})
    assert set(detector.partitions) == {TWO}
    assert detector.update(60, ends(one=9, two=9), {TWO: 9}) == [], (
        "it comes back with a clean slate"
    )


def test_a_long_stall_takes_little_memory() -> None:
    detector = StallDetector(10)
    for second in range(10 * MAX_SEEN):
        detector.update(second, ends(one=second + 1), {})
    standing = detector.partitions[ONE]
    assert len(standing.waits) <= MAX_SEEN and standing.waits[0] == (0, 1)


def row(kind: str, partition: int, **changes: Any) -> dict[str, Any]:
    usual = {
        "records": 0,
        "waits_since": None,
        "at": NOW,
        "still": 0.0,
        "waited": 0.0,
        "unheard": 0.0,
    }
    return usual | {"kind": kind, "partition": partition} | changes


def test_the_screens_tell_behind_from_still_and_from_nobodys() -> None:
    since = NOW - timedelta(seconds=30)
    waits = {"records": 5, "waits_since": since, "waited": 30.0}
    rows = [row(kind.name, number) for kind in KINDS for number in range(2)]
    assert judged(rows, 2, 10) == ()
    assert judged([], 2, 10) == (), "no worker ever spoke: the pulse says that"
    assert (
        judged([row("filing", 0, records=5, waits_since=NOW, waited=1.0), *rows[1:]], 2, 10) == ()
    )
    assert judged([row("filing", 0, **waits, still=1.0), *rows[1:]], 2, 10) == (
        Lag("filing", 0, Pace.BEHIND, 5, since),
    )
    assert judged([row("filing", 0, **waits, still=30.0), *rows[1:]], 2, 10) == (
        Lag("filing", 0, Pace.STALLED, 5, since),
    )
    assert judged([row("filing", 0, unheard=11.0), *rows[1:]], 2, 10) == (
        Lag("filing", 0, Pace.UNOWNED, 0, NOW),
    )
    assert judged(rows[1:], 2, 10) == (Lag("filing", 0, Pace.UNOWNED),), "its worker never spoke"


def test_a_heartbeat_that_cannot_be_read_is_left_out() -> None:
    deep = (
        b'{"gateway":"g","sent_at":"2026-11-02T00:00:00Z","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    )
    assert (
        heartbeat_rows([(0, [Record(0, 0, None, value) for value in (deep, b"\xff", b"{")])]) == []
    )
