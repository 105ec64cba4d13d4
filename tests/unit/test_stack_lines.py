"""What the log files of the local stack hold.

A time, a zone and a level on every line, within bounds.
"""

import io
import os
import re
import subprocess
import sys
from collections import namedtuple
from datetime import datetime
from pathlib import Path

import pytest

from stack import control
from stack.lines import MAX_FILES, WELL_FORMED, ZONE, LogFile, copy_lines, format_line, read_lines
from stack.process import spawn, start, tail, wait_until

NOW = datetime(2026, 11, 30, 20, 16, 5, 123000, ZONE)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("day 1 of 30", "2026-11-30T20:16:05.123+07:00 INFO worker day 1 of 30"),
        (
            "2026-11-30T20:00:00.000+07:00 WARNING watch late",
            "2026-11-30T20:00:00.000+07:00 WARNING watch late",
        ),
        (
            "\x1b[31mred\x1b[0m \x07bell\u2028line",
            "2026-11-30T20:16:05.123+07:00 INFO worker red \\x07bell\\u2028line",
        ),
        ("one\nother", "2026-11-30T20:16:05.123+07:00 INFO worker one\\nother"),
        ("12. ? @ 0x000000001c92c63f", None),
        ("   ", None),
        (":) ", "2026-11-30T20:16:05.123+07:00 INFO worker :)"),
    ],
)
def test_every_line_gets_a_time_a_zone_and_a_level(said: str, kept: str | None) -> None:
    assert format_line(said, "worker", NOW) == kept


def test_a_line_of_clickhouse_keeps_its_own_time_level_and_query() -> None:
    at = datetime(2026, 11, 30, 20, 22, 29, 690000).astimezone()  # as the machine's clock shows it
    said = (
        f"\x1b[?2004h:) {at:%Y.%m.%d %H:%M:%S}.690977 [ 10222 ] {{84ba9b3d}} <Error> TCPHandler: "
        "Code: 516."
    )
    line = format_line(said, "clickhouse", NOW)
    assert (
        line == f"{at.astimezone(ZONE).isoformat(timespec='milliseconds')} "
        "ERROR clickhouse TCPHandler: Code: 516. {84ba9b3d}"
    )


def test_a_log_is_bounded_however_much_is_said(tmp_path: Path) -> None:
    file, stream = (
        tmp_path / "worker.log",
        io.BytesIO(b"x" * 1_000_000 + b"\n" + b"word\n" * 50_000),
    )
    copy_lines(read_lines(stream), LogFile(file, max_bytes=100_000), "worker")
    assert {path.name for path in tmp_path.iterdir()} == {
        "worker.log",
        "worker.log.1",
        "worker.log.2",
    }
    assert len(list(tmp_path.iterdir())) == MAX_FILES
    for path in tmp_path.iterdir():
        assert path.stat().st_size <= 100_000
        assert all(WELL_FORMED.match(line) for line in path.read_text().splitlines())


def test_the_last_words_of_a_process_are_in_its_log_and_those_of_the_run_before_beside_it(
    tmp_path: Path,
) -> None:
    log = tmp_path / "logs" / "worker.log"
    for word in ("first", "second"):
        child = spawn([sys.executable, "-c", f"import sys; sys.exit('{word} failed')"], log)
        assert child.wait(30) == 1
        assert tail(log, ended=True).endswith(f"INFO worker {word} failed")
    spawn([sys.executable, "-c", "print('third')"], log, fresh=False).wait(30)
    assert [line.rpartition("worker ")[2] for line in tail(log, ended=True).splitlines()] == [
        "second failed",
        "third",
    ]
    assert log.with_name("worker.log.1").read_text().endswith("first failed\n")


def test_a_daemon_is_logged_when_who_started_it_is_gone(tmp_path: Path) -> None:
    log, gate = tmp_path / "daemon.log", tmp_path / "gate"
    os.mkfifo(gate)
    code = (
        f"import pathlib, stack.process as p; p.start(['sh', '-c', 'read line < {gate}; echo "
        f"after'], pathlib.Path('{log}'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    gate.write_text("go\n")
    assert wait_until(lambda: tail(log).endswith("INFO daemon after"), 30)


def test_a_process_that_was_started_is_stopped_with_its_group_but_its_log_is_written_to_the_end(
    tmp_path: Path,
) -> None:
    log = tmp_path / "child.log"
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit('ends in good order')); "
        "print('up', flush=True); time.sleep(60)"
    )
    child = start([sys.executable, "-c", code], log)
    assert wait_until(lambda: "up" in tail(log), 30)
    assert child.stop(20)
    assert tail(log, ended=True).endswith("ends in good order")


def test_a_full_disk_is_told_in_one_sentence_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, control.MIN_FREE_BYTES))
    assert control.disk_warning(tmp_path) == ""
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, 300_000_000))
    said = control.disk_warning(tmp_path)
    assert re.fullmatch(r"Only 0\.3 GB are free under \S+: [^.]+\.", said)
