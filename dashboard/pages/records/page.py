"""`/records/<kind>`: what stands where."""

from dataclasses import replace
from typing import Any

from dash import dcc, html

from dashboard.components import list_address as address
from dashboard.components.list_cells import CellFormatter
from dashboard.components.list_fields import choices
from dashboard.components.list_links import copy_link, files
from dashboard.components.parts import Part, labelled, link, marked, nothing
from dashboard.pages.records import filters, grid
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.lives import LIVES

CHOICES_SECONDS = 30.0
"""How long the counts of choices are good enough: they cost more than all else of the page."""


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page. Raises `LookupError` for a kind without lists, `ValueError` for an address that cannot be understood."""
    kind = address.kind_of(asked)
    teller = CellFormatter(kind, ask.place, asked.speech)
    wanted = address.read(asked, ask.place, teller)
    total = ask.once(("total", wanted.sought), lambda: ask.lists.total(ask.clock, wanted.sought))
    # Beyond the last page, as when what is open becomes less, there is the last one.
    wanted = replace(wanted, page=min(wanted.page, max(1, -(-total // wanted.size))))
    names = tuple(one.name for one in choices(kind))
    counts = ask.once(
        ("choices", wanted.sought),
        lambda: ask.lists.choices(ask.clock, wanted.sought, names),
        seconds=CHOICES_SECONDS,
    )
    today = ask.clock.now().astimezone(HERE).date()
    return [
        _head(asked, wanted, total),
        html.Div(
            [filters.bar(asked, wanted, teller, counts, today), grid.columns(asked, wanted)],
            className="above",
        ),
        filters.chosen(asked, wanted, teller, ask.place),
        _rows(ask, asked, wanted, teller, total),
    ]


def _rows(
    ask: PageContext, asked: PageRequest, wanted: address.Wanted, teller: CellFormatter, total: int
) -> Part:
    speech = asked.speech
    if not total:
        if not (wanted.values or any(asked.get(name) for name in address.OWN)):
            return html.Div(nothing(speech("no_data")), className="part")
        clear = dcc.Link(
            speech("clear_all"), href=address.without(asked, *wanted.values, *address.OWN)
        )
        return html.Div(
            [
                nothing(speech("no_such_records"), speech("no_such_hint")),
                html.P(clear, className="clear-all"),
            ],
            className="part",
        )
    rows = ask.once(
        ("list", wanted.sought, wanted.order, wanted.needs, wanted.page, wanted.size),
        lambda: ask.lists.page(
            ask.clock,
            wanted.sought,
            wanted.needs,
            wanted.order,
            limit=wanted.size,
            skip=(wanted.page - 1) * wanted.size,
            total=total,
        ),
    )
    hint = html.P(speech("list_hint"), className="hint")
    return html.Section(
        [grid.grid(asked, wanted, teller, rows, total), hint], className="part list", id="list"
    )


def _head(asked: PageRequest, wanted: address.Wanted, total: int) -> html.Header:
    speech = asked.speech
    words = {life.kind.name: speech(f"list_{life.kind.name}") for life in LIVES}
    here: dict[str, Any] = {"aria-current": "page"}
    kinds = [life.kind for life in LIVES]
    tabs = [
        html.B(words[one.name], **here)
        if one is wanted.kind
        else link(asked, words[one.name], f"/records/{one.name}")
        for one in kinds
    ]
    return html.Header(
        [
            html.H1(wanted.kind.words(asked.spoken)),
            html.Nav(tabs, className="tabs", **labelled(speech("kinds"))),
            html.Div(
                [
                    copy_link(asked),
                    *(files(asked, asked.with_(page=None, size=None), total) if total else []),
                    html.Button(speech("print"), type="button", **marked("print")),
                ],
                className="actions",
            ),
        ],
        className="head",
    )
