"""Create missing Kafka topics and add missing partitions, before anything is sent."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import InvalidPartitionsError, KafkaError, TopicAlreadyExistsError, for_code

from ingest.producer import KafkaUnavailableError
from schemas.events.topics import APPENDED, TIME_OF_RECORDS, topics
from schemas.settings import Settings


def plan(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the topics as kafka-python's admin client takes them, by name."""
    return {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replicas,
            "configs": topic.config,
        }
        for topic in topics(settings)
    }


def ensure(settings: Settings) -> list[str]:
    """Create missing topics, add missing partitions, and wait until all of them can be used.

    Topics of older releases get the broker's time for records from now on. Several processes may
    run this at once.

    Returns:
        The names of the topics that were created or enlarged.

    Raises:
        KafkaUnavailableError: Kafka does not answer or refuses, or a topic has more partitions than
            are declared: another process uses another history of partitions, and repeats could
            count twice.
    """
    with _admin(settings) as admin:
        present, planned = _present(admin, settings), plan(settings)
        for name, topic in planned.items():
            if present.get(name, 0) > topic["num_partitions"]:
                raise KafkaUnavailableError(
                    f"The topic {name} has {present[name]} partitions, but IOC_PARTITIONS "
                    f"declares {settings.partitions}: declare in every process since when there "
                    "are that many."
                )
        missing = {name: topic for name, topic in planned.items() if name not in present}
        small = {
            name: topic["num_partitions"]
            for name, topic in planned.items()
            if present.get(name, 1 << 31) < topic["num_partitions"]
        }
        made = (
            _done(settings, "create", admin.create_topics(missing, raise_errors=False)["topics"])
            if missing
            else []
        )
        grown = (
            _done(
                settings,
                "enlarge",
                admin.create_partitions(small, raise_errors=False).to_dict()["results"],
            )
            if small
            else []
        )
        if missing or small:
            _wait(admin, settings, planned)
        _time(admin, [name for name in planned if name in present])
        return [*made, *grown]


def _time(admin: Any, names: list[str]) -> None:
    """Switch topics of older releases, whose records had the sender's time, to the broker's."""
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, {TIME_OF_RECORDS: None}) for name in names
    ]
    found = admin.describe_configs(resources, config_filter="all")["topic"] if resources else {}
    old = [name for name in names if found[name][TIME_OF_RECORDS]["value"] != APPENDED]
    if old:
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, name, {TIME_OF_RECORDS: APPENDED})
                for name in old
            ]
        )


def _done(settings: Settings, what: str, results: Any) -> list[str]:
    """Return the topics that the broker created or enlarged now, not those of another process."""
    errors = {
        result["name"]: for_code(result["error_code"]) for result in results if result["error_code"]
    }
    for name, error in errors.items():
        if error not in (TopicAlreadyExistsError, InvalidPartitionsError):
            raise KafkaUnavailableError(
                f"Kafka at {settings.kafka_servers} did not {what} the topic {name}: "
                f"{error.__name__}."
            )
    return [result["name"] for result in results if result["name"] not in errors]


def _wait(
    admin: Any, settings: Settings, planned: dict[str, dict[str, Any]], seconds: float = 10
) -> None:
    """Wait until the broker shows every partition, with a leader."""
    deadline = time.monotonic() + seconds
    while any(
        _present(admin, settings).get(name, 0) < topic["num_partitions"]
        for name, topic in planned.items()
    ):
        if time.monotonic() > deadline:
            raise KafkaUnavailableError(
                f"Kafka at {settings.kafka_servers} did not show the new partitions "
                f"within {seconds:g} s."
            )
        time.sleep(0.1)
    admin.wait_for_topics(list(planned))


def existing(settings: Settings) -> dict[str, int]:
    """Return this installation's existing topics with their number of partitions.

    Raises:
        KafkaUnavailableError: Kafka does not answer.
    """
    with _admin(settings) as admin:
        return _present(admin, settings)


def _present(admin: Any, settings: Settings) -> dict[str, int]:
    topics = admin.describe_topics()
    return {
        topic["name"]: len(topic["partitions"])
        for topic in topics
        if topic["name"].startswith(settings.topic_prefix)
    }


@contextmanager
def _admin(settings: Settings) -> Iterator[Any]:
    admin = None
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=settings.kafka_servers.split(","),
            client_id="ioc-ingest-topics",
            bootstrap_timeout_ms=5_000,
            request_timeout_ms=10_000,
        )
        yield admin
    except KafkaError as error:
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka_servers} does not answer ({error or type(error).__name__})."
        ) from None
    finally:
        if admin is not None:
            admin.close()
