"""Real input through the whole path.

New York's 311 requests, from the file to ClickHouse, compared with pandas.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pandas as pd
import pytest
from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from schemas.events.kinds import FEEDBACK
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.verify import verify
from tests import nyc311
from tests.nyc311 import FILE, ZONE
from tests.running import wait_for, worker

pytestmark = [pytest.mark.stack, nyc311.needed]


def import_file(
    environment: dict[str, str], folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ingest", "import", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IOC_")}
    return subprocess.run(
        command,
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the file as pandas reads it, with one row per event that it stands for."""
    found = nyc311.steps()
    found["week"] = found["at"].dt.strftime("%G-%V")
    return found


def counts(table: pd.DataFrame, *columns: str) -> dict[tuple[str, ...], int]:
    return {
        tuple(map(str, cast(tuple[object, ...], key))): int(number)
        for key, number in table.value_counts(list(columns)).items()
    }


def records(settings: Settings) -> Iterator[dict[str, Any]]:
    topic = FEEDBACK.topic(settings.topic_prefix)
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    partitions = [
        TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
    ]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for found in consumer.poll(500).values():
            yield from (msgspec.json.decode(record.value) for record in found)
    consumer.close()


def test_every_row_is_in_clickhouse_as_pandas_counts_it_and_a_second_import_changes_nothing(
    environment: dict[str, str], settings: Settings, table: pd.DataFrame, tmp_path: Path
) -> None:
    migrate(settings)
    database = Client.from_url(settings.clickhouse_url)

    def ask(sql: str) -> Counter[tuple[str, ...]]:
        return Counter(
            {tuple(str(part) for part in key): number for *key, number in database.execute(sql)}
        )

    def by(*columns: str) -> Counter[tuple[str, ...]]:
        return ask(
            f"SELECT {', '.join(columns)}, count() FROM events WHERE kind = 'feedback' GROUP BY ALL"
        )

    def everything() -> list[Any]:
        order = (
            "SELECT event_id, occurred_at, agency, commune, category, status, lat, lon FROM events "
            "ORDER BY event_id"
        )
        windows = (
            "SELECT window_start, agency, commune, dimensions, sum(measures['steps']) FROM windows "
            "GROUP BY ALL ORDER BY ALL"
        )
        return [database.execute(order), database.execute(windows)]

    with worker(environment, tmp_path / "worker.log"):
        done = import_file(environment, tmp_path, str(FILE), "--mapping", "nyc311")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (
            f"4969 rows, 4969 accepted ({len(table)} events), 0 repeats, 0 refused" in done.stdout
        )
        wait_for(
            lambda: by("kind") == {("feedback",): len(table)}, 120, "every event in ClickHouse"
        )

        assert by("agency") == counts(table, "Agency")
        assert by("category") == counts(table, "Complaint Type")
        assert by("commune", "status") == counts(table, "commune", "status")
        assert by(f"formatDateTime(occurred_at, '%G-%V', '{ZONE}')") == counts(table, "week")
        assert by(
            "agency", "category", "commune", f"formatDateTime(occurred_at, '%G-%V', '{ZONE}')"
        ) == counts(table, "Agency", "Complaint Type", "commune", "week")
        current = ask("SELECT status, count() FROM feedback GROUP BY ALL")
        assert current == counts(
            table.sort_values("at", kind="stable").drop_duplicates("Unique Key", keep="last"),
            "status",
        )
        located = database.execute("SELECT count() FROM feedback WHERE lat IS NOT NULL")[0][0]
        assert located == (table[table["status"] == "received"]["Latitude"] != "").sum()
        windows = ask(
            "SELECT agency, sum(measures['steps']) FROM windows WHERE kind = 'feedback' GROUP BY "
            "ALL"
        )
        assert windows == counts(table, "Agency")

        before = everything()
        assert import_file(environment, tmp_path, str(FILE), "--mapping", "nyc311").returncode == 0
        wait_for(
            lambda: sum(1 for _ in records(settings)) == 2 * len(table),
            60,
            "the second import in Kafka",
        )
        wait_for(
            lambda: not any(report.pending for report in verify(settings)),
            120,
            "the worker to have read it",
        )
        assert everything() == before
        assert not any(report.differences for report in verify(settings))
    events = Counter((event["id"], msgspec.json.encode(event)) for event in records(settings))
    assert set(events.values()) == {2}
    assert len(events) == len(table)
    database.disconnect()


def test_refused_rows_are_kept_with_their_reasons_and_told_by_the_exit_code(
    environment: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    lines = FILE.read_text().splitlines()[:11]
    lines[3] = lines[3].replace("3/13/2025", "2/30/2025").replace("3/14/2025", "2/30/2025")
    lines[5] = (
        lines[5]
        .replace("NYPD,", ",", 1)
        .replace("DSNY,", ",", 1)
        .replace("DPR,", ",", 1)
        .replace("DOHMH,", ",", 1)
    )
    (tmp_path / "some.csv").write_text("\n".join(lines) + "\n")
    done = import_file(environment, tmp_path, "some.csv", "--mapping", "nyc311")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "10 rows, 8 accepted" in done.stdout and "2 refused" in done.stdout
    refused = pd.read_csv(tmp_path / "some.csv.refused.csv", dtype=str)
    assert list(refused["row"]) == ["4", "6"]
    assert list(refused["category"]) == ["impossible-date", "missing-field"]
    assert "'Created Date', value '2/30/2025" in refused["reason"][0]
    keys = {event["data"]["report_id"] for event in records(settings)}
    assert len(keys) == 8 and not keys & set(refused["Unique Key"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.csv", "--mapping", "nyc311"], "nowhere.csv: No such file"),
        ([str(FILE)], "give a --mapping (indicators, nyc311"),
        ([str(FILE), "--mapping", "nothing"], "There is no mapping nothing"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(
    environment: dict[str, str], tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = import_file(environment, tmp_path, *arguments)
    assert (done.returncode, done.stdout, told in done.stderr, "Traceback" in done.stderr) == (
        1,
        "",
        True,
        False,
    ), done.stderr


def test_without_kafka_the_import_ends_with_one_sentence(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = import_file(
        environment | {"IOC_KAFKA_SERVERS": "127.0.0.1:1"},
        tmp_path,
        str(FILE),
        "--mapping",
        "nyc311",
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "Kafka at 127.0.0.1:1 does not answer" in done.stderr
    assert (
        import_file(
            environment | {"IOC_KAFKA_SERVERS": "127.0.0.1:1"},
            tmp_path,
            str(FILE),
            "--mapping",
            "nyc311",
            "--check",
        ).returncode
        == 0
    )
