"""Commands: python -m streams replay [open | list | compare | stop | remove]."""

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Column, Table

from schemas.settings import load
from streams.cli import console, run_or_exit
from streams.cli.windows import From, To, progress

if TYPE_CHECKING:
    from clickhouse_driver import Client

    from schemas.clickhouse.replays import ReplayRun

cli = typer.Typer(
    help="Replay a period into tables of its own while live processing goes on; "
    "open, list, compare, stop, remove."
)
Name = Annotated[str, typer.Argument(help="Name of the run.")]
Workers = Annotated[
    int, typer.Option(min=1, max=16, help="Number of worker processes for this run.")
]
FASTEST = "max"
T = TypeVar("T")


@cli.callback(invoke_without_command=True)
def replay(
    context: typer.Context,
    from_: From = "",
    to: To = "",
    speed: Annotated[
        str,
        typer.Option(help="Seconds of history to replay per second, such as 3600; max: no limit."),
    ] = FASTEST,
    into: Annotated[
        str, typer.Option(help="Name of the run: lower-case letters, digits and _.")
    ] = "",
    source: Annotated[
        str,
        typer.Option(
            help="kafka: the original records; clickhouse: the events that were counted; "
            "auto: Kafka if it still holds the whole period, else ClickHouse."
        ),
    ] = "auto",
    workers: Workers = 1,
    as_now: Annotated[
        bool,
        typer.Option(
            "--as-now",
            help="Run as an exercise: shift the period by whole days so that it happens today, "
            "in real time, with alarms.",
        ),
    ] = False,
    on_time: Annotated[
        bool,
        typer.Option(
            "--on-time",
            help="Replay each event at the time it happened, not at the time it arrived; reads "
            "ClickHouse. For history that was imported later.",
        ),
    ] = False,
    exercise: Annotated[
        bool,
        typer.Option("--exercise", help="Label screens of this run EXERCISE instead of REPLAY."),
    ] = False,
) -> None:
    """Replay a period. Ctrl-C stops it; what was replayed stays until `replay remove NAME`.

    Events belong to the period by the time they happened; they are sent in order of arrival unless
    an option says otherwise. When all are counted, the windows are compared with the live ones;
    the exit code is 1 if any differs.
    """
    if context.invoked_subcommand is not None:
        return
    if not into:
        sys.exit("--into NAME is required; see --help.")
    from schemas.clickhouse.replays import SOURCES, RunMark, happened
    from streams.admin.period import parse
    from streams.replay.plan import Plan
    from streams.replay.run import run

    if source not in SOURCES:
        sys.exit(f"--source must be one of {', '.join(SOURCES)}, not {source!r}.")
    settings = load()
    where = f"{settings.kafka_servers}, {settings.clickhouse_server}"
    mark = RunMark.EXERCISE if exercise or as_now else RunMark.REPLAY
    with progress() as tell:
        try:
            plan = Plan(
                into,
                parse(from_ or None, to or None),
                _speed(speed),
                source,
                workers,
                mark,
                as_now,
                on_time,
            )
            done = run_or_exit("Replay", where, lambda: asyncio.run(run(settings, plan, tell)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(_stopped(into))
        except ValueError as error:
            sys.exit(str(error))
    if done.differing is None:
        console().print(f"{into}: {done.sent:,} events sent and counted.", highlight=False)
        return
    result = (
        f"{done.differing:,} windows differ from the live ones"
        if done.differing
        else "its windows equal the live ones"
    )
    console().print(
        f"{into}: {done.sent:,} events from {done.source} sent and counted; {result}.",
        highlight=False,
    )
    if done.differing:
        late = _query(
            lambda client: client.execute(happened(done.since, done.until, done.begun_at))[0][0]
        )
        console().print(
            f"{late:,} events of the period arrived after the run began. "
            f"See: replay compare {into}",
            highlight=False,
        )
        sys.exit(1)


@cli.command("open")
def open_(name: Name, workers: Workers = 1) -> None:
    """Open an exercise for others to send events to, until Ctrl-C; counted and watched as live.

    Send scenes to it with `python -m ingest simulate --days 1 --live --into NAME`.
    """
    from schemas.clickhouse.replays import RunMark
    from streams.replay.plan import Plan
    from streams.replay.run import run

    settings = load()
    where = f"{settings.kafka_servers}, {settings.clickhouse_server}"
    plan = Plan(name, None, workers=workers, mark=RunMark.EXERCISE)
    console().print(f"{name} is open: see /wall?run={name}; Ctrl-C ends it.", highlight=False)
    try:
        run_or_exit("Replay", where, lambda: asyncio.run(run(settings, plan)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(_stopped(name))


@cli.command("list")
def list_() -> None:
    """List the runs, newest first."""
    from streams.replay.run_store import read

    found = _query(lambda client: read(client))
    table = Table(
        Column("name", no_wrap=True), "from", "to", "speed", "source", "state", "events", "differ"
    )
    for one in found:
        since, until = (f"{moment:%d/%m/%Y %H:%M}" for moment in (one.since, one.until))
        speed = f"{one.speed:g}x" if one.speed else FASTEST
        events = (
            f"{one.counted:,}" if one.counted == one.total else f"{one.counted:,} of {one.total:,}"
        )
        differ = "" if one.differing is None else f"{one.differing:,}"
        source = f"{one.source}, on time" if one.on_time else one.source
        table.add_row(
            one.name,
            since,
            until,
            speed,
            source,
            f"{one.state} {one.said}".strip(),
            events,
            differ,
        )
    console().print(table if found else "No runs.")


@cli.command()
def compare(name: Name) -> None:
    """Compare the windows of a run with the live ones, by measure; exit code 1 if any differs."""
    from schemas.clickhouse.replays import sandbox
    from streams.replay.comparison import compare as compare_run

    settings, one = load(), _find_run(name)
    if one.live:
        sys.exit(
            f"{name} runs in real time with events of its own: "
            "there are no live windows to compare it with."
        )
    own = sandbox(settings, name)
    found = _query(lambda client: compare_run(client, settings, own, one))
    table = Table("kind", "measure", "live", "run", "difference")
    for kind, difference in found.items():
        for measure, (live, its) in zip(kind.measures, difference.sums, strict=True):
            table.add_row(
                kind.name,
                measure.name,
                f"{live:,}",
                f"{its:,}",
                f"{its - live:+,}" if its != live else "",
            )
    console().print(table)
    differing, windows = (
        sum(getattr(one, name) for one in found.values()) for name in ("differing", "windows")
    )
    console().print(f"{differing:,} of {windows:,} windows differ.", highlight=False)
    if differing:
        sys.exit(1)


@cli.command()
def stop(name: Name) -> None:
    """Ask a run to stop, wherever it was started; what was replayed until then stays."""
    from schemas.clickhouse.replays import stop as request_stop

    one = _find_run(name)
    if not one.goes_on:
        sys.exit(f"{name} is not running: it is {one.state}.")
    _query(lambda client: client.execute(request_stop(name)))
    console().print(f"{name} was asked to stop.", highlight=False)


@cli.command()
def remove(name: Name) -> None:
    """Delete everything that belongs to a run: its database, its topics, its logs."""
    from schemas.clickhouse.replays import RunState
    from streams.replay.run_store import write
    from streams.replay.sandbox import remove as remove_sandbox

    settings, one = load(), _find_run(name)
    if one.goes_on:
        sys.exit(f"{name} is {one.state}: stop it first (python -m streams replay stop {name}).")
    run_or_exit(
        "Replay",
        f"{settings.kafka_servers}, {settings.clickhouse_server}",
        lambda: asyncio.run(remove_sandbox(settings, name)),
    )
    _query(lambda client: write(client, one.now(state=RunState.REMOVED)))
    console().print(f"{name} is removed.", highlight=False)


def _stopped(name: str) -> str:
    return (
        "Stopped. What was replayed so far is kept; to delete it: "
        f"python -m streams replay remove {name}"
    )


def _find_run(name: str) -> "ReplayRun":
    """Return the run with this name; exit with a message if there is none."""
    from streams.replay.run_store import read

    runs = _query(lambda client: read(client, name))
    if not runs:
        sys.exit(f"There is no run {name}.")
    return runs[0]


def _query(query: Callable[["Client"], T]) -> T:
    """Run `query` on the live database; exit with a one-line message if it fails."""
    from clickhouse_driver import Client

    settings = load()

    def run() -> T:
        client = Client.from_url(settings.clickhouse_url)
        try:
            return query(client)
        finally:
            client.disconnect()

    return run_or_exit("ClickHouse", settings.clickhouse_server, run)


def _speed(text: str) -> float:
    if text == FASTEST:
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e9:
        raise ValueError(f"--speed must be a number above 0 or {FASTEST}, not {text!r}.")
    return speed
