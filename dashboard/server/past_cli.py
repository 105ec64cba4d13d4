"""Commands about the past: `python -m dashboard proof | package`."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dashboard.history.proof import Proof
from dashboard.pages.package.build import PicturedPage, build
from dashboard.pages.package.marked import marked
from dashboard.query.connection import Connection, UnreachableError
from dashboard.request.address import format_moment, moment_of
from dashboard.server.access import COOKIE
from schemas.moments import EPOCH
from schemas.seal.openings import Opening, noted
from schemas.settings import Settings, load

From = Annotated[
    str, typer.Option("--from", help="First moment, such as 2026-11-22 or 2026-11-22T14:05.")
]
To = Annotated[str, typer.Option("--to", help="Last moment; until now unless given.")]


def proof(from_: From = "", to: To = "") -> None:
    """Replay every recorded snapshot of a period, as known then.

    Exits with 1 if one does not match its hash, or none can be compared.
    """
    settings = load()
    since, until = _moments(from_, to)
    prover, differing, apart = Proof(Connection(settings.clickhouse_url), settings.province), 0, 0
    try:
        found = prover.recorded(since, until)
        with _progress() as bar:
            task = bar.add_task("replaying", total=len(found))
            for one, same in prover.all(found, lambda done: bar.update(task, completed=done)):
                apart += same is None
                if same is False:
                    differing += 1
                    bar.console.print(
                        f"{format_moment(one.moment)}: the replay is not what was recorded",
                        highlight=False,
                    )
    except UnreachableError as error:
        _away(settings, error)
    equal = len(found) - differing - apart
    summary = f"{len(found):,} snapshots: {equal:,} replayed the same, {differing:,} not"
    print(f"{summary}, {apart:,} recorded by other rules." if apart else f"{summary}.")
    if differing or (found and apart == len(found)):
        sys.exit(1)


def package(
    from_: From,
    to: To = "",
    moment: Annotated[
        list[str],
        typer.Option(
            help="A moment whose screen is pictured; may be repeated. "
            "By default those of the period's alarms."
        ),
    ] = [],  # noqa: B006
    page: Annotated[list[str], typer.Option(help="A page that is pictured; may be repeated.")] = [  # noqa: B006
        "/wall?scene=overview"
    ],
    url: Annotated[
        str, typer.Option(help="Where the dashboard answers; by default as the IOC_ settings say.")
    ] = "",
    pictures: Annotated[
        bool, typer.Option(help="Whether screens are pictured, by the Chromium that is installed.")
    ] = True,
    token: Annotated[str, typer.Option(help="A token, where the screens need one.")] = "",
    out: Annotated[Path | None, typer.Option(help="The file; incident-….zip unless given.")] = None,
) -> None:
    """Pack all that is known of a period: events, windows, alarms, snapshots, pictures of screens.

    One ZIP file with hashes and versions, which opens without this system.
    """
    settings = load()
    since, until = _moments(from_, to)
    until = min(until, datetime.now(UTC))  # the future can be neither packed nor pictured
    if since >= until:
        sys.exit("The period is empty.")
    connection, where = (
        Connection(settings.clickhouse_url),
        url.rstrip("/") or f"http://127.0.0.1:{settings.dashboard_port}",
    )
    # Whole or not at all: an aborted file keeps another name.
    file = out or Path(
        f"incident-{settings.province}-{format_moment(since)}-{format_moment(until)}.zip".replace(
            ":", ""
        )
    )
    part = file.with_name(f"{file.name}.part")
    try:
        chosen = [_moment(one) for one in moment] or marked(connection, since, until)
        shown = (
            [PicturedPage(at, _address(where, one, at)) for at in chosen for one in page]
            if pictures
            else []
        )
        with _progress() as bar, part.open("wb") as into:
            task = bar.add_task("", total=None)
            cookies = {COOKIE: token} if token else {}
            made = build(
                connection,
                settings.province,
                since,
                until,
                into,
                shown,
                cookies,
                lambda what, done, total: bar.update(
                    task, description=what[:40], completed=done, total=total
                ),
                _openings(settings, since, until),
            )
    except UnreachableError as error:
        part.unlink(missing_ok=True)
        _away(settings, error)
    part.replace(file)
    rows = sum(one.rows or 0 for one in made.files)
    print(
        f"{file}: {rows:,} rows in {sum(one.rows is not None for one in made.files)} tables, ",
        end="",
    )
    print(
        f"{sum(one.rows is None for one in made.files)} pictures. "
        f"Left out: {'; '.join(made.left_out)}."
    )


def _address(server: str, page: str, moment: datetime) -> str:
    return (
        f"{server}{page}{'&' if '?' in page else '?'}{urlencode({'moment': format_moment(moment)})}"
    )


def _moments(from_: str, to: str) -> tuple[datetime, datetime]:
    return _moment(from_) if from_ else EPOCH, _moment(to) if to else datetime.now(UTC)


def _moment(text: str) -> datetime:
    try:
        return moment_of(text)
    except ValueError:
        sys.exit(f"{text!r} is no moment; they look like 2026-11-22 or 2026-11-22T14:05.")


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, transient=True)


def _away(settings: Settings, error: UnreachableError) -> None:
    sys.exit(f"ClickHouse at {settings.clickhouse_server}: {error}")


def _openings(settings: Settings, since: datetime, until: datetime) -> list[Opening] | None:
    """Return who decrypted reporter identities; None for an account that may not read that log."""
    try:
        return noted(settings, since, until)
    except PermissionError:
        return None
