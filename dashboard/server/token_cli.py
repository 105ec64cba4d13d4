"""`python -m dashboard token add|list|revoke`: access tokens for `IOC_ACCESS=token`."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dashboard.query.rights import Right
from dashboard.server.tokens import Tokens
from schemas.reference import ZONE
from schemas.settings import load

cli = typer.Typer(help="Who may open the screens when IOC_ACCESS is `token`.", no_args_is_help=True)
PAGES: dict[str, str] = {"wall": "/wall", "desk": "/"}


@cli.command()
def add(
    name: Annotated[str, typer.Argument(help="Whom or what it is for, such as `wall-left`.")],
    right: Annotated[
        str,
        typer.Option("--for", help="What it opens: `wall` (the wall only) or `desk` (every page)."),
    ] = "wall",
    days: Annotated[
        int | None, typer.Option(min=1, help="For how many days; without, until it is revoked.")
    ] = None,
) -> None:
    """Make a token. It is printed once, with the address to open."""
    settings = load()
    kind: Right = "desk" if right == "desk" else "wall"
    if right != kind:
        raise typer.BadParameter("wall or desk", param_hint="--for")
    try:
        token = Tokens.of(settings.home).add(name, kind, datetime.now(UTC), days)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    print(token)
    stderr = Console(stderr=True, highlight=False)
    address = f"{'https' if settings.tls else 'http'}://{settings.host}:{settings.dashboard_port}{PAGES[kind]}"
    stderr.print(
        f"{address}?token={token}" if kind == "wall" else f"{address} (enter the token there)",
        soft_wrap=True,
    )
    if settings.access != "token":
        stderr.print(
            "IOC_ACCESS is `open`: whoever reaches the dashboard sees all of it, "
            "with or without a token."
        )


@cli.command("list")
def show() -> None:
    """List the tokens that were made and not revoked; never the tokens themselves."""
    now, table = datetime.now(UTC), Table("name", "for", "made", "valid until")
    for name, one in sorted(Tokens.of(load().home).all().items()):
        until = (
            "-" if one.expires_at is None else f"{one.expires_at.astimezone(ZONE):%Y-%m-%d %H:%M}"
        )
        table.add_row(
            name,
            one.right,
            f"{one.made_at.astimezone(ZONE):%Y-%m-%d %H:%M}",
            until + ("" if one.holds(now) else " (over)"),
        )
    Console().print(table)


@cli.command()
def revoke(name: Annotated[str, typer.Argument(help="The name that it was made with.")]) -> None:
    """End a token at once: screens opened with it are closed."""
    try:
        Tokens.of(load().home).revoke(name)
    except KeyError:
        raise typer.BadParameter(f"there is no token {name!r}", param_hint="NAME") from None
    print(f"revoked: {name}")
