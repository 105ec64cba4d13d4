"""`/sources`: every agency's feeds now and over a day, the league of timeliness, unknown codes, what was refused and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dash import html

from dashboard.components.parts import Part, age, chip, link, nothing, section
from dashboard.components.source_states import CHIPS, GRAVITY, HISTORY, state_word, strip
from dashboard.components.table import TableColumn, Wish, sorted_rows, table
from dashboard.components.unit_refs import unit_link
from dashboard.i18n.speech import Translator
from dashboard.pages.sources.unknown import unknown_codes, unknown_table
from dashboard.query.concurrent import beside
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import Agency
from schemas.sources.freshness import Source, SourceState
from schemas.sources.timeliness import SourceStanding


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page."""
    speech, chosen = asked.speech, asked.get("agency")
    timely = beside(lambda: ask.once("league", lambda: ask.sources.league(ask.clock), seconds=60))
    refused = beside(lambda: _refused(ask, asked, chosen))
    unknown = beside(lambda: unknown_table(ask, asked, chosen))
    sources = [one for one in ask.current_sources() if not chosen or one.agency == chosen]
    if chosen and not sources:
        raise LookupError(chosen)
    now = ask.clock.now()
    its_feeds = _feeds(ask, asked, sources, now)
    league = timely()
    return [
        html.H1(unit_link(asked, ask.place, chosen) if chosen else speech("nav_sources")),
        _counts(sources, asked, len(unknown_codes(ask, chosen))),
        html.Div(
            [
                section(
                    speech("feeds"), its_feeds, id="feeds", aside=_filter(asked, chosen), grow=True
                ),
                html.Div(
                    [
                        section(
                            speech("league"),
                            _league(
                                ask,
                                asked,
                                [one for one in league if not chosen or one.agency == chosen],
                            ),
                            id="league",
                        ),
                        section(speech("unknown_codes"), unknown(), id="unknown"),
                        section(speech("refused_lately"), refused(), id="refused"),
                    ],
                    className="column",
                ),
            ],
            className="columns",
        ),
    ]


def _counts(sources: Sequence[Source], asked: PageRequest, unknown: int) -> html.Ul:
    counts = Counter(one.state for one in sources)
    codes = html.A(chip(asked.speech("unknown_codes"), "p3"), href="#unknown")
    return html.Ul(
        [
            html.Li(
                [
                    chip(state_word(one, asked.speech), CHIPS[one] if counts[one] else "quiet"),
                    html.B(asked.speech.number(counts[one])),
                ]
            )
            for one in GRAVITY
        ]
        + ([html.Li([codes, html.B(asked.speech.number(unknown))])] if unknown else []),
        className="counts",
    )


def _filter(asked: PageRequest, chosen: str) -> Part:
    return link(asked, asked.speech("all_agencies"), "/sources") if chosen else None


def _feeds(ask: PageContext, asked: PageRequest, sources: Sequence[Source], now: datetime) -> Part:
    speech = asked.speech
    columns = (
        TableColumn(
            "agency",
            speech("agency"),
            lambda row: unit_link(asked, ask.place, row["agency"]),
            lambda row: ask.place.agency(row["agency"]).words(asked.spoken),
        ),
        TableColumn(
            "kind",
            speech("feed"),
            lambda row: speech(f"feed_{row['kind']}"),
            lambda row: row["kind"],
            short=True,
        ),
        TableColumn(
            "state",
            speech("state"),
            lambda row: chip(state_word(row["state"], speech), CHIPS[row["state"]]),
            lambda row: (GRAVITY.index(row["state"]), -row["missed"]),
        ),
        TableColumn(
            "heard",
            speech("last_heard"),
            lambda row: age(row["received_at"]),
            lambda row: row["received_at"],
            number=True,
        ),
        TableColumn("history", speech("last_day"), lambda row: row["strip"]),
        TableColumn("owner", speech("owner"), lambda row: _owner(ask.place.agency(row["agency"]))),
    )
    wish = Wish.of(asked, "", "state", size=25)
    rows = sorted_rows([_row(one) for one in sources], columns, wish)
    start = (wish.page - 1) * wish.size
    shown = [dict(row) for row in rows[start : start + wish.size]]
    keys = tuple((row["agency"], row["kind"]) for row in shown)
    spans = ask.once(
        ("day", keys), lambda: ask.sources.histories(keys, now - HISTORY, now), seconds=60
    )
    for row in shown:
        row["strip"] = strip(spans[row["agency"], row["kind"]], speech)
    return table(
        asked,
        columns,
        shown,
        wish,
        total=len(rows),
        label=speech("feeds"),
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


def _league(ask: PageContext, asked: PageRequest, league: Sequence[SourceStanding]) -> Part:
    speech = asked.speech
    if not league:
        return nothing(speech("no_league"))
    ranks = {one.agency: number for number, one in enumerate(league, 1)}
    columns = (
        TableColumn(
            "rank",
            "#",
            lambda row: speech.number(row["rank"]),
            lambda row: row["rank"],
            number=True,
        ),
        TableColumn(
            "agency",
            speech("agency"),
            lambda row: unit_link(asked, ask.place, row["agency"]),
        ),
        *(
            TableColumn(
                state.value,
                state_word(state, speech),
                _share(state, speech),
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
    wish = Wish.of(asked, "league_", "rank", size=15)
    rows = sorted_rows(
        [{"agency": one.agency, "rank": ranks[one.agency], "standing": one} for one in league],
        columns,
        wish,
    )
    start = (wish.page - 1) * wish.size
    return table(
        asked,
        columns,
        rows[start : start + wish.size],
        wish,
        prefix="league_",
        total=len(rows),
        label=speech("league"),
    )


def _share(state: SourceState, speech: Translator) -> Any:
    return lambda row: f"{speech.number(row['standing'].share(state), 1)}%"


def _sort(state: SourceState) -> Any:
    return lambda row: row["standing"].share(state)


def _refused(ask: PageContext, asked: PageRequest, chosen: str) -> Part:
    speech = asked.speech
    rows = ask.once(
        ("refused", chosen),
        lambda: ask.sources.refused(ask.clock, agency=chosen or None, limit=100),
    )
    if not rows:
        return nothing(speech("nothing_refused"))
    columns = (
        TableColumn(
            "agency",
            speech("agency"),
            lambda row: (
                ask.place.agency(row["agency"]).words(asked.spoken)
                if row["agency"]
                else speech("unknown_sender")
            ),
        ),
        TableColumn(
            "category",
            speech("category"),
            lambda row: row["category"],
            lambda row: row["category"],
            short=True,
        ),
        TableColumn(
            "count",
            speech("count"),
            lambda row: speech.number(row["count"]),
            lambda row: row["count"],
            number=True,
            first="down",
        ),
        TableColumn(
            "until",
            speech("last_time"),
            lambda row: age(row["until"]),
            lambda row: row["until"],
            number=True,
            first="down",
        ),
        TableColumn("reason", speech("reason"), lambda row: html.Small(row["reason"])),
    )
    wish = Wish.of(asked, "refused_", "-until", size=10)
    rows = sorted_rows(rows, columns, wish)
    start = (wish.page - 1) * wish.size
    return table(
        asked,
        columns,
        rows[start : start + wish.size],
        wish,
        prefix="refused_",
        total=len(rows),
        label=speech("refused_lately"),
    )
