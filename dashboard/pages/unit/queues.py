"""Records of a unit: the first of each queue that needs action, or all behind a figure."""

from collections.abc import Mapping
from datetime import datetime

from dash import dcc, html

from dashboard.components import record_rows
from dashboard.components.list_address import few, join_values
from dashboard.components.list_fields import choices, field
from dashboard.components.list_links import copy_link, files
from dashboard.components.parts import Part, link, nothing, section
from dashboard.components.table import TableState, table
from dashboard.components.unit_refs import UnitRef
from dashboard.query.records import ORDERS
from dashboard.request.address import FRAME, PageRequest
from dashboard.request.context import PageContext
from schemas.figures import BY_CODE, Figure, Readings

QUEUES = (
    ("filing.overdue", "queue_overdue", "left"),
    ("filing.due_soon", "queue_due_soon", "left"),
    ("feedback.open", "queue_feedback", "left"),
    ("document.waiting", "queue_documents", "urgent"),
)
"""Figures whose records need action: code, heading, sort order."""
TOP = 6
PREFIX = "records_"
SORTS = {
    "left": "left",
    "held": "held_since",
    "started": "started_at",
    "status": "status",
    "agency": "agency",
}
"""Sort order of the records behind a figure, and its name on list pages."""
OWN = ("records", f"{PREFIX}sort", f"{PREFIX}page")


def queues(
    context: PageContext, request: PageRequest, unit: UnitRef, readings: Readings, now: datetime
) -> list[Part]:
    """List the first records of each queue that the unit has, with their number."""
    shown = [one for one in QUEUES if one[0] in readings]
    return [
        section(
            request.translator(heading),
            *_queue(context, request, unit, code, order, now),
            id=f"queue-{code.replace('.', '-')}",
        )
        for code, heading, order in shown
    ]


def _queue(
    context: PageContext, request: PageRequest, unit: UnitRef, code: str, order: str, now: datetime
) -> list[Part]:
    translator, figure = request.translator, BY_CODE[code]
    found = context.cached(
        ("queue", unit.code, code),
        lambda: context.records.behind(
            context.clock, figure, unit.what, unit.code, order=order, limit=TOP
        ),
    )
    if not found.rows:
        return [html.P(translator("queue_empty"), className="quiet")]
    shown = record_rows.columns(
        request, context.place, figure.kind, now, sort=False, holder=unit.what != "agency"
    )
    more = link(
        request,
        translator("all_of_them", n=translator.number(found.total)),
        f"/unit/{unit.code}",
        records=code,
    )
    grid = table(
        request,
        shown,
        found.rows,
        TableState(size=TOP),
        label=figure.label(request.language),
        paging=False,
    )
    return [grid, html.P(more, className="more")] if found.total > len(found.rows) else [grid]


def behind(context: PageContext, request: PageRequest, unit: UnitRef, now: datetime) -> Part:
    """List a page of the records behind the figure in the address; None if it names none."""
    code = request.get("records")
    if not code:
        return None
    translator, figure = request.translator, BY_CODE.get(code)
    if figure is None:
        return section(
            translator("records_behind", figure=code),
            nothing(translator("wrong_address"), code),
            id="records",
        )
    table_state = TableState.of(request, PREFIX, "left", size=25)
    order = table_state.by if table_state.by in ORDERS else "left"
    only = {
        name: few(request, name, name)
        for name, _ in request.parameters
        if name not in (*OWN, *FRAME)
    }
    found = context.cached(
        ("behind", unit.code, code, table_state, tuple(only.items())),
        lambda: context.records.behind(
            context.clock,
            figure,
            unit.what,
            unit.code,
            only=only,
            order=order,
            down=table_state.down,
            limit=table_state.size,
            skip=table_state.skip,
        ),
    )
    heading = translator(
        "records_lost" if figure.whole else "records_behind", figure=figure.label(request.language)
    )
    close = link(request, translator("close"), f"/unit/{unit.code}")
    if not found.rows:
        return section(
            heading, html.P(translator("queue_empty"), className="quiet"), id="records", aside=close
        )
    whole = _as_list(request, figure, unit, only, table_state)
    taken = [
        copy_link(request),
        *files(request, whole, found.total),
        dcc.Link(translator("open_list"), href=whole),
        close,
    ]
    shown = record_rows.columns(request, context.place, figure.kind, now, sort=True)
    return section(
        heading,
        table(
            request, shown, found.rows, table_state, prefix=PREFIX, total=found.total, label=heading
        ),
        id="records",
        aside=html.Div(taken, className="taken"),
    )


def _as_list(
    request: PageRequest,
    figure: Figure,
    unit: UnitRef,
    only: Mapping[str, tuple[str, ...]],
    table_state: TableState,
) -> str:
    """Return the address of the list page that shows the same records."""
    known = {one.name for one in choices(figure.kind)}
    conditions: dict[str, str | None] = {
        name: join_values(values) for name, values in only.items() if name in known
    }
    conditions |= {"figure": figure.code, "unit": None if unit.what == "province" else unit.code}
    by = SORTS.get(table_state.by, "left")
    by = by if field(figure.kind, by) else "started_at"
    return request.link(
        f"/records/{figure.kind.name}", sort=f"-{by}" if table_state.down else by, **conditions
    )
