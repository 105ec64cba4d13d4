"""Commands: python -m streams replay [open | list | compare | stop | remove]."""

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Column, Table

from schemas.settings import load
from streams.cli import console, explained
from streams.cli.windows import From, To, progress

if TYPE_CHECKING:
    from clickhouse_driver import Client

    from schemas.clickhouse.replays import ReplayRun

cli = typer.Typer(
    help="Send history again, through workers and into tables of its own, while live goes on; list, compare, stop, remove."
)
Name = Annotated[str, typer.Argument(help="Name of the run.")]
FASTEST = "max"
T = TypeVar("T")


@cli.callback(invoke_without_command=True)
def replay(
    context: typer.Context,
    from_: From = "",
    to: To = "",
    speed: Annotated[
        str,
        typer.Option(
            help="Seconds of history in a second, such as 3600; max: as fast as possible."
        ),
    ] = FASTEST,
    into: Annotated[str, typer.Option(help="Name of the run: small letters, digits, _.")] = "",
    source: Annotated[
        str,
        typer.Option(
            help="kafka: the very records; clickhouse: the events that counted; auto: from Kafka while it has all."
        ),
    ] = "auto",
    workers: Annotated[int, typer.Option(min=1, max=16, help="Workers of its own.")] = 1,
    as_now: Annotated[
        bool,
        typer.Option(
            "--as-now",
            help="An exercise: moved by whole days, so that it happens today, as time goes; watched over.",
        ),
    ] = False,
    on_time: Annotated[
        bool,
        typer.Option(
            "--on-time",
            help="As if each event had arrived when it happened, from ClickHouse: for history that was imported later.",
        ),
    ] = False,
    exercise: Annotated[
        bool,
        typer.Option("--exercise", help="Screens that look at it say EXERCISE instead of REPLAY."),
    ] = False,
) -> None:
    """Send a period's history again. Ctrl-C stops it; what has come by then stays, until `replay remove NAME`.

    A period is told by when events happened; they are sent in the order in which they arrived, unless told otherwise. When all is
    counted, the windows are compared with the live ones; exits with 1 if any differs.
    """
    if context.invoked_subcommand is not None:
        return
    if not into:
        sys.exit("--into NAME is needed; see --help.")
    from schemas.clickhouse.replays import SOURCES, RunMark, happened
    from streams.admin.period import parse
    from streams.replay.run import Plan, run

    if source not in SOURCES:
        sys.exit(f"--source is {', '.join(SOURCES)}, not {source!r}.")
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
            done = explained("Replay", where, lambda: asyncio.run(run(settings, plan, tell)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(f"Stopped. What has come stays: python -m streams replay remove {into}")
        except ValueError as error:
            sys.exit(str(error))
    if done.differing is None:
        console.print(f"{into}: {done.sent:,} events sent and counted.", highlight=False)
        return
    said = (
        "equal the live ones"
        if not done.differing
        else f"differ from {done.differing:,} of the live ones"
    )
    console.print(
        f"{into}: {done.sent:,} events from {done.source} sent and counted; its windows {said}.",
        highlight=False,
    )
    if done.differing:
        late = _asked(
            lambda client: client.execute(happened(done.since, done.until, done.begun_at))[0][0]
        )
        console.print(
            f"{late:,} events of the period arrived since it began. See: replay compare {into}",
            highlight=False,
        )
        sys.exit(1)


@cli.command("open")
def open_(
    name: Name, workers: Annotated[int, typer.Option(min=1, max=16, help="Workers of its own.")] = 1
) -> None:
    """An exercise that others send to, until Ctrl-C; it is counted and watched over as live is.

    Scenes for it: `python -m ingest simulate --days 1 --live --into NAME`.
    """
    from schemas.clickhouse.replays import RunMark
    from streams.replay.run import Plan, run

    settings = load()
    where = f"{settings.kafka_servers}, {settings.clickhouse_server}"
    plan = Plan(name, None, workers=workers, mark=RunMark.EXERCISE)
    console.print(f"{name} is open: look at /wall?run={name}; Ctrl-C ends it.", highlight=False)
    try:
        explained("Replay", where, lambda: asyncio.run(run(settings, plan)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(f"Stopped. What has come stays: python -m streams replay remove {name}")


@cli.command("list")
def list_() -> None:
    """The runs, the newest first."""
    from streams.replay.book import read

    found = _asked(lambda client: read(client))
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
            one.name, since, until, speed, source, f"{one.state} {one.said}".strip(), events, differ
        )
    console.print(table if found else "No runs.")


@cli.command()
def compare(name: Name) -> None:
    """How the windows of a run differ from the live ones, measure by measure; exits with 1 if any does."""
    from schemas.clickhouse.replays import sandbox
    from streams.replay.run import compare as look

    settings, one = load(), _named(name)
    if one.live:
        sys.exit(
            f"{name} goes as time goes: what happens in it is not what happens live, there is nothing to compare."
        )
    own = sandbox(settings, name)
    found = _asked(lambda client: look(client, settings, own, one))
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
    console.print(table)
    differing, windows = (
        sum(getattr(one, name) for one in found.values()) for name in ("differing", "windows")
    )
    console.print(f"{differing:,} of {windows:,} windows differ.", highlight=False)
    if differing:
        sys.exit(1)


@cli.command()
def stop(name: Name) -> None:
    """Have a run stop that goes on, wherever it was begun; what has come by then stays."""
    from schemas.clickhouse.replays import stop as ask

    one = _named(name)
    if not one.goes_on:
        sys.exit(f"{name} does not go on: it is {one.state}.")
    _asked(lambda client: client.execute(ask(name)))
    console.print(f"{name} is asked to stop.", highlight=False)


@cli.command()
def remove(name: Name) -> None:
    """Take away all that is a run's own: its database, its topics, its logs."""
    from schemas.clickhouse.replays import RunState
    from streams.replay.book import write
    from streams.replay.sandbox import remove as take_away

    settings, one = load(), _named(name)
    if one.goes_on:
        sys.exit(f"{name} is {one.state}: stop it first (python -m streams replay stop {name}).")
    explained(
        "Replay",
        f"{settings.kafka_servers}, {settings.clickhouse_server}",
        lambda: asyncio.run(take_away(settings, name)),
    )
    _asked(lambda client: write(client, one.now(state=RunState.REMOVED)))
    console.print(f"{name} is removed.", highlight=False)


def _named(name: str) -> "ReplayRun":
    """The run of a name."""
    from streams.replay.book import read

    runs = _asked(lambda client: read(client, name))
    if not runs:
        sys.exit(f"There is no run {name}.")
    return runs[0]


def _asked(question: Callable[["Client"], T]) -> T:
    """What the live database answers."""
    from clickhouse_driver import Client

    settings = load()

    def ask() -> T:
        client = Client.from_url(settings.clickhouse_url)
        try:
            return question(client)
        finally:
            client.disconnect()

    return explained("ClickHouse", settings.clickhouse_server, ask)


def _speed(said: str) -> float:
    if said == FASTEST:
        return 0.0
    try:
        speed = float(said)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e9:
        raise ValueError(f"--speed is a number above 0 or {FASTEST}, not {said!r}.")
    return speed
