"""Commands of the dashboard: `python -m dashboard serve | proof | package | token`."""

import logging
import os

import typer

from dashboard.server import past_cli, token_cli
from dashboard.server.app import create, protected
from schemas.http.limits import Limits
from schemas.http.server import run
from schemas.logs import configure
from schemas.settings import load

LIMITS = Limits(connections=2_500)
"""A thousand viewers may each have a socket, and one or two connections while a page opens."""
GRACEFUL_SECONDS = 2
log = logging.getLogger(__name__)
cli = typer.Typer(help="ClickHouse to eyes: the screens of the centre.", no_args_is_help=True)


@cli.callback()
def main() -> None:
    """ClickHouse to eyes: the screens of the centre."""


cli.add_typer(token_cli.cli, name="token")


@cli.command()
def serve(
    host: str = typer.Option(None, help="Address to listen on; by default IOC_HOST."),
    port: int = typer.Option(None, help="Port to listen on; by default IOC_DASHBOARD_PORT."),
) -> None:
    """Serve the screens until stopped; the IOC_ settings name ClickHouse and the province."""
    configure("dashboard")
    # The poller logs once that ClickHouse is away; its driver would log it at every tick.
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)
    settings = load()
    if settings.access == "open" and not loopback(host or settings.host):
        log.warning("IOC_ACCESS is `open`: whoever reaches this address sees every page")
    address = host or settings.host
    run(
        protected(create(settings), settings, address),
        host=address,
        port=port or settings.dashboard_port,
        limits=LIMITS,
        graceful_seconds=GRACEFUL_SECONDS,
    )
    # Nobody will read what a thread still waits for, such as a slow answer of ClickHouse.
    logging.shutdown()
    os._exit(0)


cli.command()(past_cli.proof)
cli.command()(past_cli.package)


def loopback(host: str) -> bool:
    """Tell whether an address is of this machine only."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


if __name__ == "__main__":
    cli()
