"""The real stack for the tests that need it.

Started once per process, shared by all, each test in its own names.
"""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest
from clickhouse_driver import Client
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from ingest.topics import ensure
from schemas.settings import CLICKHOUSE_USER, Settings
from stack import control
from stack.ports import choose_port
from streams.admin.migrate import migrate
from tests.running import bare_environment

_numbers = itertools.count(1)
# How long an example takes tells of the machine, which is busy, not of the rule.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Run test files side by side.

    The first process prefers files with a browser, the others those without.

    A file stays whole, as its tests share a system. Browser tests take about half of the time, and
    two browsers at once are slow on two cores; but a process that has nothing else left helps with
    them. xdist would begin with the files of the most tests, which are the quickest, and end with
    one long file in one process while the other has nothing to do.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # `pytest_collection_modifyitems` orders them
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0]

    def _assign_work_unit(self, node: object) -> None:
        is_first = node is self.nodes[0]
        preferred = (scope for scope in self.workqueue if is_first == scope.startswith(BROWSER))
        if scope := next(preferred, None):
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


BROWSER = "tests/browser/"
LONG = ("tests/browser/", "tests/integration/")
"""Files whose tests take minutes; the others, of seconds, come last and fill up the time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the long files where several processes share the tests."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    return Lanes(config, log)


@pytest.fixture(scope="session")
def stack() -> Iterator[control.Addresses]:
    """Yield a running Kafka and ClickHouse on ports of their own, gone with their data when the
    process ends.

    With `IOC_TEST_HOME` set, the stack of that folder is used (started if need be) and left
    running: quicker while developing.
    """
    if kept := os.environ.get("IOC_TEST_HOME"):
        yield control.up(Path(kept))
        return
    with tempfile.TemporaryDirectory(prefix="ioc-test-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            yield control.up(home)
        finally:
            control.wipe(home)


@pytest.fixture
def environment(stack: control.Addresses, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the `IOC_*` variables of one test, for its subprocesses.

    The shared stack, and a database, topics and a group of its own.
    """
    found = isolated(stack, tmp_path)
    yield found
    forget(found)


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of one test, which `schemas.settings.load` returns during it, too."""
    for name in os.environ.keys() - bare_environment().keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.fixture
def database(settings: Settings) -> Iterator[Client]:
    """Yield a connection to the database of one test, which has its tables, as Kafka has its
    topics.
    """
    migrate(settings)
    ensure(settings)
    client = Client.from_url(settings.clickhouse_url)
    yield client
    client.disconnect()


@pytest.fixture(scope="module")
def module_environment(
    stack: control.Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Yield what `environment` does, but one for all tests of a module."""
    found = isolated(stack, tmp_path_factory.mktemp("home"))
    yield found
    forget(found)


def forget(environment: dict[str, str]) -> None:
    """Drop the database of a test.

    Hundreds of them, each with its tables' merges to look after, slow the shared server down.
    """
    server, _, name = Settings.of(environment).clickhouse_url.rpartition("/")
    with suppress(Exception):  # A test may have ended the server.
        client = Client.from_url(f"{server}/default?connect_timeout=2&send_receive_timeout=30")
        client.execute(f"DROP DATABASE IF EXISTS {name}")
        client.disconnect()


@pytest.fixture(scope="module")
def module_settings(module_environment: dict[str, str]) -> Iterator[Settings]:
    """Yield what `settings` does, but one for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - bare_environment().keys():
            patch.delenv(name)
        for name, value in module_environment.items():
            patch.setenv(name, value)
        yield Settings()


def isolated(stack: control.Addresses, home: Path) -> dict[str, str]:
    """Return variables that share the running stack with nobody's names.

    A fresh database, topic prefix, group, ports and home.
    """
    name = f"{CLICKHOUSE_USER}_t{os.getpid()}_{next(_numbers)}"
    ports: list[int] = []
    while len(ports) < 3:
        ports.append(choose_port(taken=ports))
    gateway, dashboard, worker = ports
    return {
        "IOC_KAFKA_SERVERS": stack.kafka_servers,
        "IOC_CLICKHOUSE_URL": stack.clickhouse_address.rpartition("/")[0] + f"/{name}",
        "IOC_CLICKHOUSE_PASSWORD_FILE": str(stack.password_file),
        "IOC_TOPIC_PREFIX": f"{name}.",
        "IOC_WORKER_GROUP": f"{name}-streams",
        "IOC_GATEWAY_PORT": str(gateway),
        "IOC_DASHBOARD_PORT": str(dashboard),
        "IOC_WORKER_PORT": str(worker),
        "IOC_HOME": str(home),
    }
