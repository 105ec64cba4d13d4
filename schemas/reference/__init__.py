"""Reference data: agencies, procedures, categories, working time, indicators, targets, rules of alarms.

Reading order: `table` (how a CSV file of `data/` becomes frozen structs), `agencies` (who, and what each promised to send),
`heirs` (which agency of today took over from which), `services` (procedures and feedback categories), `statuses` (their order, and
when the clock stands still), `calendar` (working time), `targets` (indicators and what is aimed at), `criteria` (sets of criteria
that units are scored by), `known` (codes that files may name), `alarms` (what calls for people).

All of it is edited without code. Every row says from when it is valid, where it is from, and whether that was verified; screens
that use an unverified figure can say so. Rows with the source "minh họa" (illustrative) are invented. Accessors are pure and
cached.
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
    aiming_provinces,
    indicator,
    indicators,
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
    "aiming_provinces",
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
    "statuses",
    "target",
    "target_label",
    "targets",
]
