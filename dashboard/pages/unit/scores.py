"""Scores of a unit by each set of criteria: total or "not enough data", groups, largest losses."""

from functools import partial

from dash import html

from dashboard.components.parts import Part, labelled, link, section
from dashboard.components.unit_refs import UnitRef
from dashboard.i18n.translator import Translator
from dashboard.query import scoreboard
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.figures import BY_CODE
from schemas.reference import ZONE, criteria_sets
from schemas.scores import GroupScore, Score, ScorePart

LOSSES = 3


def score_sections(context: PageContext, request: PageRequest, unit: UnitRef) -> list[Part]:
    """Build a section per set of criteria; none for a unit that is not scored or not in force."""
    if unit.elsewhen:
        return []
    sets = [
        one
        for one in criteria_sets(context.clock.now().astimezone(ZONE).date())
        if one.scores(unit.what)
    ]
    found = []
    for one in sets:
        scores = context.cached(
            ("score", one.code, unit.code),
            partial(
                scoreboard.score_units,
                context.store,
                context.clock,
                context.place.code,
                one.code,
                {unit.code: unit.what},
                context.units(),
            ),
            seconds=30,
        )
        found.append(
            section(
                one.label(request.language),
                *_score(request, unit, scores[unit.code]),
                id=f"score-{one.code}",
            )
        )
    return found


def _score(request: PageRequest, unit: UnitRef, score: Score) -> list[Part]:
    translator, total, grade = request.translator, score.total, score.grade
    covered = translator("coverage", share=translator.percent(round(score.coverage, 1)))
    if total is None:
        head = [
            html.B([html.I(className="shape hatch"), " ", translator("not_enough")]),
            html.Span(covered, className="quiet"),
        ]
    else:
        head = [
            html.B(translator.number(total, 1)),
            html.Span(translator("of_points", points=translator.number(score.criteria.points))),
            *([html.Span(grade.label(request.language), className="grade")] if grade else []),
            *([html.Span(covered, className="quiet")] if score.coverage < 100 else []),
        ]
    losses = [_loss(request, unit, one) for one in score.losses[:LOSSES]]
    return [
        html.P(head, className="total"),
        html.Ul([_group(one, translator) for one in score.groups], className="groups"),
        *([html.H3(translator("losses")), html.Ul(losses, className="losses")] if losses else []),
        *([html.P(translator("unverified"), className="quiet note")] if score.unverified else []),
    ]


def _group(one: GroupScore, translator: Translator) -> html.Li:
    """Draw a group as a bar: points won grey, points lost empty, unknown points hatched."""
    most, got = one.group.points, one.points or 0.0
    unknown = most - one.known
    words = (
        translator("none") if one.points is None else translator.number(got, 1)
    ) + f" / {translator.number(most)}"
    label = translator(
        "group_told",
        name=one.group.label(translator.language),
        points=words,
        share=translator.percent(round(one.coverage, 1)),
    )
    bar = html.Span(
        [
            html.I(className="got", style={"width": f"{100 * got / most:.2f}%"}),
            html.I(
                className="lost", style={"width": f"{100 * max(one.known - got, 0) / most:.2f}%"}
            ),
            html.I(className="not-known", style={"width": f"{100 * unknown / most:.2f}%"}),
        ],
        className="bar-of",
        role="img",
        **labelled(label),
    )
    return html.Li(
        [html.Span(one.group.label(translator.language)), bar, html.Span(words, className="number")]
    )


def _loss(request: PageRequest, unit: UnitRef, part: ScorePart) -> html.Li:
    translator = request.translator
    words: Part = part.of.label(request.language)
    if part.question and part.question.figure in BY_CODE:
        only = {
            name: ",".join(values)
            for name, values in part.question.where
            if name not in ("commune", "agency")
        }
        words = link(request, words, f"/unit/{unit.code}", records=part.question.figure, **only)
    return html.Li(
        [
            words,
            html.Span(
                translator("points_lost", points=translator.number(part.lost, 1)),
                className="number",
            ),
        ]
    )
