"""Provide reference data.

Reading order: `table` (how a CSV file of `data/` becomes frozen structs), `agencies` (the agencies,
and what each agreed to send), `heirs` (which agency of today took over from which), `services`
(procedures and feedback categories), `statuses` (their order, and when the clock stops), `calendar`
(working time), `targets` (indicators and their targets), `criteria` (sets of criteria that units
are scored by), `known` (the codes that imported files may use), `unknown` (finds unknown codes in
events), `alarms` (rules of alarms).

All of it can be edited without changing code. Every row states from when it is valid, its source,
and whether it was verified; screens that use an unverified figure can say so. Rows with the source
"minh họa" (illustrative) are invented. Accessors are pure and cached.
"""

from schemas.reference.agencies import Agency, Feed, agencies, agency, prefix
from schemas.reference.alarms import Rule, alarm_rule, alarm_rules
from schemas.reference.calendar import (
    ZONE,
    OutsideCalendarError,
    WorkingCalendar,
    calendar,
    day_label,
)
from schemas.reference.criteria import (
    CriteriaGroup,
    CriteriaSet,
    Criterion,
    Grade,
    UnitKind,
    criteria_set,
    criteria_sets,
)
from schemas.reference.heirs import agency_today
from schemas.reference.known import Known, known
from schemas.reference.services import (
    DAY_HOURS,
    Category,
    Procedure,
    ServiceField,
    categories,
    category,
    category_label,
    fields,
    procedure,
    procedure_label,
    procedures,
)
from schemas.reference.statuses import StatusRule, statuses
from schemas.reference.targets import (
    IndicatorType,
    Target,
    indicator,
    indicators,
    provinces_with_targets,
    target,
    target_label,
    targets,
)

__all__ = [
    "DAY_HOURS",
    "ZONE",
    "Agency",
    "Category",
    "CriteriaGroup",
    "CriteriaSet",
    "Criterion",
    "Feed",
    "Grade",
    "IndicatorType",
    "Known",
    "OutsideCalendarError",
    "Procedure",
    "Rule",
    "ServiceField",
    "StatusRule",
    "Target",
    "UnitKind",
    "WorkingCalendar",
    "agencies",
    "agency",
    "agency_today",
    "alarm_rule",
    "alarm_rules",
    "calendar",
    "categories",
    "category",
    "category_label",
    "criteria_set",
    "criteria_sets",
    "day_label",
    "fields",
    "indicator",
    "indicators",
    "known",
    "prefix",
    "procedure",
    "procedure_label",
    "procedures",
    "provinces_with_targets",
    "statuses",
    "target",
    "target_label",
    "targets",
]
