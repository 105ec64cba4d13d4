"""The gateway as agencies and operators meet it, on a real Kafka: every status, every promise."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.documents import example
from schemas.events.envelope import RefusalCategory
from schemas.events.kinds import FEEDBACK, HEARTBEATS, KINDS
from schemas.settings import Settings
from tests.integration.gateway_events import BATCH, EVENT, LINES, ORIGINAL, batch, records, report
from tests.running import Running, wait_for

pytestmark = pytest.mark.stack


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
