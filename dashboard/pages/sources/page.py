"""`/sources`: feeds of each agency now and over a day, timeliness, unknown codes, refusals."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dash import html

from dashboard.components.parts import Part, age, chip, link, nothing, section
from dashboard.components.source_states import (
    CHIPS,
    GRAVITY,
    HISTORY,
    state_counts,
    state_word,
    strip,
)
from dashboard.components.table import TableColumn, TableState, sorted_rows, table
from dashboard.components.unit_refs import unit_link
from dashboard.i18n.translator import Translator
from dashboard.pages.sources.unknown import unknown_codes, unknown_table
from dashboard.query.concurrent import run_concurrently
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import Agency
from schemas.sources.freshness import Source, SourceState
from schemas.sources.timeliness import SourceStanding


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page."""
    translator, chosen = request.translator, request.get("agency")
    timely = run_concurrently(
        lambda: context.cached("league", lambda: context.sources.league(context.clock), seconds=60)
    )
    refused = run_concurrently(lambda: _refused(context, request, chosen))
    unknown = run_concurrently(lambda: unknown_table(context, request, chosen))
    sources = [one for one in context.current_sources() if not chosen or one.agency == chosen]
    if chosen and not sources:
        raise LookupError(chosen)
    now = context.clock.now()
    its_feeds = _feeds(context, request, sources, now)
    league = timely()
    return [
        html.H1(unit_link(request, context.place, chosen) if chosen else translator("nav_sources")),
        _counts(sources, request, len(unknown_codes(context, chosen))),
        html.Div(
            [
                section(
                    translator("feeds"),
                    its_feeds,
                    id="feeds",
                    aside=_filter(request, chosen),
                    grow=True,
                ),
                html.Div(
                    [
                        section(
                            translator("league"),
                            _league(
                                context,
                                request,
                                [one for one in league if not chosen or one.agency == chosen],
                            ),
                            id="league",
                        ),
                        section(translator("unknown_codes"), unknown(), id="unknown"),
                        section(translator("refused_lately"), refused(), id="refused"),
                    ],
                    className="column",
                ),
            ],
            className="columns",
        ),
    ]


def _counts(sources: Sequence[Source], request: PageRequest, unknown: int) -> html.Ul:
    """Count the sources by state, and the unknown codes with a link to their table."""
    translator = request.translator
    if not unknown:
        return state_counts(sources, translator)
    codes = html.A(chip(translator("unknown_codes"), "p3"), href="#unknown")
    return state_counts(sources, translator, html.Li([codes, html.B(translator.number(unknown))]))


def _filter(request: PageRequest, chosen: str) -> Part:
    return link(request, request.translator("all_agencies"), "/sources") if chosen else None


def _feeds(
    context: PageContext, request: PageRequest, sources: Sequence[Source], now: datetime
) -> Part:
    translator = request.translator
    columns = (
        TableColumn(
            "agency",
            translator("agency"),
            lambda row: unit_link(request, context.place, row["agency"]),
            lambda row: context.place.agency(row["agency"]).label(request.language),
        ),
        TableColumn(
            "kind",
            translator("feed"),
            lambda row: translator(f"feed_{row['kind']}"),
            lambda row: row["kind"],
            short=True,
        ),
        TableColumn(
            "state",
            translator("state"),
            lambda row: chip(state_word(row["state"], translator), CHIPS[row["state"]]),
            lambda row: (GRAVITY.index(row["state"]), -row["missed"]),
        ),
        TableColumn(
            "heard",
            translator("last_heard"),
            lambda row: age(row["received_at"]),
            lambda row: row["received_at"],
            number=True,
        ),
        TableColumn("history", translator("last_day"), lambda row: row["strip"]),
        TableColumn(
            "owner", translator("owner"), lambda row: _owner(context.place.agency(row["agency"]))
        ),
    )
    table_state = TableState.of(request, "", "state", size=25)
    rows = sorted_rows([_row(one) for one in sources], columns, table_state)
    shown = [dict(row) for row in table_state.rows_of_page(rows)]
    keys = tuple((row["agency"], row["kind"]) for row in shown)
    spans = context.cached(
        ("day", keys), lambda: context.sources.histories(keys, now - HISTORY, now), seconds=60
    )
    for row in shown:
        row["strip"] = strip(spans[row["agency"], row["kind"]], translator)
    return table(
        request,
        columns,
        shown,
        table_state,
        total=len(rows),
        label=translator("feeds"),
        classes=lambda row: f"is-{row['state'].value}",
    )


def _row(one: Source) -> Mapping[str, Any]:
    return {
        "agency": one.agency,
        "kind": one.kind,
        "state": one.state,
        "received_at": one.received_at,
        "missed": one.missed,
    }


def _owner(found: Agency) -> Part:
    return [found.owner, html.Br(), html.Small(found.telephone)] if found.owner else ""


def _league(context: PageContext, request: PageRequest, league: Sequence[SourceStanding]) -> Part:
    translator = request.translator
    if not league:
        return nothing(translator("no_league"))
    ranks = {one.agency: number for number, one in enumerate(league, 1)}
    columns = (
        TableColumn(
            "rank",
            "#",
            lambda row: translator.number(row["rank"]),
            lambda row: row["rank"],
            number=True,
        ),
        TableColumn(
            "agency",
            translator("agency"),
            lambda row: unit_link(request, context.place, row["agency"]),
        ),
        *(
            TableColumn(
                state.value,
                state_word(state, translator),
                _share(state, translator),
                _sort(state),
                number=True,
                first="down",
            )
            for state in (
                SourceState.LIVE,
                SourceState.LATE,
                SourceState.SILENT,
                SourceState.MALFORMED,
            )
        ),
    )
    table_state = TableState.of(request, "league_", "rank", size=15)
    rows = sorted_rows(
        [{"agency": one.agency, "rank": ranks[one.agency], "standing": one} for one in league],
        columns,
        table_state,
    )
    return table(
        request,
        columns,
        table_state.rows_of_page(rows),
        table_state,
        prefix="league_",
        total=len(rows),
        label=translator("league"),
    )


def _share(state: SourceState, translator: Translator) -> Any:
    return lambda row: f"{translator.number(row['standing'].share(state), 1)}%"


def _sort(state: SourceState) -> Any:
    return lambda row: row["standing"].share(state)


def _refused(context: PageContext, request: PageRequest, chosen: str) -> Part:
    translator = request.translator
    rows = context.cached(
        ("refused", chosen),
        lambda: context.sources.refused(context.clock, agency=chosen or None, limit=100),
    )
    if not rows:
        return nothing(translator("nothing_refused"))
    columns = (
        TableColumn(
            "agency",
            translator("agency"),
            lambda row: (
                context.place.agency(row["agency"]).label(request.language)
                if row["agency"]
                else translator("unknown_sender")
            ),
        ),
        TableColumn(
            "category",
            translator("category"),
            lambda row: row["category"],
            lambda row: row["category"],
            short=True,
        ),
        TableColumn(
            "count",
            translator("count"),
            lambda row: translator.number(row["count"]),
            lambda row: row["count"],
            number=True,
            first="down",
        ),
        TableColumn(
            "until",
            translator("last_time"),
            lambda row: age(row["until"]),
            lambda row: row["until"],
            number=True,
            first="down",
        ),
        TableColumn("reason", translator("reason"), lambda row: html.Small(row["reason"])),
    )
    table_state = TableState.of(request, "refused_", "-until", size=10)
    rows = sorted_rows(rows, columns, table_state)
    return table(
        request,
        columns,
        table_state.rows_of_page(rows),
        table_state,
        prefix="refused_",
        total=len(rows),
        label=translator("refused_lately"),
    )
