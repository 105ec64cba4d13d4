"""The Kafka topics, made by the worker when they are missing, so that the order in which processes start does not matter."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.settings import Settings
from schemas.topics import topics


async def ensure_topics(settings: Settings) -> list[str]:
    """Make the topics that are missing; returns their names. Raises aiokafka's errors."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
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
    finally:
        await admin.close()
