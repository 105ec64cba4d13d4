"""Why ClickHouse did not answer a question of the screens."""


class Unreachable(Exception):
    """ClickHouse did not answer, or not as asked; the message says why."""


class TimeLimitError(Unreachable):
    """The answer did not come within the time that whoever asks may take."""
