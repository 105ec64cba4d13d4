"""What our chunk transport changes in Faust's and aiokafka's consumers is where they look for it."""

import asyncio
from typing import Any

import faust

from streams.transport import LONGEST_WAIT_MS, ChunkConsumer, ChunkTransport


def test_a_fetch_is_not_held_back_for_long_by_empty_partitions() -> None:
    async def consumer() -> Any:
        app = faust.App("fetching", broker="kafka://127.0.0.1:1", store="memory://")
        transport = ChunkTransport(app.conf.broker_consumer, app)
        ours = ChunkConsumer(transport, callback=print, on_partitions_revoked=print, on_partitions_assigned=print)
        return ours._thread._create_worker_consumer(transport)

    assert asyncio.run(consumer())._fetch_max_wait_ms == LONGEST_WAIT_MS
