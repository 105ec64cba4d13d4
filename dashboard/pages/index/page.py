"""`/index`: the province's score, computed and published, and leagues of units; `?unit=`."""

from dash import dcc, html

from dashboard.components.actions import actions
from dashboard.components.parts import Part, chip, labelled, nothing, section
from dashboard.components.score_bars import between, group_cell, total_label
from dashboard.components.scores import (
    LEAGUES,
    LeagueKind,
    chosen_set,
    league,
    scored,
    scored_as,
    units,
)
from dashboard.components.table import Row, TableColumn, TableState, sorted_rows, table
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.translator import Translator, sort_key
from dashboard.pages.index.unit import summary, unit
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import ZONE, CriteriaSet, criteria_sets
from schemas.scores import Rank


def content(context: PageContext, request: PageRequest) -> Part:
    """Build the page."""
    criteria = chosen_set(context, request)
    if code := request.get("unit"):
        return unit(context, request, criteria, code)
    translator, place = request.translator, context.place
    kinds = [kind for kind in LEAGUES if criteria.scores(scored_as(kind))]
    whole = scored(context, criteria).get(place.code)
    return [
        html.Div(
            [
                html.H1(translator("nav_index")),
                set_tabs(context, request, criteria),
                html.Div(actions(request), className="actions"),
            ],
            className="head",
        ),
        *([summary(context, request, criteria, place.code, whole)] if whole else []),
        *([_leagues(context, request, criteria, kinds)] if kinds else []),
        notes(criteria, translator),
    ]


def set_tabs(context: PageContext, request: PageRequest, criteria: CriteriaSet) -> html.Nav:
    """Link to every set of criteria."""
    tabs = [
        dcc.Link(
            one.label(request.language),
            href=request.link("/index", set=one.code),
            className="here" if one == criteria else "",
        )
        for one in criteria_sets(context.clock.now().astimezone(ZONE).date())
    ]
    return html.Nav(tabs, className="tabs", **labelled(request.translator("sets")))


def notes(criteria: CriteriaSet, translator: Translator) -> html.Div:
    """Explain when a total is given, and say which items and grades are unverified."""
    doubtful = [item for item in criteria.items if not item.verified]
    points = translator.number(sum(item.points for item in doubtful))
    lines = [translator("coverage_rule", n=translator.number(criteria.coverage))]
    if doubtful:
        lines.append(
            translator("unverified_items", n=len(doubtful), all=len(criteria.items), points=points)
        )
    if not all(grade.verified for grade in criteria.grades):
        lines.append(translator("unverified_grades"))
    note = criteria.noted(translator.language)
    return html.Div(
        [html.P(one) for one in (*lines, *([f"{criteria.source}: {note}"] if note else []))],
        className="notes",
    )


def kind_of(request: PageRequest, kinds: list[LeagueKind]) -> LeagueKind:
    """Return the league that an address names; the first if it names none that exists."""
    return next((kind for kind in kinds if kind == request.get("kind")), kinds[0])


def _leagues(
    context: PageContext, request: PageRequest, criteria: CriteriaSet, kinds: list[LeagueKind]
) -> Part:
    translator, kind = request.translator, kind_of(request, kinds)
    all_units = units(context)
    tabs = [
        dcc.Link(
            [
                translator(f"units_{one}"),
                html.Small(translator.number(sum(each == one for each in all_units.values()))),
            ],
            href=request.with_(kind=one, sort=None, page=None),
            className="here" if one == kind else "",
        )
        for one in kinds
    ]
    rows = league_rows(context, request, criteria, kind)
    grid: Part = nothing(translator("not_enough"))
    if rows:
        grid = table(
            request,
            columns(request, criteria),
            rows,
            table_state(request),
            label=translator("league_of"),
            classes=lambda row: "whole" if row["rank"].score.complete else "without",
        )
    return section(
        translator("league_of"),
        grid,
        id="league",
        aside=html.Nav(tabs, className="tabs"),
        grow=True,
    )


def table_state(request: PageRequest) -> TableState:
    """Return the requested order of a league, which is not divided into pages."""
    return TableState.of(request, "", "place", size=1000)


def league_rows(
    context: PageContext, request: PageRequest, criteria: CriteriaSet, kind: LeagueKind
) -> list[Row]:
    """Return the rows of a league in the requested order, each with `rank` and `name`."""
    rows = [
        {"rank": one, "name": unit_name(one.unit, context.place, request.translator)}
        for one in league(context, criteria, kind)
    ]
    return sorted_rows(rows, columns(request, criteria), table_state(request))


def columns(request: PageRequest, criteria: CriteriaSet) -> tuple[TableColumn, ...]:
    """Return the columns of a league: rank, unit, total, coverage, then every group."""
    translator = request.translator
    return (
        TableColumn(
            "place",
            "#",
            lambda row: row["rank"].place or translator("none"),
            lambda row: row["rank"].place,
            number=True,
        ),
        TableColumn(
            "unit",
            translator("unit"),
            lambda row: dcc.Link(
                row["name"], href=request.link("/index", set=criteria.code, unit=row["rank"].unit)
            ),
            lambda row: sort_key(row["name"]),
            short=True,
        ),
        TableColumn(
            "total",
            translator("total"),
            lambda row: _total(row["rank"], translator),
            lambda row: row["rank"].score.total,
            True,
            "down",
        ),
        TableColumn(
            "coverage",
            translator("data_coverage"),
            lambda row: f"{translator.number(row['rank'].score.coverage)}%",
            lambda row: row["rank"].score.coverage,
            number=True,
            first="down",
        ),
        *(
            _group(number, one.label(request.language), one.code, translator)
            for number, one in enumerate(criteria.groups)
        ),
    )


def _group(number: int, words: str, code: str, translator: Translator) -> TableColumn:
    return TableColumn(
        code,
        words,
        lambda row: group_cell(row["rank"].score.groups[number], translator),
        lambda row: row["rank"].score.groups[number].points,
        first="down",
    )


def _total(rank: Rank, translator: Translator) -> Part:
    score = rank.score
    if score.total is None:
        return html.Span(
            chip(translator("not_enough"), "unknown"), title=between(score, translator)
        )
    return [
        html.Small(score.grade.label(translator.language) if score.grade else ""),
        html.B(total_label(score, translator)),
    ]
