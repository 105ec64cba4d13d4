"""Records as rows of a table, alike on every page: number, subject, status, holder, time left."""

from datetime import datetime, timedelta

from dash import dcc, html

from dashboard.components.kind_screens import screens_of
from dashboard.components.parts import Part
from dashboard.components.record_address import link_to
from dashboard.components.record_fields import code_label
from dashboard.components.table import Row, TableColumn
from dashboard.components.unit_refs import unit_link
from dashboard.i18n.translator import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from schemas.clickhouse.lives import BY_KIND
from schemas.events.codes import Priority
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, Kind
from schemas.reference import category_label, procedure_label


def record_link(
    request: PageRequest, kind: Kind, entity: str, text: Part = None, **parameters: str | None
) -> Part:
    """Link a record's number to its page."""
    return dcc.Link(
        text or short(kind, entity),
        href=link_to(request, kind, entity, **parameters),
        refresh=False,
    )


def short(kind: Kind, entity: str) -> str:
    """Return the number of a record for a table: without the receiver of a document."""
    return entity.rpartition("/")[0] if kind is DOCUMENT and entity.count("/") > 2 else entity


def status_label(kind: Kind, row: Row, language: str) -> str:
    """Return the status of a record in words; the code itself if it is unknown."""
    return code_label(screens_of(kind).statuses, row[BY_KIND[kind].status], language)


def what_label(kind: Kind, row: Row, language: str) -> str:
    """Return what a record is about, in a few words."""
    if kind is FILING:
        return procedure_label(row["procedure"], language)
    if kind is FEEDBACK:
        return category_label(row["category"], language)
    if kind is DOCUMENT:
        return str(row.get("subject") or row["document_type"])
    return str(row.get("title") or row["entity_id"])


def left(row: Row, translator: Translator) -> Part:
    """Show the time left on a record's clock, by how much it is overdue, or that it is paused."""
    if row["left"] is None:
        return html.Span(translator("none"), className="quiet")
    length, around = timedelta(milliseconds=abs(row["left"])), bool(row["around"])
    words = translator.clock_span(length, around)
    if row["overdue"]:
        return html.Span(
            [html.I(className="shape p2"), " ", translator("overdue_by", span=words)],
            className="overdue",
        )
    if row["standing"] == "paused":
        return html.Span(translator("paused_left", span=words), className="quiet")
    return translator("time_left", span=words)


def columns(
    request: PageRequest,
    place: ProvinceContext,
    kind: Kind,
    now: datetime,
    *,
    sort: bool,
    holder: bool = True,
) -> tuple[TableColumn, ...]:
    """Return the columns of a table of records; `sort` allows the orders of `RecordStore`."""
    translator = request.translator

    def by(row: Row) -> object:
        return row

    return (
        TableColumn(
            "started",
            translator("record"),
            lambda row: _number(request, kind, row),
            by if sort else None,
            first="down",
            short=True,
        ),
        TableColumn(
            "status",
            translator("status"),
            lambda row: status_label(kind, row, request.language),
            by if sort else None,
            short=True,
        ),
        *(
            [
                TableColumn(
                    "agency",
                    translator("holder"),
                    lambda row: unit_link(request, place, row["agency"]),
                    by if sort else None,
                )
            ]
            if holder
            else []
        ),
        TableColumn(
            "held",
            translator("held_since"),
            lambda row: translator.known_moment(row["held_since"], now),
            by if sort else None,
            number=True,
        ),
        TableColumn(
            "left",
            translator("deadline"),
            lambda row: left(row, translator),
            by if sort else None,
            number=True,
        ),
    )


def _number(request: PageRequest, kind: Kind, row: Row) -> list[Part]:
    number = (
        f"{row['number']}/{row['notation']}"
        if row.get("number") and row.get("notation")
        else short(kind, row["entity_id"])
    )
    words = what_label(kind, row, request.language)
    urgent = kind is DOCUMENT and row["priority"] >= Priority.FLASH
    flash: list[Part] = (
        [html.B(code_label(Priority, row["priority"], request.language)), " · "] if urgent else []
    )
    return [
        record_link(request, kind, row["entity_id"], number),
        html.Small([*flash, words], className="what"),
    ]
