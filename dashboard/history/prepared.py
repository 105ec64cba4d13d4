"""What a query to the past needs to have prepared before it can be written as SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from dashboard.history.slice_tables import Slice
from schemas.clickhouse.lives import Life


class Prepared(NamedTuple):
    """What has been prepared for one query, and the bounds that the query declares."""

    derived: Collection[Life] = ()
    """Lives derived again; their rows are sent along as the external table `derived_name`."""
    slices: Mapping[Life, Slice] = {}
    """Slices that hold the rows of `life_K` that the moment can see, back to `LOOKBACK`."""
    mixed: Mapping[Life, Sequence[str]] = {}
    """Entities of a slice whose lives were known in another version."""
    newer: Mapping[Life, Sequence[str]] = {}
    """Entities with events since the slice was made: they are not read from it."""
    moments: Mapping[Life, str] = {}
    """Tables that hold the rows of `current_K` that figures need."""
    since: datetime | None = None
    """How far back the query looks, as it declares (`Query.since`); None: over all of history."""
    held: datetime | None = None
    """The query needs the steps that held then or later (`Query.held`); None: all steps."""
    entities: str = "true"
    """SQL condition on the requested entities, or its placeholder."""
    minute: str = ""
    """SQL for the arrivals of the moment's own minute; empty: read them from the events."""
