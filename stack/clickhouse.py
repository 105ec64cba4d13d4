"""Configure and run the ClickHouse server in `libchdb.so`, which contains all of clickhouse-local.

clickhouse-local opens the server's port on `SYSTEM START LISTEN`.
`python -m stack.clickhouse LIBRARY CONFIG PORT…` is the server process. It is interactive, on a
terminal that it owns itself: a non-interactive one exits on the first error of a connection, such
as a client that resets it (ClickHouse issue 115666, fixed in 26.8). On SIGTERM the terminal is
closed, and the server shuts down cleanly.

Clients sign in as `ioc` with the password of the installation (`clickhouse.password` under the
home). That user has the databases whose names begin with `ioc`, and no table function or engine
that reaches a file or another machine. The user `default` is the process's own session: it may have
one session, so nobody else can sign in as it. What grants do not cover (`file()` as a function
reads any file of the account) the kernel refuses: see `stack.confine`.
"""

import ctypes
import hashlib
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from schemas.settings import CLICKHOUSE_PASSWORD_FILE, CLICKHOUSE_USER
from stack import StackError
from stack.confine import confine
from stack.parts import library

# async_insert: since ClickHouse 26 inserts are buffered by default, which is not what an
# acknowledged insert should mean.
# remote_url_allow_hosts: empty, so no host. The disk of a table is a path or an address, too.
CONFIG = """\
<clickhouse>
  <path>{folder}/data/</path>
  <tmp_path>{folder}/data/tmp/</tmp_path>
  <user_files_path>{folder}/empty/</user_files_path>
  <user_scripts_path>{folder}/empty/</user_scripts_path>
  <format_schema_path>{folder}/empty/</format_schema_path>
  <custom_local_disks_base_directory>{folder}/empty/</custom_local_disks_base_directory>
  <display_name>{identity}</display_name>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{port}</tcp_port>
  {http}
  <log-level>information</log-level>
  <logger><level>information</level><console>true</console></logger>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <max_thread_pool_size>1000</max_thread_pool_size>
  <remote_url_allow_hosts/>
  <access_control_improvements>
    <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    <select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant>
    <table_engines_require_grant>true</table_engines_require_grant>
  </access_control_improvements>
  <users_config>{folder}/config.xml</users_config>
  <default_profile>default</default_profile>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <constraints><merge_tree_disk><readonly/></merge_tree_disk></constraints>
    </default>
    <own_session><async_insert>0</async_insert><max_sessions_for_user>1</max_sessions_for_user></own_session>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>own_session</profile>
      <quota>default</quota>
    </default>
    <{user}>
      <password_sha256_hex>{password}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>{grants}</grants>
    </{user}>
  </users>
</clickhouse>
"""
RIGHTS = (
    "SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP, TRUNCATE, OPTIMIZE, "
    "SHOW, SYSTEM MERGES"
)
ENGINES = (
    "MergeTree",
    "ReplacingMergeTree",
    "AggregatingMergeTree",
    "SummingMergeTree",
    "Memory",
    "Join",
)
READABLE = (
    "parts",
    "merges",
    "mutations",
    "processes",
    "data_skipping_indices",
    "events",
    "disks",
    "numbers",
)
MEMORY = 4 << 30  # bytes that all queries, merges and caches may use together
KERNEL = (Path("/proc"), Path("/sys"), Path("/dev/zero"), Path("/dev/urandom"), Path("/dev/random"))
SYSTEM = (
    Path("/lib"),
    Path("/lib64"),
    Path("/usr/lib"),
    Path("/usr/share/zoneinfo"),
    Path("/etc/localtime"),
)
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
"""Environment variables that the server gets; its clients can read them, so there are no others."""
HELLO_REVISION = 54400
"""Revision of the native protocol: the first that answers with the server's display name."""
TIMEOUT_SECONDS = 2


def command(folder: Path, port: int, http: int = 0, *, kafka_engine: bool = False) -> list[str]:
    """Write configuration into `folder` and the password next to it; return the server's command.

    Args:
        folder: where the configuration and the data go.
        port: the port of the native protocol.
        http: the port on which to accept HTTP as well; 0: none.
        kafka_engine: let the user create tables that read Kafka, which needs outgoing connections.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty").mkdir(exist_ok=True)
    config = folder / "config.xml"
    text = CONFIG.format(
        folder=escape(str(folder)),
        identity=_identity(folder),
        port=port,
        http=f"<http_port>{http}</http_port>" if http else "",
        memory=MEMORY,
        user=CLICKHOUSE_USER,
        password=hashlib.sha256(password(folder.parent).encode()).hexdigest(),
        grants="".join(f"<query>{one}</query>" for one in grants(kafka_engine=kafka_engine)),
    )
    config.unlink(missing_ok=True)
    with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    ports = [str(one) for one in (port, http) if one]
    return [
        sys.executable,
        "-m",
        "stack.clickhouse",
        str(library()),
        str(config),
        *ports,
        *(["--kafka"] if kafka_engine else []),
    ]


def password(home: Path) -> str:
    """Return the password of the installation in `home`; create it at first use, for its owner.

    Raises:
        StackError: the file is empty.
    """
    file = home / CLICKHOUSE_PASSWORD_FILE
    try:
        made = secrets.token_urlsafe(24)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(made + "\n")
        return made
    except FileExistsError:
        pass
    file.chmod(0o600)
    if not (known := file.read_text().strip()):
        raise StackError(f"{file} is empty: delete it, then the next start makes a new password.")
    return known


def environment() -> dict[str, str]:
    """Return the environment of the server process."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def healthy(folder: Path, port: int) -> bool:
    """Return whether the server on the port accepts our password and has its data in `folder`."""
    try:
        # Not by `password`, which creates one.
        known = (folder.parent / CLICKHOUSE_PASSWORD_FILE).read_text().strip()
        return _display_name(port, known) == _identity(folder)
    except (OSError, StackError, UnicodeDecodeError, IndexError):
        return False


def grants(*, kafka_engine: bool = False) -> Iterator[str]:
    """Yield the statements that grant the user its rights."""
    yield f"GRANT {RIGHTS} ON {CLICKHOUSE_USER}*.*"
    yield "GRANT CREATE TEMPORARY TABLE ON *.*"
    yield f"GRANT {', '.join(f'SELECT ON system.{name}' for name in READABLE)}"
    yield f"GRANT {', '.join(f'TABLE ENGINE ON {engine}' for engine in ENGINES)}"
    if kafka_engine:
        yield "GRANT TABLE ENGINE ON Kafka, READ, WRITE ON KAFKA"


def _identity(folder: Path) -> str:
    """Return the display name of a server whose data lie in `folder`."""
    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]


def _display_name(port: int, password: str) -> str:
    """Return the display name in the server's hello; empty when it refuses the password."""

    def text(value: str) -> bytes:
        return bytes((len(value),)) + value.encode()  # a length below 128 is one byte

    def number(value: int) -> bytes:
        low = bytearray()
        while value > 0x7F:
            low.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes((*low, value))

    hello = b"\x00" + text("stack") + number(1) + number(0) + number(HELLO_REVISION)
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(hello + text("") + text(CLICKHOUSE_USER) + text(password))
        answer = connection.makefile("rb")

        def read() -> int:
            value, shift = 0, 0
            while (byte := answer.read(1)[0]) > 0x7F:
                value |= (byte & 0x7F) << shift
                shift += 7
            return value | byte << shift

        def read_text() -> str:
            return answer.read(read()).decode()

        if read() != 0:
            return ""
        read_text(), read(), read(), read(), read_text()  # name, version, revision, time zone
        return read_text()


def serve(library_file: str, config: str, *options: str) -> int:
    """Run the server until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 after one of these signals, 1 when the server ended by itself.
    """
    ending = {signal.SIGTERM, signal.SIGINT}
    # Before the library starts threads: they inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    master, terminal = os.openpty()
    os.dup2(terminal, 0)
    os.close(terminal)
    run = ctypes.CDLL(library_file).chdb_query_cmdline
    run.restype = ctypes.c_void_p
    ports = [int(one) for one in options if one.isdigit()]
    readable, writable = (
        (*KERNEL, *SYSTEM, Path(library_file)),
        (Path(config).parent, Path("/dev/null")),
    )
    if not confine(readable, writable, ports, connects="--kafka" in options):
        print(NOT_CONFINED, file=sys.stderr, flush=True)
    listen = "SYSTEM START LISTEN TCP" + ("; SYSTEM START LISTEN HTTP" if len(ports) > 1 else "")
    arguments = [
        b"clickhouse",
        b"--config-file=" + os.fsencode(config),
        b"--interactive",
        b"--disable_suggestion",
        b"--history_file=/dev/null",
        b"--query=" + listen.encode(),
    ]
    ended = threading.Event()

    def host() -> None:
        run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
        ended.set()
        # Wakes the wait below when nobody asked the server to end.
        os.kill(os.getpid(), signal.SIGTERM)

    server = threading.Thread(target=host, name="clickhouse")
    server.start()
    signal.sigwait(ending)
    ended_by_itself = ended.is_set()
    # Unlike a Ctrl-D, a closed terminal cannot be missed by a server that is still starting.
    os.close(master)
    server.join()
    return int(ended_by_itself)


NOT_CONFINED = (
    "This kernel has no Landlock (Linux 5.19 and later): whoever knows ClickHouse's password can "
    "read all files of this account."
)

if __name__ == "__main__":
    sys.exit(serve(*sys.argv[1:]))
