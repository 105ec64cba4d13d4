"""Cells about a target that its two pages share: progress, trend, reporting agency."""

from collections.abc import Sequence

from dash import html

from dashboard.components import target_board as board
from dashboard.components.parts import Part, labelled, sparkline
from dashboard.i18n.translator import Translator
from dashboard.request.address import PageRequest
from schemas.scores import SeriesPoint, TargetStanding

ARROWS = {"up": "↗", "down": "↘", "flat": "→"}


def meter(one: TargetStanding, translator: Translator) -> Part:
    """Draw the share of the aim reached as a bar; nothing if the figure is unknown or old."""
    share = board.reached(one)
    if share is None:
        return ""
    label = translator("of_aim", n=translator.number(100 * share))
    width = f"{100 * min(max(share, 0.0), 1.0):.1f}%"
    bar = html.I(style={"width": width}, className="old" if one.reading.stale else "got")
    return html.Div(bar, className="meter", title=label, role="img", **labelled(label))


def trend(one: TargetStanding, past: Sequence[SeriesPoint], translator: Translator) -> Part:
    """Draw the reports as a line with their trend.

    Args:
        one: the standing of the target.
        past: readings of the last weeks, for a figure that this system computes itself.
        translator: of the viewer's language.
    """
    points = one.points or past
    word = trend_word(one, translator) or translator(
        "computed" if board.is_computed(one) else "no_reports"
    )
    label = f"{one.target.label(translator.language)}: {word}"
    line = [sparkline([point.value for point in points[-60:]], label)] if len(points) > 1 else []
    return [*line, html.Small(word)]


def trend_word(one: TargetStanding, translator: Translator) -> str:
    """Name the trend of the reports; empty without any."""
    if one.direction is None:
        return translator("no_forecast") if one.points else ""
    return f"{ARROWS[one.direction]} {translator(f'trend_{one.direction}')}"


def reporter(one: TargetStanding, request: PageRequest) -> Part:
    """Show the agency that answers for the figure, with its contact and telephone."""
    who = one.reporter
    contact = " · ".join(part for part in (who.owner, who.telephone) if part)
    return [who.label(request.language), html.Small(contact)]
