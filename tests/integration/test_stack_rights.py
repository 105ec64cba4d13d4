"""What the local ClickHouse lets whom do.

The user `ioc` with its databases and nothing else, nobody without the password.
"""

import os
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import Error as DriverError
from clickhouse_driver.errors import ServerException

from schemas.settings import Settings
from stack import confine, control
from stack.parts import library
from stack.ports import choose_port
from stack.process import start, wait_until
from streams.admin.migrate import migrate
from tests.running import bare_environment
from tests.sockets import Socket, listening

pytestmark = pytest.mark.stack
SECRET = "the seal key of this installation"
LEGACY = """\
<clickhouse>
  <path>{folder}/data/</path>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{port}</tcp_port>
  <logger><level>information</level><console>true</console></logger>
  <users_config>{folder}/config.xml</users_config>
  <default_profile>default</default_profile>
  <profiles><default><async_insert>0</async_insert></default></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
</clickhouse>
"""
"""The configuration of the releases without passwords."""
ELSEWHERE = (
    "SELECT * FROM file('{file}', 'LineAsString')",
    "SELECT file('{file}')",
    "INSERT INTO FUNCTION file('{file}', 'LineAsString') SELECT 'x'",
    "CREATE TABLE ioc_rights.elsewhere (line String) ENGINE = File(LineAsString, '{file}')",
    "CREATE DATABASE ioc_elsewhere ENGINE = Filesystem('{folder}')",
    "SELECT * FROM default.`{file}`",
    "SELECT * FROM filesystem('{folder}')",
    "SELECT formatRow('Template', 1) SETTINGS format_template_row = '{file}'",
    "BACKUP TABLE ioc_rights.rows TO File('{folder}/copy')",
    "CREATE DICTIONARY ioc_rights.d (n UInt64) PRIMARY KEY n SOURCE(FILE(path '{file}' format "
    "'CSV')) LAYOUT(FLAT()) LIFETIME(0)",
    "CREATE TABLE ioc_rights.disk (n Int8) ENGINE = MergeTree ORDER BY n SETTINGS disk = "
    "disk(type = 'local', path = '{folder}/')",
    "CREATE TABLE ioc_rights.web (n Int8) ENGINE = MergeTree ORDER BY n SETTINGS disk = disk(type "
    "= 'web', endpoint = '{url}/')",
    "SELECT * FROM sqlite('{file}', 'rows')",
    "SELECT * FROM url('{url}', 'LineAsString')",
    "SELECT * FROM url('file://{file}', 'LineAsString')",
    "SELECT * FROM s3('{url}/bucket/key', 'LineAsString')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1:1/key', 'TSV', 'line String')",
    "SELECT * FROM remote('127.0.0.1:{port}', system.one)",
    "SELECT * FROM mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM jdbc('jdbc:a', 'b')",
    "SELECT * FROM executable('cat', 'LineAsString', 'line String')",
    "SELECT * FROM system.users",
    "SELECT * FROM system.grants",
    "SELECT * FROM system.server_settings",
    "CREATE USER other",
    "GRANT ALL ON *.* TO ioc",
    "CREATE VIEW ioc_rights.borrowed DEFINER = default SQL SECURITY DEFINER AS SELECT * FROM "
    "file('{file}', 'LineAsString')",
    "CREATE VIEW ioc_rights.unchecked SQL SECURITY NONE AS SELECT 1",
    "CREATE DATABASE elsewhere",
    "CREATE TABLE default.rows (n Int8) ENGINE = Memory",
    "CREATE FUNCTION twice AS n -> 2 * n",
    "SYSTEM SHUTDOWN",
    "SYSTEM STOP LISTEN TCP",
    "SYSTEM RELOAD CONFIG",
)
"""Statements that reach a file, another machine, another's rights or the server itself."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    control.wipe(tmp_path)


def execute(url: str, sql: str, database: str = "default") -> list[tuple[Any, ...]]:
    client = Client.from_url(f"{url.rpartition('/')[0]}/{database}")
    try:
        return list(client.execute(sql))
    finally:
        client.disconnect()


@pytest.mark.skipif(confine.version() < confine.MIN_VERSION, reason="this kernel has no Landlock")
@pytest.mark.parametrize("statement", ELSEWHERE)
def test_the_user_reaches_no_file_no_other_machine_and_no_rights(
    stack: control.Addresses, tmp_path: Path, statement: str
) -> None:
    file, port = tmp_path / "seal.key", choose_port()
    file.write_text(SECRET)
    filled = statement.format(file=file, folder=tmp_path, port=port, url=f"http://127.0.0.1:{port}")
    execute(stack.clickhouse_url, "CREATE DATABASE IF NOT EXISTS ioc_rights")
    execute(
        stack.clickhouse_url,
        "CREATE TABLE IF NOT EXISTS ioc_rights.rows (n Int8) ENGINE = MergeTree ORDER BY n",
    )
    try:
        with pytest.raises(ServerException) as refused:
            execute(stack.clickhouse_url, filled)
        assert SECRET not in str(refused.value)
        assert "Connection refused" not in str(refused.value), "it did not even try to connect"
        assert {path.name for path in tmp_path.iterdir()} == {"seal.key"}
        assert file.read_text() == SECRET
    finally:
        execute(stack.clickhouse_url, "DROP DATABASE ioc_rights")


def test_a_file_is_not_written_by_the_server(stack: control.Addresses, tmp_path: Path) -> None:
    execute(stack.clickhouse_url, f"SELECT 1 INTO OUTFILE '{tmp_path}/out.tsv'")
    assert not list(tmp_path.iterdir()), "that is the client's to do"


@pytest.mark.parametrize(
    "user", ["ioc", "ioc:", "ioc:wrong", "default", "default:", "other", "other:wrong"]
)
def test_nobody_gets_in_without_the_password(stack: control.Addresses, user: str) -> None:
    server = stack.clickhouse_address.partition("@")[2]
    with pytest.raises(ServerException, match=r"Authentication failed|overflown session count"):
        execute(f"clickhouse://{user}@{server}", "SELECT 1")


def test_the_password_is_random_in_a_file_of_its_owner_and_in_no_process_list_log_or_output(
    home: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack", "up", "--home", str(home)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    file = home / "clickhouse.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    known = file.read_text().strip()
    assert len(known) >= 32
    assert known not in done.stdout + done.stderr
    for log in (home / "logs").iterdir():
        assert known not in log.read_text(errors="replace")
    for process in control.StackState.read(home).processes.values():
        assert known.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert known.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()
    assert stat.S_IMODE((home / "clickhouse" / "config.xml").stat().st_mode) == 0o600


def test_the_home_alone_leads_a_process_to_the_password(home: Path) -> None:
    where = control.up(home)
    (home / "clickhouse.password").chmod(0o644)
    control.down(home)
    control.up(home)
    assert stat.S_IMODE((home / "clickhouse.password").stat().st_mode) == 0o600
    server = where.clickhouse_address.partition("@")[2]
    for address in (where.clickhouse_address, f"clickhouse://{server}"):
        settings = Settings.of({"IOC_HOME": str(home), "IOC_CLICKHOUSE_URL": address})
        assert execute(settings.clickhouse_url, "SELECT currentUser()") == [("ioc",)]
        assert settings.clickhouse_server == server


def test_clickhouse_takes_no_http_unless_it_is_asked_to_and_then_from_nobody_without_the_password(
    home: Path,
) -> None:
    where = control.up(home)
    notes = control.StackState.read(home)
    found = listening(notes.processes["clickhouse"].pid)
    assert found == {Socket("tcp", "127.0.0.1", notes.ports["clickhouse"])}
    control.down(home)

    port = choose_port()
    subprocess.run(
        [sys.executable, "-m", "stack", "up", "--home", str(home)],
        env=bare_environment() | {"IOC_CLICKHOUSE_HTTP_PORT": str(port)},
        check=True,
        timeout=120,
    )
    post = urllib.request.Request(
        f"http://127.0.0.1:{port}/", b"SELECT currentUser()", {"Origin": "http://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(post, timeout=10)
    assert refused.value.code in (403, 500, 516)
    refused.value.close()
    post.add_header("X-ClickHouse-User", "ioc")
    post.add_header("X-ClickHouse-Key", where.password_file.read_text().strip())
    with urllib.request.urlopen(post, timeout=10) as answer:
        assert answer.read() == b"ioc\n"


def test_an_installation_from_before_passwords_keeps_its_data_and_goes_on(home: Path) -> None:
    folder, port = home / "clickhouse", choose_port()
    folder.mkdir()
    (folder / "config.xml").write_text(LEGACY.format(folder=folder, port=port))
    server = start(
        [sys.executable, "-c", SERVE_AS_BEFORE, str(library()), str(folder / "config.xml")],
        home / "before.log",
    )
    control.StackState(
        {"clickhouse": port}, {"clickhouse": server}, {"clickhouse": time.time()}
    ).write(home)
    old = f"clickhouse://127.0.0.1:{port}/ioc"

    def answers() -> bool:
        try:
            return execute(old, "SELECT 1") == [(1,)]
        except (OSError, EOFError, DriverError):
            return False

    assert wait_until(answers, 30), (home / "before.log").read_text(errors="replace")
    settings = Settings.of({"IOC_CLICKHOUSE_URL": old, "IOC_HOME": str(home / "none")})
    migrate(settings)
    row = (
        "INSERT INTO events_feedback (event_id, agency, received_at, occurred_at) SELECT '{0}', "
        "'H57.{0}', now(), now()"
    )
    execute(old, row.format(1), "ioc")
    assert execute(old, "SELECT count() FROM freshness", "ioc") == [(1,)]

    said: list[str] = []
    where = control.up(home, said.append)
    assert any("runs without a password" in line for line in said)
    assert not server.alive
    assert f":{port}/" in where.clickhouse_address
    new = Settings.of(where.environment)
    assert execute(new.clickhouse_url, "SELECT event_id FROM events_feedback", "ioc") == [("1",)]
    execute(new.clickhouse_url, row.format(2), "ioc")
    assert execute(new.clickhouse_url, "SELECT uniq(agency) FROM freshness", "ioc") == [(2,)], (
        "views of before are still filled"
    )
    migrate(new)
    execute(new.clickhouse_url, row.format(3), "ioc")
    assert execute(new.clickhouse_url, "SELECT uniq(agency) FROM freshness", "ioc") == [(3,)]


SERVE_AS_BEFORE = """
import stack.clickhouse, sys
stack.clickhouse.confine = lambda *_, **__: True
sys.exit(stack.clickhouse.serve(*sys.argv[1:]))
"""


def test_who_runs_it_as_root_is_told_once_in_one_sentence(home: Path) -> None:
    said: list[str] = []
    control.up(home, said.append)
    assert sum("root" in line for line in said) == int(os.geteuid() == 0)
    said.clear()
    control.up(home, said.append)
    assert not any("root" in line for line in said)
