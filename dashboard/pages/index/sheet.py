"""A league, or the items of one unit, as a file."""

from collections.abc import Iterator

from dashboard.components.measured import named
from dashboard.components.scores import LEAGUES, chosen_set, scored, scored_as, units
from dashboard.components.sheet import Sheet
from dashboard.components.unit_refs import name as unit_name
from dashboard.pages.index.page import kind_of, wished
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import ZONE, Criterion
from schemas.scores import Score

ITEMS = ("unit", "item", "total", "aim", "reads", "value", "state", "verified", "note", "age")


def sheet(ask: PageContext, asked: PageRequest) -> Sheet:
    """What the address shows: a league in its order with the province before it, or every item of the unit that it asks for."""
    speech, criteria = asked.speech, chosen_set(ask, asked)
    name = f"index-{criteria.code}-{asked.get('unit') or asked.get('kind', 'all')}-{ask.clock.now().astimezone(ZONE):%Y%m%d}"
    found = scored(ask, criteria)
    if code := asked.get("unit"):
        if code not in units(ask):
            raise LookupError(speech("unknown_unit", id=code))
        if code not in found:
            raise LookupError(speech("not_scored"))
        words = unit_name(code, ask.place, speech)
        return Sheet(name, [speech(key) for key in ITEMS], _items(words, found[code], asked))
    kinds = [kind for kind in LEAGUES if criteria.scores(scored_as(kind))]
    rows = wished(ask, asked, criteria, kind_of(asked, kinds)) if kinds else []
    place = ask.place.code
    lines = (
        [_line(None, place, unit_name(place, ask.place, speech), found[place], asked)]
        if place in found
        else []
    )
    lines += [
        _line(row["rank"].place, row["rank"].unit, row["name"], row["rank"].score, asked)
        for row in rows
    ]
    heads = ["#", *(speech(key) for key in ("code", "unit", "total", "grade", "data_coverage"))]
    return Sheet(
        name,
        [*heads, *(f"{one.words(asked.spoken)} (/{one.points:g})" for one in criteria.groups)],
        lines,
    )


def _line(
    place: int | None, code: str, words: str, score: Score, asked: PageRequest
) -> tuple[object, ...]:
    total = asked.speech("not_enough") if score.total is None else score.total
    grade = score.grade.words(asked.spoken) if score.grade else None
    return (
        place,
        code,
        words,
        total,
        grade,
        score.coverage,
        *(group.points for group in score.groups),
    )


def _items(words: str, score: Score, asked: PageRequest) -> Iterator[tuple[object, ...]]:
    speech = asked.speech
    for one in score.parts:
        reads = one.of.reads if isinstance(one.of, Criterion) else one.of.reported
        seen = speech("yes" if one.of.verified else "no")
        said = (
            named(reads, speech),
            one.reading.value,
            one.state.words(asked.spoken),
            seen,
            one.of.noted(asked.spoken),
        )
        yield words, one.of.words(asked.spoken), one.points, one.of.points, *said, one.reading.as_of
