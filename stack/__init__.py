"""Run the real Kafka and ClickHouse on this machine without Docker, and the whole system as a demo.

Read in this order: `parts` (where Kafka and ClickHouse are kept), `process` (daemons that outlive
their caller), `lines` (their logs), `ports`, `confine` (what a process may access), `broker` and
`clickhouse` (how each server is configured, started and checked), `fetch` (downloads by Maven and
npm), `control` (up, down, status, wipe), `demo` (every process of the product, supervised),
`browser` (what the browser tests need), `__main__` (the commands), `cli` (`ioc`: all commands of
the product). The rest of the product knows only `IOC_KAFKA_SERVERS`, `IOC_CLICKHOUSE_URL` and the
file with ClickHouse's password.
"""


class StackError(Exception):
    """An error that the user can act on; commands print the message alone and exit with 1."""
