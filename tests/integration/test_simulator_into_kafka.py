"""The simulator on a real Kafka.

What it says it sent is in the topics, once each, at its simulated time of arrival.
"""

import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaConsumer, TopicPartition

from ingest import topics
from ingest.simulator import World
from ingest.simulator.clock import DAY
from ingest.simulator.state import load
from schemas.events.envelope import Reader, RefusalError
from schemas.events.kinds import KINDS
from schemas.events.topics import RECEIVED_AT
from schemas.moments import milliseconds
from schemas.settings import Settings
from tests.simulated import backfill

pytestmark = pytest.mark.stack
READER = Reader()


def in_kafka(settings: Settings) -> tuple[Counter[str], Counter[str], Counter[str], list[int]]:
    """Distinct good events, repeats and bad records per kind, and the arrivals of all records."""
    good, repeats, bad, times = Counter[str](), Counter[str](), Counter[str](), []
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka_servers.split(","), auto_offset_reset="earliest"
    )
    try:
        for kind in KINDS:
            partitions = [
                TopicPartition(kind.topic(settings.topic_prefix), number)
                for number in range(settings.partitions.largest)
            ]
            ends = consumer.end_offsets(partitions)
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            seen: set[str] = set()
            last: defaultdict[int, int] = defaultdict(int)
            while any(consumer.position(partition) < ends[partition] for partition in partitions):
                for records in consumer.poll(500).values():
                    for record in records:
                        arrived = int(dict(record.headers).get(RECEIVED_AT, record.timestamp))
                        assert arrived >= last[record.partition], (
                            "records of a partition are in order of arrival"
                        )
                        last[record.partition] = arrived
                        times.append(arrived)
                        assert b", 0000 " not in record.value, (
                            "who reported is sealed, in what is wrong, too"
                        )
                        try:
                            event = READER.read(record.value)
                        except RefusalError:
                            bad[kind.name] += 1
                            continue
                        assert record.key.decode() == kind.entity_id(event.data)
                        (repeats if event.event_id in seen else good)[kind.name] += 1
                        seen.add(event.event_id)
    finally:
        consumer.close()
    return good, repeats, bad, times


def test_two_days_are_in_kafka_as_the_ledger_says(settings: Settings) -> None:
    end = datetime(2026, 11, 13, tzinfo=UTC)
    start = end - timedelta(days=2)
    topics.ensure(settings)
    ledger, sent = backfill(
        settings, World("46", 7, beginning=milliseconds(start) - DAY), start, end
    )
    good, repeats, bad, times = in_kafka(settings)
    assert (good, repeats, bad) == (ledger.good, ledger.repeats, ledger.bad)
    assert len(times) == sent > 15_000
    assert milliseconds(start) <= min(times) <= max(times) < milliseconds(end)


def test_the_command_backfills_goes_live_and_keeps_how_far_it_came(
    settings: Settings, environment: dict[str, str]
) -> None:
    command = [
        sys.executable,
        "-c",
        "import typer; from ingest.simulator.cli import simulate; typer.run(simulate)",
        "--days",
        "1",
    ]
    process = subprocess.Popen(
        [*command, "--live", "--speed", "2"],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "Ctrl-C" in line:
            process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, said
    first = load(settings.home)
    assert first is not None
    assert datetime.now(UTC) - first.sent_until < timedelta(minutes=2)
    before, _, _, _ = in_kafka(settings)

    assert subprocess.run(command, env=os.environ | environment, timeout=120).returncode == 0
    second = load(settings.home)
    assert second is not None
    assert second.until > first.until
    assert second.scenes[: len(first.scenes)] != ()
    after, _, _, _ = in_kafka(settings)
    assert sum(before.values()) <= sum(after.values()) < sum(before.values()) + 2000
