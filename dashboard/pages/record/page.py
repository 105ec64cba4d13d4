"""`/record/<kind>/<id>`: what stands where. The id is the rest of the address, whatever slashes and commas it has (`address`)."""

from datetime import datetime

from dash import html

from dashboard.components import record_rows
from dashboard.components.parts import Part, crumbs, section
from dashboard.components.record_address import record_of
from dashboard.components.record_fields import facts, raw
from dashboard.components.table import Row, Wish, table
from dashboard.components.unit_refs import commune_name, unit_link
from dashboard.pages.record import life
from dashboard.pages.record.deadline import bar, deadline
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.lives import BY_KIND
from schemas.events.kinds import BY_NAME, DOCUMENT, FEEDBACK, FILING, MEETING, Kind

MAX_NEAR = 10
BESIDE = {FILING: "beside_filing", FEEDBACK: "beside_feedback", DOCUMENT: "beside_document"}


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page. Raises `LookupError` for a kind or a record that is not there."""
    name, entity = record_of(asked)
    kind = BY_NAME.get(name)
    state = (
        ask.once(("state", name, entity), lambda: ask.records.state(kind, entity))
        if kind and entity
        else None
    )
    if kind is None or state is None:
        raise LookupError(asked.speech("no_record", record=entity or name))
    now = ask.clock.now()
    steps = (
        ask.once(("steps", name, entity), lambda: ask.lives.steps(kind, entity))
        if kind in BY_KIND
        else []
    )
    events = ask.once(("events", name, entity), lambda: ask.records.events(kind, entity))
    found = deadline(steps[-1], now, ask.place.calendar) if steps else None
    left: list[Part] = []
    if found is not None and kind is not MEETING:
        shape = bar(steps, now, ask.place.calendar)
        left.append(
            section(
                asked.speech("deadline_clock"),
                life.clock(found, shape, steps, asked, now),
                id="deadline",
            )
        )
    if steps:
        left.append(
            section(
                asked.speech("life"), life.timeline(ask, kind, steps, events, asked, now), id="life"
            )
        )
    elif kind in BY_KIND:
        left.append(
            section(
                asked.speech("life"),
                html.P(asked.speech("life_later"), className="quiet"),
                id="life",
            )
        )
    left.append(section(asked.speech("raw"), raw(kind, events, asked), id="events"))
    right = [
        section(asked.speech("facts"), facts(kind, state, ask.place, asked), id="facts"),
        _beside(ask, asked, kind, steps, now),
    ]
    return [
        html.Header(
            [
                _above(ask, asked, kind, state),
                html.H1(entity),
                *(life.headline(ask, kind, steps, state, found, asked, now) if found else []),
            ],
            className="heading",
        ),
        html.Div(
            [html.Div(left, className="column"), html.Div(right, className="column")],
            className="columns",
        ),
    ]


def _above(ask: PageContext, asked: PageRequest, kind: Kind, state: Row) -> Part:
    """The units that it belongs to, down to who holds it."""
    said = {state["commune"]: commune_name(state["commune"], ask.place, asked.speech)}
    codes = dict.fromkeys(
        code for code in (ask.place.code, state["commune"], state["agency"]) if code
    )
    steps = [unit_link(asked, ask.place, code, said.get(code)) for code in codes]
    return crumbs([*steps, kind.words(asked.spoken)], asked.speech("above"))


def _beside(
    ask: PageContext, asked: PageRequest, kind: Kind, steps: list[dict[str, object]], now: datetime
) -> Part:
    """The records nearest to it; None for a kind that has none."""
    if kind not in BESIDE or not steps:
        return None
    last = steps[-1]
    found = ask.once(
        ("beside", kind.name, last["entity_id"]),
        lambda: ask.records.beside(ask.clock, kind, last, MAX_NEAR),
    )
    speech = asked.speech
    heading = speech(BESIDE[kind])
    if not found.rows:
        return section(heading, html.P(speech("queue_empty"), className="quiet"), id="beside")
    holder = kind is not FILING
    shown = record_rows.columns(asked, ask.place, kind, now, sort=False, holder=holder)
    rest = (
        [
            html.P(
                speech("more_of_them", n=speech.number(found.total - len(found.rows))),
                className="quiet",
            )
        ]
        if found.total > len(found.rows)
        else []
    )
    return section(
        heading,
        table(asked, shown, found.rows, Wish(size=MAX_NEAR), label=heading, paging=False),
        *rest,
        id="beside",
    )
