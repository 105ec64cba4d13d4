"""Run the commands that bring events into Kafka: `python -m ingest`."""

import logging
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from ingest.importer.cli import import_files
from ingest.producer import KafkaUnavailableError
from ingest.simulator.cli import simulate
from schemas.logs import configure
from schemas.seal import SealError, sealer
from schemas.settings import Settings


class IngestGroup(TyperGroup):
    """The command group: prints an expected error as one sentence, not as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (KafkaUnavailableError, SealError) as error:
            stop(str(error))


app = typer.Typer(
    cls=IngestGroup,
    help="Bring events into Kafka: the HTTP gateway, file import, the simulator.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Servers = Annotated[
    str | None,
    typer.Option("--kafka-servers", help="Kafka bootstrap servers.  [env: IOC_KAFKA_SERVERS]"),
]
Prefix = Annotated[
    str | None,
    typer.Option("--topic-prefix", help="Prefix of topic names.  [env: IOC_TOPIC_PREFIX]"),
]


def settings(**given: Any) -> Settings:
    """Return the settings of the environment, overridden by what the command line gives."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        stop(f"{'.'.join(str(part) for part in wrong['loc'])}: {wrong['msg']}")


def stop(sentence: str, code: int = 1) -> NoReturn:
    """End the command with one sentence on standard error."""
    print(f"ingest: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


@app.callback()
def start() -> None:
    """Set up logging, which all commands share."""
    configure("ingest", logging.WARNING)


@app.command()
def gateway(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [env: IOC_HOST]")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on.  [env: IOC_GATEWAY_PORT]")
    ] = None,
    kafka_servers: Servers = None,
    topic_prefix: Prefix = None,
) -> None:
    """Accept events over HTTP: POST /v1/events, GET /healthz, /readyz, /metrics, /openapi.json."""
    from ingest.gateway.app import serve

    configure("ingest.gateway")
    # uvicorn finishes the requests in flight, then raises the signal again: exit with 0 then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    chosen = settings(
        host=host, gateway_port=port, kafka_servers=kafka_servers, topic_prefix=topic_prefix
    )
    sealer(chosen)  # Created here, so that a problem is reported in one sentence.
    serve(chosen)


@app.command()
def topics(
    create: Annotated[bool, typer.Option(help="Create the topics that are missing.")] = True,
    kafka_servers: Servers = None,
    topic_prefix: Prefix = None,
) -> None:
    """List the Kafka topics of this installation, and create those that are missing."""
    from ingest.topics import ensure, existing, plan

    chosen = settings(kafka_servers=kafka_servers, topic_prefix=topic_prefix)
    made = ensure(chosen) if create else []
    present = existing(chosen)
    table = Table("topic", "partitions", "state")
    for name, topic in plan(chosen).items():
        state = "created" if name in made else "present" if name in present else "missing"
        table.add_row(name, str(present.get(name, topic["num_partitions"])), state)
    Console().print(table)


app.command("import")(import_files)
app.command()(simulate)


if __name__ == "__main__":
    app(prog_name="python -m ingest")
