"""Points as bars: won filled, lost empty, unknown hatched."""

from dash import html

from dashboard.components.parts import Part, labelled
from dashboard.i18n.translator import Translator
from schemas.scores import GroupScore, Score, ScorePart


def bar(got: float, known: float, most: float, label: str) -> html.Div:
    """Draw a bar of `most` points: `got` filled, the other `known` ones empty, the rest hatched.

    Args:
        got: points won.
        known: points won or lost.
        most: points that can be won.
        label: read by screen readers.
    """
    parts = [("got", got), ("lost", known - got), ("unknown", most - known)]
    marks = [
        html.I(className=name, style={"width": f"{100 * points / most:.2f}%"})
        for name, points in parts
        if points > 0
    ]
    return html.Div(marks, className="points-bar", role="img", title=label, **labelled(label))


def points_label(points: float | None, most: float, translator: Translator) -> str:
    """Format points out of the possible ones, as 17,1/20; a dash for unknown points."""
    written = translator("none") if points is None else translator.number(points, 1)
    return translator("points_of", points=written, most=translator.number(most))


def group_cell(one: GroupScore, translator: Translator) -> Part:
    """Show a group in a league: its points and their bar."""
    label = points_label(one.points, one.group.points, translator)
    covered = f"{label}, {translator('covered', n=translator.number(one.coverage))}"
    words = html.Span(label, className="" if one.complete else "partial")
    line = bar(
        one.points or 0.0,
        one.known,
        one.group.points,
        f"{one.group.label(translator.language)}: {covered}",
    )
    return html.Div([words, line], className="scored")


def item_bar(one: ScorePart, translator: Translator) -> html.Div:
    """Draw the bar of an item."""
    name = one.of.label(translator.language)
    label = f"{name}: {points_label(one.points, one.of.points, translator)}"
    return bar(one.points or 0.0, one.known, one.of.points, label)


def total_label(one: Score, translator: Translator) -> str:
    """Format the total, or say that there is not enough data."""
    return translator("not_enough") if one.total is None else translator.number(one.total, 1)


def grade_label(one: Score, translator: Translator) -> str:
    """Format the grade with the note that it is unverified; empty where no grade may be given."""
    if one.grade is None:
        return ""
    doubt = "" if one.grade.verified else f" ({translator('not_verified')})"
    return f"{one.grade.label(translator.language)}{doubt}"


def between(one: Score, translator: Translator) -> str:
    """Format the lowest and the highest possible total of a score with too little data."""
    return translator(
        "between", least=translator.number(one.points, 1), most=translator.number(one.max_points, 1)
    )
