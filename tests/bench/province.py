"""A simulated province whose screens are measured.

Some days of history, and all that keeps a dashboard live.
"""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from schemas.events.codes import Channel, FilingStatus
from schemas.events.envelope import write
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from tests.bench.figures import simulate
from tests.bench.ground import Ground, Installation
from tests.browser.every_page import Names
from tests.running import Running, worker

DAYS = 2
COMMUNE = "19753"


@dataclass
class Province:
    """An installation with its running parts, but for the dashboard."""

    installation: Installation
    home: Path
    _sent: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def dashboard(self) -> str:
        """Return the address of its dashboard."""
        return f"http://127.0.0.1:{self.installation.settings.dashboard_port}"

    @property
    def names(self) -> Names:
        """Return what the addresses of its pages need."""
        client = self.installation.client()
        asked = "SELECT entity_id FROM current_filing WHERE commune = %(commune)s LIMIT 1"
        ((filing,),) = client.execute(asked, {"commune": COMMUNE})
        client.disconnect()
        return Names(self.installation.settings.province, COMMUNE, filing)

    def serve(self, *command: str, **changes: str) -> Running:
        """Return a dashboard, or what is measured in its place, on its port."""
        command = command or ("dashboard", "serve")
        return Running(
            *command,
            environment=self.installation.environment | changes,
            log=self.home / f"{command[0]}.log",
            ready=f"{self.dashboard}/_dash-layout",
        )

    def send(self, count: int) -> None:
        """New filings, acknowledged by the gateway."""
        now, lines = datetime.now(UTC), []
        for _ in range(count):
            self._sent += 1
            event = Filing(
                agency=f"H57.{COMMUNE}",
                commune=COMMUNE,
                filing_id=f"{COMMUNE}-live-{self._sent}",
                procedure="1.005129",
                status=FilingStatus.REGISTERED,
                channel=Channel.ONLINE,
                registered_at=now,
            )
            lines.append(write(FILING, event, id=str(self._sent), source="/bench", time=now))
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.installation.settings.gateway_port}/v1/events",
            b"[" + b",".join(lines) + b"]",
            {"Content-Type": "application/cloudevents-batch+json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["accepted"] == count

    @contextmanager
    def news(self, every: float = 1.0, count: int = 10) -> Iterator[None]:
        """Something new all the time.

        Some filings every so many seconds, while the context lasts.
        """
        self._stop.clear()

        def feed() -> None:
            while not self._stop.wait(every):
                self.send(count)

        thread = threading.Thread(target=feed, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


@contextmanager
def province(bench: Ground) -> Iterator[Province]:
    """Yield a province of its own, gone afterwards."""
    installation, home = bench.installation(), bench.folder("province")
    environment = installation.environment
    simulate(bench, installation, datetime.now(UTC), DAYS)
    gateway = f"http://127.0.0.1:{installation.settings.gateway_port}"
    with (
        worker(environment, home / "worker.log"),
        Running("streams", "watch", environment=environment, log=home / "watch.log"),
        Running(
            "ingest",
            "gateway",
            environment=environment,
            log=home / "gateway.log",
            ready=f"{gateway}/readyz",
        ),
    ):
        yield Province(installation, home)
    installation.drop()
