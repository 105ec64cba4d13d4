"""What lists of records may show, sort by and be narrowed to: the fields of each kind, declared once.

The names are those of `dashboard.query.lists.fields`, and of the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind

Look = Literal[
    "record", "code", "unit", "moment", "left", "number", "text", "flag", "stars", "sites"
]
"""What kind of value a field has."""


@dataclass(frozen=True)
class ListField:
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


RECORD = ListField("entity_id", "record", "record", usual=True)
STATUS = ListField("status", "status", "code", usual=True, choice=True)
STANDING = ListField("standing", "standing", "code", choice=True)
OVERDUE = ListField("overdue", "is_overdue", "flag", choice=True)
AGENCY = ListField("agency", "holder", "unit", usual=True, choice=True)
COMMUNE = ListField("commune", "field_commune", "unit", usual=True, choice=True)
STARTED = ListField("started_at", "began", "moment", usual=True)
HELD = ListField("held_since", "held_since", "moment")
LEFT = ListField("left", "deadline", "left", usual=True, needs=("around", "overdue", "standing"))
DUE = ListField("due_at", "field_due_at", "moment")
CLOSED = ListField("closed_at", "closed_on", "moment")
LATE = ListField("late", "closed_late_flag", "flag", choice=True)
STANDS = (STATUS, STANDING, OVERDUE)
HOLDS = (AGENCY, COMMUNE)
CLOCK = (STARTED, HELD, LEFT, DUE, CLOSED, LATE)

FIELDS: Mapping[Kind, tuple[ListField, ...]] = {
    FILING: (
        RECORD,
        ListField("procedure", "field_procedure", "code", usual=True, choice=True),
        *STANDS,
        *HOLDS,
        ListField("channel", "field_channel", "code", usual=True, choice=True),
        ListField("applicant", "field_applicant", "code", choice=True),
        *CLOCK,
        ListField("service_level", "field_service_level", "code", choice=True),
        ListField("fee", "field_fee", "number"),
        ListField("paid_online", "field_paid_online", "flag", choice=True),
        ListField("digitisation", "field_digitisation", "code", choice=True),
        ListField("reuse", "field_reuse", "code", choice=True),
        ListField("satisfaction", "field_satisfaction", "stars", choice=True),
    ),
    FEEDBACK: (
        RECORD,
        ListField("category", "field_category", "code", usual=True, choice=True),
        ListField("description", "field_description", "text", usual=True, sort=False),
        *STANDS,
        *HOLDS,
        ListField("urgency", "field_urgency", "code", choice=True),
        ListField("address", "field_address", "text", sort=False),
        *CLOCK,
        ListField("rating", "field_rating", "stars", usual=True, choice=True),
        ListField("reopened", "times_reopened", "number"),
    ),
    DOCUMENT: (
        ListField("entity_id", "record", "record", usual=True, needs=("number", "notation")),
        ListField("subject", "field_subject", "text", usual=True, sort=False),
        ListField("priority", "field_priority", "code", usual=True, choice=True),
        *STANDS,
        ListField("from_organ", "field_from_organ", "unit", usual=True, choice=True),
        ListField("to_organ", "field_to_organ", "unit", usual=True, choice=True),
        ListField("agency", "holder", "unit", choice=True),
        ListField("commune", "field_commune", "unit", choice=True),
        ListField("document_type", "field_document_type", "code", choice=True),
        ListField("action", "field_action", "code", choice=True),
        ListField("signed", "field_signed", "flag", choice=True),
        *CLOCK,
        ListField("reason", "field_reason", "text"),
    ),
    MEETING: (
        RECORD,
        ListField("title", "field_title", "text", usual=True, sort=False),
        STATUS,
        ListField("agency", "host", "unit", usual=True, choice=True),
        ListField("commune", "field_commune", "unit", choice=True),
        ListField("started_at", "field_starts_at", "moment", usual=True),
        ListField("ends_at", "field_ends_at", "moment", usual=True, sort=False),
        ListField("invited", "field_invited", "sites", usual=True),
        ListField("connected", "field_connected", "sites", usual=True),
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


def choices(kind: Kind) -> tuple[ListField, ...]:
    """What a list is narrowed by: the main ones first."""
    known = {field.name: field for field in FIELDS[kind] if field.choice}
    return (
        *(known[name] for name in MAIN[kind]),
        *(field for name, field in known.items() if name not in MAIN[kind]),
    )


def field(kind: Kind, name: str) -> ListField | None:
    """The field of a name; None for one that lists of the kind do not have."""
    return next((one for one in FIELDS[kind] if one.name == name), None)
