"""A list as a file: what its address shows, on all pages, in its order and columns."""

from collections.abc import Iterator
from typing import Any

from dashboard.components.list_address import Wanted, kind_of, read
from dashboard.components.list_cells import CellFormatter
from dashboard.components.sheet import Sheet
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext


def sheet(context: PageContext, request: PageRequest) -> Sheet:
    """Return the list at `/records/<kind>` as a table whose rows are read as they are sent."""
    translator, now = request.translator, context.clock.now().astimezone(HERE)
    formatter = CellFormatter(kind_of(request), context.place, translator)
    wanted = read(request, context.place, formatter)
    unit = wanted.sought.unit or context.place.code
    heads = [translator("hours_left" if one.look == "left" else one.words) for one in wanted.shown]
    rows = _rows(context, wanted, formatter)
    return Sheet(
        f"{wanted.kind.name}-{unit}-{now:%Y%m%d-%H%M}",
        heads,
        rows,
        wanted.kind.label(request.language),
    )


def _rows(context: PageContext, wanted: Wanted, formatter: CellFormatter) -> Iterator[list[object]]:
    names = list(wanted.needs)
    places = [(one, names.index(one.name)) for one in wanted.shown]

    def line(values: tuple[Any, ...]) -> list[object]:
        return [
            formatter.number(dict(zip(names, values, strict=True)))
            if one.look == "record"
            else formatter.written(one, values[place])
            for one, place in places
        ]

    for block in context.lists.stream(context.clock, wanted.sought, names, wanted.order):
        yield from map(line, block)
