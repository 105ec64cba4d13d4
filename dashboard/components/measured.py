"""Formats of figures with their units: counts, shares, hours, points, ranks."""

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
"""Message key by unit of measure of indicators.csv; other units follow the number as they are."""
SPLIT = ("%", "điểm")
"""Units shown with tenths."""


def measured(
    number: float | None, unit: str, translator: Translator, *, short: bool = False
) -> str:
    """Format a number with its unit, a dash if unknown; `short` omits zero tenths, as in 80%."""
    if number is None:
        return translator("none")
    digits = 1 if unit in SPLIT and not (short and number == round(number)) else 0
    written = translator.number(number, digits)
    return (
        translator(WORDS_OF[unit], n=written) if unit in WORDS_OF else f"{written} {unit}".strip()
    )


def read(code: str, found: Reading, translator: Translator) -> str:
    """Format the reading of a figure or an indicator with its unit."""
    if figure := BY_CODE.get(code):
        return value(found, figure, translator)
    listed = indicator(code)
    return measured(found.value, listed.measure_unit if listed else "", translator)


def named(code: str, translator: Translator) -> str:
    """Return the label of a figure or an indicator; an unknown code itself."""
    known = BY_CODE.get(code) or indicator(code)
    return known.label(translator.language) if known else code
