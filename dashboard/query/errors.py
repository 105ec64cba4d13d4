"""Why ClickHouse did not answer a query of the screens."""


class UnreachableError(Exception):
    """ClickHouse did not answer, or not as asked; the message says why."""


class TimeLimitError(UnreachableError):
    """The answer did not come within the time that whoever asks may take."""
