"""Faust as its documentation shows it.

An agent over a topic of records, a tumbling table, one event at a time.

Its defaults stand: the memory store with a changelog topic, JSON into `faust.Record`, automatic
acknowledgement. The window is that of the event's own time. The key is made of the same dimensions
as ours and counted in the partition of the event, which spares Faust the repartition topic of
`group_by`. It counts events; no validation, no raw rows, no ClickHouse.
"""

import mmap
import os
from datetime import datetime, timedelta
from pathlib import Path

import faust


class Filing(faust.Record):  # type: ignore[misc]
    """What the windows need of the event's data."""

    agency: str
    commune: str
    procedure: str
    channel: int


class Event(faust.Record, coerce=True):  # type: ignore[misc, call-arg]
    """The envelope."""

    id: str
    source: str
    time: datetime
    data: Filing


app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_KAFKA']}",
    datadir=os.environ["BENCH_FOLDER"],
    topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
)
topic = app.topic(os.environ["BENCH_TOPIC"], value_type=Event)
counts = (
    app.Table("counts", default=int)
    .tumbling(timedelta(minutes=1), expires=timedelta(hours=1))
    .relative_to_field(Event.time)
)

with Path(os.environ["BENCH_COUNTER"]).open("r+b") as file:
    done = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")


@app.agent(topic)
async def count(events: faust.Stream[Event]) -> None:
    """Count each event in its window."""
    async for event in events:
        filing = event.data
        counts[f"{filing.agency}/{filing.commune}/{filing.procedure}/{filing.channel}"] += 1
        done[0] += 1
