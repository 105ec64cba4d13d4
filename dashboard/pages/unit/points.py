"""The scores of a unit by the sets of criteria that are for it: total or "not enough data", groups, what loses most points."""

from functools import partial

from dash import html

from dashboard.components.parts import Part, labelled, link, section
from dashboard.components.unit_refs import UnitRef
from dashboard.i18n.speech import Translator
from dashboard.query import scoreboard
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.figures import BY_CODE
from schemas.reference import ZONE, criteria_sets
from schemas.scores import GroupScore, Score, ScorePart

LOSSES = 3


def points(ask: PageContext, asked: PageRequest, unit: UnitRef) -> list[Part]:
    """A section per set of criteria; none for a unit that no set scores, or that is no more."""
    if unit.elsewhen:
        return []
    sets = [
        one
        for one in criteria_sets(ask.clock.now().astimezone(ZONE).date())
        if one.scores(unit.what)
    ]
    found = []
    for one in sets:
        scores = ask.once(
            ("score", one.code, unit.code),
            partial(
                scoreboard.score_units,
                ask.store,
                ask.clock,
                ask.place.code,
                one.code,
                {unit.code: unit.what},
                ask.units(),
            ),
            seconds=30,
        )
        found.append(
            section(
                one.words(asked.spoken),
                *_score(asked, unit, scores[unit.code]),
                id=f"score-{one.code}",
            )
        )
    return found


def _score(asked: PageRequest, unit: UnitRef, score: Score) -> list[Part]:
    speech, total, grade = asked.speech, score.total, score.grade
    covered = speech("coverage", share=speech.percent(round(score.coverage, 1)))
    if total is None:
        head = [
            html.B([html.I(className="shape hatch"), " ", speech("not_enough")]),
            html.Span(covered, className="quiet"),
        ]
    else:
        head = [
            html.B(speech.number(total, 1)),
            html.Span(speech("of_points", points=speech.number(score.criteria.points))),
            *([html.Span(grade.words(asked.spoken), className="grade")] if grade else []),
            *([html.Span(covered, className="quiet")] if score.coverage < 100 else []),
        ]
    losses = [_loss(asked, unit, one) for one in score.losses[:LOSSES]]
    return [
        html.P(head, className="total"),
        html.Ul([_group(one, speech) for one in score.groups], className="groups"),
        *([html.H3(speech("losses")), html.Ul(losses, className="losses")] if losses else []),
        *([html.P(speech("unverified"), className="quiet note")] if score.unverified else []),
    ]


def _group(one: GroupScore, speech: Translator) -> html.Li:
    """A group as a bar: points got in grey, points lost left empty, points that nobody knows hatched."""
    most, got = one.group.points, one.points or 0.0
    unknown = most - one.known
    words = (
        speech("none") if one.points is None else speech.number(got, 1)
    ) + f" / {speech.number(most)}"
    told = speech(
        "group_told",
        name=one.group.words(speech.language),
        points=words,
        share=speech.percent(round(one.coverage, 1)),
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
        **labelled(told),
    )
    return html.Li(
        [html.Span(one.group.words(speech.language)), bar, html.Span(words, className="number")]
    )


def _loss(asked: PageRequest, unit: UnitRef, part: ScorePart) -> html.Li:
    speech = asked.speech
    words: Part = part.of.words(asked.spoken)
    if part.question and part.question.figure in BY_CODE:
        only = {
            name: ",".join(values)
            for name, values in part.question.where
            if name not in ("commune", "agency")
        }
        words = link(asked, words, f"/unit/{unit.code}", records=part.question.figure, **only)
    return html.Li(
        [
            words,
            html.Span(
                speech("points_lost", points=speech.number(part.lost, 1)), className="number"
            ),
        ]
    )
