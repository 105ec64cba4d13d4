"""`/records/<kind>`: the layout."""

from dataclasses import replace
from typing import Any

from dash import dcc, html

from dashboard.components import list_address as address
from dashboard.components.kind_screens import screens_of
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
"""Lifetime of cached counts of choices: they cost more than the rest of the page."""


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page.

    Raises:
        LookupError: the kind has no lists.
        ValueError: the address cannot be understood.
    """
    kind = address.kind_of(request)
    formatter = CellFormatter(kind, context.place, request.translator)
    wanted = address.read(request, context.place, formatter)
    total = context.cached(
        ("total", wanted.sought), lambda: context.lists.total(context.clock, wanted.sought)
    )
    # Past the last page, as when open records become fewer, show the last one.
    wanted = replace(wanted, page=min(wanted.page, max(1, -(-total // wanted.size))))
    names = tuple(one.name for one in choices(kind))
    counts = context.cached(
        ("choices", wanted.sought),
        lambda: context.lists.choices(context.clock, wanted.sought, names),
        seconds=CHOICES_SECONDS,
    )
    today = context.clock.now().astimezone(HERE).date()
    return [
        _head(request, wanted, total),
        html.Div(
            [filters.bar(request, wanted, formatter, counts, today), grid.columns(request, wanted)],
            className="above",
        ),
        filters.chosen(request, wanted, formatter, context.place),
        _rows(context, request, wanted, formatter, total),
    ]


def _rows(
    context: PageContext,
    request: PageRequest,
    wanted: address.Wanted,
    formatter: CellFormatter,
    total: int,
) -> Part:
    translator = request.translator
    if not total:
        if not (wanted.values or any(request.get(name) for name in address.OWN)):
            return html.Div(nothing(translator("no_data")), className="part")
        clear = dcc.Link(
            translator("clear_all"), href=address.without(request, *wanted.values, *address.OWN)
        )
        return html.Div(
            [
                nothing(translator("no_such_records"), translator("no_such_hint")),
                html.P(clear, className="clear-all"),
            ],
            className="part",
        )
    rows = context.cached(
        ("list", wanted.sought, wanted.order, wanted.needs, wanted.page, wanted.size),
        lambda: context.lists.page(
            context.clock,
            wanted.sought,
            wanted.needs,
            wanted.order,
            limit=wanted.size,
            skip=wanted.table_state.skip,
            total=total,
        ),
    )
    hint = html.P(translator("list_hint"), className="hint")
    return html.Section(
        [grid.grid(request, wanted, formatter, rows, total), hint], className="part list", id="list"
    )


def _head(request: PageRequest, wanted: address.Wanted, total: int) -> html.Header:
    translator = request.translator
    words = {life.kind.name: translator(screens_of(life.kind).title) for life in LIVES}
    here: dict[str, Any] = {"aria-current": "page"}
    kinds = [life.kind for life in LIVES]
    tabs = [
        html.B(words[one.name], **here)
        if one is wanted.kind
        else link(request, words[one.name], f"/records/{one.name}")
        for one in kinds
    ]
    return html.Header(
        [
            html.H1(wanted.kind.label(request.language)),
            html.Nav(tabs, className="tabs", **labelled(translator("kinds"))),
            html.Div(
                [
                    copy_link(request),
                    *(files(request, request.with_(page=None, size=None), total) if total else []),
                    html.Button(translator("print"), type="button", **marked("print")),
                ],
                className="actions",
            ),
        ],
        className="head",
    )
