"""What is told of refused input: who it is of and what is wrong, and nothing that it says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.gateway import refusals
from ingest.gateway.refusals import RefusalCounter
from schemas.documents import example
from schemas.events.envelope import Reader, RefusalError
from schemas.events.kinds import FILING, KINDS
from schemas.events.payloads import Refused
from schemas.events.refusals import StatedSender, redacted, stated_sender

NAME = "Nguyễn Văn A"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_readable_record_names_itself_and_one_that_is_cut_off_is_searched(kind: object) -> None:
    record = example(kind)  # type: ignore[arg-type]
    whole = stated_sender(record)
    assert whole.agency and whole.source and whole.id and whole.kind == kind.name  # type: ignore[attr-defined]
    end = record.index(whole.agency.encode()) + len(whole.agency) + 1
    assert (stated_sender(record[:end]).agency, stated_sender(record[:end]).id) == (
        whole.agency,
        None,
    )


@given(st.binary(max_size=200))
def test_whatever_comes_something_is_said_of_it(record: bytes) -> None:
    assert isinstance(stated_sender(record), StatedSender)


@pytest.mark.parametrize("agency", [7, None, NAME, "x" * 65, "a'b", {"a": 1}])
def test_what_can_not_be_a_code_is_no_agency(agency: object) -> None:
    import msgspec

    assert (
        stated_sender(msgspec.json.encode({"type": "vn.unknown", "data": {"agency": agency}}))
        == StatedSender()
    )
    assert stated_sender(b"[" * 100_000) == StatedSender()


@pytest.mark.parametrize(
    "changes",
    [
        (b'"status":4', f'"status":"{NAME}"'.encode()),
        (b"vn.ioc.filing.v1", NAME.encode()),
        (b"application/json", f"it's {NAME}'".encode()),
    ],
)
def test_a_reason_is_told_without_what_it_quotes(changes: tuple[bytes, bytes]) -> None:
    import re

    record = re.sub(rb'"status":\s*\d+', b'"status":4', example(FILING)).replace(b": ", b":")
    record = record.replace(b'"data":', b'"datacontenttype":"application/json","data":', 1)
    assert changes[0] in record
    with pytest.raises(RefusalError) as refused:
        Reader().read(record.replace(*changes))
    assert NAME not in redacted(refused.value.reason) and redacted(refused.value.reason)
    assert "1985" not in redacted("1985-04-03T00:00:00+07:00 is not between 1990 and 2099.")


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 17, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def test_refusals_are_counted_by_who_and_why_and_a_window_is_told_once() -> None:
    counted = RefusalCounter("g", Clock())
    assert counted.drain() == []
    for _ in range(3):
        counted.note(
            StatedSender("1", "/a", "A", "filing"),
            "wrong-value",
            f"Invalid enum value '{NAME}' - at `$.data.status`",
        )
    counted.note(StatedSender(), "empty", "")
    first, second = counted.drain()
    assert (first.source, first.agency, first.kind, first.category, first.count) == (
        "/a",
        "A",
        "filing",
        "wrong-value",
        3,
    )
    assert (
        first.reason == "Invalid enum value '…' - at `$.data.status`" and first.since < first.until
    )
    assert (second.agency, second.category, second.count) == ("", "empty", 1)
    assert counted.drain() == []
    counted.restore([first])
    (again,) = counted.drain()
    assert again.count == 3 and again.since > first.since


def test_nobody_can_fill_the_gateways_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MAX_KEYS", 5)
    counted = RefusalCounter("g", Clock())
    for number in range(100):
        counted.note(
            StatedSender(str(number), f"/{number}", f"A{number}", "filing"),
            "wrong-value",
            "x" * 5000,
        )
    found: list[Refused] = counted.drain()
    assert len(found) <= 6 and sum(one.count for one in found) == 100
    assert max(len(one.reason) for one in found) <= refusals.MAX_REASON_LETTERS
