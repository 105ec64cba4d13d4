"""More partitions while it runs.

Repeats meet their originals, nothing is lost, nothing counts twice.
"""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from clickhouse_driver import Client

from ingest import topics
from ingest.producer import KafkaUnavailableError
from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import write
from schemas.events.kinds import FEEDBACK
from schemas.events.partitions import Partitions
from schemas.events.payloads import Feedback
from schemas.events.topics import topics as declared
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.admin.verify import verify
from tests.running import Running, wait_for, worker

pytestmark = pytest.mark.stack
MOMENT = datetime.now(UTC).replace(microsecond=0)
"""From when on there are more partitions, by the time of events."""
STEPS = list(FeedbackStatus)


def event(entity: int, step: int, time: datetime) -> bytes:
    found = Feedback(
        agency="H57.IOC",
        commune="19660",
        report_id=f"R{entity}",
        category="traffic",
        status=STEPS[step],
        reported_at=MOMENT,
    )
    return write(FEEDBACK, found, id=f"{entity}/{step}", source="/growth", time=time)


def gateway(environment: dict[str, str], log: Path) -> Running:
    return Running(
        "ingest",
        "gateway",
        environment=environment,
        log=log,
        ready=f"{address(environment)}/readyz",
    )


def address(environment: dict[str, str]) -> str:
    return f"http://127.0.0.1:{environment['IOC_GATEWAY_PORT']}"


def post(environment: dict[str, str], events: list[bytes]) -> set[int]:
    """Send events; the partitions that they went to."""
    answer = httpx.post(
        f"{address(environment)}/v1/events",
        content=b"[" + b",".join(events) + b"]",
        headers={"content-type": "application/cloudevents-batch+json"},
        timeout=30,
    ).json()
    assert answer["accepted"] + answer["duplicates"] == len(events), answer
    return {one["partition"] for one in answer["events"]}


def test_partitions_are_added_while_events_and_repeats_stream_in(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    rng = random.Random(4)
    grown = environment | {"IOC_PARTITIONS": f"4, {MOMENT.isoformat()} = 8"}
    other = grown | {"IOC_GATEWAY_PORT": environment["IOC_DASHBOARD_PORT"]}
    # Each entity has a step on either side of the moment, some at the very moment; some are told in
    # the wrong order.
    before = [
        event(n, 0, MOMENT - timedelta(milliseconds=rng.randrange(1, 200_000))) for n in range(400)
    ]
    after = [
        event(n, 1, MOMENT + timedelta(milliseconds=rng.choice([0, 1, 59_999, 100_000])))
        for n in range(400)
    ]
    early = after[
        :40
    ]  # In the future of a process that does not know of the growth yet: it must not send them.
    migrate(settings)
    database = Client.from_url(settings.clickhouse_url)

    def counted() -> int:
        return int(database.execute("SELECT count() FROM events")[0][0])

    with worker(environment, tmp_path / "worker.log"):
        with gateway(environment, tmp_path / "before.log"):
            assert post(environment, before[:300]) <= {0, 1, 2, 3}
            wait_for(lambda: counted() == 300)
        with gateway(grown, tmp_path / "one.log"), gateway(other, tmp_path / "two.log"):
            assert topics.existing(settings)[FEEDBACK.topic(settings.topic_prefix)] == 8
            assert post(grown, early) <= set(range(8))
            assert post(other, before[:300]) <= {0, 1, 2, 3}, (
                "a repeat goes where its original went"
            )
            mixed = [*before[250:], *after]
            for each in (
                grown,
                other,
            ):  # Everything by both, each in its own order: neither knows what the other was sent.
                rng.shuffle(mixed)
                seen = post(each, mixed)
            assert seen == set(range(8))
            wait_for(lambda: counted() == 800, what="800 events")
        wait_for(lambda: not any(report.pending for report in verify(settings)))
        assert not [line for report in verify(settings) for line in report.differences]
    assert counted() == 800
    assert database.execute("SELECT sum(measures['steps']) FROM windows") == [(800,)]
    assert database.execute(
        "SELECT count(), countIf(status = %(last)s) FROM feedback", {"last": STEPS[1].value}
    ) == [(400, 400)]
    partitions = database.execute(
        "SELECT count(DISTINCT partition) FROM windows_feedback WHERE window_start = toDateTime(0)"
    )
    assert partitions == [(8,)]
    database.disconnect()


def test_who_knows_of_fewer_partitions_than_there_are_sends_nothing(settings: Settings) -> None:
    grown = settings.model_copy(update={"partitions": Partitions.parse("4, 2027-01-01T00:00Z = 6")})
    assert topics.ensure(settings) == [topic.name for topic in declared(settings)]
    assert sorted(topics.ensure(grown)) == sorted(
        name for name, count in topics.existing(settings).items() if count == 6
    )
    assert topics.ensure(grown) == []
    with pytest.raises(
        KafkaUnavailableError, match=r"has 6 partitions, but IOC_PARTITIONS declares 4"
    ):
        topics.ensure(settings)
