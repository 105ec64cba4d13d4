"""Values of records as text (a code by its name, a flag as yes or no) and as cells of files.

In files, times and numbers stay typed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dash import html

from dashboard.components import record_rows, unit_refs
from dashboard.components.kind_screens import screens_of
from dashboard.components.list_fields import ListField
from dashboard.components.parts import Part
from dashboard.components.record_fields import CODES, code_label
from dashboard.i18n.translator import Translator, sort_key
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import Row
from dashboard.request.address import PageRequest
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, Kind
from schemas.figures.definition import HOURS
from schemas.places import fold
from schemas.reference import categories, category_label, procedure_label, procedures

YES = ("1", "True")


def sites(codes: Iterable[str]) -> list[str]:
    """Return the sites of a meeting, in order; some hosts send one twice, or an empty code."""
    return [code for code in dict.fromkeys(codes) if code]


@dataclass(frozen=True)
class CellFormatter:
    """Formats the values of one kind's records in one language; caches the few labels of codes."""

    kind: Kind
    place: ProvinceContext
    translator: Translator
    _known: dict[tuple[str, Any], str] = field(default_factory=dict)

    def label(self, name: str, value: object) -> str:
        """Return a field's value as text, a dash if unknown; the value may come from an address."""
        key = (name, value)
        if key not in self._known:
            self._known[key] = self._label(name, value)
        return self._known[key]

    def _label(self, name: str, value: object) -> str:
        translator, language, code = (
            self.translator,
            self.translator.language,
            "" if value is None else str(value),
        )
        if code == "":
            return translator("whole_province") if name == "commune" else translator("not_known")
        if name in ("overdue", "late", "signed", "paid_online"):
            return translator("yes" if code in YES else "no")
        if name == "commune":
            return unit_refs.commune_name(code, self.place, translator)
        if name in ("agency", "from_organ", "to_organ"):
            return unit_refs.name(code, self.place, translator)
        if name == "procedure":
            return procedure_label(code, language)
        if name == "category":
            return category_label(code, language)
        if name == "standing":
            return translator(
                {"open": "standing_open", "paused": "standing_paused"}.get(code, "standing_closed")
            )
        if name in ("rating", "satisfaction"):
            return translator("stars", n=code)
        codes = screens_of(self.kind).statuses if name == "status" else CODES.get(name)
        if codes is None:
            return code
        return code_label(codes, int(code) if code.isdecimal() else code, language)

    def in_order(self, name: str, values: Iterable[str]) -> list[str]:
        """Sort codes by label, as dictionaries do; ordinal ones (status, stars) by number."""
        known = list(values)
        if name in ("status", *CODES, "rating", "satisfaction"):
            codes = [
                str(one.value)
                for one in (
                    screens_of(self.kind).statuses if name == "status" else CODES.get(name, ())
                )
            ]
            return sorted(
                known, key=lambda one: (codes.index(one) if one in codes else len(codes), one)
            )
        if name == "standing":
            return sorted(known, key=["open", "paused", "closed"].index)
        if name in ("overdue", "late", "signed", "paid_online"):
            return sorted(known, reverse=True)
        return sorted(known, key=lambda one: (one == "", sort_key(self.label(name, one))))

    def ranked(self, name: str) -> tuple[tuple[str, int], ...]:
        """Return the known codes of a field with their ranks by label."""
        return tuple(
            (code, place) for place, code in enumerate(self.in_order(name, self.codes(name)))
        )

    def codes(self, name: str) -> list[str]:
        """Return the known codes of a field that is sorted by label."""
        if name == "procedure":
            return [one.code for one in procedures()]
        if name == "category":
            return [one.code for one in categories()]
        return (
            [*self.place.names, ""]
            if name == "commune"
            else [one.code for one in self.place.agencies]
        )

    def meant(self, text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the codes whose labels contain a text: the subject of a filing is a code."""
        name = {FILING: "procedure", FEEDBACK: "category"}.get(self.kind)
        if not name or not text:
            return ()
        wanted = fold(text)
        return (
            (
                name,
                tuple(code for code in self.codes(name) if wanted in fold(self.label(name, code)))
                or ("",),
            ),
        )

    def cell(self, one: ListField, row: Row, request: PageRequest) -> Part:
        """Build a cell of the table."""
        value: Any = row.get(one.name)
        translator = self.translator
        if one.look == "record":
            return record_rows.record_link(request, self.kind, row["entity_id"], self.number(row))
        if one.look == "left":
            return record_rows.left(row, translator)
        if value in (None, "", []) and one.name != "commune":
            return html.Span(translator("none"), className="quiet")
        if one.look == "unit":
            if not value:
                return html.Span(self.label(one.name, value), className="quiet")
            return unit_refs.unit_link(request, self.place, value, self.label(one.name, value))
        if one.look == "moment":
            return translator.due(value) if one.name == "due_at" else translator.known(value)
        if one.look == "number":
            return translator.number(value)
        if one.look == "sites":
            return translator.number(len(sites(value)))
        if one.look == "text":
            return html.Span(value, className="text", title=value)
        return html.Span(self.label(one.name, value), className="code")

    def number(self, row: Mapping[str, Any]) -> str:
        """Return the number by which people know a record."""
        if self.kind is DOCUMENT and row.get("number") and row.get("notation"):
            return f"{row['number']}/{row['notation']}"
        return record_rows.short(self.kind, row["entity_id"])

    def written(self, one: ListField, value: Any) -> object:
        """Return a cell of a file."""
        if value is None:
            return None
        if one.look == "left":
            return round(value / HOURS, 2)
        if one.look in ("moment", "number"):
            return value
        if one.look == "stars":
            return int(value)
        if one.look == "sites":
            return len(sites(value))
        return (
            str(value)
            if one.look in ("record", "text")
            else None
            if value == ""
            else self.label(one.name, value)
        )
