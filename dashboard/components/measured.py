"""Figures as they are written with their units: a count, a share, hours, points, a rank; whether computed here or reported."""

from dashboard.components.parts import value
from dashboard.i18n.translator import Translator
from schemas.figures import BY_CODE, Reading
from schemas.reference import indicator

WORDS_OF = {
    "%": "in_percent",
    "điểm": "in_points",
    "hạng": "in_rank",
    "lượt": "in_times",
    "cuộc": "in_calls",
    "tổ": "in_teams",
    "doanh nghiệp": "in_firms",
    "tỉnh": "in_provinces",
}
"""Unit of measure of indicators.csv → its words; what is not here is written behind the number as it is."""
SPLIT = ("%", "điểm")
"""Units whose tenths tell something."""


def measured(
    number: float | None, unit: str, translator: Translator, *, short: bool = False
) -> str:
    """A number with its unit; a dash where it is not known. `short` leaves tenths out that are none, as in 80%."""
    if number is None:
        return translator("none")
    digits = 1 if unit in SPLIT and not (short and number == round(number)) else 0
    written = translator.number(number, digits)
    return (
        translator(WORDS_OF[unit], n=written) if unit in WORDS_OF else f"{written} {unit}".strip()
    )


def read(code: str, found: Reading, translator: Translator) -> str:
    """What a figure or an indicator reads, with its unit."""
    if figure := BY_CODE.get(code):
        return value(found, figure, translator)
    listed = indicator(code)
    return measured(found.value, listed.measure_unit if listed else "", translator)


def named(code: str, translator: Translator) -> str:
    """The words of a figure or an indicator; its code where nobody knows it."""
    known = BY_CODE.get(code) or indicator(code)
    return known.label(translator.language) if known else code


def behind(found: Reading, translator: Translator) -> str:
    """The numbers behind a share; empty where there are none."""
    if not found.whole or found.part is None:
        return ""
    return translator(
        "of_whole", part=translator.number(found.part), whole=translator.number(found.whole)
    )
