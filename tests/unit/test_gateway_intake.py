"""The gateway's intake: which events are accepted, repeats, refused or left unacknowledged."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError
from kafka.future import Future

from ingest.gateway import bodies
from ingest.gateway.bodies import BATCH, EVENT, LINES, UnusableBodyError
from ingest.gateway.intake import Answer, Intake
from ingest.gateway.recent import Position, RecentEvents
from ingest.gateway.refusals import RefusalCounter
from ingest.producer import KafkaUnavailableError
from schemas.documents import example
from schemas.events.envelope import Reader
from schemas.events.kinds import FEEDBACK, KINDS, Kind
from tests.sealing import SEALER

EVENT_BYTES = example(FEEDBACK)


def renamed(id: str, description: str = "x") -> bytes:
    event = msgspec.json.decode(EVENT_BYTES)
    return msgspec.json.encode(
        event | {"id": id, "data": event["data"] | {"description": description}}
    )


class FakeProducer:
    """Kafka as the intake sees it: a log, acknowledging when told."""

    def __init__(self, room: int = 1000) -> None:
        self.futures: list[Any] = []
        self.records: list[bytes] = []
        self._room = room

    def put(self, topic: str, key: bytes, value: bytes) -> Any:
        if len(self.records) >= self._room:
            raise KafkaUnavailableError("full")
        self.records.append(value)
        self.futures.append(Future())
        return self.futures[-1]

    def acknowledge(self, *numbers: int) -> None:
        for number in numbers:
            self.futures[number].success(Position(0, "", 0, number))


def send(intake: Intake, records: Sequence[bytes], producer: FakeProducer, arrived_ms: int) -> None:
    for _ in intake.steps(records, producer, arrived_ms):  # type: ignore[arg-type]
        pass


def take(
    producer: FakeProducer,
    recent: RecentEvents,
    *records: bytes,
    acknowledge: bool = True,
    timeout: float = 5,
) -> Answer:
    async def go() -> Answer:
        intake = Intake(Reader(), SEALER, recent, "ioc.", "en", RefusalCounter("g"))
        before = len(producer.futures)
        send(intake, records, producer, 0)
        if acknowledge:
            asyncio.get_running_loop().call_soon(
                producer.acknowledge, *range(before, len(producer.futures))
            )
        await intake.acknowledged(timeout)
        return intake.answer()

    return asyncio.run(go())


def test_an_event_of_the_future_is_accepted_with_a_warning_that_says_by_how_much() -> None:
    event = msgspec.json.decode(EVENT_BYTES)

    def at(id: str, seconds: int) -> bytes:
        return msgspec.json.encode(
            event | {"id": id, "time": datetime.fromtimestamp(seconds, UTC).isoformat()}
        )

    now = 1_800_000_000
    records = [
        at("right", now + 299),
        at("wrong", now + 3600),
        at("wrong", now + 3600),
        at("impossible", 5_000_000_000),
    ]
    for language, words_ in (("en", "3600 s ahead"), ("vi", "3600 giây")):
        producer, intake = (
            FakeProducer(),
            Intake(Reader(), SEALER, RecentEvents(), "ioc.", language, RefusalCounter("g")),
        )
        send(intake, records, producer, now * 1000)
        producer.acknowledge(0, 1)
        answer = intake.answer()
        assert statuses(answer) == ["accepted", "accepted", "duplicate", "refused"]
        right, wrong, again, refused = (one.warning for one in answer.events)
        assert (right, refused) == (None, None)
        assert wrong == again and words_ in (wrong or "")
        assert intake.notices == {("feedback", "ahead", "time"): 1}


def statuses(answer: Answer) -> list[str]:
    return [result.status for result in answer.events]


def test_a_resend_is_answered_with_the_place_of_the_original_and_not_sent_again() -> None:
    producer, recent = FakeProducer(), RecentEvents()
    first = take(producer, recent, renamed("a"), renamed("b"))
    again = take(producer, recent, renamed("b"), renamed("c"))
    assert statuses(first) == ["accepted", "accepted"]
    assert statuses(again) == ["duplicate", "accepted"]
    assert again.events[0].offset == first.events[1].offset == 1
    assert len(producer.records) == 3


def test_a_resend_with_other_white_space_says_the_same() -> None:
    producer, recent = FakeProducer(), RecentEvents()
    take(producer, recent, EVENT_BYTES)
    assert statuses(take(producer, recent, msgspec.json.format(EVENT_BYTES, indent=0))) == [
        "duplicate"
    ]


def test_an_identity_that_says_something_else_is_a_conflict() -> None:
    producer, recent = FakeProducer(), RecentEvents()
    answer = take(producer, recent, renamed("a", "one"), renamed("a", "two"), renamed("a", "one"))
    assert statuses(answer) == ["accepted", "refused", "duplicate"]
    assert answer.events[1].category == "conflict"
    assert take(producer, recent, renamed("a", "three")).events[0].category == "conflict"
    assert len(producer.records) == 1


def test_the_record_is_the_event_byte_for_byte() -> None:
    producer = FakeProducer()
    odd = EVENT_BYTES.replace(b": ", b"  :\t")
    other = renamed("other")
    body = b"[" + odd + b" , " + other + b"]"
    take(producer, RecentEvents(), *bodies.split_events(BATCH, body))
    assert producer.records == [odd.strip(), other]


def test_what_kafka_did_not_acknowledge_is_never_called_accepted_nor_a_duplicate() -> None:
    producer, recent = FakeProducer(), RecentEvents()
    answer = take(
        producer, recent, renamed("a"), b"{}", renamed("a"), acknowledge=False, timeout=0.01
    )
    assert statuses(answer) == ["unacknowledged", "refused", "unacknowledged"]
    assert statuses(take(producer, recent, renamed("a"), acknowledge=False, timeout=0.01)) == [
        "unacknowledged"
    ]


def test_an_acknowledgement_that_comes_after_the_answer_makes_the_resend_a_duplicate() -> None:
    producer, recent = FakeProducer(), RecentEvents()
    take(producer, recent, renamed("a"), acknowledge=False, timeout=0.01)
    producer.acknowledge(0)
    assert statuses(take(producer, recent, renamed("a"))) == ["duplicate"]


def test_a_failed_record_is_unacknowledged_and_the_others_are_accepted() -> None:
    producer = FakeProducer()

    async def go() -> Answer:
        intake = Intake(Reader(), SEALER, RecentEvents(), "ioc.", "en", RefusalCounter("g"))
        send(intake, [renamed("a"), renamed("b")], producer, 0)
        producer.futures[0].failure(KafkaTimeoutError("expired"))
        producer.acknowledge(1)
        await intake.acknowledged(5)
        return intake.answer()

    assert statuses(asyncio.run(go())) == ["unacknowledged", "accepted"]


def test_when_there_is_no_more_room_the_rest_is_left_unacknowledged() -> None:
    answer = take(FakeProducer(room=1), RecentEvents(), renamed("a"), renamed("b"), b"{}")
    assert statuses(answer) == ["accepted", "unacknowledged", "refused"]


def test_recent_holds_the_newest_and_is_bounded() -> None:
    recent = RecentEvents(capacity=10)
    for number in range(1000):
        recent.put([(number, Position(number, "t", 0, number))])
        assert len(recent) <= 20
    assert all(
        recent.get(number) == Position(number, "t", 0, number) for number in range(990, 1000)
    )
    assert recent.get(0) is None


def test_the_first_position_of_an_identity_stays() -> None:
    recent = RecentEvents()
    recent.put([(1, Position(5, "t", 0, 1))])
    recent.put([(1, Position(5, "t", 0, 2))])
    assert recent.get(1) == Position(5, "t", 0, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "source", "time", "type", "specversion", "data", "subject"]), JSON
    ),
    JSON,
)
def test_whatever_the_json_the_answer_is_a_refusal_with_a_reason(
    changes: dict[str, Any], data: Any
) -> None:
    event = msgspec.json.decode(EVENT_BYTES)
    altered = [
        event | changes,
        event | {"data": data},
        event | {"data": event["data"] | changes},
        data,
    ]
    for language in ("vi", "en"):
        for one in altered:
            intake = Intake(Reader(), SEALER, RecentEvents(), "ioc.", language, RefusalCounter("g"))
            send(intake, [msgspec.json.encode(one)], FakeProducer(), 0)
            (result,) = intake.answer().events
            assert result.status in ("refused", "unacknowledged")
            assert result.reason


@given(st.binary(max_size=200), st.sampled_from([EVENT, BATCH, LINES]))
def test_whatever_the_bytes_they_are_refused_in_whole_or_in_part(body: bytes, media: str) -> None:
    try:
        records = bodies.split_events(media, body)
    except UnusableBodyError as refusal:
        assert refusal.status in (400, 413)
        return
    intake = Intake(Reader(), SEALER, RecentEvents(), "ioc.", "vi", RefusalCounter("g"))
    send(intake, records, FakeProducer(), 0)
    assert all(result.status == "refused" for result in intake.answer().events)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_events_that_are_read_together_are_answered_as_those_that_come_one_by_one(
    kind: Kind,
) -> None:
    event = msgspec.json.decode(example(kind))
    records = [msgspec.json.encode(event | {"id": id}) for id in "1231"]
    one_by_one, recent = FakeProducer(), RecentEvents()
    alone = [take(one_by_one, recent, record).events[0] for record in records]
    for broken in ([], [b"{broken"]):  # One that is none, and all are read one by one.
        together = FakeProducer()
        answer = take(together, RecentEvents(), *records, *broken)
        assert [msgspec.structs.replace(one, index=0) for one in answer.events[:4]] == alone
        assert together.records == one_by_one.records
        assert [one.status for one in answer.events[4:]] == ["refused"] * len(broken)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_event_with_a_member_twice_is_refused_and_its_neighbours_are_taken(
    kind: Kind, together: bool
) -> None:
    plain = msgspec.json.encode(msgspec.json.decode(example(kind)))
    # A space before a colon hides one `":` and the repeat adds one: counted together, the two would
    # look right.
    twice = plain.replace(b'"agency":', b'"agency":"x","agency" :').replace(
        b'"id":"', b'"id":"twice-'
    )
    answer = take(FakeProducer(), RecentEvents(), *([plain, twice] if together else [twice]))
    assert statuses(answer)[-1] == "refused" and "`agency` stands twice" in (
        answer.events[-1].reason or ""
    )
    assert statuses(answer)[:-1] == ["accepted"] * together


def test_a_report_with_thousands_of_reporters_is_refused_before_they_are_sealed() -> None:
    many = EVENT_BYTES.rstrip()[:-1] + b',"x":[' + b",".join([b'{"reporter":"a"}'] * 5_000) + b"]}"
    answer = take(FakeProducer(), RecentEvents(), many)
    assert statuses(answer) == ["refused"] and "reporter" in (answer.events[0].reason or "")
