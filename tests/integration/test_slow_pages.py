"""No page holds up another.

Probes and walls are answered on time while slow pages are made, and all ends when it is told to.
"""

import json
import os
import re
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from clickhouse_driver import Client
from websockets import Origin
from websockets.sync.client import connect

from dashboard.server.push import FRAME_SECONDS
from schemas import places
from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from tests.counting import Counter
from tests.running import Running, wait_for

pytestmark = pytest.mark.stack
PAGES = 20
PROBE_SECONDS = 0.1
FRAME_LATE_SECONDS = 1.0
"""How much later than promised a frame may come on a busy machine.

A page complains after twice `FRAME_SECONDS`.
"""
END_SECONDS = 10.0
VALUES = 50
COMMUNES = places.communes("46")


@pytest.fixture(scope="module")
def province(module_settings: Settings) -> Iterator[None]:
    """Yield some thousand filings of hundreds of procedures.

    A page of them takes Python a good second.
    """
    migrate(module_settings)
    counter, client = Counter(module_settings), Client.from_url(module_settings.clickhouse_url)
    now = datetime.now(UTC).replace(microsecond=0)
    filings = []
    for number in range(3_000):
        commune, at = COMMUNES[number % len(COMMUNES)].code, now - timedelta(minutes=number)
        filing = Filing(
            agency=f"H57.{commune}.UB",
            commune=commune,
            filing_id=f"F{number}",
            procedure=f"1.{number % 900:06}",
            status=FilingStatus.PROCESSING,
            channel=Channel.ONLINE,
            registered_at=at,
            due_at=at + timedelta(days=2),
        )
        filings.append((at, filing))
    counter.count(FILING, filings)
    Lives(client, module_settings.province).catch_up()
    counter.caught_up()
    yield
    counter.close()
    client.disconnect()


class Dashboard:
    """A running dashboard, and what a browser asks of it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.url = f"http://127.0.0.1:{environment['IOC_DASHBOARD_PORT']}"
        self.running = Running(
            "dashboard", "serve", environment=environment, log=log, ready=f"{self.url}/readyz"
        )
        self.callbacks = json.loads(self.get("/_dash-dependencies"))

    def get(self, path: str, seconds: float = 60) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=seconds) as answer:
            return bytes(answer.read())

    def page(self, path: str, search: str = "") -> tuple[int, str]:
        """Return what Dash's script is answered when it asks for a page."""
        (output,) = [one["output"] for one in self.callbacks if "_pages_content" in one["output"]]
        outputs = [
            dict(zip(("id", "property"), one.rsplit(".", 1), strict=True))
            for one in output.strip(".").split("...")
        ]
        where = {"pathname": path, "search": search}
        inputs = [
            {"id": "_pages_location", "property": name, "value": value}
            for name, value in where.items()
        ]
        changed = [f"_pages_location.{name}" for name in where]
        return self.call(
            {
                "output": output,
                "outputs": outputs,
                "inputs": inputs,
                "changedPropIds": changed,
                "state": [],
            }
        )

    def call(self, body: Any) -> tuple[int, str]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_dash-update-component", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, _read(answer.read())
        except HTTPError as error:
            return error.code, _read(error.read())

    def slow(self, number: int) -> tuple[int, str]:
        """Return an honest page that takes a while, each another one."""
        chosen = ",".join(f"1.{one:06}" for one in range(number, number + VALUES))
        return self.page("/records/filing", f"?procedure={chosen}&size=200")

    def frames(self, until: threading.Event, seen: list[float]) -> None:
        """Open a wall, and note when each frame comes."""
        (output,) = [
            one["output"] for one in self.callbacks if not one["inputs"] and one.get("persistent")
        ]
        payload = {"output": output, "outputs": [], "inputs": [], "changedPropIds": [], "state": []}
        address = f"ws{self.url.removeprefix('http')}/_dash-ws-callback"
        with connect(address, origin=Origin(self.url), max_size=None) as socket:
            socket.send(
                json.dumps(
                    {
                        "type": "callback_request",
                        "rendererId": "r",
                        "requestId": "1",
                        "payload": payload,
                    }
                )
            )
            while not until.is_set():
                with suppress(TimeoutError):
                    text = str(socket.recv(0.5))
                    if '"pulse"' in text:
                        seen.append(time.monotonic())
                    for one in json.loads(text) if text.startswith("[") else [json.loads(text)]:
                        if one.get("type") == "get_props_request":
                            viewer = {"data": {"language": "vi", "scenes": ["overview"]}}
                            said = {
                                "type": "get_props_response",
                                "rendererId": "r",
                                "requestId": one["requestId"],
                                "payload": viewer,
                            }
                            socket.send(json.dumps(said))


def _read(answer: bytes) -> str:
    """JSON within JSON as people read it."""
    return re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), answer.decode())


@pytest.fixture
def dashboard(
    module_environment: dict[str, str], province: None, tmp_path: Path
) -> Iterator[Dashboard]:
    found = Dashboard(module_environment, tmp_path / "dashboard.log")
    yield found
    found.running.stop()


def probed(dashboard: Dashboard, busy: list["Future[Any]"]) -> tuple[list[float], list[float]]:
    """Return how long `/healthz` took each time it was asked while anything was being made, and how
    long the loop computed meanwhile.
    """
    took, computed = list[float](), list[float]()
    loop = dashboard.running.process.pid  # The main thread has the number of its process.
    while not all(one.done() for one in busy):
        began, before = time.monotonic(), on_cpu(loop, loop)
        dashboard.get("/healthz")
        took.append(time.monotonic() - began)
        time.sleep(0.02)
        computed.append(on_cpu(loop, loop) - before)
    return took, computed


def on_cpu(process: int, thread: int) -> float:
    """Return seconds that a thread has computed.

    What it waited for a core, or for the interpreter, is not among them. Linux only.
    """
    return int(Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()[0]) / 1e9


def test_probes_and_walls_are_answered_on_time_while_twenty_slow_pages_are_made(
    dashboard: Dashboard,
) -> None:
    done, frames = threading.Event(), list[float]()
    with ThreadPoolExecutor(PAGES + 1) as viewers:
        wall = viewers.submit(dashboard.frames, done, frames)
        try:
            wait_for(lambda: len(frames) > 1, what="frames of the wall")
            frames.clear()
            began = time.monotonic()
            pages = [viewers.submit(dashboard.slow, number) for number in range(PAGES)]
            took, computed = map(sorted, probed(dashboard, pages))
            lasted = time.monotonic() - began
        finally:
            done.set()
        wall.result(30)
    for page in pages:
        status, text = page.result()
        assert status == 200 and ("F1" in text or "mất quá nhiều thời gian" in text), text[:300]
    assert sum("F1" in page.result()[1] for page in pages) > PAGES // 2, "most are made in time"
    p99 = took[int(0.99 * len(took))]
    told = f"p50 {statistics.median(took):.3f} s, p99 {p99:.3f} s, at most {took[-1]:.3f} s"
    told += f"; the loop computed for {computed[-1]:.3f} s at most"
    print(f"{PAGES} pages in {lasted:.1f} s; {len(took)} probes meanwhile: {told}")
    # However busy the machine: no page is made on the loop, where it would take it a second and
    # more.
    assert computed[-1] <= PROBE_SECONDS, computed[-5:]
    # On a machine with more to do than it has cores each waits for its turn at one of them, probes
    # and pages alike.
    crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert p99 <= PROBE_SECONDS * crowded, (told, crowded)
    gaps = [after - before for before, after in zip([began, *frames], frames, strict=False)]
    assert frames and max(gaps) <= FRAME_SECONDS + FRAME_LATE_SECONDS * crowded, gaps


def test_it_ends_when_it_is_told_to_while_pages_are_made(dashboard: Dashboard) -> None:
    with ThreadPoolExecutor(PAGES) as viewers:
        pages = [viewers.submit(dashboard.slow, 100 + number) for number in range(PAGES)]
        time.sleep(0.5)
        assert not all(one.done() for one in pages)
        began = time.monotonic()
        dashboard.running.stop(60)
        assert time.monotonic() - began < END_SECONDS
        for one in pages:
            with suppress(OSError):
                one.result(30)


@pytest.mark.parametrize(
    ("search", "said"), [("", "mất quá nhiều thời gian"), ("lang=en&", "took too long")]
)
def test_a_page_that_takes_too_long_says_so(
    module_environment: dict[str, str], province: None, tmp_path: Path, search: str, said: str
) -> None:
    one = Dashboard(module_environment | {"IOC_PAGE_SECONDS": "0.001"}, tmp_path / "dashboard.log")
    try:
        status, text = one.page("/records/filing", f"?{search}size=200")
        assert status == 200 and said in text, text[:500]
    finally:
        one.running.stop()


def test_bodies_that_are_no_callbacks_are_refused_without_a_traceback(dashboard: Dashboard) -> None:
    for body in (
        b"",
        b"{",
        b"[]",
        b"{}",
        {"output": "x"},
        {"output": ["x"]},
        {"output": "..seen.data.."},
    ):
        status, _ = dashboard.call(body)
        assert status == 400, body
    (output,) = [one["output"] for one in dashboard.callbacks if "_pages_content" in one["output"]]
    assert dashboard.call({"output": output, "inputs": [{"id": "x", "property": "y"}]})[0] == 400
    assert "Traceback" not in dashboard.running.text()


def test_an_address_that_is_too_long_says_so_and_costs_nothing(dashboard: Dashboard) -> None:
    status, text = dashboard.page(
        "/records/filing", "?procedure=" + ",".join(f"1.{one:06}" for one in range(3_000))
    )
    assert status == 200 and re.search("dài quá 8 KB", text)
    status, text = dashboard.page(
        "/records/filing", "?procedure=" + ",".join(f"1.{one:06}" for one in range(51))
    )
    assert status == 200 and re.search("nhiều nhất 50 giá trị", text)
