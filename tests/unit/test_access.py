"""Who may see what: tokens, what each opens, and what is refused before anything is answered."""

import asyncio
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from typer.testing import CliRunner

from dashboard.__main__ import loopback
from dashboard.query.connection import Connection
from dashboard.query.rights import NoRightsError, current
from dashboard.server.access import (
    COOKIE,
    INTERNAL,
    REFUSED,
    SECURE_COOKIE,
    Access,
    allowed,
    is_public,
    local,
)
from dashboard.server.attempts import FREE_ATTEMPTS, MAX_CLIENTS, MAX_SECONDS, Attempts
from dashboard.server.pages import PAGES
from dashboard.server.token_cli import cli
from dashboard.server.tokens import FILE, Tokens

NOW = datetime.now(UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens.of(tmp_path)


def test_a_token_opens_what_it_was_made_for_until_it_is_revoked(tokens: Tokens) -> None:
    wall, desk = tokens.add("left", "wall", NOW), tokens.add("duty", "desk", NOW)
    assert (tokens.right(wall), tokens.right(desk)) == ("wall", "desk")
    assert tokens.right("x") is tokens.right("") is tokens.right(None) is None
    other = Tokens(tokens.path)
    other.revoke("left")
    assert tokens.right(wall) is None, "what another process revokes holds at once"
    assert tokens.right(desk) == "desk"


def test_a_token_for_some_days_ends_and_its_name_may_be_used_again(tokens: Tokens) -> None:
    old = tokens.add("guest", "desk", NOW - timedelta(days=2), days=1)
    assert tokens.right(old) is None
    assert tokens.right(tokens.add("guest", "desk", NOW, days=1)) == "desk"
    with pytest.raises(ValueError, match="guest"):
        tokens.add("guest", "desk", NOW)


def test_only_the_owner_reads_the_file_and_it_holds_no_token(tokens: Tokens) -> None:
    token = tokens.add("left", "wall", NOW)
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert token not in tokens.path.read_text()


def test_the_commands_make_list_and_revoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_HOME", str(tmp_path))
    run = CliRunner().invoke
    made = run(cli, ["add", "left"])
    assert made.exit_code == 0
    token = made.stdout.strip().splitlines()[0]
    assert Tokens(tmp_path / FILE).right(token) == "wall"
    assert f"/wall?token={token}" in made.output and "IOC_ACCESS" in made.output
    assert run(cli, ["add", "left"]).exit_code == 2
    assert run(cli, ["add", "x", "--for", "everything"]).exit_code == 2
    listed = run(cli, ["list"]).output
    assert "left" in listed and token not in listed
    assert run(cli, ["revoke", "left"]).exit_code == 0
    assert run(cli, ["revoke", "left"]).exit_code == 2
    assert Tokens(tmp_path / FILE).right(token) is None


def test_the_wall_is_all_that_a_token_for_it_opens() -> None:
    assert all(
        allowed("wall", path)
        for path in ("/", "/wall", "/outlines/46.json", "/_dash-update-component", "/_dash-layout")
    )
    pages = [page.template.partition("<")[0] for page in PAGES]
    others = (
        "/export/targets.csv",
        "/search",
        "/wallpaper",
        "/wall/x",
        "/_dash",
        "/_dash-anything",
        "/outlines",
        "//wall",
    )
    assert not any(allowed("wall", path) for path in (*pages, *others))
    assert all(allowed("desk", path) for path in pages)
    assert not any(allowed("none", path) for path in (*pages, *others, "/", "/wall"))


def test_what_is_public_is_named_whole() -> None:
    assert all(
        is_public(path) for path in ("/healthz", "/readyz", "/metrics", "/assets/favicon.svg")
    )
    assert not any(
        is_public(path)
        for path in (
            "/healthz/",
            "/healthzz",
            "/metrics/x",
            "/assets",
            "/",
            "/wall",
            "/unit/46",
            "",
        )
    )


def test_whoever_may_see_the_wall_only_asks_clickhouse_nothing() -> None:
    reset = current.set("wall")
    try:
        with pytest.raises(NoRightsError):
            Connection("clickhouse://127.0.0.1:1/none").rows("SELECT 1")
    finally:
        current.reset(reset)


class Site:
    """A site behind `Access` that remembers the rights of who came through."""

    def __init__(self, tokens: Tokens, *, tls: bool = False) -> None:
        self.rights: list[str] = []
        self.access = Access(self._answer, tokens, "vi", tls=tls)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.rights.append(current.get())
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            for _ in range(2):
                await receive()
                await send({"type": "websocket.send", "text": "news"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"content"})

    def ask(self, address: str, cookie: str = "", **more: Any) -> list[dict[str, Any]]:
        """Return what is sent for an address."""
        sent: list[dict[str, Any]] = []
        asyncio.run(self.access(scope(address, cookie) | more, receive, _into(sent)))
        return sent

    def post(
        self, origin: str = "http://here", **fields: str
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the answer to the form, and its headers."""
        sent: list[dict[str, Any]] = []

        async def body() -> dict[str, Any]:
            return {"type": "http.request", "body": urlencode(fields).encode()}

        asked = scope("/enter") | {
            "method": "POST",
            "headers": [(b"origin", origin.encode()), (b"host", b"here")],
        }
        asyncio.run(self.access(asked, body, _into(sent)))
        return sent[0], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


async def receive() -> dict[str, Any]:
    return {"type": "http.request"}


def _into(sent: list[dict[str, Any]]) -> Any:
    async def send(message: Any) -> None:
        sent.append(message)

    return send


def scope(address: str, cookie: str = "") -> dict[str, Any]:
    found = urlsplit(address)
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    return {
        "type": "http",
        "method": "GET",
        "path": found.path,
        "query_string": found.query.encode(),
        "headers": headers,
    }


@pytest.fixture
def site(tokens: Tokens) -> Iterator[Site]:
    yield Site(tokens)


def test_without_a_token_there_is_a_page_that_says_so(site: Site) -> None:
    head, body = site.ask("/wall?lang=en")
    assert head["status"] == 401 and b"This screen needs a token" in body["body"]
    assert (
        b'method="post" action="/enter"' in body["body"]
        and b'value="/wall?lang=en"' in body["body"]
    )
    assert "Mã truy cập không đúng" in site.ask("/wall?token=x")[1]["body"].decode()
    assert site.rights == []


def test_the_address_of_a_wall_becomes_a_cookie_that_scripts_cannot_read(
    site: Site, tokens: Tokens
) -> None:
    token = tokens.add("left", "wall", NOW)
    (head, _) = site.ask(f"/wall?scene=targets&token={token}")
    told = {name.decode(): value.decode() for name, value in head["headers"]}
    assert head["status"] == 303 and told["location"] == "/wall?scene=targets"
    assert "HttpOnly" in told["set-cookie"] and "SameSite=strict" in told["set-cookie"]
    assert site.ask("/wall?scene=targets", token)[0]["status"] == 200
    assert site.rights == ["wall"]
    head, body = site.ask("/unit/46", token)
    assert head["status"] == 403 and "chỉ mở được màn hình lớn" in body["body"].decode()


def test_a_token_for_the_desk_is_entered_and_not_taken_from_an_address(
    site: Site, tokens: Tokens
) -> None:
    token = tokens.add("duty", "desk", NOW)
    for address in (f"/?token={token}", f"/wall?token={token}", f"/unit/46?token={token}"):
        head, body = site.ask(address)
        assert (
            head["status"] == 403
            and "Nhập mã vào đây" in body["body"].decode()
            and token not in body["body"].decode()
        )
    head, told = site.post(token=token, to="/unit/46?lang=en")
    assert (
        head["status"] == 303
        and told["location"] == "/unit/46?lang=en"
        and COOKIE in told["set-cookie"]
    )
    assert site.ask("/unit/46", token)[0]["status"] == 200


def test_a_wrong_token_and_a_form_of_another_site_are_refused(site: Site, tokens: Tokens) -> None:
    token = tokens.add("duty", "desk", NOW)
    assert site.post(token="x", to="/wall")[0]["status"] == 401
    assert site.post(to="/wall")[0]["status"] == 401
    assert site.post(token="x" * 10_000, to="/wall")[0]["status"] == 401
    head, told = site.post("http://evil.example", token=token, to="/wall")
    assert head["status"] == 403 and "set-cookie" not in told


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example/wall",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "",
        "/a\r\nSet-Cookie: x",
    ],
)
def test_nobody_is_led_to_another_site(site: Site, tokens: Tokens, to: str) -> None:
    assert local(to) == "/"
    token = tokens.add("duty", "desk", NOW)
    assert site.post(token=token, to=to)[1]["location"] == "/"
    wall = tokens.add("left", "wall", NOW)
    (head, *_) = site.ask("/", path="//evil.example/wall", query_string=f"token={wall}".encode())
    assert head["status"] == 403 and b"location" not in dict(head["headers"])


def test_behind_tls_the_cookie_is_of_this_host_and_goes_through_https_only(tokens: Tokens) -> None:
    site, token = Site(tokens, tls=True), tokens.add("duty", "desk", NOW)
    _, told = site.post(token=token, to="/")
    assert told["set-cookie"].startswith(f"{SECURE_COOKIE}={token};")
    assert (
        "Secure" in told["set-cookie"]
        and "Path=/" in told["set-cookie"]
        and "Domain" not in told["set-cookie"]
    )
    assert site.ask("/unit/46", token)[0]["status"] == 401, (
        "another site of the domain may have set that one"
    )


def test_wrong_tokens_are_logged_and_wait_longer_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = Attempts()
    waits = [attempts.wrong("10.0.0.4", "/wall", 1.0) for _ in range(20)]
    assert (
        waits[:FREE_ATTEMPTS] == [0.0] * FREE_ATTEMPTS
        and waits[-1] == MAX_SECONDS
        and waits == sorted(waits)
    )
    assert attempts.wrong("10.0.0.5", "/wall", 1.0) == 0.0, "another client does not wait for that"
    assert attempts.wrong("10.0.0.4", "/wall", 10_000.0) == 0.0, "after a while it is forgotten"
    assert 1 < sum("10.0.0.4" in one for one in caplog.messages) < 8, (
        "thousands of attempts do not fill the log"
    )
    for number in range(2 * MAX_CLIENTS):
        attempts.wrong(f"client {number}", "/wall", 1.0)
    assert len(attempts._clients) == MAX_CLIENTS


def test_few_answers_wait_at_a_time() -> None:
    async def ask() -> list[bool]:
        attempts = Attempts()
        waiting = [asyncio.ensure_future(attempts.hold(0.05)) for _ in range(60)]
        return list(await asyncio.gather(*waiting))

    assert asyncio.run(ask()) == [True] * 50 + [False] * 10


def test_probes_and_what_the_server_asks_of_itself_take_no_token(site: Site) -> None:
    marked: Any = {INTERNAL: True}
    assert site.ask("/healthz")[0]["status"] == 200
    assert site.rights == ["none"]
    assert site.ask("/_dash-dependencies", **marked)[0]["status"] == 200
    assert site.ask("/_dash-dependencies")[0]["status"] == 401


def test_a_socket_ends_with_its_token(site: Site, tokens: Tokens) -> None:
    socket = {"type": "websocket"}
    assert site.ask("/_dash-ws-callback", "x", **socket) == [
        {"type": "websocket.close", "code": REFUSED}
    ]
    token = tokens.add("left", "wall", NOW)
    sent: list[dict[str, Any]] = []
    asked = 0

    async def hear() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 2:
            tokens.revoke("left")
        return {"type": "websocket.receive"}

    asyncio.run(site.access(scope("/_dash-ws-callback", token) | socket, hear, _into(sent)))
    assert [one["type"] for one in sent] == [
        "websocket.accept",
        "websocket.send",
        "websocket.close",
    ]
    assert sent[-1]["code"] == REFUSED


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False), ("10.0.0.4", False)],
)
def test_which_addresses_are_of_this_machine(host: str, here: bool) -> None:
    assert loopback(host) is here
