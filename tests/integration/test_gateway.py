"""The gateway as agencies and operators meet it, on a real Kafka.

Every status, every promise, and Kafka away.
"""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from schemas.documents import example
from schemas.events.envelope import RefusalCategory
from schemas.events.kinds import FEEDBACK, HEARTBEATS, KINDS
from schemas.settings import Settings
from stack import broker
from stack.ports import choose_port
from tests.running import Running, wait_for

pytestmark = pytest.mark.stack
EVENT, BATCH, LINES = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
)
ORIGINAL = msgspec.json.decode(example(FEEDBACK))


def report(id: str, **data: Any) -> bytes:
    """Return a valid field report of its own."""
    return msgspec.json.encode(
        ORIGINAL | {"id": id, "data": ORIGINAL["data"] | {"report_id": id} | data}
    )


def batch(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


@pytest.fixture(scope="module")
def gateway(
    module_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    environment = module_environment | {
        "IOC_GATEWAY_MAX_BYTES": "200000",
        "IOC_EVENT_MAX_BYTES": "20000",
    }
    address = f"http://127.0.0.1:{environment['IOC_GATEWAY_PORT']}"
    log = tmp_path_factory.mktemp("gateway") / "log"
    with (
        Running("ingest", "gateway", environment=environment, log=log, ready=f"{address}/readyz"),
        httpx.Client(base_url=address, timeout=30, headers={"accept-language": "en"}) as client,
    ):
        yield client


def push(gateway: httpx.Client, body: bytes, media: str = EVENT, **headers: str) -> httpx.Response:
    return gateway.post("/v1/events", content=body, headers={"content-type": media} | headers)


def statuses(answer: httpx.Response) -> list[str]:
    return [event["status"] for event in answer.json()["events"]]


def records(settings: Settings, topic: str) -> dict[tuple[int, int], Any]:
    """Everything in a topic: (partition, offset) → record."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    try:
        partitions = [
            TopicPartition(topic, number)
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found = {}
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for batch_of_one in consumer.poll(500).values():
                found.update({(record.partition, record.offset): record for record in batch_of_one})
        return found
    finally:
        consumer.close()


def test_an_accepted_event_lies_in_kafka_as_it_was_sent_keyed_by_its_entity_at_its_time_of_arrival(
    gateway: httpx.Client, module_settings: Settings
) -> None:
    before = time.time_ns() // 1_000_000
    sent = [msgspec.json.format(report(f"kept-{number}"), indent=number) for number in range(3)]
    (one,) = push(gateway, sent[0]).json()["events"]
    others = push(gateway, b"[" + sent[1] + b" ,\n" + sent[2] + b"]", BATCH).json()["events"]
    found = records(module_settings, FEEDBACK.topic(module_settings.topic_prefix))
    for number, event in enumerate((one, *others)):
        assert event["topic"] == FEEDBACK.topic(module_settings.topic_prefix)
        record = found[event["partition"], event["offset"]]
        assert record.value == sent[number]
        assert record.key == f"kept-{number}".encode()
        assert before <= record.timestamp <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("media", [EVENT, "application/json", "application/json; charset=utf-8"])
def test_a_single_event_is_accepted(gateway: httpx.Client, media: str) -> None:
    answer = push(gateway, report(f"single {media}"), media)
    assert answer.status_code == 200
    assert (answer.json()["accepted"], statuses(answer)) == (1, ["accepted"])


def test_every_kind_is_accepted(gateway: httpx.Client) -> None:
    answer = push(gateway, batch(*(example(kind) for kind in KINDS)), BATCH)
    assert (answer.status_code, statuses(answer)) == (200, ["accepted"] * len(KINDS))


def test_a_batch_and_lines_are_answered_event_by_event(gateway: httpx.Client) -> None:
    wrong = report("mixed-2", status="lost")
    for media, body in (
        (BATCH, batch(report("mixed-1"), wrong)),
        (LINES, report("mixed-3") + b"\n\n" + wrong + b"\nnonsense\n"),
    ):
        answer = push(gateway, body, media)
        assert answer.status_code == 207
        first, second = answer.json()["events"][:2]
        assert (first["index"], first["status"]) == (0, "accepted")
        assert (second["index"], second["id"], second["category"]) == (1, "mixed-2", "wrong-value")
        assert "lost" in second["reason"] and "`$.data.status`" in second["reason"]


@pytest.mark.parametrize(
    ("body", "category"),
    [
        (report("r", agency=None), RefusalCategory.WRONG_TYPE),
        (report("r", reported_at="yesterday"), RefusalCategory.IMPOSSIBLE_DATE),
        (report("r", lat=99), RefusalCategory.IMPOSSIBLE_POINT),
        (report("r", lon=None), RefusalCategory.IMPOSSIBLE_POINT),
        (report("r", description="x" * 30_000), RefusalCategory.TOO_LARGE),
        (
            msgspec.json.encode(ORIGINAL | {"type": "vn.ioc.parking.v1"}),
            RefusalCategory.UNKNOWN_KIND,
        ),
        (b"{}", RefusalCategory.MISSING_FIELD),
    ],
)
def test_a_refused_event_is_answered_422_with_its_category_and_reason(
    gateway: httpx.Client, body: bytes, category: RefusalCategory
) -> None:
    answer = push(gateway, body)
    assert answer.status_code == 422
    (event,) = answer.json()["events"]
    assert (event["status"], event["category"]) == ("refused", category.value)
    assert event["reason"]


def test_a_refusal_speaks_the_language_of_the_sender(gateway: httpx.Client) -> None:
    for language, words in (("vi", "Thiếu trường"), ("en", "required field")):
        answer = push(gateway, b"{}", **{"accept-language": language})
        assert words in answer.json()["events"][0]["reason"]


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (EVENT, b'{"id": '),
        (EVENT, b"\xff\xfe"),
        (EVENT, b""),
        (BATCH, b"{}"),
        (BATCH, b"[" * 90_000),
        (LINES, b"\n \n"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_answered_400(
    gateway: httpx.Client, media: str, body: bytes
) -> None:
    answer = push(gateway, body, media)
    assert answer.status_code == 400, answer.text
    problem = answer.json() if "category" in answer.json() else answer.json()["events"][0]
    assert problem["category"] and problem["reason"]


def test_text_that_is_not_utf8_is_refused_and_its_neighbours_are_taken(
    gateway: httpx.Client,
) -> None:
    bad = report("bad-text", description="?").replace(b'"?"', b'"\xe1\xba"')
    answer = push(gateway, batch(report("good-text-1"), bad, report("good-text-2")), BATCH)
    assert statuses(answer) == ["accepted", "refused", "accepted"]
    assert answer.json()["events"][1]["category"] == RefusalCategory.BAD_UTF8.value


def test_another_content_type_is_answered_415_and_told_which_are_taken(
    gateway: httpx.Client,
) -> None:
    for headers in (
        {"content-type": "text/csv"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ):
        answer = gateway.post("/v1/events", content=report("x"), headers=headers)
        assert answer.status_code == 415
    assert (
        BATCH
        in gateway.post("/v1/events", content=b"x", headers={"content-type": "text/csv"}).json()[
            "reason"
        ]
    )


def test_a_body_that_is_too_large_is_answered_413_and_the_rest_is_not_read(
    gateway: httpx.Client,
) -> None:
    assert push(gateway, b" " * 200_001).status_code == 413
    # Announced by nothing, in chunks without end: the answer comes although the body never does.
    address = gateway.base_url
    with socket.create_connection((address.host, address.port or 80), timeout=20) as wire:
        wire.sendall(
            (
                f"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: {EVENT}\r\n"
                "Transfer-Encoding: chunked\r\n\r\n"
            ).encode()
        )
        with suppress(BrokenPipeError):  # It may close as soon as it has answered.
            for _ in range(30):
                wire.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        assert answer.status == 413
        assert b"200000" in answer.read()


def test_a_resend_is_a_duplicate_at_the_place_of_the_original(
    gateway: httpx.Client, module_settings: Settings
) -> None:
    body = batch(report("resent-1"), report("resent-2"))
    first, again = push(gateway, body, BATCH), push(gateway, body, BATCH)
    assert (again.status_code, statuses(again), again.json()["duplicates"]) == (
        200,
        ["duplicate"] * 2,
        2,
    )
    places = [
        [(event["partition"], event["offset"]) for event in answer.json()["events"]]
        for answer in (first, again)
    ]
    assert places[0] == places[1]
    found = records(module_settings, FEEDBACK.topic(module_settings.topic_prefix)).values()
    assert sum(record.key == b"resent-1" for record in found) == 1


def test_one_identity_that_says_two_things_is_a_conflict(gateway: httpx.Client) -> None:
    assert push(gateway, report("twofold", rating=1)).status_code == 200
    answer = push(gateway, report("twofold", rating=5))
    assert (answer.status_code, answer.json()["events"][0]["category"]) == (
        422,
        RefusalCategory.CONFLICT.value,
    )


def test_the_counters_tell_what_happened(gateway: httpx.Client) -> None:
    def counters() -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(gateway.get("/metrics").text)
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }

    before = counters()
    push(gateway, batch(report("counted-1"), report("counted-1"), b"{}"), BATCH)
    after = counters()
    for name in (
        ("ioc_gateway_events_total", "feedback", "accepted"),
        ("ioc_gateway_events_total", "feedback", "duplicate"),
        ("ioc_gateway_events_total", "unknown", "refused"),
        ("ioc_gateway_refusals_total", "missing-field"),
        ("ioc_gateway_requests_total", "207"),
        ("ioc_gateway_acknowledgement_seconds_count",),
    ):
        assert after[name] == before.get(name, 0) + 1, name
    assert after["ioc_gateway_body_bytes_total",] > before["ioc_gateway_body_bytes_total",]
    assert after["ioc_gateway_heartbeat_age_seconds",] < 10


def test_it_is_alive_ready_and_describes_itself(gateway: httpx.Client) -> None:
    assert gateway.get("/healthz").json() == {"status": "alive"}
    assert gateway.get("/readyz").json()["status"] == "ready"
    assert gateway.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert gateway.get("/docs").status_code == 404  # it would need the internet
    assert gateway.get("/v1/events").status_code == 405


def test_heartbeats_prove_the_path_every_second(
    gateway: httpx.Client, module_settings: Settings
) -> None:
    topic = module_settings.topic_prefix + HEARTBEATS
    beats = wait_for(
        lambda: [*records(module_settings, topic).values()][2:], what="three heartbeats"
    )
    beat = msgspec.json.decode(beats[-1].value)
    assert beat["gateway"] == beats[-1].key.decode() == f"127.0.0.1:{module_settings.gateway_port}"
    assert abs(beats[-1].timestamp / 1000 - time.time()) < 60
    assert beat["sent_at"].endswith("Z")
    wait_for(
        lambda: {partition for partition, _ in records(module_settings, topic)} == set(range(4))
    )


def test_requests_in_flight_are_answered_before_it_ends(
    environment: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{environment['IOC_GATEWAY_PORT']}"
    running = Running(
        "ingest",
        "gateway",
        environment=environment,
        log=tmp_path / "log",
        ready=f"{address}/readyz",
    )
    answers: list[httpx.Response] = []
    begun = threading.Event()

    def slow() -> Iterator[bytes]:
        begun.set()
        body = batch(*(report(f"flight-{number}") for number in range(500)))
        half = len(body) // 2
        yield body[:half]
        wait_for(lambda: "Shutting down" in running.text(), what="the gateway's farewell")
        yield body[half:]

    def send() -> None:
        answers.append(
            httpx.post(
                f"{address}/v1/events", content=slow(), headers={"content-type": BATCH}, timeout=60
            )
        )

    sender = threading.Thread(target=send)
    sender.start()
    begun.wait(30)
    assert (
        httpx.get(f"{address}/healthz").status_code == 200
    )  # by now it has read what was sent before
    assert running.stop(60) == 0
    sender.join(60)
    assert answers[0].json()["accepted"] == 500
    assert len(records(settings, FEEDBACK.topic(settings.topic_prefix))) == 500


class Broker:
    """A Kafka of one test's own, to take away and give back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = choose_port()
        self.controller = choose_port(taken=[self.port])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder.parent / "kafka.log").open("ab") as log:
            command = broker.command(self.folder, self.port, self.controller)
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_for(lambda: broker.healthy(self.folder, self.port), 90, "Kafka")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)


@pytest.fixture
def own_broker(stack: object, tmp_path: Path) -> Iterator[Broker]:
    kafka = Broker(tmp_path / "kafka")
    yield kafka
    kafka.kill()


def test_kafka_away_is_answered_503_and_no_accepted_event_is_missing_afterwards(
    own_broker: Broker, environment: dict[str, str], tmp_path: Path
) -> None:
    environment = environment | {"IOC_KAFKA_SERVERS": f"127.0.0.1:{own_broker.port}"}
    settings = Settings(
        kafka_servers=environment["IOC_KAFKA_SERVERS"], topic_prefix=environment["IOC_TOPIC_PREFIX"]
    )
    address = f"http://127.0.0.1:{environment['IOC_GATEWAY_PORT']}"
    accepted: set[str] = set()
    unsettled: list[str] = []

    def send(number: int) -> httpx.Response:
        ids = [f"{number}-{part}" for part in range(20)]
        answer = client.post(
            "/v1/events", content=batch(*map(report, ids)), headers={"content-type": BATCH}
        )
        events = {event["id"]: event["status"] for event in answer.json()["events"]}
        for id in ids:
            if events.get(id) in ("accepted", "duplicate"):
                accepted.add(id)
            else:
                unsettled.append(id)
        return answer

    with (
        Running(
            "ingest",
            "gateway",
            environment=environment,
            log=tmp_path / "log",
            ready=f"{address}/healthz",
        ),
        httpx.Client(base_url=address, timeout=60, headers={"accept-language": "en"}) as client,
    ):
        # It starts before Kafka does, says so, and recovers by itself.
        assert client.get("/readyz").status_code == 503
        refused = send(0)
        assert (refused.status_code, refused.json()["category"]) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) > 0
        own_broker.start()
        wait_for(lambda: client.get("/readyz").status_code == 200, 60, "readiness")

        assert send(1).status_code == 200
        own_broker.kill()
        began = time.monotonic()
        hanging = send(2)  # it was not known yet that Kafka is gone
        assert hanging.status_code == 503 and "retry-after" in hanging.headers
        assert {event["status"] for event in hanging.json()["events"]} <= {"unacknowledged"}
        assert time.monotonic() - began < 20
        trouble = client.get("/readyz")
        assert trouble.status_code == 503 and trouble.json()["reason"]
        assert send(3).status_code == 503
        assert client.get("/healthz").status_code == 200

        own_broker.start()
        wait_for(lambda: client.get("/readyz").status_code == 200, 60, "readiness")
        assert send(4).status_code == 200

        own_broker.pause()  # a broker that hangs is as bad as one that is gone
        wait_for(lambda: send(5).status_code == 503, 60, "503")
        own_broker.kill()
        own_broker.start()
        wait_for(lambda: client.get("/readyz").status_code == 200, 60, "readiness")

        again, unsettled[:] = sorted(set(unsettled)), []
        answer = client.post(
            "/v1/events", content=batch(*map(report, again)), headers={"content-type": BATCH}
        )
        assert answer.status_code == 200
        accepted.update(again)

    found = [
        record.key.decode()
        for record in records(settings, FEEDBACK.topic(settings.topic_prefix)).values()
    ]
    assert set(found) == accepted
