"""History sent again: read from Kafka or ClickHouse, at any speed, through workers of its own into tables of its own."""
