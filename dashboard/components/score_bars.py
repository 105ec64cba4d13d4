"""Points as bars: what is got, what is lost, and hatched what nobody knows."""

from dash import html

from dashboard.components.parts import Part, labelled
from dashboard.i18n.translator import Translator
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


def points_label(points: float | None, most: float, translator: Translator) -> str:
    """Points of those that can be had: 17,1/20; a dash for what is not known."""
    written = translator("none") if points is None else translator.number(points, 1)
    return translator("points_of", points=written, most=translator.number(most))


def group_cell(one: GroupScore, translator: Translator) -> Part:
    """A group in a league: its points and their bar."""
    told = points_label(one.points, one.group.points, translator)
    covered = f"{told}, {translator('covered', n=translator.number(one.coverage))}"
    words = html.Span(told, className="" if one.complete else "partial")
    line = bar(
        one.points or 0.0,
        one.known,
        one.group.points,
        f"{one.group.label(translator.language)}: {covered}",
    )
    return html.Div([words, line], className="scored")


def item_bar(one: ScorePart, translator: Translator) -> html.Div:
    """The bar of an item."""
    told = f"{one.of.label(translator.language)}: {points_label(one.points, one.of.points, translator)}"
    return bar(one.points or 0.0, one.known, one.of.points, told)


def total_label(one: Score, translator: Translator) -> str:
    """The total, or that there is not enough data."""
    return translator("not_enough") if one.total is None else translator.number(one.total, 1)


def grade_label(one: Score, translator: Translator) -> str:
    """The grade, and that it was not verified; empty where none may be given."""
    if one.grade is None:
        return ""
    doubt = "" if one.grade.verified else f" ({translator('not_verified')})"
    return f"{one.grade.label(translator.language)}{doubt}"


def between(one: Score, translator: Translator) -> str:
    """What the points are at least and at most, for a score with too little data."""
    return translator(
        "between", least=translator.number(one.points, 1), most=translator.number(one.most, 1)
    )
