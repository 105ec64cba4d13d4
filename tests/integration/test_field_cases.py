"""Inputs from the field that failed once, as they were sent to the gateway and to Kafka, with the
right result of each.

The files lie beside the repository (`tests.field_cases`); those of the import are run by
`test_import_cases`.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from ingest.topics import ensure
from schemas.events.kinds import MEETING
from schemas.figures import FIGURES, Reading
from schemas.figures.questions import QueryMoment, question, readings
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.field_cases import field_case
from tests.running import Running, answers, wait_for, worker

pytestmark = pytest.mark.stack
STALE_SECONDS = 3
EVENT, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


class System:
    """A gateway, a worker and a watch, on the topics that the cases name."""

    def __init__(self, environment: dict[str, str], settings: Settings, folder: Path) -> None:
        self.environment, self.settings = environment, settings
        self._running = ExitStack()
        ready = f"http://127.0.0.1:{environment['IOC_GATEWAY_PORT']}/readyz"
        enter = self._running.enter_context
        enter(
            Running(
                "ingest",
                "gateway",
                environment=environment,
                log=folder / "gateway.log",
                ready=ready,
            )
        )
        enter(worker(environment, folder / "worker.log"))
        enter(Running("streams", "watch", environment=environment, log=folder / "watch.log"))
        self.client = Client.from_url(settings.clickhouse_url)

    def close(self) -> None:
        self._running.close()
        self.client.disconnect()

    def post(self, body: bytes, media: str) -> tuple[int, dict[str, Any]]:
        """Return what the gateway answers, in English."""
        url = f"http://127.0.0.1:{self.environment['IOC_GATEWAY_PORT']}/v1/events"
        request = urllib.request.Request(
            url, body, {"Content-Type": media, "Accept-Language": "en"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def rows(self, sql: str, many: int = 1) -> list[tuple[Any, ...]]:
        """Return the rows of a question, once there are as many."""
        return (
            wait_for(
                lambda: found if len(found := self.client.execute(sql)) >= many else None, what=sql
            )
            or []
        )

    def run(self, script: Path) -> str:
        """Return what a script of a case prints."""
        done = subprocess.run(
            [sys.executable, str(script)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout


@pytest.fixture(scope="module")
def system(
    module_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    field_case("02")  # Without the cases nothing has to be started.
    environment = module_environment | {
        "IOC_TOPIC_PREFIX": "ioc.",
        "IOC_STALE_AFTER_SECONDS": str(STALE_SECONDS),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = Settings()
        migrate(settings)
        ensure(settings)
        found = System(environment, settings, tmp_path_factory.mktemp("logs"))
        try:
            yield found
        finally:
            found.close()


def test_02_the_marker_of_a_transaction_is_no_record_that_waits(system: System) -> None:
    system.run(field_case("02") / "send.py")
    system.rows("SELECT 1 FROM events_feedback WHERE entity_id LIKE 'TX-%'")
    time.sleep(STALE_SECONDS * 2)  # A stall would be told by now.
    assert answers(f"http://127.0.0.1:{system.environment['IOC_WORKER_PORT']}/readyz")
    assert system.client.execute(
        "SELECT sum(end - written) FROM progress FINAL WHERE kind = 'feedback'"
    ) == [(0,)]


def test_07_a_zero_that_a_spreadsheet_took_is_put_back_and_an_unknown_code_is_told(
    system: System,
) -> None:
    status, answer = system.post((field_case("07") / "events.json").read_bytes(), BATCH)
    assert (status, answer["accepted"]) == (200, 4)
    stored = dict(
        system.rows("SELECT entity_id, commune FROM events_feedback WHERE entity_id LIKE 'ZL-%'", 4)
    )
    assert stored == {"ZL-1": "01273", "ZL-2": "01273", "ZL-3": "19774", "ZL-4": "99999"}
    told = {event["id"]: event.get("warning") or "" for event in answer["events"]}
    assert "99999" in told["ZL-4"] and not told["ZL-1"]


def test_11_a_number_is_taken_only_if_its_record_can_be_opened(system: System) -> None:
    """What is taken is opened from its link by `tests/browser`."""
    given = json.loads((field_case("11") / "events.json").read_bytes())
    _, answer = system.post(json.dumps(given).encode(), BATCH)
    refused = {
        one["data"]["report_id"]
        for one, said in zip(given, answer["events"], strict=True)
        if said["status"] == "refused"
    }
    assert refused == {".", "..", "new\nline"}


def test_13_a_site_that_is_invited_twice_is_missing_once(system: System) -> None:
    status, _ = system.post((field_case("13") / "events.json").read_bytes(), BATCH)
    assert status == 200
    system.rows("SELECT 1 FROM current_meeting FINAL WHERE entity_id LIKE 'MS-%'", 3)
    now = QueryMoment.of(datetime.now(UTC), calendar(system.settings.province), timedelta(days=30))
    figures = [figure for figure in FIGURES if figure.kind is MEETING]
    found: dict[str, Reading] = readings(
        figures, system.client.execute(question(figures, now).live)
    )[()]
    assert found["meeting.missing"].value == 1


def test_14_a_byte_order_mark_is_taken(system: System) -> None:
    status, answer = system.post((field_case("14") / "event-bom.json").read_bytes(), EVENT)
    assert (status, answer["accepted"]) == (200, 1)


def test_15_the_most_urgent_documents_are_taken(system: System) -> None:
    status, _ = system.post((field_case("15") / "event.json").read_bytes(), EVENT)
    assert status == 200
    assert system.rows("SELECT DISTINCT priority FROM events_document") == [(4,)]


def test_17_the_time_that_a_client_sets_for_its_record_means_nothing(system: System) -> None:
    before = datetime.now(UTC)
    system.run(field_case("17") / "send.py")
    lives = system.rows(
        "SELECT entity_id, since, received_at FROM life_feedback FINAL WHERE entity_id LIKE 'KT-%'",
        2,
    )
    for _, since, received_at in lives:
        assert since == datetime.fromisoformat("2026-11-30T10:00:00+07:00")
        assert abs(received_at - before) < timedelta(minutes=2)
