"""What a running dashboard answers to strangers.

Names, headers, unknown addresses, other sites, forms and frames without end.
"""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets import Origin
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.server.access import COOKIE
from dashboard.server.index import INLINE, policy
from dashboard.server.tokens import Tokens
from schemas.settings import Settings
from stack.ports import choose_port
from streams.admin.migrate import migrate
from tests.running import Running

pytestmark = pytest.mark.stack
Answer = tuple[int, dict[str, str], str]


class Dashboard:
    """A running dashboard."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = int(environment["IOC_DASHBOARD_PORT"])
        self.host = f"127.0.0.1:{self.port}"
        ready = f"http://{self.host}/readyz"
        self.running = Running("dashboard", "serve", environment=environment, log=log, ready=ready)

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, found, text


@pytest.fixture(scope="module")
def dashboard(
    module_environment: dict[str, str],
    module_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Dashboard]:
    migrate(module_settings)
    found = Dashboard(module_environment, tmp_path_factory.mktemp("logs") / "dashboard.log")
    yield found
    found.running.stop()


@pytest.fixture(scope="module")
def guarded(
    module_environment: dict[str, str],
    dashboard: Dashboard,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Dashboard]:
    more = {"IOC_ACCESS": "token", "IOC_DASHBOARD_PORT": str(choose_port())}
    found = Dashboard(module_environment | more, tmp_path_factory.mktemp("logs") / "guarded.log")
    yield found
    found.running.stop()


def test_it_answers_to_its_names_only(dashboard: Dashboard) -> None:
    for host in (dashboard.host, f"localhost:{dashboard.port}"):
        assert dashboard.ask("/wall", Host=host)[0] == 200
    for path in ("/wall", "/export/targets.csv", "/healthz", "/_dash-layout"):
        status, _, text = dashboard.ask(path, Host="evil.example")
        assert status == 421 and "IOC_HOSTS" in text
    body = "name=x&since=2026-01-01&until=2026-01-02"
    assert (
        dashboard.ask(
            "/replay/runs", "POST", body, Host="evil.example", Origin="http://evil.example"
        )[0]
        == 421
    )


def test_pages_run_only_what_is_theirs_and_stand_in_no_frame(dashboard: Dashboard) -> None:
    for path in ("/wall", "/unit/46", "/records/filing"):
        status, headers, html = dashboard.ask(path)
        rules = headers["content-security-policy"]
        assert status == 200 and "frame-ancestors 'none'" in rules and "object-src 'none'" in rules
        (scripts,) = re.findall(r"script-src ([^;]*);", rules)
        assert (
            "unsafe" not in scripts and scripts.count("'sha256-") == len(INLINE.findall(html)) >= 1
        )
        assert (
            headers["x-content-type-options"] == "nosniff"
            and headers["cache-control"] == "no-store"
        )
        assert "server" not in headers and headers["referrer-policy"] in (
            "same-origin",
            "no-referrer",
        )


DATA = (
    "/map/parts",
    "/_dash-layout",
    "/_dash-dependencies",
    "/export/targets.csv",
    "/healthz",
    "/replay/runs",
)


@pytest.mark.parametrize("path", DATA)
def test_data_is_not_kept_by_browsers(dashboard: Dashboard, path: str) -> None:
    status, headers, _ = dashboard.ask(path)
    assert status == 200 and headers["cache-control"] == "no-store" and "server" not in headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_what_pages_are_drawn_with_may_be_kept(dashboard: Dashboard) -> None:
    for path in ("/assets/favicon.svg", "/outlines/country.json"):
        status, headers, _ = dashboard.ask(path)
        assert status == 200 and "no-store" not in headers.get("cache-control", ""), path


NOWHERE = (
    *(
        "/nothing",
        "/wall/x",
        "/wallpaper",
        "/assets/none.css",
        "//evil.example/wall",
        "/unit",
        "/.env",
    ),
    *("/_dash-component-suites/dash/none.js", "/_dash-component-suites/os/path.py", "/_dash-none"),
)


@pytest.mark.parametrize("path", NOWHERE)
def test_an_address_of_no_page_is_not_found(dashboard: Dashboard, path: str) -> None:
    status, headers, text = dashboard.ask(path)
    assert status == 404 and "_dash-config" not in text and "location" not in headers


def test_a_form_of_another_site_is_refused_before_it_is_read(dashboard: Dashboard) -> None:
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=20) as other:
        head = (
            f"POST /replay/runs HTTP/1.1\r\nHost: {dashboard.host}\r\nOrigin: "
            "http://evil.example\r\nContent-Length: 60000\r\n\r\n"
        )
        other.sendall(head.encode())  # and nothing of the body
        assert b" 403 " in other.recv(4096).partition(b"\r\n")[0]
    status, *_ = dashboard.ask(
        "/replay/runs", "POST", "x" * 20_000, Origin=f"http://{dashboard.host}"
    )
    assert status == 413


def test_bodies_headers_and_addresses_without_end_are_refused(dashboard: Dashboard) -> None:
    assert (
        dashboard.ask(
            "/_dash-update-component", "POST", "x" * 70_000, Content_Type="application/json"
        )[0]
        == 413
    )
    assert dashboard.ask("/wall?" + "x" * 9_000)[0] == 414
    assert dashboard.ask("/wall", X_Long="x" * 40_000)[0] == 431
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=20) as other:
        other.sendall(
            (
                f"POST /replay/runs HTTP/1.1\r\nHost: {dashboard.host}\r\n"
                "Content-Length: 300000000\r\n\r\n"
            ).encode()
        )
        assert b" 413 " in other.recv(4096).partition(b"\r\n")[0]


def test_frames_that_are_no_messages_end_a_socket_with_one_line(dashboard: Dashboard) -> None:
    address, origin = f"ws://{dashboard.host}/_dash-ws-callback", f"http://{dashboard.host}"
    for frame in ("{", "[]", b"\x00\x01", "x" * 100_000):
        with connect(address, origin=Origin(origin)) as other:
            other.send(frame)
            with pytest.raises(ConnectionClosed):
                other.recv(20)
    with (
        pytest.raises(Exception, match="403"),
        connect(address, origin=Origin("http://evil.example")),
    ):
        pass
    assert dashboard.ask("/healthz")[0] == 200
    said = dashboard.running.text()
    assert "Traceback" not in said and said.count("a socket is ended") == 3
    for line in said.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+\+07:00 [A-Z]+ dashboard ", line), line


def test_a_token_is_entered_once_and_opens_what_it_is_for(
    guarded: Dashboard, module_settings: Settings
) -> None:
    tokens = Tokens.of(module_settings.home)
    desk, wall = (
        tokens.add("duty", "desk", datetime.now(UTC)),
        tokens.add("left", "wall", datetime.now(UTC)),
    )
    for path in (
        "/wall",
        "/unit/46",
        "/nothing",
        "/_dash-layout",
        "/export/targets.csv",
        "//evil.example/",
    ):
        status, headers, text = guarded.ask(path)
        assert status == 401 and "Mã truy cập" in text and headers["cache-control"] == "no-store"
    assert guarded.ask("/healthz")[0] == guarded.ask("/assets/favicon.svg")[0] == 200
    form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"http://{guarded.host}"}
    status, headers, _ = guarded.ask("/enter", "POST", f"token={desk}&to=/unit/46", **form)
    assert (status, headers["location"]) == (303, "/unit/46")
    kept = headers["set-cookie"].partition(";")[0]
    assert (
        guarded.ask("/unit/46", Cookie=kept)[0] == 200
        and guarded.ask("/nothing", Cookie=kept)[0] == 404
    )
    status, headers, _ = guarded.ask(f"/wall?lang=en&token={wall}")
    assert (status, headers["location"]) == (303, "/wall?lang=en")
    kept = headers["set-cookie"].partition(";")[0]
    assert (
        guarded.ask("/wall", Cookie=kept)[0] == 200
        and guarded.ask("/unit/46", Cookie=kept)[0] == 403
    )
    assert "location" not in guarded.ask(f"//evil.example/wall?token={wall}")[1]
    assert guarded.ask("/wall", Cookie=f"{COOKIE}=wrong")[0] == 401
    said = guarded.running.text()
    assert "a wrong token from 127.0.0.1" in said and wall not in said and desk not in said


def test_the_policy_names_the_scripts_that_stand_in_a_page() -> None:
    html = (
        '<script id="c" type="application/json">{}</script><script '
        'src="/a.js"></script><script>let a = 1;</script>'
    )
    assert policy(html, "x;script-src *").count("sha256-") == 1 and "ws://" not in policy(
        html, "x;script-src *"
    )
    assert "ws://10.0.0.4:8050 " in policy(html, "10.0.0.4:8050")
    assert json.dumps(policy(html, "[::1]:8050")).count("wss://[::1]:8050") == 1
