"""The Kafka topics, made and grown by the worker too, so that the order in which processes start does not matter."""

from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import InvalidPartitionsError, TopicAlreadyExistsError, for_code

from schemas.settings import Settings
from schemas.topics import topics


async def ensure_topics(settings: Settings) -> list[str]:
    """Make the topics that are missing, grow those that have too few partitions; returns their names. Raises aiokafka's errors."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
        return [*await _make(admin, settings), *await _grow(admin, settings)]
    finally:
        await admin.close()


async def _make(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    present = set(await admin.list_topics())
    missing = [topic for topic in topics(settings) if topic.name not in present]
    if not missing:
        return []
    answer = await admin.create_topics(
        [NewTopic(topic.name, topic.partitions, topic.replicas, topic_configs=topic.config) for topic in missing]
    )
    for name, code, *_ in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(f"topic {name}")
    return [topic.name for topic in missing]


async def _grow(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    wanted = {topic.name: topic.partitions for topic in topics(settings)}
    present = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(wanted))}
    small = {name: NewPartitions(count) for name, count in wanted.items() if 0 < present.get(name, 0) < count}
    if small:
        with suppress(InvalidPartitionsError):  # Another process did it meanwhile.
            await admin.create_partitions(small)
    return list(small)
