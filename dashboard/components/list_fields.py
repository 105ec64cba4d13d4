"""What lists of records may show, sort by and be narrowed to: the fields of each kind, declared once.

The names are those of `dashboard.query.lists.fields`, and of the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind

Look = Literal["record", "code", "unit", "moment", "left", "number", "text", "flag", "stars", "sites"]
"""What kind of value a field has."""


@dataclass(frozen=True)
class Field:
    """A field of a list. `words` is the key of its words."""

    name: str
    words: str
    look: Look
    usual: bool = False
    """Whether it is shown when the address does not say which are."""
    choice: bool = False
    """Whether a list is narrowed by its values."""
    sort: bool = True
    needs: tuple[str, ...] = ()
    """Fields that its cell is made of, beside its own."""

    @property
    def short(self) -> bool:
        """Whether a cell is a name or a word that is not broken."""
        return self.look in ("record", "moment", "flag", "stars", "number")

    @property
    def number(self) -> bool:
        """Whether its cells are set to the right."""
        return self.look in ("moment", "left", "number", "stars")

    @property
    def worded(self) -> bool:
        """Whether it is sorted by its words, which ClickHouse does not know: the codes say nothing of their order."""
        return self.look == "unit" or self.name in ("procedure", "category")

    @property
    def down(self) -> bool:
        """Whether its first sorting is from the greatest: the newest, the most."""
        return self.look in ("moment", "number", "stars", "flag")


RECORD = Field("entity_id", "record", "record", usual=True)
STATUS = Field("status", "status", "code", usual=True, choice=True)
STANDING = Field("standing", "standing", "code", choice=True)
OVERDUE = Field("overdue", "is_overdue", "flag", choice=True)
AGENCY = Field("agency", "holder", "unit", usual=True, choice=True)
COMMUNE = Field("commune", "field_commune", "unit", usual=True, choice=True)
STARTED = Field("started_at", "began", "moment", usual=True)
HELD = Field("held_since", "held_since", "moment")
LEFT = Field("left", "deadline", "left", usual=True, needs=("around", "overdue", "standing"))
DUE = Field("due_at", "field_due_at", "moment")
CLOSED = Field("closed_at", "closed_on", "moment")
LATE = Field("late", "closed_late_flag", "flag", choice=True)
STANDS = (STATUS, STANDING, OVERDUE)
HOLDS = (AGENCY, COMMUNE)
CLOCK = (STARTED, HELD, LEFT, DUE, CLOSED, LATE)

FIELDS: Mapping[Kind, tuple[Field, ...]] = {
    FILING: (
        RECORD,
        Field("procedure", "field_procedure", "code", usual=True, choice=True),
        *STANDS,
        *HOLDS,
        Field("channel", "field_channel", "code", usual=True, choice=True),
        Field("applicant", "field_applicant", "code", choice=True),
        *CLOCK,
        Field("service_level", "field_service_level", "code", choice=True),
        Field("fee", "field_fee", "number"),
        Field("paid_online", "field_paid_online", "flag", choice=True),
        Field("digitisation", "field_digitisation", "code", choice=True),
        Field("reuse", "field_reuse", "code", choice=True),
        Field("satisfaction", "field_satisfaction", "stars", choice=True),
    ),
    FEEDBACK: (
        RECORD,
        Field("category", "field_category", "code", usual=True, choice=True),
        Field("description", "field_description", "text", usual=True, sort=False),
        *STANDS,
        *HOLDS,
        Field("urgency", "field_urgency", "code", choice=True),
        Field("address", "field_address", "text", sort=False),
        *CLOCK,
        Field("rating", "field_rating", "stars", usual=True, choice=True),
        Field("reopened", "times_reopened", "number"),
    ),
    DOCUMENT: (
        Field("entity_id", "record", "record", usual=True, needs=("number", "notation")),
        Field("subject", "field_subject", "text", usual=True, sort=False),
        Field("priority", "field_priority", "code", usual=True, choice=True),
        *STANDS,
        Field("from_organ", "field_from_organ", "unit", usual=True, choice=True),
        Field("to_organ", "field_to_organ", "unit", usual=True, choice=True),
        Field("agency", "holder", "unit", choice=True),
        Field("commune", "field_commune", "unit", choice=True),
        Field("document_type", "field_document_type", "code", choice=True),
        Field("action", "field_action", "code", choice=True),
        Field("signed", "field_signed", "flag", choice=True),
        *CLOCK,
        Field("reason", "field_reason", "text"),
    ),
    MEETING: (
        RECORD,
        Field("title", "field_title", "text", usual=True, sort=False),
        STATUS,
        Field("agency", "host", "unit", usual=True, choice=True),
        Field("commune", "field_commune", "unit", choice=True),
        Field("started_at", "field_starts_at", "moment", usual=True),
        Field("ends_at", "field_ends_at", "moment", usual=True, sort=False),
        Field("invited", "field_invited", "sites", usual=True),
        Field("connected", "field_connected", "sites", usual=True),
    ),
}
"""The fields of each kind, in the order of the columns."""
MAIN: Mapping[Kind, tuple[str, ...]] = {
    FILING: ("status", "overdue", "agency", "commune", "procedure", "channel"),
    FEEDBACK: ("status", "overdue", "agency", "commune", "category", "rating"),
    DOCUMENT: ("status", "overdue", "from_organ", "to_organ", "priority", "document_type"),
    MEETING: ("status", "agency", "commune"),
}
"""The choices that stand in the bar by themselves; the others are behind one of them."""


def choices(kind: Kind) -> tuple[Field, ...]:
    """What a list is narrowed by: the main ones first."""
    known = {field.name: field for field in FIELDS[kind] if field.choice}
    return (*(known[name] for name in MAIN[kind]), *(field for name, field in known.items() if name not in MAIN[kind]))


def field(kind: Kind, name: str) -> Field | None:
    """The field of a name; None for one that lists of the kind do not have."""
    return next((one for one in FIELDS[kind] if one.name == name), None)
