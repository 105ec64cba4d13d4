"""The real Kafka and ClickHouse on this machine, without Docker, and the whole system as one demo.

Read in this order: `parts` (where Kafka and ClickHouse are kept), `process` (daemons that outlive their
caller), `lines` (their logs), `ports`, `confine` (what a process may reach), `broker` and `clickhouse` (how
each part is configured, started and asked for its health), `fetch` (the parts out of Maven and npm),
`control` (up, down, status, wipe), `demo` (every process of the product, watched over), `browser` (what the
browser tests need), `__main__` (the commands), `cli` (`ioc`: all commands of the product). The rest of the
product knows only `IOC_KAFKA_SERVERS`, `IOC_CLICKHOUSE_URL` and the file with ClickHouse's password.
"""


class StackError(Exception):
    """Something the user must know or do, said in full in the message; commands print it without a traceback and exit with 1."""
