"""A run of the simulator: Kafka away, stopped and resumed, live, and the state it keeps."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest.producer import KafkaUnavailableError
from ingest.simulator import World, events
from ingest.simulator.clock import DAY, ZONE
from ingest.simulator.run import SimulationRun
from ingest.simulator.scenes import FOREVER, Faster, Silence, Storm
from ingest.simulator.staging import live, past
from ingest.simulator.state import SimulatorState, StateError, load
from schemas.events.kinds import Kind
from schemas.moments import milliseconds

START, END = datetime(2026, 11, 11, tzinfo=ZONE), datetime(2026, 11, 13, tzinfo=ZONE)
NOON = START + timedelta(hours=12)
HUE = World("46", seed=7, beginning=milliseconds(START) - DAY)


class FailingSink:
    """Keeps what it acknowledged; fails at the flushes that it is told to fail at."""

    def __init__(self, failures: set[int]) -> None:
        self.failures, self.flushes = failures, 0
        self.kept: list[bytes] = []
        self._waiting: list[bytes] = []

    def send_record(
        self, topic_kind: Kind, key: bytes, value: bytes, received_ms: int | None = None
    ) -> None:
        self._waiting.append(value)

    def flush(self) -> None:
        self.flushes += 1
        if self.flushes in self.failures:
            self._waiting.clear()
            raise KafkaUnavailableError("away")
        self.kept += self._waiting
        self._waiting.clear()

    def close(self) -> None: ...


class Quiet:
    """A watcher that keeps the troubles."""

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def progress(self, came: datetime, sent: int) -> None: ...

    def trouble(self, sentence: str) -> None:
        self.troubles.append(sentence)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.simulator.run.RETRY_SECONDS", 0.0)


def sending(
    sink: FailingSink,
    watcher: Quiet,
    remember: Callable[[World, datetime], None] = lambda world, came: None,
) -> SimulationRun:
    return SimulationRun(HUE, START, lambda: sink, watcher, remember)


def test_when_kafka_is_away_nothing_is_skipped(no_waiting: None) -> None:
    sink, watcher = FailingSink({1, 2, 4}), Quiet()
    sending(sink, watcher).backfill(NOON)
    assert len(watcher.troubles) == 3
    assert sorted(sink.kept) == sorted(record.value for record in events(HUE, START, NOON))


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    sink, watcher = FailingSink(set()), Quiet()

    def stop_half_way(world: World, came: datetime) -> None:
        SimulatorState.of(world, came).save(tmp_path)
        if came >= START + timedelta(hours=6):
            run.stop.set()

    run = sending(sink, watcher, stop_half_way)
    run.backfill(NOON)
    kept = load(tmp_path)
    assert kept is not None
    assert START < kept.sent_until < NOON
    again = SimulationRun(
        kept.world, kept.sent_until, lambda: sink, watcher, lambda world, came: None
    )
    again.backfill(NOON)
    assert sorted(sink.kept) == sorted(record.value for record in events(HUE, START, NOON))


def test_live_sends_what_has_arrived_by_now_and_nothing_from_the_future() -> None:
    sink, watcher = FailingSink(set()), Quiet()
    clock = iter(START + timedelta(hours=9, minutes=minute) for minute in range(31))
    run = sending(sink, watcher)
    run.sent_until = START + timedelta(hours=9)

    def now() -> datetime:
        at = next(clock)
        if at == START + timedelta(hours=9, minutes=30):
            run.stop.set()
        return at

    run.now = now
    run.stop = NoWaiting()
    run.live()
    expected = events(HUE, START + timedelta(hours=9), START + timedelta(hours=9, minutes=30))
    assert sorted(sink.kept) == sorted(record.value for record in expected)


class NoWaiting(threading.Event):
    """An event that is not waited for."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_the_state_keeps_the_scenes_and_ends_those_of_the_last_run(tmp_path: Path) -> None:
    start = milliseconds(START)
    staged = HUE.staging(*past(HUE, start), *live(HUE, start, start, speed=4))
    SimulatorState.of(staged, END).save(tmp_path)
    kept = load(tmp_path)
    assert kept is not None
    assert kept.scenes == staged.scenes
    assert not [
        one
        for one in kept.world.scenes
        if isinstance(one, (Storm, Faster)) and one.until == FOREVER
    ]
    silences = [one for one in kept.world.scenes if isinstance(one, Silence)]
    again = kept.world.staging(*live(kept.world, milliseconds(END), milliseconds(END), speed=1))
    assert [one for one in again.scenes if isinstance(one, Silence)] == silences


def test_a_spoilt_state_says_what_to_do(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    (tmp_path / "simulator.json").write_text("{}")
    with pytest.raises(StateError, match="remove it"):
        load(tmp_path)
