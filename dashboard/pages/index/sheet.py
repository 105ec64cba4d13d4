"""A league, or the items of one unit, as a file."""

from collections.abc import Iterator

from dashboard.components.measured import named
from dashboard.components.scores import LEAGUES, chosen_set, scored, scored_as, units
from dashboard.components.sheet import Sheet
from dashboard.components.unit_refs import name as unit_name
from dashboard.pages.index.page import kind_of, league_rows
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import ZONE, Criterion
from schemas.scores import Score

ITEMS = ("unit", "item", "total", "aim", "reads", "value", "state", "verified", "note", "age")


def sheet(context: PageContext, request: PageRequest) -> Sheet:
    """Return the table behind an address: a league below the province's row, or a unit's items."""
    translator, criteria = request.translator, chosen_set(context, request)
    what = request.get("unit") or request.get("kind", "all")
    name = f"index-{criteria.code}-{what}-{context.clock.now().astimezone(ZONE):%Y%m%d}"
    found = scored(context, criteria)
    if code := request.get("unit"):
        if code not in units(context):
            raise LookupError(translator("unknown_unit", id=code))
        if code not in found:
            raise LookupError(translator("not_scored"))
        words = unit_name(code, context.place, translator)
        return Sheet(name, [translator(key) for key in ITEMS], _items(words, found[code], request))
    kinds = [kind for kind in LEAGUES if criteria.scores(scored_as(kind))]
    rows = league_rows(context, request, criteria, kind_of(request, kinds)) if kinds else []
    place = context.place.code
    lines = (
        [_line(None, place, unit_name(place, context.place, translator), found[place], request)]
        if place in found
        else []
    )
    lines += [
        _line(row["rank"].place, row["rank"].unit, row["name"], row["rank"].score, request)
        for row in rows
    ]
    heads = ["#", *(translator(key) for key in ("code", "unit", "total", "grade", "data_coverage"))]
    return Sheet(
        name,
        [*heads, *(f"{one.label(request.language)} (/{one.points:g})" for one in criteria.groups)],
        lines,
    )


def _line(
    place: int | None, code: str, words: str, score: Score, request: PageRequest
) -> tuple[object, ...]:
    total = request.translator("not_enough") if score.total is None else score.total
    grade = score.grade.label(request.language) if score.grade else None
    return (
        place,
        code,
        words,
        total,
        grade,
        score.coverage,
        *(group.points for group in score.groups),
    )


def _items(words: str, score: Score, request: PageRequest) -> Iterator[tuple[object, ...]]:
    translator = request.translator
    for one in score.parts:
        reads = one.of.reads if isinstance(one.of, Criterion) else one.of.reported
        seen = translator("yes" if one.of.verified else "no")
        cells = (
            named(reads, translator),
            one.reading.value,
            one.state.label(request.language),
            seen,
            one.of.noted(request.language),
        )
        yield (
            words,
            one.of.label(request.language),
            one.points,
            one.of.points,
            *cells,
            one.reading.as_of,
        )
