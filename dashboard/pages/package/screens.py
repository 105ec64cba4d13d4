"""Pictures of pages, by the DevTools protocol of an installed Chromium.

Own code: `chromium --screenshot` takes no cookie, which holds the rights of the viewer; Playwright
does the same as this, and would be 161 MB more to install (`docs/explanation/libraries.md`).
"""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
    ),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--remote-debugging-port=0",
    ),
)
WIDTH, HEIGHT = 1920, 1080
STARTED_SECONDS, DRAWN_SECONDS = 20.0, 60.0
SETTLED_SECONDS = 2.5
"""Time for the map to be drawn after the figures."""
DRAWN = "!!document.querySelector('.figure .reading b, #content h1, #content .nothing')"
_NUMBERS = itertools.count(1)


class PictureError(Exception):
    """A page could not be pictured; the message says why."""


def installed() -> str | None:
    """Return the path of a Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(path: str) -> Iterator[str]:
    """Start a Chromium of its own and yield the address of its DevTools. Raise `PictureError`."""
    folder = Path(tempfile.mkdtemp(prefix="ioc-screens-"))
    process = subprocess.Popen(
        [path, *FLAGS, f"--user-data-dir={folder}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port, deadline = folder / "DevToolsActivePort", time.monotonic() + STARTED_SECONDS
        while not (port.exists() and port.read_text().strip()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise PictureError(f"{path} did not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port.read_text().split()[0]}"
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def picture(tools: str, address: str, cookies: Mapping[str, str]) -> bytes:
    """Return a page as PNG, once it is drawn. Raise `PictureError`."""
    try:
        asked = urllib.request.Request(f"{tools}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            tab = json.load(answer)
        with connect(tab["webSocketDebuggerUrl"], max_size=None) as socket:
            return _pictured(socket, address, cookies)
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(f"{address}: {error}") from error


def _pictured(socket: ClientConnection, address: str, cookies: Mapping[str, str]) -> bytes:
    _ask(
        socket,
        "Emulation.setDeviceMetricsOverride",
        width=WIDTH,
        height=HEIGHT,
        deviceScaleFactor=1,
        mobile=False,
    )
    for name, value in cookies.items():
        _ask(
            socket,
            "Network.setCookie",
            name=name,
            value=value,
            url=address,
            path="/",
            secure=name.startswith("__Host-"),
        )
    _ask(socket, "Page.navigate", url=address)
    deadline = time.monotonic() + DRAWN_SECONDS
    while not _ask(socket, "Runtime.evaluate", expression=DRAWN, returnByValue=True)["result"].get(
        "value"
    ):
        if time.monotonic() > deadline:
            raise PictureError(f"{address} was not drawn in {DRAWN_SECONDS:.0f} s")
        time.sleep(0.2)
    time.sleep(SETTLED_SECONDS)
    data = base64.b64decode(_ask(socket, "Page.captureScreenshot", format="png")["data"])
    _ask(socket, "Page.close")
    return data


def _ask(socket: ClientConnection, method: str, **parameters: Any) -> dict[str, Any]:
    number = next(_NUMBERS)
    socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
    while True:
        said = json.loads(socket.recv(timeout=DRAWN_SECONDS))
        if said.get("id") == number:
            if "error" in said:
                raise PictureError(f"{method}: {said['error'].get('message')}")
            found: dict[str, Any] = said["result"]
            return found
