"""A small round of `make bench`.

The load is what the product takes, and all that is compared has counted the same.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.partitioner.default import murmur2
from rich.progress import Progress

from schemas.events.kinds import FILING
from stack import control
from streams.admin.verify import verify
from tests.bench import ground
from tests.bench.ground import Ground, follow, make_peers_python
from tests.bench.load import last_hour
from tests.bench.peers import starts
from tests.bench.transfer import Start
from tests.running import wait_for

pytestmark = pytest.mark.stack
COUNT = 20_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Yield the ground of a run on a stack of its own: one of the peers is ClickHouse's Kafka
    engine.
    """
    python = make_peers_python(Path(__file__).parents[2] / ".bench" / "peers")
    home = tmp_path_factory.mktemp("stack")
    try:
        stack = control.up(home, kafka_engine=True)
        yield Ground(stack, tmp_path_factory.mktemp("bench"), True, Progress(disable=True), python)
    finally:
        control.wipe(home)


@pytest.fixture(scope="module")
def prefix(bench: Ground) -> str:
    """Return topics that hold the load."""
    found = bench.installation().settings.topic_prefix
    bench.publish(found, last_hour(COUNT), "a small load")
    return found


def test_the_load_lies_where_the_product_would_put_it(bench: Ground, prefix: str) -> None:
    consumer = KafkaConsumer(
        bootstrap_servers=bench.stack.kafka_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=5_000,
    )
    partitions = bench.installation(prefix).settings.partitions
    consumer.assign(
        [TopicPartition(FILING.topic(prefix), number) for number in range(ground.PARTITIONS)]
    )
    seen = 0
    for record in consumer:
        assert record.partition == partitions.of(murmur2(record.key), record.value)
        seen += 1
    consumer.close()
    assert seen == COUNT


def test_we_count_every_event_of_the_load_once_and_the_engine_counts_every_record(
    bench: Ground, prefix: str
) -> None:
    installation = bench.installation(prefix)
    originals = len({(record.key, record.value) for record in last_hour(COUNT).records()})
    with starts.worker_of(bench, installation) as going:
        course = follow(bench, "ours", going, COUNT)
        wait_for(
            lambda: (
                not any(
                    report.pending or report.differences for report in verify(installation.settings)
                )
            )
        )
    client = installation.client()
    assert client.execute("SELECT sum(steps) FROM windows_filing FINAL") == [(originals,)]
    assert client.execute("SELECT count() FROM events") == [(originals,)]
    assert course.samples[-1].done == COUNT
    installation.drop()
    with starts.engine(bench, prefix) as going:
        assert follow(bench, "Kafka engine", going, COUNT).samples[-1].done == COUNT


@pytest.mark.parametrize("start", [starts.faust, starts.quix], ids=["Faust", "Quix Streams"])
def test_the_other_peers_count_on(bench: Ground, prefix: str, start: Start) -> None:
    with start(bench, prefix) as going:
        assert follow(bench, "a peer", going, COUNT, seconds=5).events > 0
