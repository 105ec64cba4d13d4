"""Create and grow the Kafka topics; a worker does so too, so that processes start in any order."""

from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError, TopicAlreadyExistsError, for_code

from schemas.events.topics import APPENDED, TIME_OF_RECORDS, topics
from schemas.settings import Settings

DYNAMIC_TOPIC_CONFIG = 1
"""Kafka's source number of a topic's own configuration, which aiokafka sends whole on a change."""


async def ensure_topics(settings: Settings) -> list[str]:
    """Create missing topics, and add partitions to those that have too few.

    Records get the broker's time (`LogAppendTime`); in topics of older releases, from now on.

    Args:
        settings: The installation's settings.

    Returns:
        The names of the topics that were created or grown.

    Raises:
        aiokafka.errors.KafkaError: If Kafka cannot be used.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
        made = await _make(admin, settings)
        old = [topic.name for topic in topics(settings) if topic.name not in made]
        await _use_broker_time(admin, old)
        return [*made, *await _grow(admin, settings)]
    finally:
        await admin.close()


async def _make(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    present = set(await admin.list_topics())
    missing = [topic for topic in topics(settings) if topic.name not in present]
    if not missing:
        return []
    answer = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, topic.replicas, topic_configs=topic.config)
            for topic in missing
        ]
    )
    for name, code, *_ in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(f"topic {name}")
    return [topic.name for topic in missing]


async def _grow(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    wanted = {topic.name: topic.partitions for topic in topics(settings)}
    present = {
        topic["topic"]: len(topic["partitions"])
        for topic in await admin.describe_topics(list(wanted))
    }
    small = {
        name: NewPartitions(count)
        for name, count in wanted.items()
        if 0 < present.get(name, 0) < count
    }
    if small:
        with suppress(InvalidPartitionsError):  # Another process has added them meanwhile.
            await admin.create_partitions(small)
    return list(small)


async def _use_broker_time(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Have topics use the broker's time for records; leave the rest of their configuration."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = {
        name: entries
        for answer in await admin.describe_configs(asked)
        for _, _, _, name, entries in answer.resources
    }
    old = []
    for name, entries in found.items():
        own = {entry[0]: entry[1] for entry in entries if entry[3] == DYNAMIC_TOPIC_CONFIG}
        if own.get(TIME_OF_RECORDS) != APPENDED:
            old.append(
                ConfigResource(ConfigResourceType.TOPIC, name, own | {TIME_OF_RECORDS: APPENDED})
            )
    for answer in await admin.alter_configs(old) if old else ():
        for code, message, _, name in answer.resources:
            if code:
                raise for_code(code)(f"topic {name}: {message}")
