"""Run `python -m schemas places …`: look up units, import outlines, derive the schematic ones."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from schemas import places
from schemas.places.atlas import DATA, OUTLINES
from schemas.places.imported import ImportRefusedError, import_outlines
from schemas.places.units import Commune, Province

app = typer.Typer(
    name="places", help="Provinces, communes and their outlines.", no_args_is_help=True
)


@cache
def out() -> Console:
    """Return the console for answers."""
    return Console()


@cache
def err() -> Console:
    """Return the console for messages, on standard error."""
    return Console(stderr=True)


@app.command("list")
def list_units(
    province: Annotated[
        str | None, typer.Argument(help="Province code; without it, the provinces.")
    ] = None,
) -> None:
    """List the provinces, or the communes of one."""
    units: list[Province] | list[Commune] = (
        places.provinces() if province is None else known(province)
    )
    table = Table("code", "name", "km²", "centre", "since")
    for unit in units:
        area = "" if unit.area_km2 is None else f"{unit.area_km2:,.2f}"
        table.add_row(
            unit.code,
            unit.full_name,
            area,
            f"{unit.lat:.4f}, {unit.lon:.4f}",
            str(unit.valid_from or ""),
        )
    out().print(table)


@app.command()
def show(
    code: Annotated[
        str, typer.Argument(help="Code of a province or commune of today, or of a former unit.")
    ],
) -> None:
    """Show what is known of a code.

    That is the unit of today, what it was made of, and the former unit of that code with its heirs.
    """
    here = places.atlas()
    if code in here.province_by_code:
        out().print(here.province_by_code[code], f"{len(places.communes(code))} communes")
    if code in here.commune_by_code:
        out().print(here.commune_by_code[code])
        for link in places.predecessors(code):
            out().print(
                f"  from {'' if link.default else 'a part of '}{link.former} "
                f"{places.former(link.former).full_name}"
            )
    try:
        out().print("until 2025-07-01:", places.former(code))
    except places.UnknownUnitError:
        if code not in here.province_by_code and code not in here.commune_by_code:
            raise fail(f"unknown code {code!r}") from None
        return
    for link in here.successors.get(code, ()):
        out().print(
            f"  to {link.code} {places.commune(link.code).full_name}"
            f"{'' if link.default else ' (a lesser part)'}"
        )


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="GeoJSON FeatureCollection, WGS84 (EPSG:4326).", exists=True, dir_okay=False
        ),
    ],
    code_property: Annotated[
        str, typer.Option(help="The property of a feature that holds its commune code.")
    ],
    name_property: Annotated[
        str | None, typer.Option(help="With --create: the property that holds the name.")
    ] = None,
    province: Annotated[
        str | None,
        typer.Option(help="Accept communes of this province only; with --create, its code."),
    ] = None,
    create: Annotated[
        bool,
        typer.Option(
            "--create", help="Define an additional place whose communes are the features."
        ),
    ] = False,
    name: Annotated[str | None, typer.Option(help="With --create: the place's name.")] = None,
) -> None:
    """Import official outlines of known communes, or with --create an additional place.

    An earlier import of the same province is replaced.
    """
    here = places.atlas()
    new = None
    if create:
        if province is None:
            raise fail("--create needs --province CODE")
        if province in here.province_by_code and province not in here.additional:
            raise fail(
                f"--create: {province} is {here.province_by_code[province].full_name}; "
                "choose another code"
            )
        new = Province(
            code=province,
            name=name or province,
            type="",
            lat=0,
            lon=0,
            source=file.name,
            verified=True,
        )
    elif province is not None:
        known(province)
    try:
        done = import_outlines(
            file,
            places.places_folder(),
            {code: one.province for code, one in here.commune_by_code.items()},
            code_property=code_property,
            name_property=name_property,
            province=new,
            only=province,
        )
    except ImportRefusedError as error:
        raise fail(f"nothing was imported.\n{error}") from error
    for line in done.warnings:
        err().print(f"warning: {line}", style="yellow", highlight=False)
    for code, count in done.written.items():
        out().print(f"{places.province(code).full_name} ({code}): {count} outlines")


@app.command()
def build(
    province: Annotated[
        list[str] | None,
        typer.Argument(help=("Province codes, to build only some and look at them.")),
    ] = None,
    tables: Annotated[
        bool,
        typer.Option(
            "--tables", help=("Derive the tables in data/, too; overwrites edits made by hand.")
        ),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for the outlines; by default that of the committed ones."),
    ] = None,
) -> None:
    """Derive the schematic outlines from their open sources, and print how well they fit.

    This takes about four minutes.
    """
    from schemas.places.outlines import sources

    try:
        from schemas.places import measure
        from schemas.places.outlines import build as outliner
        from schemas.places.outlines.tables import write
    except ImportError as error:
        raise fail(
            f"{error.name} is not installed: pip install -e '.[outlines]', or make outlines"
        ) from error
    steps = ("sources", "coast", "country", *(province or [one.code for one in places.provinces()]))
    bar = Progress(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err(),
    )
    try:
        with bar if err().is_terminal else nullcontext():
            task = bar.add_task("", total=len(steps))
            if tables:
                write(DATA)
            outliner.build(
                folder or OUTLINES,
                province or (),
                lambda step: bar.update(task, description=step, advance=1),
            )
    except sources.MissingSourceError as error:
        raise fail(str(error)) from error
    out().print(measure.report(folder or OUTLINES), highlight=False)


@app.command("measure")
def measure_outlines() -> None:
    """Print how well the committed outlines fit known areas and centres (needs shapely)."""
    try:
        from schemas.places import measure
    except ImportError as error:
        raise fail(
            f"{error.name} is not installed: pip install -e '.[outlines]', or make outlines"
        ) from error
    out().print(measure.report(OUTLINES), highlight=False)


def known(province: str) -> list[Commune]:
    """Return the communes of a province, or end the command with the reason."""
    try:
        return places.communes(province)
    except places.UnknownUnitError as error:
        raise fail(str(error)) from error


def fail(reason: str) -> typer.Exit:
    """Print the reason on stderr and return the exit to raise."""
    err().print(reason, style="red", highlight=False, markup=False)
    return typer.Exit(1)
