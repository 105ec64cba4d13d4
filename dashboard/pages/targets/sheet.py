"""The scoreboard, and the series of a target, as files."""

from collections.abc import Iterator

from dashboard.components.sheet import Sheet
from dashboard.components.target_board import is_computed, local_day, named, shown, verification
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.scores import TargetStanding

HEADS = (
    *(
        "state",
        "target_name",
        "unit",
        "now",
        "old_figure",
        "aim",
        "measure_of",
        "due_day",
        "forecast",
        "steady",
        "course",
    ),
    *("reporter", "owner", "telephone", "reported_at", "source", "verified", "note"),
)
REPORTS = ("day", "value", "measure_of", "state", "period", "agency", "reported_at")


def sheet(context: PageContext, request: PageRequest) -> Sheet:
    """Return the table behind an address: targets in order, or the reports of the one named."""
    translator = request.translator
    whole, rows = shown(context, request)
    day = f"{local_day(whole):%Y%m%d}"
    if code := request.get("target"):
        return Sheet(
            f"{code}-{whole.unit}-{day}",
            [translator(key) for key in REPORTS],
            _series(named(whole, code, translator), request),
        )
    return Sheet(
        f"targets-{whole.unit}-{day}",
        [translator(key) for key in HEADS],
        (_line(one, request) for one in rows),
    )


def _line(one: TargetStanding, request: PageRequest) -> tuple[object, ...]:
    translator, target = request.translator, one.target
    return (
        one.status.label(request.language),
        target.label(request.language),
        one.unit,
        one.reading.value,
        translator("yes" if one.reading.stale else "no"),
        target.value,
        target.measure_unit,
        target.due,
        one.forecast.value if one.forecast else None,
        translator("yes" if one.forecast.steady else "no") if one.forecast else None,
        translator(f"trend_{one.direction}")
        if one.direction
        else translator("computed")
        if is_computed(one)
        else None,
        one.reporter.label(request.language),
        one.reporter.owner,
        one.reporter.telephone,
        one.reading.as_of,
        target.source,
        translator("yes" if target.verified else "no"),
        verification(target, translator),
    )


def _series(one: TargetStanding, request: PageRequest) -> Iterator[tuple[object, ...]]:
    for day, value in one.points:
        yield day, value, one.target.measure_unit, request.translator("used"), None, None, None
    for report, why in one.series.left_out:
        cells = (report.period, report.agency, report.reported_at)
        yield None, report.value, report.measure_unit, why.label(request.language), *cells
