"""`/index`: the province's score by a set of criteria beside the published one, the leagues of its units; `?unit=` one."""

from dash import dcc, html

from dashboard.components.actions import actions
from dashboard.components.parts import Part, chip, labelled, nothing, section
from dashboard.components.score_bars import between, group_cell, total_words
from dashboard.components.scores import LEAGUES, Kind, chosen_set, league, scored, scored_as, units
from dashboard.components.table import Row, TableColumn, Wish, sorted_rows, table
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.speech import Translator, in_order
from dashboard.pages.index.unit import summary, unit
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import ZONE, CriteriaSet, criteria_sets
from schemas.scores import Rank


def content(ask: PageContext, asked: PageRequest) -> Part:
    """The page."""
    criteria = chosen_set(ask, asked)
    if code := asked.get("unit"):
        return unit(ask, asked, criteria, code)
    speech, place = asked.speech, ask.place
    kinds = [kind for kind in LEAGUES if criteria.scores(scored_as(kind))]
    whole = scored(ask, criteria).get(place.code)
    return [
        html.Div(
            [
                html.H1(speech("nav_index")),
                set_tabs(ask, asked, criteria),
                html.Div(actions(asked), className="actions"),
            ],
            className="head",
        ),
        *([summary(ask, asked, criteria, place.code, whole)] if whole else []),
        *([_leagues(ask, asked, criteria, kinds)] if kinds else []),
        notes(criteria, speech),
    ]


def set_tabs(ask: PageContext, asked: PageRequest, criteria: CriteriaSet) -> html.Nav:
    """Links to every set of criteria."""
    tabs = [
        dcc.Link(
            one.words(asked.spoken),
            href=asked.link("/index", set=one.code),
            className="here" if one == criteria else "",
        )
        for one in criteria_sets(ask.clock.now().astimezone(ZONE).date())
    ]
    return html.Nav(tabs, className="tabs", **labelled(asked.speech("sets")))


def notes(criteria: CriteriaSet, speech: Translator) -> html.Div:
    """By which rule there is a total, and what was not verified."""
    doubtful = [item for item in criteria.items if not item.verified]
    points = speech.number(sum(item.points for item in doubtful))
    said = [speech("coverage_rule", n=speech.number(criteria.coverage))]
    if doubtful:
        said.append(
            speech("unverified_items", n=len(doubtful), all=len(criteria.items), points=points)
        )
    if not all(grade.verified for grade in criteria.grades):
        said.append(speech("unverified_grades"))
    note = criteria.noted(speech.language)
    return html.Div(
        [html.P(one) for one in (*said, *([f"{criteria.source}: {note}"] if note else []))],
        className="notes",
    )


def kind_of(asked: PageRequest, kinds: list[Kind]) -> Kind:
    """The league that an address asks for, the first where it asks for none that there is."""
    return next((kind for kind in kinds if kind == asked.get("kind")), kinds[0])


def _leagues(
    ask: PageContext, asked: PageRequest, criteria: CriteriaSet, kinds: list[Kind]
) -> Part:
    speech, kind = asked.speech, kind_of(asked, kinds)
    all_units = units(ask)
    tabs = [
        dcc.Link(
            [
                speech(f"units_{one}"),
                html.Small(speech.number(sum(each == one for each in all_units.values()))),
            ],
            href=asked.with_(kind=one, sort=None, page=None),
            className="here" if one == kind else "",
        )
        for one in kinds
    ]
    rows = wished(ask, asked, criteria, kind)
    grid: Part = nothing(speech("not_enough"))
    if rows:
        grid = table(
            asked,
            columns(asked, criteria),
            rows,
            wish(asked),
            label=speech("league_of"),
            classes=lambda row: "whole" if row["rank"].score.complete else "without",
        )
    return section(
        speech("league_of"), grid, id="league", aside=html.Nav(tabs, className="tabs"), grow=True
    )


def wish(asked: PageRequest) -> Wish:
    """How a league is sorted; all of it stands on one page."""
    return Wish.of(asked, "", "place", size=1000)


def wished(ask: PageContext, asked: PageRequest, criteria: CriteriaSet, kind: Kind) -> list[Row]:
    """The rows of a league as an address asks for them: each has its `rank` and the `name` of its unit."""
    rows = [
        {"rank": one, "name": unit_name(one.unit, ask.place, asked.speech)}
        for one in league(ask, criteria, kind)
    ]
    return sorted_rows(rows, columns(asked, criteria), wish(asked))


def columns(asked: PageRequest, criteria: CriteriaSet) -> tuple[TableColumn, ...]:
    """The columns of a league: place, unit, total, coverage, then every group."""
    speech = asked.speech
    return (
        TableColumn(
            "place",
            "#",
            lambda row: row["rank"].place or speech("none"),
            lambda row: row["rank"].place,
            number=True,
        ),
        TableColumn(
            "unit",
            speech("unit"),
            lambda row: dcc.Link(
                row["name"], href=asked.link("/index", set=criteria.code, unit=row["rank"].unit)
            ),
            lambda row: in_order(row["name"]),
            short=True,
        ),
        TableColumn(
            "total",
            speech("total"),
            lambda row: _total(row["rank"], speech),
            lambda row: row["rank"].score.total,
            True,
            "down",
        ),
        TableColumn(
            "coverage",
            speech("data_coverage"),
            lambda row: f"{speech.number(row['rank'].score.coverage)}%",
            lambda row: row["rank"].score.coverage,
            number=True,
            first="down",
        ),
        *(
            _group(number, one.words(asked.spoken), one.code, speech)
            for number, one in enumerate(criteria.groups)
        ),
    )


def _group(number: int, words: str, code: str, speech: Translator) -> TableColumn:
    return TableColumn(
        code,
        words,
        lambda row: group_cell(row["rank"].score.groups[number], speech),
        lambda row: row["rank"].score.groups[number].points,
        first="down",
    )


def _total(rank: Rank, speech: Translator) -> Part:
    score = rank.score
    if score.total is None:
        return html.Span(chip(speech("not_enough"), "unknown"), title=between(score, speech))
    return [
        html.Small(score.grade.words(speech.language) if score.grade else ""),
        html.B(total_words(score, speech)),
    ]
