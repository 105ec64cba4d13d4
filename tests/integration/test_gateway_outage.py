"""The gateway as it ends, and while Kafka is away: all that it accepted is in Kafka."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings
from stack import broker
from stack.ports import choose_port
from tests.integration.gateway_events import BATCH, batch, records, report
from tests.running import Running, wait_for

pytestmark = pytest.mark.stack


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
