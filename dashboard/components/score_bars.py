"""Points as bars: what is got, what is lost, and hatched what nobody knows."""

from dash import html

from dashboard.components.parts import Part, labelled
from dashboard.i18n.speech import Translator
from schemas.scores import GroupScore, Score, ScorePart


def bar(got: float, known: float, most: float, told: str) -> html.Div:
    """A bar of `most` points: `got` of them filled, those `known` and lost empty, the rest hatched. `told` is its words."""
    parts = [("got", got), ("lost", known - got), ("unknown", most - known)]
    marks = [
        html.I(className=name, style={"width": f"{100 * points / most:.2f}%"})
        for name, points in parts
        if points > 0
    ]
    return html.Div(marks, className="points-bar", role="img", title=told, **labelled(told))


def points_words(points: float | None, most: float, speech: Translator) -> str:
    """Points of those that can be had: 17,1/20; a dash for what is not known."""
    written = speech("none") if points is None else speech.number(points, 1)
    return speech("points_of", points=written, most=speech.number(most))


def group_cell(one: GroupScore, speech: Translator) -> Part:
    """A group in a league: its points and their bar."""
    told = points_words(one.points, one.group.points, speech)
    covered = f"{told}, {speech('covered', n=speech.number(one.coverage))}"
    words = html.Span(told, className="" if one.complete else "partial")
    line = bar(
        one.points or 0.0,
        one.known,
        one.group.points,
        f"{one.group.words(speech.language)}: {covered}",
    )
    return html.Div([words, line], className="scored")


def item_bar(one: ScorePart, speech: Translator) -> html.Div:
    """The bar of an item."""
    told = f"{one.of.words(speech.language)}: {points_words(one.points, one.of.points, speech)}"
    return bar(one.points or 0.0, one.known, one.of.points, told)


def total_words(one: Score, speech: Translator) -> str:
    """The total, or that there is not enough data."""
    return speech("not_enough") if one.total is None else speech.number(one.total, 1)


def grade_words(one: Score, speech: Translator) -> str:
    """The grade, and that it was not verified; empty where none may be given."""
    if one.grade is None:
        return ""
    doubt = "" if one.grade.verified else f" ({speech('not_verified')})"
    return f"{one.grade.words(speech.language)}{doubt}"


def between(one: Score, speech: Translator) -> str:
    """What the points are at least and at most, for a score with too little data."""
    return speech("between", least=speech.number(one.points, 1), most=speech.number(one.most, 1))
