"""The worker: Kafka to ClickHouse, exactly once."""
