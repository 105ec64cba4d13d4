"""Who may see what: tokens, what each opens, and what is refused before anything is answered."""

import asyncio
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from dashboard.__main__ import loopback
from dashboard.access import COOKIE, INTERNAL, REFUSED, Access, allowed
from dashboard.connection import Connection
from dashboard.desk.pages import PAGES
from dashboard.rights import NoRightsError, current
from dashboard.token_cli import cli
from dashboard.tokens import FILE, Tokens

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
    assert all(allowed("wall", path) for path in ("/", "/wall", "/outlines/46.json", "/_dash-update-component", "/_dash-layout"))
    pages = [page.template.partition("<")[0] for page in PAGES]
    assert not any(allowed("wall", path) for path in (*pages, "/export/targets.csv", "/search"))
    assert all(allowed("desk", path) for path in pages)


def test_whoever_may_see_the_wall_only_asks_clickhouse_nothing() -> None:
    reset = current.set("wall")
    try:
        with pytest.raises(NoRightsError):
            Connection("clickhouse://127.0.0.1:1/none").rows("SELECT 1")
    finally:
        current.reset(reset)


class Site:
    """A site behind `Access` that remembers the rights of who came through."""

    def __init__(self, tokens: Tokens) -> None:
        self.rights: list[str] = []
        self.access = Access(self._answer, tokens, "vi")

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
        """What is sent for an address."""
        sent: list[dict[str, Any]] = []
        asyncio.run(self.access(scope(address, cookie) | more, receive, _into(sent)))
        return sent


async def receive() -> dict[str, Any]:
    return {"type": "http.request"}


def _into(sent: list[dict[str, Any]]) -> Any:
    async def send(message: Any) -> None:
        sent.append(message)

    return send


def scope(address: str, cookie: str = "") -> dict[str, Any]:
    found = urlsplit(address)
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    return {"type": "http", "method": "GET", "path": found.path, "query_string": found.query.encode(), "headers": headers}


@pytest.fixture
def site(tokens: Tokens) -> Iterator[Site]:
    yield Site(tokens)


def test_without_a_token_there_is_a_page_that_says_so(site: Site) -> None:
    head, body = site.ask("/wall?lang=en")
    assert head["status"] == 401 and b"This screen takes a token" in body["body"] and b'action="/wall"' in body["body"]
    assert "Mã truy cập không đúng" in site.ask("/wall?token=x")[1]["body"].decode()
    assert site.rights == []


def test_a_token_in_the_address_becomes_a_cookie_that_scripts_cannot_read(site: Site, tokens: Tokens) -> None:
    token = tokens.add("left", "wall", NOW)
    (head, _) = site.ask(f"/wall?scene=targets&token={token}")
    told = {name.decode(): value.decode() for name, value in head["headers"]}
    assert head["status"] == 303 and told["location"] == "/wall?scene=targets"
    assert "HttpOnly" in told["set-cookie"] and "SameSite=strict" in told["set-cookie"]
    assert site.ask("/wall?scene=targets", token)[0]["status"] == 200
    assert site.rights == ["wall"]
    head, body = site.ask("/unit/46", token)
    assert head["status"] == 403 and "chỉ mở được màn hình lớn" in body["body"].decode()


def test_probes_and_what_the_server_asks_of_itself_take_no_token(site: Site) -> None:
    marked: Any = {INTERNAL: True}
    assert site.ask("/healthz")[0]["status"] == 200
    assert site.ask("/_dash-dependencies", **marked)[0]["status"] == 200
    assert site.ask("/_dash-dependencies")[0]["status"] == 401


def test_a_socket_ends_with_its_token(site: Site, tokens: Tokens) -> None:
    socket = {"type": "websocket"}
    assert site.ask("/_dash-ws", "x", **socket) == [{"type": "websocket.close", "code": REFUSED}]
    token = tokens.add("left", "wall", NOW)
    sent: list[dict[str, Any]] = []
    asked = 0

    async def hear() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 2:
            tokens.revoke("left")
        return {"type": "websocket.receive"}

    asyncio.run(site.access(scope("/_dash-ws", token) | socket, hear, _into(sent)))
    assert [one["type"] for one in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert sent[-1]["code"] == REFUSED


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False), ("10.0.0.4", False)])
def test_which_addresses_are_of_this_machine(host: str, here: bool) -> None:
    assert loopback(host) is here
