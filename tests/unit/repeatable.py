"""What tests of properties share: the same examples in every run, and an event as its row."""

from hypothesis import HealthCheck, settings

from schemas.events.envelope import Read
from streams.worker.rows import Columns, Row, columns_maker

repeatable = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)


def row_of(read: Read, offset: int) -> Row:
    return tuple(value for (value,) in columns_maker(read.kind)([read], [0], [offset], 0))


def columns_of(rows: list[Row]) -> Columns:
    """Return rows as columns; an empty list for no rows."""
    return [list(values) for values in zip(*rows, strict=True)]
