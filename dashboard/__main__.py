"""`python -m dashboard serve`: the screens; `proof` and `package`: of the past."""

import typer
import uvicorn

from dashboard import past_cli, token_cli
from dashboard.app import create
from schemas.settings import load

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
    """Serve the screens until stopped. Which ClickHouse and which province: the IOC_ settings."""
    settings = load()
    if settings.access == "open" and not loopback(host or settings.host):
        typer.echo("dashboard: IOC_ACCESS is `open`: whoever reaches this address sees every page", err=True)
    uvicorn.run(
        create(settings),
        host=host or settings.host,
        port=port or settings.dashboard_port,
        log_level="warning",
        timeout_graceful_shutdown=2,
        ws_per_message_deflate=False,  # frames are small, and there may be a thousand viewers
    )


cli.command()(past_cli.proof)
cli.command()(past_cli.package)


def loopback(host: str) -> bool:
    """Whether an address is of this machine only."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


if __name__ == "__main__":
    cli()
