"""The figures of a unit as cards: value, target, trend of the last days, age; a click shows the records behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dash import dcc, html

from dashboard.components.parts import Part, age, lost, sparkline, value
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
"""The figures that stand first."""
CALLING = ("filing.overdue", "feedback.overdue", "document.overdue", "document.flash_waiting")
"""Counts of which any one calls for somebody."""


def key_cards(
    request: PageRequest, unit: UnitRef, place: ProvinceContext, readings: Readings, trends: Trends
) -> html.Div:
    """The figures that are looked at first; those of kinds that the unit has nothing of are left out."""
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
    """The other figures of a kind; nothing where the unit has no such records."""
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
    """One figure."""
    translator, found = request.translator, readings.get(figure.code, UNKNOWN)
    aim = place.aim(figure.code)
    call = calls(figure, found, aim)
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
    """The values of days as a line; a day on which almost nothing happened is a gap, or a share would fall at every weekend."""
    most = max((one.whole or 0 for one in days), default=0)
    return [one.value if enough(one, most) else None for one in days]


def calls(figure: Figure, found: Reading, aim: Target | None) -> int:
    """Whether a figure calls (the priority, 0 for none): it misses its target, or counts what nobody may let happen."""
    if found.value is None or found.stale:
        return 0
    if aim is not None and not aim.met(found.value):
        return 2
    return 2 if figure.code in CALLING and found.value > 0 else 0


def detail(found: Reading, aim: Target | None, call: int, translator: Translator) -> list[Part]:
    """What stands below a figure: its target, or that it is old; which sources it lacks; how many it rests on."""
    said: list[Part] = []
    if not found.stale and aim is not None:
        missed = call > 0
        words = translator(
            "below_target" if missed else "target",
            target=translator.percent(aim.value)
            if aim.measure_unit == "%"
            else translator.number(aim.value),
        )
        said.append(html.Span([html.I(className="shape p2"), " ", words] if missed else words))
    if (dead := lost(found, translator)) is not None:
        said.append(dead)
    if found.whole:
        said.append(
            html.Span(
                translator(
                    "of_whole",
                    part=translator.number(found.part or 0),
                    whole=translator.number(found.whole),
                )
            )
        )
    return said


def sentence(figure: Figure, translator: Translator) -> str:
    """What a figure says, for who wants to know: in English its definition, in Vietnamese its name."""
    return figure.sentence if translator.language == "en" else figure.vi


def trend_label(figure: Figure, line: Sequence[float | None], translator: Translator) -> str:
    """A trend in words, for who cannot see it: from the first known day to the last."""
    known = [one for one in line if one is not None]
    digits = 0 if figure.unit is MeasureUnit.COUNT else 1
    return translator(
        "trend",
        days=len(line),
        first=translator.number(known[0], digits),
        last=translator.number(known[-1], digits),
    )
