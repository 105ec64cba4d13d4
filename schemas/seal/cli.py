"""Run `python -m schemas seal open | rotate`."""

import sys
from typing import Annotated

import typer

from schemas.seal.identity import DecryptionError
from schemas.seal.keys import SealError, key_file, rotate, sealer
from schemas.seal.openings import note
from schemas.settings import load

app = typer.Typer(
    no_args_is_help=True,
    help=("Identities of reporters: for authorised staff of the centre, who hold the key."),
)


@app.command("open")
def open_(
    value: Annotated[str, typer.Argument(help="The encrypted text, sealed:1:….")],
    reason: Annotated[str, typer.Option(help="Reason for decrypting; it is kept in the log.")],
    entity: Annotated[
        str,
        typer.Option(help="Number of the report that it belongs to; it is kept in the log."),
    ] = "",
) -> None:
    """Decrypt an identity, after recording who, when and why in unmask.log in IOC_HOME."""
    settings = load()
    try:
        identity = sealer(settings).open(value)
        note(settings, value, reason=reason, entity=entity)
    except (SealError, DecryptionError, ValueError) as problem:
        sys.exit(f"schemas seal: {problem}")
    except OSError as error:
        sys.exit(f"schemas seal: not decrypted, as it cannot be recorded: {error}")
    print(identity)


@app.command("rotate")
def rotate_() -> None:
    """Add a new key, which encrypts from then on.

    The others still decrypt. Restart every process then.
    """
    settings = load()
    try:
        count = rotate(settings)
    except (SealError, OSError) as problem:
        sys.exit(f"schemas seal: {problem}")
    print(
        f"{key_file(settings)} holds {count} keys; the new one encrypts. "
        "Keep a copy, and restart every process."
    )
