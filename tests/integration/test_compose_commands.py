"""The very commands of docker-compose.yml, run on the local stack.

Together they are the whole system.
"""

import json
import shlex
import urllib.request
from pathlib import Path

import pytest
import yaml
from clickhouse_driver import Client

from schemas import documents
from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings
from tests.running import Running, answers, wait_for

pytestmark = pytest.mark.stack
SERVICES = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())[
    "services"
]


def start(
    service: str, environment: dict[str, str], logs: Path, ready: str | None = None
) -> Running:
    """Return a service's command, with this interpreter in place of the image's."""
    python, dash_m, *command = shlex.split(SERVICES[service]["command"])
    assert (python, dash_m) == ("python", "-m")
    return Running(*command, environment=environment, log=logs / f"{service}.log", ready=ready)


def test_the_commands_of_the_services_are_a_whole_system(
    environment: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    migrate = start("migrate", environment, tmp_path)
    assert migrate.process.wait(60) == 0, migrate.text()
    gateway, dashboard, worker = (
        f"http://127.0.0.1:{environment[f'IOC_{name}_PORT']}"
        for name in ("GATEWAY", "DASHBOARD", "WORKER")
    )
    database = Client.from_url(settings.clickhouse_url)
    with (
        start("worker", environment, tmp_path, f"{worker}/readyz"),
        start("gateway", environment, tmp_path, f"{gateway}/readyz"),
        start("dashboard", environment, tmp_path, f"{dashboard}/readyz"),
    ):
        event = documents.example(FEEDBACK)
        request = urllib.request.Request(
            f"{gateway}/v1/events", event, {"Content-Type": "application/cloudevents+json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["accepted"] == 1
        wait_for(lambda: database.execute("SELECT count() FROM feedback")[0][0] == 1)
        assert answers(f"{dashboard}/wall")
        with start("simulator", environment, tmp_path):
            wait_for(
                lambda: (
                    database.execute("SELECT count() FROM events WHERE kind = 'filing'")[0][0]
                    > 1_000
                )
            )
    database.disconnect()
