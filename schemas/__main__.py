"""Run `python -m schemas generate | places … | seal …`."""

import sys
from typing import Annotated

import typer

from schemas.documents import files
from schemas.places.cli import app as places
from schemas.seal.cli import app as seal

cli = typer.Typer(no_args_is_help=True, help="Vocabulary and reference data.")
cli.add_typer(places, name="places")
cli.add_typer(seal, name="seal")


@cli.command()
def generate(
    check: Annotated[
        bool, typer.Option(help="Write nothing; exit with 1 if a file is out of date.")
    ] = False,
) -> None:
    """Write the files that derive from the vocabulary.

    They are the JSON Schemas and the generated pages of the docs.
    """
    late = [
        path
        for path, content in files().items()
        if not path.exists() or path.read_text() != content
    ]
    for path in late:
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files()[path])
        typer.echo(f"{'out of date' if check else 'wrote'}: {path.name}")
    if check and late:
        sys.exit(1)


if __name__ == "__main__":
    cli()
