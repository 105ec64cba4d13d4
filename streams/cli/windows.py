"""Commands: python -m streams verify | rebuild | retain."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from clickhouse_driver import Client
from rich.box import SIMPLE
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from schemas.clickhouse.retention import horizon
from schemas.events.kinds import BY_NAME, KINDS, Kind
from schemas.reference import ZONE
from schemas.settings import load
from streams.admin.period import ProgressCallback, parse
from streams.cli import console, run_or_exit

MAX_SHOWN = 50
"""Differences that are printed at most; all are counted."""
From = Annotated[
    str,
    typer.Option(
        "--from",
        help="Start of the period, such as 2026-11-01 or 2026-11-01T06:30: local time of the "
        "province, whole minutes.",
    ),
]
To = Annotated[str, typer.Option("--to", help="End of the period, exclusive.")]
Kinds = Annotated[
    list[str],
    typer.Option(
        "--kind",
        help=f"Only this kind: {', '.join(BY_NAME)}. May be repeated; default: all kinds.",
    ),
]


def verify(from_: From = "", to: To = "", kind: Kinds = []) -> None:  # noqa: B006
    """Recompute windows, states and lives from the raw events; exit code 1 if anything differs.

    Safe while workers run. With a period, compares the states and lives of entities that had a
    step in it. A life is an entity's history of states.
    """
    from streams.admin.verify import verify as run

    settings = load()
    chosen = _kinds(kind)
    with progress() as tell:
        reports = run_or_exit(
            "ClickHouse",
            settings.clickhouse_server,
            lambda: run(settings, chosen, parse(from_ or None, to or None), tell),
        )
    table = Table(
        *("kind", "events", "pending", "windows"),
        *("states", "lives", "lives lag", "moving", "differ"),
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    for report in reports:
        numbers = (
            report.events,
            report.pending,
            report.windows,
            report.entities,
            report.lives,
            report.lives_lag,
            report.moving,
        )
        table.add_row(
            report.kind.name,
            *(f"{number:,}" for number in (*numbers, len(report.differences) + report.more)),
        )
    console().print(table)
    for since in sorted({report.windows_from for report in reports} - {0}):
        shown = datetime.fromtimestamp(since, ZONE).isoformat(" ", "minutes")
        console().print(
            f"Windows before {shown} were not compared: some of their raw events were deleted "
            "by retention.",
            highlight=False,
        )
    if _differences(
        [line for report in reports for line in report.differences],
        sum(report.more for report in reports),
    ):
        sys.exit(1)
    compared = (
        sum(r.windows for r in reports),
        sum(r.entities for r in reports),
        sum(r.lives for r in reports),
    )
    equal = "{:,} windows, {:,} states and {:,} lives equal".format(*compared)
    console().print(
        f"No difference: {equal} what {sum(r.events for r in reports):,} raw events give.",
        highlight=False,
    )


def rebuild(
    from_: From,
    to: To,
    kind: Kinds = [],  # noqa: B006
    states: Annotated[
        bool,
        typer.Option(
            "--states",
            help="Also rebuild the states and lives of entities that had a step in the period.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only report what differs; exit code 1 if anything does."),
    ] = False,
) -> None:
    """Recompute a period's windows from the raw events and replace those that differ.

    The windows are recomputed in a table of their own and swapped in when complete. Safe while
    workers count in the same minutes; a rebuild that is killed leaves the live tables as they were
    or correct, and can be run again. The raw events are the truth: a window without raw events is
    deleted.
    """
    from streams.admin.rebuild import rebuild as run

    settings = load()
    chosen = _kinds(kind)
    with progress() as tell:
        done = run_or_exit(
            "ClickHouse",
            settings.clickhouse_server,
            lambda: run(
                settings, parse(from_, to), chosen, states=states, dry_run=dry_run, tell=tell
            ),
        )
    table = Table("kind", "", "events", "recomputed", "differences", "swapped in")
    for one in done:
        swapped = "yes" if one.swapped else "would be" if one.differing else "no need"
        table.add_row(
            one.kind.name,
            one.what,
            f"{one.events:,}",
            f"{one.rows:,}",
            f"{one.differing:,}",
            swapped,
        )
    console().print(table)
    differing = _differences(
        [line for one in done for line in one.found.lines.values()],
        sum(one.found.more for one in done),
    )
    if differing and dry_run:
        sys.exit(1)
    result = (
        f"{differing:,} differences were repaired"
        if differing
        else "No difference: nothing was changed"
    )
    console().print(f"{result}.", highlight=False)


def retain() -> None:
    """Delete raw events past their retention (IOC_KEEP_EVENTS_DAYS), as the watch does hourly.

    Windows stay. An entity is deleted as a whole, once it is closed and had no event for that
    long. This cannot be undone.
    """
    from streams.admin.retain import MAX_ENTITIES
    from streams.admin.retain import retain as run

    settings, deleted = load(), Counter[str]()
    client = Client.from_url(settings.clickhouse_url)
    with progress() as tell:
        while True:
            done = run_or_exit(
                "ClickHouse", settings.clickhouse_server, lambda: run(client, settings, tell=tell)
            )
            for one in done:
                deleted[one.kind.name] += one.events
            if all(one.entities < MAX_ENTITIES for one in done):
                break
    known = horizon(client.execute)
    if known is None:
        console().print("Raw events are kept forever.", highlight=False)
        return
    for name, events in deleted.items():
        console().print(f"{name}: {events:,} events deleted", highlight=False)
    since, before = (
        one.astimezone(ZONE).isoformat(" ", "minutes")
        for one in (known.whole_from, known.removed_before)
    )
    console().print(
        f"Every moment from {since} on can be replayed in full; "
        f"entities closed before {before} are deleted.",
        highlight=False,
    )


def _kinds(names: Sequence[str]) -> tuple[Kind, ...]:
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        sys.exit(f"There is no kind {unknown[0]!r}; there are {', '.join(BY_NAME)}.")
    return tuple(BY_NAME[name] for name in dict.fromkeys(names)) or KINDS


def _differences(lines: Sequence[str], more: int) -> int:
    """Print at most `MAX_SHOWN` differences; return how many there are."""
    for line in lines[:MAX_SHOWN]:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
    total = len(lines) + more
    if total > MAX_SHOWN:
        console().print(f"… and {total - len(lines[:MAX_SHOWN]):,} more", highlight=False)
    return total


@contextmanager
def progress() -> Iterator[ProgressCallback]:
    """Show a progress bar with the time left; yield the function that advances it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            if bar.tasks[0].description != what and done == 0:
                bar.reset(task)
            bar.update(task, description=what, completed=done, total=max(total, 1))

        yield tell
