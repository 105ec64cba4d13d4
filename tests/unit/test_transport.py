"""Our chunk transport changes Faust's and aiokafka's consumers where they read it."""

import asyncio
from typing import Any

import faust
import pytest
from aiokafka.consumer import subscription_state
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.worker import patches
from streams.worker.fetching import PartitionState
from streams.worker.transport import MAX_WAIT_MS, ChunkConsumer, ChunkTransport


def test_a_fetch_is_not_held_back_for_long_by_empty_partitions() -> None:
    patches.apply()

    async def consumer() -> Any:
        app = faust.App("fetching", broker="kafka://127.0.0.1:1", store="memory://")
        transport = ChunkTransport(app.conf.broker_consumer, app)
        ours = ChunkConsumer(
            transport, callback=print, on_partitions_revoked=print, on_partitions_assigned=print
        )
        return ours._thread._create_worker_consumer(transport)

    ours = asyncio.run(consumer())
    assert ours._fetch_max_wait_ms == MAX_WAIT_MS
    assert ours._isolation_level == "read_committed", "what its sender took back is not counted"


def test_a_partition_knows_how_far_before_its_position_nothing_can_be_read() -> None:
    patches.apply()

    async def looked_at() -> None:
        state = subscription_state.TopicPartitionState(None)
        assert isinstance(state, PartitionState)
        state.seek(10)
        assert (state.since(10), state.begins) == (10, 0)
        state.read(10, 13)  # the marker of a transaction, behind the last record
        assert (state.since(13), state.since(14)) == (10, 14), "of another place nothing is known"
        state.seek(20)
        state.await_reset(-2)  # retention has removed what is asked for
        state.reset_to(40)
        assert (state.since(40), state.begins) == (20, 40)
        state.await_reset(-2)
        state.reset_to(50)  # and more of it meanwhile
        assert (state.since(50), state.begins) == (20, 50)
        state.await_reset(-2)
        state.reset_to(30)  # a log that was made anew begins before
        assert (state.since(30), state.begins) == (30, 50)

    asyncio.run(looked_at())


class Full:
    """An intake with or without room, for which what comes of `beats` is urgent."""

    def __init__(self, room: bool, wants_urgent: bool = True) -> None:
        self._room, self.wants_urgent = room, wants_urgent

    def is_urgent(self, tp: TP) -> bool:
        return str(tp.topic) == "beats"

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
        ours = ChunkConsumer(
            transport, callback=print, on_partitions_revoked=print, on_partitions_assigned=print
        )
        active = {TP("beats", 0), TP("events", 0)}
        return [{tp.topic for tp in await ours._thread.getmany(active, 1.0)} for _ in handed]

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "getmany", fetched)
    assert asyncio.run(all_of_it()) == handed
