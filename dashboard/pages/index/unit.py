"""One unit by a set of criteria: total or coverage, published score, largest losses, every item."""

from dash import dcc, html

from dashboard.components.actions import actions
from dashboard.components.measured import named, read
from dashboard.components.parts import (
    Part,
    age,
    chip,
    labelled,
    link,
    lost,
    nothing,
    section,
    share_text,
)
from dashboard.components.score_bars import (
    bar,
    between,
    grade_label,
    item_bar,
    points_label,
    total_label,
)
from dashboard.components.scores import LeagueKind, Published, league, published, scored, units
from dashboard.components.table import scrolled
from dashboard.components.unit_refs import name as unit_name
from dashboard.i18n.translator import Translator
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
"""Number of items named as those that would raise the score most."""


def unit(context: PageContext, request: PageRequest, criteria: CriteriaSet, code: str) -> Part:
    """Build the page of a unit.

    Raises:
        LookupError: nothing has the code; the message is for the screen.
    """
    translator, kinds = request.translator, units(context)
    if code not in kinds:
        raise LookupError(translator("unknown_unit", id=code))
    score = scored(context, criteria).get(code)
    head = html.Div(
        [
            html.Hgroup(
                [
                    html.H1(unit_name(code, context.place, translator)),
                    html.P(criteria.label(request.language)),
                ]
            ),
            link(
                request,
                translator("whole_league"),
                "/index",
                set=criteria.code,
                kind=kinds[code] if code != context.place.code else None,
            ),
            html.Div(actions(request), className="actions"),
        ],
        className="head",
    )
    if score is None:
        return [head, nothing(translator("not_scored"))]
    return [
        head,
        summary(context, request, criteria, code, score, kinds[code]),
        html.Div(
            [
                html.Div(
                    section(
                        translator("breakdown"),
                        _breakdown(request, score),
                        id="breakdown",
                        grow=True,
                    ),
                    className="column",
                ),
                html.Div(
                    section(translator("raise_most"), losses(request, score, code), id="losses"),
                    className="column",
                ),
            ],
            className="columns",
        ),
    ]


def summary(
    context: PageContext,
    request: PageRequest,
    criteria: CriteriaSet,
    code: str,
    score: Score,
    kind: LeagueKind = "province",
) -> Part:
    """Show a unit's total, coverage and grade; for the province, beside the published score."""
    translator = request.translator
    here = code == request.get("unit")
    name: Part = (
        translator("live_reading")
        if here
        else link(
            request,
            unit_name(code, context.place, translator),
            "/index",
            set=criteria.code,
            unit=code,
        )
    )
    grade = grade_label(score, translator)
    facts = [
        *([html.Span(grade)] if grade else []),
        html.Span(translator("covered", n=translator.number(score.coverage))),
        *([html.Span(between(score, translator))] if score.total is None else []),
        *(
            [html.Span(_rank(context, criteria, kind, code, translator))]
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
                        total_label(score, translator),
                        className="" if score.total is not None else "words",
                    )
                ],
                className="reading",
            ),
            html.Div(facts, className="detail"),
            _groups(score.groups, translator),
        ],
        className="card score",
        id="live",
    )
    other = published(context, criteria) if code == context.place.code else None
    return html.Div([live, *([_published(other, translator)] if other else [])], className="scores")


def _rank(
    context: PageContext, criteria: CriteriaSet, kind: LeagueKind, code: str, translator: Translator
) -> str:
    ranks = league(context, criteria, kind)
    place = next((one.place for one in ranks if one.unit == code), None)
    return (
        translator("rank_in", place=place, n=sum(one.place is not None for one in ranks))
        if place
        else ""
    )


def _groups(groups: tuple[GroupScore, ...], translator: Translator) -> html.Ul:
    items = []
    for one in groups:
        words = one.group.label(translator.language)
        points = points_label(one.points, one.group.points, translator)
        line = bar(one.points or 0.0, one.known, one.group.points, f"{words}: {points}")
        items.append(html.Li([html.Span(words), html.B(points), line]))
    return html.Ul(items, className="groups")


def _published(other: Published, translator: Translator) -> html.Article:
    score, reported = other.score, other.score.reported
    known = reported is not None and reported.value is not None
    old = known and reported is not None and reported.stale
    facts: list[Part] = []
    if known and not old:
        facts += [
            html.Span(
                translator(
                    "published_part",
                    n=translator.number(score.known),
                    most=translator.number(score.criteria.points),
                )
            )
        ]
    if other.rank.value is not None and other.ranked.value is not None:
        place, of = translator.number(other.rank.value), translator.number(other.ranked.value)
        mean = (
            translator("none")
            if other.mean.value is None
            else translator.number(other.mean.value, 1)
        )
        facts.append(html.Span(translator("published_rank", place=place, n=of, mean=mean)))
    if old:
        facts.insert(0, chip(translator("old_figure"), "unknown"))
    value = (
        translator.number(reported.value, 1)
        if reported is not None and reported.value is not None
        else translator("published_none")
    )
    reading = [
        html.B(value, className="" if known else "words"),
        age(reported.as_of if reported else None),
    ]
    return html.Article(
        [
            html.H3(translator("published_reading")),
            html.P(reading, className="reading"),
            html.Div(facts, className="detail"),
            *([_groups(score.groups, translator)] if other.known else []),
        ],
        className=f"card score{' stale' if old else ''}",
        id="published",
    )


def losses(request: PageRequest, score: Score, code: str) -> Part:
    """List the items that lose the most points, with their figure and a link to its records."""
    translator, lost = request.translator, score.losses[:MAX_ITEMS]
    if not lost:
        return nothing(translator("nothing_lost"))
    return html.Ol([_loss(request, one, code, translator) for one in lost], className="losses")


def _loss(request: PageRequest, one: ScorePart, code: str, translator: Translator) -> html.Li:
    question = one.question
    reads = one.of.reads if isinstance(one.of, Criterion) else one.of.reported
    behind_it = []
    if question:
        words = translator("to_records", figure=named(question.figure, translator))
        behind_it = [dcc.Link(words, href=records(request, question, code))]
    return html.Li(
        [
            html.Div(
                [
                    html.B(one.of.label(request.language)),
                    html.Span(translator("loses", n=translator.number(one.lost, 1))),
                ]
            ),
            item_bar(one, translator),
            html.Small(
                [
                    f"{named(reads, translator)}: {read(reads, one.reading, translator)}",
                    *_counted(one, translator),
                ]
            ),
            *behind_it,
        ]
    )


def records(request: PageRequest, question: Question, code: str) -> str:
    """Return the address of the unit's records that a question counts."""
    narrowed = {name: ",".join(values) for name, values in question.where if code not in values}
    return request.link(f"/unit/{code}", records=question.figure, **narrowed)


def _counted(one: ScorePart, translator: Translator) -> list[Part]:
    return [f" ({share_text(one.reading, translator)})"] if one.reading.whole else []


def _breakdown(request: PageRequest, score: Score) -> Part:
    translator = request.translator
    heads = [translator(key) for key in ("item", "reads", "state", "age", "total")]
    rows: list[Part] = []
    for group in score.groups:
        points = points_label(group.points, group.group.points, translator)
        name = html.Th(group.group.label(request.language), colSpan=4, scope="rowgroup")
        rows.append(html.Tr([name, html.Td(html.B(points), className="number")], className="group"))
        rows += [_item(request, part) for part in group.parts]
    grid = html.Table(
        [
            html.Caption(translator("breakdown"), className="hidden"),
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
    return scrolled(grid, translator("breakdown"))


def _item(request: PageRequest, one: ScorePart) -> html.Tr:
    translator, of = request.translator, one.of
    assert isinstance(of, Criterion)
    note = of.noted(request.language) or ("" if of.verified else translator("not_verified"))
    return html.Tr(
        [
            html.Td([of.label(request.language), html.Small(note)]),
            html.Td(
                [
                    html.B(read(of.reads, one.reading, translator)),
                    html.Small(
                        [
                            named(of.reads, translator),
                            *_counted(one, translator),
                            f" · {rule(of, translator)}",
                        ]
                    ),
                ]
            ),
            html.Td(chip(one.state.label(request.language), CHIPS[one.state])),
            html.Td([age(one.reading.as_of), lost(one.reading, translator)]),
            html.Td(
                [
                    html.Span(points_label(one.points, of.points, translator)),
                    item_bar(one, translator),
                ],
                className="number",
            ),
        ],
        className=f"is-{one.state.value}",
        **labelled(
            f"{of.label(request.language)}: {points_label(one.points, of.points, translator)}"
        ),
    )


def rule(of: Criterion, translator: Translator) -> str:
    """Describe how a value becomes points."""
    match of.rule:
        case "share":
            return translator("rule_share") if of.direction == "up" else translator("rule_left")
        case "linear":
            return translator(
                "rule_linear",
                zero=translator.number(of.zero or 0),
                full=translator.number(of.full or 0),
            )
        case "steps":
            steps = [
                translator(
                    "rule_step", points=translator.number(points), level=translator.number(level)
                )
                for level, points in of.levels
            ]
            return translator("rule_steps", levels=", ".join(steps))
        case "reported":
            return translator("rule_reported")
