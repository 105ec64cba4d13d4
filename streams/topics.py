"""The Kafka topics, made by the worker when they are missing, so that the order in which processes start does not matter."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.kinds import topic_config, topics
from schemas.settings import Settings


async def ensure_topics(settings: Settings) -> list[str]:
    """Make the topics that are missing; returns their names. Raises aiokafka's errors."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = {name: count for name, count in topics(settings.topic_prefix).items() if name not in present}
        if not missing:
            return []
        config = topic_config(settings.topic_retention_days)
        answer = await admin.create_topics(
            [NewTopic(name, count, settings.topic_replicas, topic_configs=config) for name, count in missing.items()]
        )
        for name, code, *_ in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)(f"topic {name}")
        return sorted(missing)
    finally:
        await admin.close()
