"""Read from ClickHouse: the connection, the clock, the cache, and every store of queries."""
