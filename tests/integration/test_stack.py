"""The local stack as its user meets it.

Up, status, down, wipe, crashes, taken ports, two side by side.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from stack import StackError, clickhouse, control
from stack.ports import choose_port
from stack.process import Process, start, wait_until

pytestmark = pytest.mark.stack


def command(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "stack", *arguments, "--home", str(home)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def query(where: control.Addresses, sql: str) -> list[tuple[Any, ...]]:
    return execute(where.clickhouse_url, sql)


def execute(url: str, sql: str) -> list[tuple[Any, ...]]:
    client = Client.from_url(f"{url.rpartition('/')[0]}/default")
    try:
        return list(client.execute(sql))
    finally:
        client.disconnect()


def write_both(where: control.Addresses) -> None:
    """Write one acknowledged record to Kafka and one acknowledged row to ClickHouse."""
    admin = KafkaAdminClient(bootstrap_servers=where.kafka_servers)
    admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=where.kafka_servers, acks="all")
    producer.send("kept", b"record").get(timeout=30)
    producer.close()
    query(where, "CREATE DATABASE ioc_kept")
    query(where, "CREATE TABLE ioc_kept.rows (n Int64) ENGINE = MergeTree ORDER BY n")
    query(where, "INSERT INTO ioc_kept.rows SELECT 7")


def read_both(where: control.Addresses) -> tuple[list[bytes], list[tuple[int]]]:
    consumer = KafkaConsumer(
        bootstrap_servers=where.kafka_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partition = TopicPartition("kept", 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    values: list[bytes] = []
    deadline = time.monotonic() + 20
    while not values and time.monotonic() < deadline:
        values += [
            record.value for records in consumer.poll(timeout_ms=500).values() for record in records
        ]
    consumer.close()
    return values, query(where, "SELECT n FROM ioc_kept.rows")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    control.wipe(tmp_path)


def processes(home: Path) -> dict[str, Process]:
    return control.StackState.read(home).processes


def test_up_status_down_and_wipe_from_the_command_line(home: Path) -> None:
    assert command(home, "status").returncode == 3

    first = command(home, "up", "--export")
    assert first.returncode == 0, first.stderr
    where = control.addresses(home)
    assert first.stdout.splitlines() == [
        f"export {name}={value}" for name, value in where.environment.items()
    ]
    shell = (
        f'eval "$({sys.executable} -m stack up --export --home {home} 2>/dev/null)"; echo '
        "$IOC_KAFKA_SERVERS $IOC_CLICKHOUSE_URL"
    )
    said = subprocess.run(
        ["sh", "-c", shell], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    assert said == [where.kafka_servers, where.clickhouse_address]

    before = processes(home)
    again = command(home, "up")
    assert (again.returncode, again.stderr.count("is already running")) == (0, 2)
    assert processes(home) == before

    known = command(home, "status", "--json")
    assert known.returncode == 0
    assert {part["part"]: part["health"] for part in json.loads(known.stdout)} == {
        "kafka": "healthy",
        "clickhouse": "healthy",
    }

    assert command(home, "down").returncode == 0
    assert not [process for process in before.values() if process.alive]
    assert command(home, "down").returncode == 0, "down of a stack that is down is no error"

    kept = subprocess.run(
        [sys.executable, "-m", "stack", "wipe", "--home", str(home)],
        input="n\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert kept.returncode != 0
    assert (home / "kafka" / "data").exists()
    assert command(home, "wipe", "--yes").returncode == 0
    assert {path.name for path in home.iterdir()} <= {"stack.lock", "demo.lock"}


@pytest.mark.parametrize("victim", ["kafka", "clickhouse"])
def test_a_part_killed_without_warning_finds_its_data_and_its_address_again(
    home: Path, victim: str
) -> None:
    where = control.up(home)
    write_both(where)
    cluster = (home / "kafka" / "data" / "meta.properties").read_text()
    before = processes(home)

    os.kill(before[victim].pid, signal.SIGKILL)
    assert wait_until(lambda: not before[victim].alive, 10)
    assert {part.part: part.health for part in control.status(home)}[victim] == "stopped"

    assert control.up(home) == where
    assert read_both(where) == ([b"record"], [(7,)])
    after = processes(home)
    assert [name for name in after if after[name] != before[name]] == [victim], (
        "only the dead part is started again"
    )
    assert (home / "kafka" / "data" / "meta.properties").read_text() == cluster


def test_clients_that_talk_nonsense_or_hang_up_end_their_own_connection_only(home: Path) -> None:
    where = control.up(home)
    ports, before = control.StackState.read(home).ports, processes(home)
    abort_on_close = struct.pack("ii", 1, 0)  # a reset instead of an orderly end
    for said in (b"", b"GET /", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64):
        for _ in range(25):
            client = socket.create_connection(("127.0.0.1", ports["clickhouse"]), timeout=10)
            client.sendall(said)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort_on_close)
            client.close()
    assert query(where, "SELECT 1") == [(1,)]
    assert not wait_until(lambda: not before["clickhouse"].alive, 2)
    assert processes(home) == before


def test_clickhouse_ends_by_itself_however_early_it_is_asked_to(home: Path) -> None:
    port = choose_port()
    command = clickhouse.command(home / "clickhouse", port)
    for tenths in (0.5, 1, 1.5, 2, 3, 5, 10):
        server = start(command, home / "clickhouse.log")
        time.sleep(tenths / 10)
        assert server.stop(20), f"after {tenths / 10} s it had to be killed"


def test_a_restart_in_good_order_keeps_data_and_address(home: Path) -> None:
    where = control.up(home)
    write_both(where)
    said: list[str] = []
    control.down(home, said.append)
    assert sorted(said) == ["ClickHouse stopped", "Kafka stopped"], (
        "both end by themselves when asked to"
    )
    assert control.up(home) == where
    assert read_both(where) == ([b"record"], [(7,)])


def test_two_stacks_run_side_by_side(home: Path, stack: control.Addresses) -> None:
    other = control.up(home)
    assert other.kafka_servers != stack.kafka_servers
    assert other.clickhouse_address != stack.clickhouse_address
    query(other, "CREATE DATABASE ioc_only_here")
    assert ("ioc_only_here",) not in query(stack, "SHOW DATABASES")
    control.down(home)
    assert {part.health for part in control.status(stack.home)} == {"healthy"}


def test_two_stacks_that_start_at_once_both_come_up(home: Path) -> None:
    homes = home / "one", home / "other"
    try:
        with ThreadPoolExecutor() as pool:
            # By a folder of their own they wait for one another only, not for what other tests
            # start.
            ended = list(pool.map(lambda one: command(one, "up", TMPDIR=str(home)), homes))
        assert [one.returncode for one in ended] == [0, 0], [one.stderr for one in ended]
        assert sum("another stack is starting" in one.stdout + one.stderr for one in ended) == 1
        paths = {
            query(control.addresses(one), "SELECT path FROM system.disks WHERE name = 'default'")[0]
            for one in homes
        }
        assert len(paths) == 2
    finally:
        for one in homes:
            control.wipe(one)


def test_ports_that_others_took_meanwhile_are_left_to_them(home: Path) -> None:
    first = control.up(home)
    control.down(home)
    before = control.StackState.read(home).ports
    with (
        socket.create_server(("127.0.0.1", before["kafka"])),
        socket.create_server(("127.0.0.1", before["clickhouse"])),
    ):
        second = control.up(home)
    after = control.StackState.read(home).ports
    assert second.kafka_servers != first.kafka_servers
    assert second.clickhouse_address != first.clickhouse_address
    assert after["controller"] == before["controller"], "a port that is still free is kept"


def test_a_part_that_cannot_start_is_told_with_the_end_of_its_log(home: Path) -> None:
    control.up(home)
    control.down(home)
    meta = home / "kafka" / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=2"))
    with pytest.raises(StackError, match=r"Kafka ended instead of starting[\s\S]*node"):
        control.up(home)


def test_a_pid_that_now_belongs_to_another_process_is_never_signalled(home: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        home.mkdir(exist_ok=True)
        control.StackState(
            {}, {"kafka": Process(bystander.pid, "an earlier life")}, {"kafka": 0.0}
        ).write(home)
        control.down(home)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_missing_java_is_told_in_one_sentence_before_anything_runs(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack", "up", "--home", str(home)],
        env=os.environ | {"JAVA_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Kafka needs Java 17 or later: install it")
    assert "docker compose up" in done.stderr
    assert done.stderr.count("\n") == 1
    assert processes(home) == {}
