"""Runs at a speed and exercises: they go on in order, wait, end, and live hears nothing of them."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from dashboard.history.past import PastConnection
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection
from schemas.clickhouse import replays
from schemas.clickhouse.query import Query
from schemas.clickhouse.replays import RunState, sandbox
from schemas.clickhouse.sql import at
from schemas.clickhouse.watch_tables import WATCH
from schemas.settings import Settings
from tests.integration.replay_live import (
    DAY,
    START,
    Live,
    base,
    counted,
    counted_by,
    counted_day,
    is_in,
)
from tests.running import Running, command, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def live(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    yield from counted_day(
        module_settings, module_environment, tmp_path_factory.mktemp("logs") / "worker.log"
    )


def _processes(own: Settings) -> list[str]:
    """Return its workers and its watch: processes with the settings of a run."""
    found, mark = [], own.topic_prefix.encode()
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (one / "environ").read_bytes():
                found.append(one.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_at_a_speed_goes_on_in_order_and_may_be_ended_at_any_time(
    live: Live, end: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = end.name.lower()
    own = sandbox(live.settings, name)
    going = Running(
        "streams",
        "replay",
        "--from",
        "2026-11-10",
        "--to",
        "2026-11-11",
        "--speed",
        "900",
        "--into",
        name,
        environment=live.environment,
        log=tmp_path / "run.log",
    )
    try:
        wait_for(
            lambda: (
                live.run(name).counted > 0 and live.run(name).moment > START + timedelta(hours=1)
            ),
            what="an hour of it",
        )
        one = live.run(name)
        assert one.state is RunState.RUNNING and one.sent < one.total
        ((last,),) = live.client.execute(f"SELECT max(received_at) FROM {base(own)}.events_filing")
        seen = datetime.now(UTC)
        told = wait_for(
            lambda: (now := live.run(name)).at > seen and now, what="how far it was by then"
        )
        assert last <= told.moment, "nothing is sent before its time"
        assert _processes(own)
        if end is signal.SIGTERM:
            refused = command(live.environment, "streams", "replay", "remove", name)
            assert refused.returncode != 0 and b"is running" in refused.stderr
        going.process.send_signal(end)
        going.process.wait(60)
        wait_for(lambda: not _processes(own), what="the end of its worker")
    finally:
        going.stop()
    if end is signal.SIGKILL:
        monkeypatch.setattr(replays, "SILENT_AFTER", timedelta(0))
        one = live.run(name)
        assert one.state is RunState.FAILED and "killed" in one.said
        return
    assert live.run(name).state is RunState.STOPPED
    assert 0 < live.run(name).sent < live.run(name).total
    live.replay("remove", name)


def test_two_runs_go_on_at_a_time_and_the_next_waits_for_its_turn(
    live: Live, tmp_path: Path
) -> None:
    period = ("--from", "2026-11-10", "--to", "2026-11-11", "--speed", "60")
    going: dict[str, Running] = {}
    try:
        for name in ("one", "two", "three", "four"):
            log = tmp_path / f"{name}.log"
            going[name] = Running(
                "streams", "replay", *period, "--into", name, environment=live.environment, log=log
            )
            state = RunState.RUNNING if name in ("one", "two") else RunState.QUEUED
            wait_for(partial(is_in, live, name, state), what=f"{name} {state}")
        assert not _processes(sandbox(live.settings, "three")), "nothing of it has begun"
        refused = command(live.environment, "streams", "replay", "remove", "three")
        assert refused.returncode != 0 and b"is queued" in refused.stderr
        assert "asked to stop" in live.replay("stop", "three")
        wait_for(
            lambda: live.run("three").state is RunState.STOPPED, what="the end of one that waited"
        )
        going["one"].stop(60)
        wait_for(lambda: live.run("four").state is RunState.RUNNING, what="its turn")
        assert live.run("two").state is RunState.RUNNING
    finally:
        for one in going.values():
            one.stop(60)
    wait_for(
        lambda: not any(_processes(sandbox(live.settings, name)) for name in going),
        what="the end of their processes",
    )


def test_a_worker_that_ends_is_noticed_while_nothing_is_due(live: Live, tmp_path: Path) -> None:
    own, hour = (
        sandbox(live.settings, "ended"),
        ("--from", "2026-11-10T02:00", "--to", "2026-11-10T03:00"),
    )
    going = Running(
        "streams",
        "replay",
        *hour,
        "--speed",
        "0.01",
        "--into",
        "ended",
        environment=live.environment,
        log=tmp_path / "run.log",
    )
    try:
        (worker_of_it,) = wait_for(lambda: _processes(own), what="its worker")
        wait_for(
            lambda: (
                live.run("ended").counted >= 0
                and live.run("ended").moment > live.run("ended").since
            ),
            what="its course",
        )
        os.kill(int(worker_of_it), signal.SIGKILL)
        assert going.process.wait(60) != 0
    finally:
        going.stop()
    one = live.run("ended")
    assert one.state is RunState.FAILED and "a worker ended" in one.said


def test_a_day_of_the_past_is_an_exercise_of_today_and_is_watched_over(
    live: Live, tmp_path: Path
) -> None:
    own = sandbox(live.settings, "today")
    going = Running(
        "streams",
        "replay",
        "--from",
        "2026-11-10",
        "--to",
        "2026-11-11",
        "--as-now",
        "--into",
        "today",
        environment=live.environment,
        log=tmp_path / "run.log",
    )
    try:
        wait_for(lambda: live.run("today").counted > 0, what="its first events")
        one = live.run("today")
        now = datetime.now(UTC)
        shift = one.since - START
        assert (one.mark, one.state) == ("exercise", RunState.RUNNING)
        assert shift % timedelta(days=1) == timedelta(0), "the same time of day"
        assert timedelta(0) <= now - one.since < timedelta(days=1)
        due = f"SELECT count() FROM events_filing FINAL WHERE {DAY.events} AND received_at <= {{}}"
        first, last = (
            counted_by(live.client, due.format(at(moment - shift)))
            for moment in (now, now + timedelta(seconds=60))
        )
        wait_for(
            lambda: first <= counted(live.client, f"{base(own)}.events_filing FINAL") <= last,
            what="what has happened by now",
        )
        late = "occurred_at > now() OR received_at > now() + 1 OR registered_at > now()"
        assert counted(live.client, f"{base(own)}.events_filing WHERE {late}") == 0
        wait_for(
            lambda: counted(live.client, f"{base(own)}.watch_jobs FINAL") > 5, what="its watch"
        )
        shown = PastConnection(
            Connection(own.clickhouse_url),
            "46",
            Replay(live.run("today").moment, Picture.CORRECTED),
        )
        jobs = shown.tuples(Query(f"SELECT count() FROM {WATCH.ref}", (WATCH,)))
        assert jobs[0][0] > 5, "and the screens say that it is watched"
        wait_for(
            lambda: counted(live.client, f"{base(own)}.current_filing FINAL") > 0, what="its lives"
        )
    finally:
        going.stop()
    assert live.run("today").state is RunState.STOPPED
    wait_for(lambda: not _processes(own), what="the end of its processes")


def test_an_exercise_is_fed_by_the_simulator_and_live_hears_nothing_of_it(
    live: Live, tmp_path: Path
) -> None:
    own, before = sandbox(live.settings, "storm"), live.windows()
    events = counted(live.client, "events_feedback")
    with Running(
        "streams", "replay", "open", "storm", environment=live.environment, log=tmp_path / "run.log"
    ):
        wait_for(lambda: live.run("storm").state is RunState.RUNNING, what="the exercise")
        arguments = (
            "simulate",
            "--seed",
            "3",
            "--days",
            "1",
            "--live",
            "--scene",
            "storm",
            "--scene",
            "tet",
            "--into",
            "storm",
        )
        with Running(
            "ingest", *arguments, environment=live.environment, log=tmp_path / "simulate.log"
        ):
            wait_for(lambda: live.run("storm").counted > 50, what="what the simulator sends")
            one = live.run("storm")
            assert timedelta(seconds=-1) < datetime.now(UTC) - one.moment < timedelta(seconds=10), (
                "it goes as time goes"
            )
            refused = command(live.environment, "streams", "replay", "compare", "storm")
            assert (
                one.live
                and refused.returncode == 1
                and b"no live windows to compare" in refused.stderr
            )
            raised = f"{base(own)}.alarm_rows WHERE rule IN ('burst', 'cluster')"
            wait_for(
                lambda: counted(live.client, raised) > 0,
                what="the alarm that the storm raises",
                seconds=180,
            )
        assert "asked to stop" in live.replay("stop", "storm"), "by whom it was not begun"
        wait_for(lambda: live.run("storm").state is RunState.STOPPED, what="the end of it")
    again = command(live.environment, "streams", "replay", "stop", "storm")
    assert again.returncode == 1 and b"it is stopped" in again.stderr
    assert counted(live.client, f"{base(own)}.events_feedback") > 0
    assert (live.windows(), counted(live.client, "events_feedback")) == (before, events)
    assert not (live.settings.home / "simulator.json").exists(), (
        "what is simulated for it is not gone on with"
    )
