"""The Kafka topics of an installation: made if missing, before anything is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from ingest.producer import KafkaUnavailable
from schemas.settings import Settings
from schemas.topics import topics


def plan(settings: Settings) -> dict[str, dict[str, Any]]:
    """The topics as kafka-python's admin client takes them."""
    return {
        topic.name: {"num_partitions": topic.partitions, "replication_factor": topic.replicas, "configs": topic.config}
        for topic in topics(settings)
    }


def ensure(settings: Settings) -> list[str]:
    """Make the topics that are missing and wait until they can be used; returns the names of those made.

    Several processes may do so at once. Raises `KafkaUnavailable`, also when the broker refuses to make a topic.
    """
    with _admin(settings) as admin:
        present = set(admin.list_topics())
        missing = {name: topic for name, topic in plan(settings).items() if name not in present}
        if not missing:
            return []
        answer = admin.create_topics(missing, raise_errors=False)
        errors = {topic["name"]: for_code(topic["error_code"]) for topic in answer["topics"] if topic["error_code"]}
        refused = {name: error for name, error in errors.items() if error is not TopicAlreadyExistsError}
        if refused:
            name, error = next(iter(refused.items()))
            raise KafkaUnavailable(f"Kafka at {settings.kafka_servers} did not make the topic {name}: {error.__name__}.")
        admin.wait_for_topics(list(missing))
        return [name for name in missing if name not in errors]


def existing(settings: Settings) -> dict[str, int]:
    """The topics of this installation that exist, with their number of partitions. Raises `KafkaUnavailable`."""
    with _admin(settings) as admin:
        return {
            topic["name"]: len(topic["partitions"])
            for topic in admin.describe_topics()
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
        raise KafkaUnavailable(f"Kafka at {settings.kafka_servers} does not answer ({error or type(error).__name__}).") from None
    finally:
        if admin is not None:
            admin.close()
