"""Reference data: agencies, procedures, categories, working time, indicators and targets; dated, sourced, edited without code.

Reading order: `table` (how a CSV file of `data/` becomes frozen structs), `agencies` (who, and what each promised to send),
`heirs` (which agency of today took over from which), `services` (procedures and feedback categories), `calendar` (working time),
`targets` (indicators and what is aimed at).

Every row says from when it is valid, where it is from, and whether that was verified; screens that use an unverified figure
can say so. Rows with the source "minh họa" (illustrative) are invented. Accessors are pure and cached.
"""

from schemas.reference.agencies import Agency, Feed, agencies, agency, prefix
from schemas.reference.calendar import ZONE, OutsideCalendarError, WorkingCalendar, calendar, day_words
from schemas.reference.heirs import agency_today
from schemas.reference.services import (
    DAY_HOURS,
    Category,
    Field,
    Procedure,
    categories,
    category,
    category_words,
    fields,
    procedure,
    procedure_words,
    procedures,
)
from schemas.reference.targets import IndicatorType, Target, indicator, indicators, target, targets

__all__ = [
    "DAY_HOURS",
    "ZONE",
    "Agency",
    "Category",
    "Feed",
    "Field",
    "IndicatorType",
    "OutsideCalendarError",
    "Procedure",
    "Target",
    "WorkingCalendar",
    "agencies",
    "agency",
    "agency_today",
    "calendar",
    "categories",
    "category",
    "category_words",
    "day_words",
    "fields",
    "indicator",
    "indicators",
    "prefix",
    "procedure",
    "procedure_words",
    "procedures",
    "target",
    "targets",
]
