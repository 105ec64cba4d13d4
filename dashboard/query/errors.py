"""Errors of queries that ClickHouse did not answer."""


class UnreachableError(Exception):
    """ClickHouse did not answer, or answered with an error; the message says why."""


class TimeLimitError(UnreachableError):
    """The answer did not arrive within the caller's time limit."""
