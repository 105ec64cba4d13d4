"""The worker: counts events from Kafka and writes them to ClickHouse, exactly once.

Read `transport` (chunks instead of messages), `rows`, `fold`, `batch`, `engine` (the order of
work), `store`, `loop` (batches through the engine into the store), `app`. Besides these:
`heartbeats`, `progress` (detects partitions that stall), `metrics`, `cores`. `fetching` and
`patches` adapt libraries.
"""
