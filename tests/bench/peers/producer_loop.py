"""A bare kafka-python producer loop.

`producer_loop.py SERVERS TOPIC FILE`, a file of frames as the load makes them.

The settings are those of the product's own producer, which were chosen by measuring. All records
are in memory before the clock starts; it stops when every record is acknowledged. Prints the number
of records, seconds and CPU seconds.
"""

import sys
import time
from pathlib import Path

from kafka import KafkaProducer

from tests.bench.load import FRAME


def main(servers: str, topic: str, file: str) -> None:
    """Send all."""
    frames, records, at = Path(file).read_bytes(), [], 0
    while at < len(frames):
        key, value, _ = FRAME.unpack_from(frames, at)
        at += FRAME.size
        records.append((frames[at : at + key], frames[at + key : at + key + value]))
        at += key + value
    producer = KafkaProducer(
        bootstrap_servers=servers,
        enable_idempotence=True,
        acks="all",
        compression_type="lz4",
        linger_ms=20,
        batch_size=512 << 10,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
    producer.partitions_for(topic)
    began, cpu = time.monotonic(), time.process_time()
    sent = [producer.send(topic, value, key) for key, value in records]
    producer.flush(120)
    seconds, used = time.monotonic() - began, time.process_time() - cpu
    if missing := sum(not future.succeeded() for future in sent):
        sys.exit(f"{missing} of {len(sent)} records were not acknowledged.")
    print(len(sent), seconds, used)


if __name__ == "__main__":
    main(*sys.argv[1:])
