"""Sends the frames on its standard input to a topic; runs in the environment of the peers.

`publish.py SERVERS TOPIC`.

librdkafka, as it is five times as fast as kafka-python; partitioned by murmur2 of the key, as
kafka-python and Java do.
"""

import struct
import sys

from confluent_kafka import Producer

FRAME = struct.Struct("<HIq")


def main(servers: str, topic: str) -> int:
    """Send all, wait for every acknowledgement, and print how many records there were."""
    failed: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 20,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 200_000,
        }
    )

    def told(error: object, _: object) -> None:
        if error is not None:
            failed.append(str(error))

    count = 0
    read = sys.stdin.buffer.read
    while head := read(FRAME.size):
        key, value, arrival = FRAME.unpack(head)
        body = read(key + value)
        while True:
            try:
                stated = [("ioc-received-at", b"%d" % arrival)]
                producer.produce(topic, body[key:], body[:key], headers=stated, on_delivery=told)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if not count % 1000:
            producer.poll(0)
    left = producer.flush(60)
    if left or failed:
        sys.exit(f"{left + len(failed)} of {count} records were not acknowledged: {failed[:1]}")
    print(count)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
