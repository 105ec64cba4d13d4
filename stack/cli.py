"""Provide `ioc`: every command of the product under one name.

The commands are those of `python -m stack`, `ingest`, `streams`, `dashboard` and `schemas`; each is
defined there, once. This table says which of them have a short name, and holds one line on each for
`ioc --help`, because importing all of them takes seconds. Packages are named as text, as the demo
names its processes: the parts of the product do not import one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

PROGRAM = "ioc"
RUN, DATA, SCREENS, ALL = "Run", "Data", "Screens", "All commands of a part"


@dataclass(frozen=True)
class Entry:
    """One name after `ioc`.

    Attributes:
        name: what the user types.
        app: the package's Typer app, as `module:attribute`.
        help: one line for the overview.
        panel: the heading under which the overview shows it.
        command: the command of the app; empty for all of them.
    """

    name: str
    app: str
    help: str
    panel: str
    command: str = ""

    def group(self) -> TyperGroup:
        """Import the app and return the command group of `ioc NAME`, with the app's set-up."""
        module, _, attribute = self.app.partition(":")
        group = typer.main.get_command(getattr(import_module(module), attribute))
        assert isinstance(group, TyperGroup)
        if self.command:
            command = group.commands[self.command]
            command.name = self.name
            group.commands = {self.name: command}
        return group

    def run(self, arguments: Sequence[str]) -> None:
        """Run the command with the arguments after its name; ends by `SystemExit`."""
        if self.command:
            self.group().main([self.name, *arguments], prog_name=PROGRAM)
        else:
            self.group().main(list(arguments), prog_name=f"{PROGRAM} {self.name}")


STACK, INGEST, STREAMS = "stack.__main__:app", "ingest.__main__:app", "streams.__main__:cli"
DASHBOARD, SCHEMAS = "dashboard.__main__:cli", "schemas.__main__:cli"
ENTRIES = (
    Entry(
        "demo", STACK, "Run the whole system with a simulated province until Ctrl-C.", RUN, "demo"
    ),
    Entry(
        "migrate",
        STREAMS,
        "Create or update ClickHouse's tables and Kafka's topics.",
        RUN,
        "migrate",
    ),
    Entry("gateway", INGEST, "Accept events over HTTP and write them to Kafka.", RUN, "gateway"),
    Entry("worker", STREAMS, "Process events from Kafka into ClickHouse.", RUN, "worker"),
    Entry("watch", STREAMS, "Raise and clear alarms.", RUN, "watch"),
    Entry("dashboard", DASHBOARD, "Serve the video wall and the operators' desk.", RUN, "serve"),
    Entry("import", INGEST, "Import events from CSV, XLSX, NDJSON or JSON files.", DATA, "import"),
    Entry("simulate", INGEST, "Send the events of a simulated province.", DATA, "simulate"),
    Entry(
        "replay",
        STREAMS,
        "Process past events again, next to live ones; list, compare, stop, remove.",
        DATA,
        "replay",
    ),
    Entry(
        "verify",
        STREAMS,
        "Recompute stored results from the raw events and report differences.",
        DATA,
        "verify",
    ),
    Entry("rebuild", STREAMS, "Recompute a period and replace what differs.", DATA, "rebuild"),
    Entry(
        "token", DASHBOARD, "Add, list and revoke access tokens for the screens.", SCREENS, "token"
    ),
    Entry(
        "proof",
        DASHBOARD,
        "Check that a replay shows what the screens showed at the time.",
        SCREENS,
        "proof",
    ),
    Entry(
        "package",
        DASHBOARD,
        "Export everything about a period to one ZIP file.",
        SCREENS,
        "package",
    ),
    Entry(
        "stack", STACK, "Kafka and ClickHouse on this machine: fetch, up, down, status, wipe.", ALL
    ),
    Entry("ingest", INGEST, "Bring events into Kafka: gateway, import, simulate, topics.", ALL),
    Entry("streams", STREAMS, "Process events into ClickHouse; also: retain, dead-letters.", ALL),
    Entry("schemas", SCHEMAS, "Vocabulary, units and outlines, encrypted identities.", ALL),
)


class Forwarded(TyperCommand):
    """A command that passes its arguments on unread, `--help` included, to another command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep all arguments as they are."""
        ctx.args = list(args)
        return args


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Each command has its own --help. Settings are IOC_* environment variables, listed in "
    "docs/reference/settings.md.",
)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(metadata.version("province-ioc"))
        raise typer.Exit


@app.callback()
def overview(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run the Intelligent Operations Center of a Vietnamese province.

    Events go into Kafka, results into ClickHouse, and from there to live screens.
    """


def _add(entry: Entry) -> None:
    @app.command(entry.name, cls=Forwarded, help=entry.help, rich_help_panel=entry.panel)
    def run(context: typer.Context) -> None:
        entry.run(context.args)


for _entry in ENTRIES:
    _add(_entry)


def main() -> None:
    """Run the command line."""
    app(prog_name=PROGRAM)
