"""What our chunk transport changes in Faust's and aiokafka's consumers is where they look for it."""

import asyncio
from typing import Any

import faust
import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.transport import LONGEST_WAIT_MS, ChunkConsumer, ChunkTransport


def test_a_fetch_is_not_held_back_for_long_by_empty_partitions() -> None:
    async def consumer() -> Any:
        app = faust.App("fetching", broker="kafka://127.0.0.1:1", store="memory://")
        transport = ChunkTransport(app.conf.broker_consumer, app)
        ours = ChunkConsumer(transport, callback=print, on_partitions_revoked=print, on_partitions_assigned=print)
        return ours._thread._create_worker_consumer(transport)

    assert asyncio.run(consumer())._fetch_max_wait_ms == LONGEST_WAIT_MS


class Full:
    """An intake with or without room, for which what comes of `beats` is urgent."""

    def __init__(self, room: bool, wants_urgent: bool = True) -> None:
        self._room, self.wants_urgent = room, wants_urgent

    def is_urgent(self, tp: TP) -> bool:
        return tp.topic == "beats"

    async def room(self, seconds: float) -> bool:
        return self._room


@pytest.mark.parametrize(
    ("intake", "waiting", "handed"),
    [
        (Full(room=True), {"beats", "events"}, [{"beats"}, {"events"}]),
        (Full(room=True), {"events"}, [{"events"}]),
        (Full(room=False), {"beats", "events"}, [{"beats"}, set()]),
        (Full(room=True, wants_urgent=False), {"beats", "events"}, [{"events"}]),
        (Full(room=False, wants_urgent=False), {"beats", "events"}, [set()]),
    ],
)
def test_what_is_urgent_comes_first_and_nothing_else_while_there_is_no_room(
    intake: Full, waiting: set[str], handed: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {TP(topic, 0) for topic in waiting}

    async def fetched(self: Any, active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        assert active, "nothing in particular would be everything"
        taken = active & left
        left.difference_update(taken)
        return {tp: [] for tp in taken}

    async def all_of_it() -> list[set[str]]:
        app = faust.App("handing", broker="kafka://127.0.0.1:1", store="memory://")
        transport = ChunkTransport(app.conf.broker_consumer, app)
        transport.intake = intake
        ours = ChunkConsumer(transport, callback=print, on_partitions_revoked=print, on_partitions_assigned=print)
        active = {TP("beats", 0), TP("events", 0)}
        return [{tp.topic for tp in await ours._thread.getmany(active, 1.0)} for _ in handed]

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "getmany", fetched)
    assert asyncio.run(all_of_it()) == handed
