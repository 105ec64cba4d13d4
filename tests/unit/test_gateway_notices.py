"""What a sender is told of events that are taken all the same."""

from datetime import UTC, datetime

import msgspec

from ingest.gateway import notices
from schemas.documents import example
from schemas.events.envelope import Reader
from schemas.events.kinds import FILING

ORIGINAL = msgspec.json.decode(example(FILING))


def line(id: str, commune: str) -> bytes:
    return msgspec.json.encode(
        ORIGINAL | {"id": id, "data": ORIGINAL["data"] | {"commune": commune}}
    )


def test_of_events_with_the_same_codes_each_that_was_mended_is_told() -> None:
    records = [line("1", "01273"), line("2", "1273")]
    reads = [Reader().read(record) for record in records]
    assert {read.data.commune for read in reads} == {"01273"}
    assert not notices.need_no_notice(FILING, reads, records, datetime.now(UTC))
    assert not notices.need_no_notice(FILING, reads[::-1], records[::-1], datetime.now(UTC))


def test_once_codes_are_known_events_that_have_them_need_no_look() -> None:
    records = [line(str(number), "19753") for number in range(5)]
    reads = [Reader().read(record) for record in records]
    assert notices.need_no_notice(FILING, reads, records, datetime.now(UTC))
    assert notices.need_no_notice(FILING, reads, [b""] * len(reads), datetime.now(UTC))
