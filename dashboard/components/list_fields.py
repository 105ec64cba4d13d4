"""Fields that lists of records may show, sort and filter by, declared once per kind.

The names are those of `dashboard.query.lists.fields`, and of addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.clickhouse.lives import LIVES
from schemas.declared import same, whole
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind

Look = Literal[
    "record", "code", "unit", "moment", "left", "number", "text", "flag", "stars", "sites"
]
"""What kind of value a field has."""


@dataclass(frozen=True, kw_only=True)
class ListField:
    """A field of a list; `words` is its message key."""

    name: str
    words: str
    look: Look
    usual: bool = False
    """Whether it is shown when the address does not name the columns."""
    choice: bool = False
    """Whether a list is filtered by its values."""
    sort: bool = True
    needs: tuple[str, ...] = ()
    """Other fields that its cell is made from."""

    def __post_init__(self) -> None:
        whole(
            f"field {self.name or '?'} of a list",
            (bool(self.name), "name"),
            (bool(self.words), "words, the key of what it is called"),
        )

    @property
    def short(self) -> bool:
        """Whether a cell is a name or a word that is not broken."""
        return self.look in ("record", "moment", "flag", "stars", "number")

    @property
    def number(self) -> bool:
        """Whether its cells are aligned to the right."""
        return self.look in ("moment", "left", "number", "stars")

    @property
    def worded(self) -> bool:
        """Whether it is sorted by label, unknown to ClickHouse: its codes have no order."""
        return self.look == "unit" or self.name in ("procedure", "category")

    @property
    def down(self) -> bool:
        """Whether the first click sorts from the greatest: the newest, the most."""
        return self.look in ("moment", "number", "stars", "flag")


RECORD = ListField(name="entity_id", words="record", look="record", usual=True)
STATUS = ListField(name="status", words="status", look="code", usual=True, choice=True)
STANDING = ListField(name="standing", words="standing", look="code", choice=True)
OVERDUE = ListField(name="overdue", words="is_overdue", look="flag", choice=True)
AGENCY = ListField(name="agency", words="holder", look="unit", usual=True, choice=True)
COMMUNE = ListField(name="commune", words="field_commune", look="unit", usual=True, choice=True)
STARTED = ListField(name="started_at", words="began", look="moment", usual=True)
HELD = ListField(name="held_since", words="held_since", look="moment")
LEFT = ListField(
    name="left", words="deadline", look="left", usual=True, needs=("around", "overdue", "standing")
)
DUE = ListField(name="due_at", words="field_due_at", look="moment")
CLOSED = ListField(name="closed_at", words="closed_on", look="moment")
LATE = ListField(name="late", words="closed_late_flag", look="flag", choice=True)
STANDS = (STATUS, STANDING, OVERDUE)
HOLDS = (AGENCY, COMMUNE)
CLOCK = (STARTED, HELD, LEFT, DUE, CLOSED, LATE)

FIELDS: Mapping[Kind, tuple[ListField, ...]] = {
    FILING: (
        RECORD,
        ListField(name="procedure", words="field_procedure", look="code", usual=True, choice=True),
        *STANDS,
        *HOLDS,
        ListField(name="channel", words="field_channel", look="code", usual=True, choice=True),
        ListField(name="applicant", words="field_applicant", look="code", choice=True),
        *CLOCK,
        ListField(name="service_level", words="field_service_level", look="code", choice=True),
        ListField(name="fee", words="field_fee", look="number"),
        ListField(name="paid_online", words="field_paid_online", look="flag", choice=True),
        ListField(name="digitisation", words="field_digitisation", look="code", choice=True),
        ListField(name="reuse", words="field_reuse", look="code", choice=True),
        ListField(name="satisfaction", words="field_satisfaction", look="stars", choice=True),
    ),
    FEEDBACK: (
        RECORD,
        ListField(name="category", words="field_category", look="code", usual=True, choice=True),
        ListField(
            name="description", words="field_description", look="text", usual=True, sort=False
        ),
        *STANDS,
        *HOLDS,
        ListField(name="urgency", words="field_urgency", look="code", choice=True),
        ListField(name="address", words="field_address", look="text", sort=False),
        *CLOCK,
        ListField(name="rating", words="field_rating", look="stars", usual=True, choice=True),
        ListField(name="reopened", words="times_reopened", look="number"),
    ),
    DOCUMENT: (
        ListField(
            name="entity_id",
            words="record",
            look="record",
            usual=True,
            needs=("number", "notation"),
        ),
        ListField(name="subject", words="field_subject", look="text", usual=True, sort=False),
        ListField(name="priority", words="field_priority", look="code", usual=True, choice=True),
        *STANDS,
        ListField(
            name="from_organ", words="field_from_organ", look="unit", usual=True, choice=True
        ),
        ListField(name="to_organ", words="field_to_organ", look="unit", usual=True, choice=True),
        ListField(name="agency", words="holder", look="unit", choice=True),
        ListField(name="commune", words="field_commune", look="unit", choice=True),
        ListField(name="document_type", words="field_document_type", look="code", choice=True),
        ListField(name="action", words="field_action", look="code", choice=True),
        ListField(name="signed", words="field_signed", look="flag", choice=True),
        *CLOCK,
        ListField(name="reason", words="field_reason", look="text"),
    ),
    MEETING: (
        RECORD,
        ListField(name="title", words="field_title", look="text", usual=True, sort=False),
        STATUS,
        ListField(name="agency", words="host", look="unit", usual=True, choice=True),
        ListField(name="commune", words="field_commune", look="unit", choice=True),
        ListField(name="started_at", words="field_starts_at", look="moment", usual=True),
        ListField(name="ends_at", words="field_ends_at", look="moment", usual=True, sort=False),
        ListField(name="invited", words="field_invited", look="sites", usual=True),
        ListField(name="connected", words="field_connected", look="sites", usual=True),
    ),
}
"""The fields of each kind, in the order of the columns."""
MAIN: Mapping[Kind, tuple[str, ...]] = {
    FILING: ("status", "overdue", "agency", "commune", "procedure", "channel"),
    FEEDBACK: ("status", "overdue", "agency", "commune", "category", "rating"),
    DOCUMENT: ("status", "overdue", "from_organ", "to_organ", "priority", "document_type"),
    MEETING: ("status", "agency", "commune"),
}
"""The filters shown in the bar; the others are in a menu."""


def check_lists(
    fields: Mapping[Kind, tuple[ListField, ...]], main: Mapping[Kind, tuple[str, ...]]
) -> None:
    """Check that every kind whose entities have a history has the fields and filters of its list.

    Raises:
        IncompleteDeclarationError: names the kinds that lack them, or a filter in the bar that is
            no choice among the fields.
    """
    kinds = [life.kind for life in LIVES]
    for what, declared in (("fields of lists", fields), ("filters in the bar of lists", main)):
        same(what, (one.name for one in declared), (one.name for one in kinds), "kind")
    for kind in kinds:
        chosen = {one.name for one in fields[kind] if one.choice}
        whole(
            f"list of {kind.name}",
            (bool(fields[kind]), "fields"),
            (bool(main[kind]), "main, the filters in its bar"),
            *((name in chosen, f"a field of the choice {name}") for name in main[kind]),
        )


check_lists(FIELDS, MAIN)


def choices(kind: Kind) -> tuple[ListField, ...]:
    """Return the filters of a list, the main ones first."""
    known = {field.name: field for field in FIELDS[kind] if field.choice}
    return (
        *(known[name] for name in MAIN[kind]),
        *(field for name, field in known.items() if name not in MAIN[kind]),
    )


def field(kind: Kind, name: str) -> ListField | None:
    """Return the field of a name; None if lists of the kind do not have it."""
    return next((one for one in FIELDS[kind] if one.name == name), None)
