"""Quix Streams' tumbling count as its documentation shows it; runs in the environment of the peers.

Its defaults stand: RocksDB state with changelog topics, at-least-once, commits every 5 s. Windows
are counted per key of the record (the filing): to count by other dimensions, `group_by` sends every
event through a topic again, which was slower. The window is that of the event's own time. It counts
events; no validation, no raw rows, no ClickHouse.
"""

import mmap
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from quixstreams import Application

with Path(os.environ["BENCH_COUNTER"]).open("r+b") as file:
    done = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")


def event_time(value: Any, headers: Any, timestamp: float, kind: Any) -> int:
    """Return the event's own time in milliseconds."""
    return int(datetime.fromisoformat(value["time"]).timestamp() * 1000)


def processed(name: str, partition: int, offset: int) -> None:
    """Count what came through."""
    done[0] += 1


app = Application(
    broker_address=os.environ["BENCH_KAFKA"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    state_dir=os.environ["BENCH_FOLDER"],
    on_message_processed=processed,
)
topic = app.topic(
    os.environ["BENCH_TOPIC"], value_deserializer="json", timestamp_extractor=event_time
)
events = app.dataframe(topic)
counts = (
    events.tumbling_window(timedelta(minutes=1), grace_ms=timedelta(seconds=30)).count().current()
)

if __name__ == "__main__":
    app.run()
