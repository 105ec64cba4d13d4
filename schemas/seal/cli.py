"""Commands: python -m schemas seal open | rotate."""

import sys
from typing import Annotated

import typer

from schemas.seal.identity import DecryptionError
from schemas.seal.keys import SealError, key_file, rotate, sealer
from schemas.seal.openings import note
from schemas.settings import load

app = typer.Typer(
    no_args_is_help=True, help="Who reported: for authorised staff of the centre, who hold the key."
)


@app.command("open")
def open_(
    value: Annotated[str, typer.Argument(help="The sealed text, sealed:1:…")],
    reason: Annotated[str, typer.Option(help="Why it is opened: kept in the log of openings.")],
    entity: Annotated[
        str,
        typer.Option(help="Number of the report that it belongs to: kept in the log of openings."),
    ] = "",
) -> None:
    """Open a sealed identity. Who opened it, when and why is written to unmask.log in IOC_HOME first."""
    settings = load()
    try:
        identity = sealer(settings).open(value)
        note(settings, value, reason=reason, entity=entity)
    except (SealError, DecryptionError, ValueError) as problem:
        sys.exit(f"schemas seal: {problem}")
    except OSError as error:
        sys.exit(f"schemas seal: not opened, as it cannot be written down: {error}")
    print(identity)


@app.command("rotate")
def rotate_() -> None:
    """Put a new key on top of the key file: it seals from then on, the others go on opening. Then restart every process."""
    settings = load()
    try:
        count = rotate(settings)
    except (SealError, OSError) as problem:
        sys.exit(f"schemas seal: {problem}")
    print(
        f"{key_file(settings)} holds {count} keys; the new one seals. Keep a copy, and restart every process."
    )
