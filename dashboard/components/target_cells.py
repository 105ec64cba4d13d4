"""What both pages of the targets show of a standing: how much of its aim is reached, where it goes, who answers for it."""

from collections.abc import Sequence

from dash import html

from dashboard.components import target_board as board
from dashboard.components.parts import Part, labelled, sparkline
from dashboard.i18n.translator import Translator
from dashboard.request.address import PageRequest
from schemas.scores import SeriesPoint, TargetStanding

ARROWS = {"up": "↗", "down": "↘", "flat": "→"}


def meter(one: TargetStanding, translator: Translator) -> Part:
    """How much of the aim is reached, as a bar: nothing where it is not known or old."""
    share = board.reached(one)
    if share is None:
        return ""
    told = translator("of_aim", n=translator.number(100 * share))
    width = f"{100 * min(max(share, 0.0), 1.0):.1f}%"
    bar = html.I(style={"width": width}, className="old" if one.reading.stale else "got")
    return html.Div(bar, className="meter", title=told, role="img", **labelled(told))


def trend(one: TargetStanding, past: Sequence[SeriesPoint], translator: Translator) -> Part:
    """The reports as a line, and where they go; of a figure that is computed here what it read in the last weeks (`past`)."""
    points = one.points or past
    word = trend_word(one, translator) or translator(
        "computed" if board.is_computed(one) else "no_reports"
    )
    told = f"{one.target.label(translator.language)}: {word}"
    line = [sparkline([point.value for point in points[-60:]], told)] if len(points) > 1 else []
    return [*line, html.Small(word)]


def trend_word(one: TargetStanding, translator: Translator) -> str:
    """Where the reports go, in words; empty without any."""
    if one.direction is None:
        return translator("no_forecast") if one.points else ""
    return f"{ARROWS[one.direction]} {translator(f'trend_{one.direction}')}"


def reporter(one: TargetStanding, request: PageRequest) -> Part:
    """Who answers for the figure, with owner and telephone."""
    who = one.reporter
    contact = " · ".join(part for part in (who.owner, who.telephone) if part)
    return [who.label(request.language), html.Small(contact)]
