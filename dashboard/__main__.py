"""`python -m dashboard serve`: the screens."""

import typer
import uvicorn

from dashboard.app import create
from schemas.settings import load

cli = typer.Typer(help="ClickHouse to eyes: the screens of the centre.", no_args_is_help=True)


@cli.callback()
def main() -> None:
    """ClickHouse to eyes: the screens of the centre."""


@cli.command()
def serve(
    host: str = typer.Option(None, help="Address to listen on; by default IOC_HOST."),
    port: int = typer.Option(None, help="Port to listen on; by default IOC_DASHBOARD_PORT."),
) -> None:
    """Serve the screens until stopped. Which ClickHouse and which province: the IOC_ settings."""
    settings = load()
    uvicorn.run(
        create(settings),
        host=host or settings.host,
        port=port or settings.dashboard_port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    cli()
