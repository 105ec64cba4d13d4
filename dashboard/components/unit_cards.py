"""Figures of a unit as cards: value, target, trend, age, and a link to the records behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dash import dcc, html

from dashboard.components.parts import Part, age, lost, share_text, sparkline, value
from dashboard.components.scores import enough
from dashboard.components.unit_refs import UnitRef
from dashboard.i18n.translator import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from schemas.events.kinds import Kind
from schemas.figures import FIGURES, UNKNOWN, Figure, MeasureUnit, Reading, Readings
from schemas.reference import Target

Trends = Mapping[str, Sequence[tuple[datetime, Reading]]]
KEY = (
    "filing.overdue",
    "filing.due_soon",
    "filing.on_time",
    "feedback.open",
    "feedback.overdue",
    "feedback.satisfied",
    "document.waiting",
    "document.overdue",
)
"""The figures that are shown first."""
URGENT_COUNTS = ("filing.overdue", "feedback.overdue", "document.overdue", "document.flash_waiting")
"""Counts of which even one needs attention."""


def key_cards(
    request: PageRequest, unit: UnitRef, place: ProvinceContext, readings: Readings, trends: Trends
) -> html.Div:
    """Build the cards of the key figures, without kinds of which the unit has no records."""
    shown = [
        figure for code in KEY for figure in FIGURES if figure.code == code and code in readings
    ]
    return html.Div(
        [card(request, unit, place, one, readings, trends) for one in shown], className="cards key"
    )


def kind_cards(
    request: PageRequest,
    unit: UnitRef,
    place: ProvinceContext,
    kind: Kind,
    readings: Readings,
    trends: Trends,
) -> Part:
    """Build the cards of a kind's other figures; None if the unit has no such records."""
    shown = [
        one for one in FIGURES if one.kind is kind and one.code not in KEY and one.code in readings
    ]
    if not shown:
        return None
    return html.Div(
        [card(request, unit, place, one, readings, trends) for one in shown],
        className="cards small",
    )


def card(
    request: PageRequest,
    unit: UnitRef,
    place: ProvinceContext,
    figure: Figure,
    readings: Readings,
    trends: Trends,
) -> html.Article:
    """Build the card of one figure."""
    translator, found = request.translator, readings.get(figure.code, UNKNOWN)
    aim = place.aim(figure.code)
    call = priority(figure, found, aim)
    chosen = request.get("records") == figure.code
    href = request.link(f"/unit/{unit.code}", records=None if chosen else figure.code)
    words = figure.label(translator.language)
    line = course([one for _, one in trends.get(figure.code, ())])
    classes = [
        "card",
        "stale" if found.stale else f"call-{call}" if call else "",
        "chosen" if chosen else "",
    ]
    trend = (
        [sparkline(line, trend_label(figure, line, translator), width=88, height=24)]
        if any(one is not None for one in line)
        else []
    )
    return html.Article(
        [
            html.H3(dcc.Link(words, href=href, title=sentence(figure, translator))),
            html.P([html.B(value(found, figure, translator)), *trend], className="reading"),
            html.P([*detail(found, aim, call, translator), age(found.as_of)], className="detail"),
        ],
        className=" ".join(name for name in classes if name),
    )


def course(days: Sequence[Reading]) -> list[float | None]:
    """Return the values of days as a line, with a gap for a day on which almost nothing happened.

    Without the gap, a share would drop at every weekend.
    """
    most = max((one.whole or 0 for one in days), default=0)
    return [one.value if enough(one, most) else None for one in days]


def priority(figure: Figure, found: Reading, aim: Target | None) -> int:
    """Return 2 for a figure that misses its target or counts urgent records; else 0."""
    if found.value is None or found.stale:
        return 0
    if aim is not None and not aim.met(found.value):
        return 2
    return 2 if figure.code in URGENT_COUNTS and found.value > 0 else 0


def detail(found: Reading, aim: Target | None, call: int, translator: Translator) -> list[Part]:
    """Return the lines below a figure: its target, missing sources, the counts behind a share."""
    lines: list[Part] = []
    if not found.stale and aim is not None:
        missed = call > 0
        words = translator(
            "below_target" if missed else "target",
            target=translator.percent(aim.value)
            if aim.measure_unit == "%"
            else translator.number(aim.value),
        )
        lines.append(html.Span([html.I(className="shape p2"), " ", words] if missed else words))
    if (dead := lost(found, translator)) is not None:
        lines.append(dead)
    if found.whole:
        lines.append(html.Span(share_text(found, translator)))
    return lines


def sentence(figure: Figure, translator: Translator) -> str:
    """Return a tooltip for a figure: its definition in English, its name in Vietnamese."""
    return figure.sentence if translator.language == "en" else figure.vi


def trend_label(figure: Figure, line: Sequence[float | None], translator: Translator) -> str:
    """Describe a trend from its first to its last known day, for screen readers."""
    known = [one for one in line if one is not None]
    digits = 0 if figure.unit is MeasureUnit.COUNT else 1
    return translator(
        "trend",
        days=len(line),
        first=translator.number(known[0], digits),
        last=translator.number(known[-1], digits),
    )
