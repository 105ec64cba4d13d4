"""The ClickHouse server: `libchdb.so` carries all of clickhouse-local, which opens the server's ports on `SYSTEM START LISTEN`.

`python -m stack.clickhouse LIBRARY CONFIG` is the server process. It is interactive, on a terminal that it holds itself: one that
is not ends itself on the first error of a connection, be it a client that resets it (ClickHouse issue 115666, mended in 26.8). On
SIGTERM the terminal goes away, and the server ends in good order.
"""

import ctypes
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

from stack.parts import library

# async_insert: since ClickHouse 26 inserts are collected by default, which is not what an acknowledged insert should mean.
CONFIG = """\
<clickhouse>
  <path>{data}/</path>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{port}</tcp_port>
  <http_port>{http}</http_port>
  <log-level>information</log-level>
  <logger><level>information</level><console>true</console></logger>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <max_thread_pool_size>1000</max_thread_pool_size>
  <users_config>{config}</users_config>
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
MEMORY = 4 << 30  # bytes that all queries, merges and caches may take together


def command(folder: Path, port: int, http: int) -> list[str]:
    """Writes the configuration into `folder` and returns the command of the server."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.xml"
    names = {"data": escape(str(folder / "data")), "config": escape(str(config))}
    config.write_text(CONFIG.format(port=port, http=http, memory=MEMORY, **names))
    return [sys.executable, "-m", "stack.clickhouse", str(library()), str(config)]


def healthy(folder: Path, http: int) -> bool:
    """Whether a server answers queries on the HTTP port and its data lie in `folder`."""
    question = b"SELECT path FROM system.disks WHERE name = 'default'"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/", data=question, timeout=2) as answer:
            return bool(answer.read().decode().strip() == f"{folder / 'data'}/")
    except (OSError, urllib.error.HTTPError):
        return False


def serve(library_file: str, config: str) -> int:
    """Runs the server until SIGTERM or SIGINT; returns 0 after one of them, 1 when the server ended on its own."""
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # before the library makes threads: they inherit it
    master, terminal = os.openpty()
    os.dup2(terminal, 0)
    os.close(terminal)
    run = ctypes.CDLL(library_file).chdb_query_cmdline
    run.restype = ctypes.c_void_p
    arguments = [
        b"clickhouse",
        b"--config-file=" + os.fsencode(config),
        b"--interactive",
        b"--disable_suggestion",
        b"--history_file=/dev/null",
        b"--query=SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP",
    ]
    ended = threading.Event()

    def host() -> None:
        run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
        ended.set()
        os.kill(os.getpid(), signal.SIGTERM)  # wakes the wait below when nobody asked the server to end

    server = threading.Thread(target=host, name="clickhouse")
    server.start()
    signal.sigwait(ending)
    on_its_own = ended.is_set()
    os.close(master)  # Unlike a Ctrl-D, a line that is gone cannot be missed by one that is still starting.
    server.join()
    return int(on_its_own)


if __name__ == "__main__":
    sys.exit(serve(*sys.argv[1:]))
