"""`/record/<kind>/<id>`: the layout. The id is the rest of the address, slashes included."""

from datetime import datetime

from dash import html

from dashboard.components import record_rows
from dashboard.components.kind_screens import screens_of
from dashboard.components.parts import Part, crumbs, section
from dashboard.components.record_address import record_of
from dashboard.components.record_fields import facts, raw
from dashboard.components.table import Row, TableState, table
from dashboard.components.unit_refs import commune_name, unit_link
from dashboard.pages.record import life
from dashboard.pages.record.deadline import bar, deadline
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.lives import BY_KIND
from schemas.events.kinds import BY_NAME, FILING, MEETING, Kind

MAX_NEAR = 10


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page.

    Raises:
        LookupError: there is no such kind or record.
    """
    name, entity = record_of(request)
    kind = BY_NAME.get(name)
    state = (
        context.cached(("state", name, entity), lambda: context.records.state(kind, entity))
        if kind and entity
        else None
    )
    if kind is None or state is None:
        raise LookupError(request.translator("no_record", record=entity or name))
    now = context.clock.now()
    steps = (
        context.cached(("steps", name, entity), lambda: context.lives.steps(kind, entity))
        if kind in BY_KIND
        else []
    )
    events = context.cached(("events", name, entity), lambda: context.records.events(kind, entity))
    found = deadline(steps[-1], now, context.place.calendar) if steps else None
    left: list[Part] = []
    if found is not None and kind is not MEETING:
        shape = bar(steps, now, context.place.calendar)
        left.append(
            section(
                request.translator("deadline_clock"),
                life.clock(found, shape, steps, request),
                id="deadline",
            )
        )
    if steps:
        left.append(
            section(
                request.translator("life"),
                life.timeline(context, kind, steps, events, request, now),
                id="life",
            )
        )
    elif kind in BY_KIND:
        left.append(
            section(
                request.translator("life"),
                html.P(request.translator("life_later"), className="quiet"),
                id="life",
            )
        )
    left.append(section(request.translator("raw"), raw(kind, events, request), id="events"))
    right = [
        section(
            request.translator("facts"), facts(kind, state, context.place, request), id="facts"
        ),
        _beside(context, request, kind, steps, now),
    ]
    return [
        html.Header(
            [
                _above(context, request, kind, state),
                html.H1(entity),
                *(life.headline(context, kind, steps, state, found, request, now) if found else []),
            ],
            className="heading",
        ),
        html.Div(
            [html.Div(left, className="column"), html.Div(right, className="column")],
            className="columns",
        ),
    ]


def _above(context: PageContext, request: PageRequest, kind: Kind, state: Row) -> Part:
    """Link the units that it belongs to, down to its holder."""
    names = {state["commune"]: commune_name(state["commune"], context.place, request.translator)}
    codes = dict.fromkeys(
        code for code in (context.place.code, state["commune"], state["agency"]) if code
    )
    steps = [unit_link(request, context.place, code, names.get(code)) for code in codes]
    return crumbs([*steps, kind.label(request.language)], request.translator("above"))


def _beside(
    context: PageContext,
    request: PageRequest,
    kind: Kind,
    steps: list[dict[str, object]],
    now: datetime,
) -> Part:
    """List the nearest records; None for a kind that lists none, or whose entities have no life."""
    nearby = screens_of(kind).nearby if kind in BY_KIND else ""
    if not nearby or not steps:
        return None
    last = steps[-1]
    found = context.cached(
        ("beside", kind.name, last["entity_id"]),
        lambda: context.records.nearest(context.clock, kind, last, MAX_NEAR),
    )
    translator = request.translator
    heading = translator(nearby)
    if not found.rows:
        return section(heading, html.P(translator("queue_empty"), className="quiet"), id="beside")
    holder = kind is not FILING
    shown = record_rows.columns(request, context.place, kind, now, sort=False, holder=holder)
    rest = (
        [
            html.P(
                translator("more_of_them", n=translator.number(found.total - len(found.rows))),
                className="quiet",
            )
        ]
        if found.total > len(found.rows)
        else []
    )
    return section(
        heading,
        table(request, shown, found.rows, TableState(size=MAX_NEAR), label=heading, paging=False),
        *rest,
        id="beside",
    )
