"""One unit by a set of criteria: total or what is known of it, the published reading, what would raise it most, every item."""

from dash import dcc, html

from dashboard.components.actions import actions
from dashboard.components.measured import behind, named, read
from dashboard.components.parts import Part, age, chip, labelled, link, lost, nothing, section
from dashboard.components.score_bars import (
    bar,
    between,
    grade_words,
    item_bar,
    points_words,
    total_words,
)
from dashboard.components.scores import Kind, Published, league, published, scored, units
from dashboard.components.table import scrolled
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.speech import Translator
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.reference import CriteriaSet, Criterion
from schemas.scores import GroupScore, InputState, Question, Score, ScorePart

CHIPS = {
    InputState.KNOWN: "quiet",
    InputState.UNKNOWN: "unknown",
    InputState.STALE: "unknown",
    InputState.IMPOSSIBLE: "p2",
}
MAX_ITEMS = 5
"""How many items are named that would raise a score most."""


def unit(ask: PageContext, asked: PageRequest, criteria: CriteriaSet, code: str) -> Part:
    """The page of a unit. Raises `LookupError` with words to show for a code that nothing has."""
    speech, kinds = asked.speech, units(ask)
    if code not in kinds:
        raise LookupError(speech("unknown_unit", id=code))
    score = scored(ask, criteria).get(code)
    head = html.Div(
        [
            html.Hgroup(
                [html.H1(unit_name(code, ask.place, speech)), html.P(criteria.words(asked.spoken))]
            ),
            link(
                asked,
                speech("whole_league"),
                "/index",
                set=criteria.code,
                kind=kinds[code] if code != ask.place.code else None,
            ),
            html.Div(actions(asked), className="actions"),
        ],
        className="head",
    )
    if score is None:
        return [head, nothing(speech("not_scored"))]
    return [
        head,
        summary(ask, asked, criteria, code, score, kinds[code]),
        html.Div(
            [
                html.Div(
                    section(
                        speech("breakdown"), _breakdown(asked, score), id="breakdown", grow=True
                    ),
                    className="column",
                ),
                html.Div(
                    section(speech("raise_most"), losses(asked, score, code), id="losses"),
                    className="column",
                ),
            ],
            className="columns",
        ),
    ]


def summary(
    ask: PageContext,
    asked: PageRequest,
    criteria: CriteriaSet,
    code: str,
    score: Score,
    kind: Kind = "province",
) -> Part:
    """The total of a unit with its coverage and grade; for the province, beside it, what others published of it."""
    speech = asked.speech
    here = code == asked.get("unit")
    name: Part = (
        speech("live_reading")
        if here
        else link(asked, unit_name(code, ask.place, speech), "/index", set=criteria.code, unit=code)
    )
    grade = grade_words(score, speech)
    facts = [
        *([html.Span(grade)] if grade else []),
        html.Span(speech("covered", n=speech.number(score.coverage))),
        *([html.Span(between(score, speech))] if score.total is None else []),
        *(
            [html.Span(_rank(ask, criteria, kind, code, speech))]
            if kind != "province" and score.total is not None
            else []
        ),
    ]
    live = html.Article(
        [
            html.H3(name),
            html.P(
                [
                    html.B(
                        total_words(score, speech),
                        className="" if score.total is not None else "words",
                    )
                ],
                className="reading",
            ),
            html.Div(facts, className="detail"),
            _groups(score.groups, speech),
        ],
        className="card score",
        id="live",
    )
    other = published(ask, criteria) if code == ask.place.code else None
    return html.Div([live, *([_published(other, speech)] if other else [])], className="scores")


def _rank(
    ask: PageContext, criteria: CriteriaSet, kind: Kind, code: str, speech: Translator
) -> str:
    ranks = league(ask, criteria, kind)
    place = next((one.place for one in ranks if one.unit == code), None)
    return (
        speech("rank_in", place=place, n=sum(one.place is not None for one in ranks))
        if place
        else ""
    )


def _groups(groups: tuple[GroupScore, ...], speech: Translator) -> html.Ul:
    items = []
    for one in groups:
        words = one.group.words(speech.language)
        points = points_words(one.points, one.group.points, speech)
        line = bar(one.points or 0.0, one.known, one.group.points, f"{words}: {points}")
        items.append(html.Li([html.Span(words), html.B(points), line]))
    return html.Ul(items, className="groups")


def _published(other: Published, speech: Translator) -> html.Article:
    score, told = other.score, other.score.reported
    known = told is not None and told.value is not None
    old = known and told is not None and told.stale
    facts: list[Part] = []
    if known and not old:
        facts += [
            html.Span(
                speech(
                    "published_part",
                    n=speech.number(score.known),
                    most=speech.number(score.criteria.points),
                )
            )
        ]
    if other.rank.value is not None and other.ranked.value is not None:
        place, of = speech.number(other.rank.value), speech.number(other.ranked.value)
        mean = speech("none") if other.mean.value is None else speech.number(other.mean.value, 1)
        facts.append(html.Span(speech("published_rank", place=place, n=of, mean=mean)))
    if old:
        facts.insert(0, chip(speech("old_figure"), "unknown"))
    value = (
        speech.number(told.value, 1)
        if told is not None and told.value is not None
        else speech("published_none")
    )
    reading = [html.B(value, className="" if known else "words"), age(told.as_of if told else None)]
    return html.Article(
        [
            html.H3(speech("published_reading")),
            html.P(reading, className="reading"),
            html.Div(facts, className="detail"),
            *([_groups(score.groups, speech)] if other.known else []),
        ],
        className=f"card score{' stale' if old else ''}",
        id="published",
    )


def losses(asked: PageRequest, score: Score, code: str) -> Part:
    """The items that lose the most points, with the figure and a link to the records behind."""
    speech, lost = asked.speech, score.losses[:MAX_ITEMS]
    if not lost:
        return nothing(speech("nothing_lost"))
    return html.Ol([_loss(asked, one, code, speech) for one in lost], className="losses")


def _loss(asked: PageRequest, one: ScorePart, code: str, speech: Translator) -> html.Li:
    question = one.question
    reads = one.of.reads if isinstance(one.of, Criterion) else one.of.reported
    behind_it = []
    if question:
        words = speech("to_records", figure=named(question.figure, speech))
        behind_it = [dcc.Link(words, href=records(asked, question, code))]
    return html.Li(
        [
            html.Div(
                [
                    html.B(one.of.words(asked.spoken)),
                    html.Span(speech("loses", n=speech.number(one.lost, 1))),
                ]
            ),
            item_bar(one, speech),
            html.Small(
                [
                    f"{named(reads, speech)}: {read(reads, one.reading, speech)}",
                    *_counted(one, speech),
                ]
            ),
            *behind_it,
        ]
    )


def records(asked: PageRequest, question: Question, code: str) -> str:
    """The address of the records behind an item: those of the unit, filtered as the question says."""
    narrowed = {name: ",".join(values) for name, values in question.where if code not in values}
    return asked.link(f"/unit/{code}", records=question.figure, **narrowed)


def _counted(one: ScorePart, speech: Translator) -> list[Part]:
    words = behind(one.reading, speech)
    return [f" ({words})"] if words else []


def _breakdown(asked: PageRequest, score: Score) -> Part:
    speech = asked.speech
    heads = [speech(key) for key in ("item", "reads", "state", "age", "total")]
    rows: list[Part] = []
    for group in score.groups:
        points = points_words(group.points, group.group.points, speech)
        name = html.Th(group.group.words(asked.spoken), colSpan=4, scope="rowgroup")
        rows.append(html.Tr([name, html.Td(html.B(points), className="number")], className="group"))
        rows += [_item(asked, part) for part in group.parts]
    grid = html.Table(
        [
            html.Caption(speech("breakdown"), className="hidden"),
            html.Thead(
                html.Tr(
                    [
                        html.Th(one, scope="col", className="number" if one == heads[-1] else "")
                        for one in heads
                    ]
                )
            ),
            html.Tbody(rows),
        ]
    )
    return scrolled(grid, speech("breakdown"))


def _item(asked: PageRequest, one: ScorePart) -> html.Tr:
    speech, of = asked.speech, one.of
    assert isinstance(of, Criterion)
    note = of.noted(asked.spoken) or ("" if of.verified else speech("not_verified"))
    return html.Tr(
        [
            html.Td([of.words(asked.spoken), html.Small(note)]),
            html.Td(
                [
                    html.B(read(of.reads, one.reading, speech)),
                    html.Small(
                        [named(of.reads, speech), *_counted(one, speech), f" · {rule(of, speech)}"]
                    ),
                ]
            ),
            html.Td(chip(one.state.words(asked.spoken), CHIPS[one.state])),
            html.Td([age(one.reading.as_of), lost(one.reading, speech)]),
            html.Td(
                [html.Span(points_words(one.points, of.points, speech)), item_bar(one, speech)],
                className="number",
            ),
        ],
        className=f"is-{one.state.value}",
        **labelled(f"{of.words(asked.spoken)}: {points_words(one.points, of.points, speech)}"),
    )


def rule(of: Criterion, speech: Translator) -> str:
    """How a value becomes points, in words."""
    match of.rule:
        case "share":
            return speech("rule_share") if of.direction == "up" else speech("rule_left")
        case "linear":
            return speech(
                "rule_linear", zero=speech.number(of.zero or 0), full=speech.number(of.full or 0)
            )
        case "steps":
            steps = [
                speech("rule_step", points=speech.number(points), level=speech.number(level))
                for level, points in of.levels
            ]
            return speech("rule_steps", levels=", ".join(steps))
        case "reported":
            return speech("rule_reported")
