"""Boards in place of the map, for scenes without places: the most important rows that fit."""

from collections.abc import Sequence

from dash import html

from dashboard.components import target_board as targets_board
from dashboard.components.parts import Part, listed
from dashboard.components.score_bars import bar, points_label
from dashboard.components.target_cells import meter
from dashboard.i18n.translator import Translator
from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.cards import age
from dashboard.query.snapshot import ProvinceContext, Snapshot
from dashboard.query.store import Row
from schemas.events.kinds import KINDS
from schemas.scores import Score, TargetStanding
from schemas.sources.freshness import DEAD, Source, SourceState

MAX_MISSING = 4
LOSSES = 6
WORST_FIRST = (
    SourceState.SILENT,
    SourceState.MALFORMED,
    SourceState.LATE,
    SourceState.NEVER,
    SourceState.QUIET,
    SourceState.LIVE,
)


def meetings(
    backdrop: Backdrop, snapshot: Snapshot, place: ProvinceContext, translator: Translator
) -> list[Part]:
    """List the meetings in progress, with connected and missing sites; then the next meetings."""
    if backdrop.meetings is None:
        return [_calm(translator("loading"))]
    live = [_meeting(row, snapshot, place, translator) for row in backdrop.meetings] or [
        _calm(translator("no_meetings"))
    ]
    coming = [_coming(row, snapshot, place, translator) for row in backdrop.coming]
    return [
        *live,
        *(
            [html.H3(translator("next_meetings"), className="between", key="coming"), *coming]
            if coming
            else []
        ),
    ]


def _coming(row: Row, snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> Part:
    begins = translator("begins", time=translator.moment(row["started_at"], snapshot.at))
    facts = [
        place.agency(row["host"]).label(translator.language),
        translator("invited_sites", n=translator.number(len(row["invited"]))),
    ]
    return html.Article(
        [
            html.H3([html.B(row["title"] or row["entity_id"]), html.Span(begins, className="end")]),
            html.P([html.Span(fact) for fact in facts]),
        ],
        className="row",
        key=row["entity_id"],
    )


def _meeting(row: Row, snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> Part:
    there, invited = len(row["connected"]), len(row["invited"])
    names = [_site(code, place, translator) for code in row["missing"][:MAX_MISSING]]
    more = len(row["missing"]) - len(names)
    missing = (
        translator("missing_sites", names=", ".join(names))
        if names
        else translator("all_connected")
    )
    if more > 0:
        missing = translator("and_others", names=missing, n=more)
    label = translator(
        "sites", connected=translator.number(there), invited=translator.number(invited)
    )
    return html.Article(
        [
            html.H3([html.B(row["title"] or row["entity_id"]), html.Span(label, className="end")]),
            bar(there, invited, max(invited, 1), label),
            html.P(
                [
                    html.Span(place.agency(row["host"]).label(translator.language)),
                    html.Span(
                        translator("since", time=translator.moment(row["started_at"], snapshot.at))
                    ),
                    html.Span(missing),
                ]
            ),
        ],
        className="row",
        key=row["entity_id"],
    )


def _site(code: str, place: ProvinceContext, translator: Translator) -> str:
    known = place.agency(code)
    return (
        place.names.get(code) or place.names.get(known.commune) or known.label(translator.language)
    )


def targets(backdrop: Backdrop, translator: Translator) -> list[Part]:
    """List the targets, most urgent first: figure, aim, progress, trend."""
    if backdrop.targets is None:
        return [_calm(translator("loading"))]
    gravity = targets_board.GRAVITY
    ordered = sorted(
        backdrop.targets.standings,
        key=lambda one: (gravity.index(one.status), one.target.due, one.target.code),
    )
    return [_target(one, translator) for one in ordered] or [_calm(translator("no_targets"))]


def _target(one: TargetStanding, translator: Translator) -> Part:
    mark = {"p1": "p1", "p2": "p2", "p3": "p3", "unknown": "hatch"}.get(
        targets_board.CHIPS[one.status]
    )
    facts = [one.status.label(translator.language), targets_board.aim(one.target, translator)]
    if one.forecast is not None and not one.forecast.steady:
        facts.append(translator("heads_for", value=targets_board.ahead(one, translator)))
    return html.Article(
        [
            html.H3(
                [
                    *([html.I(className=f"shape {mark}")] if mark else []),
                    html.B(one.target.label(translator.language)),
                    html.Span(targets_board.now(one, translator), className="end"),
                ]
            ),
            meter(one, translator),
            html.P([*(html.Span(fact) for fact in facts), age(one.reading.as_of)]),
        ],
        className="row old" if one.reading.stale else "row",
        key=one.target.code,
    )


def index(backdrop: Backdrop, translator: Translator) -> list[Part]:
    """List the groups of the index with points won, lost and unknown; then the largest losses."""
    score = backdrop.score
    if score is None:
        return [_calm(translator("loading"))]
    groups = [
        _points(
            one.group.label(translator.language),
            one.points,
            one.known,
            one.group.points,
            one.group.code,
            translator,
        )
        for one in score.groups
    ]
    return [*groups, *_raising(score, translator)]


def _raising(score: Score, translator: Translator) -> Sequence[Part]:
    losses = score.losses[:LOSSES]
    if not losses:
        return []
    words = [
        html.Li(
            [
                html.Span(part.of.label(translator.language)),
                html.B(translator("points_lost", points=translator.number(part.lost, 1))),
            ]
        )
        for part in losses
    ]
    return [
        html.Section(
            [html.H3(translator("raise_most")), html.Ul(words)],
            className="row raising",
            key="raising",
        )
    ]


def _points(
    words: str, got: float | None, known: float, most: float, key: str, translator: Translator
) -> Part:
    label = points_label(got, most, translator)
    return html.Article(
        [
            html.H3([html.B(words), html.Span(label, className="end")]),
            bar(got or 0.0, known, most, f"{words}: {label}"),
        ],
        className="row",
        key=key,
    )


def sources(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> list[Part]:
    """Show every agreed feed as a mark, worst first, by kind; name those without current data."""
    rows = []
    for kind in KINDS:
        its = [one for one in snapshot.sources if one.kind == kind.name]
        its.sort(key=lambda one: (WORST_FIRST.index(one.state), one.agency))
        rows.append(_feed(kind.name, its, snapshot, place, translator))
    return [
        *rows,
        html.P(
            [_key(state, translator) for state in WORST_FIRST], className="row states", key="states"
        ),
    ]


def _feed(
    kind: str,
    its: Sequence[Source],
    snapshot: Snapshot,
    place: ProvinceContext,
    translator: Translator,
) -> Part:
    live = sum(one.state is SourceState.LIVE for one in its)
    dead = [one for one in its if one.state in DEAD]
    named: list[Part] = [
        html.Span([_site(one.commune or one.agency, place, translator), " ", age(one.received_at)])
        for one in dead[:MAX_MISSING]
    ]
    if len(dead) > MAX_MISSING:
        named.append(html.Span(translator("and_more", n=len(dead) - MAX_MISSING)))
    return html.Article(
        [
            html.H3(
                [
                    html.B(translator(f"feed_{kind}")),
                    html.Span(f"{translator.number(live)}/{translator.number(len(its))}"),
                    html.Span(age(snapshot.newest.get(kind)), className="end"),
                ]
            ),
            html.Div([html.I(className=f"cell {one.state}") for one in its], className="cells"),
            html.P(html.Span(listed(named)))
            if named
            else None,  # in one piece, so that no comma stands alone
        ],
        className="row",
        key=kind,
    )


def _key(state: SourceState, translator: Translator) -> Part:
    return html.Span(
        [html.I(className=f"cell {state}"), translator(f"state_{state}")], className="key"
    )


def _calm(words: str) -> Part:
    return html.P(words, className="calm", key="calm")
