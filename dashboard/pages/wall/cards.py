"""A figure on the wall: value, trend, target and age; hatched grey if its sources are silent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html

from dashboard.i18n.translator import Translator
from schemas.figures import Readings
from schemas.moments import milliseconds

MAX_CARDS = 7
"""Most figures of a scene."""
DAY_HOURS = 7.5


@dataclass(frozen=True)
class FigureCard:
    """One figure: value with trend, target and age; `call` is its priority, 0 for normal."""

    key: str
    label: str
    value: str
    trend: str = ""
    target: str = ""
    detail: str = ""
    at: datetime | None = None
    call: int = 0
    stale: bool = False
    """Whether it rests on silent sources: it then has no priority and is not shown as current."""
    words: bool = False
    """Whether its value is words, which are set smaller."""


def value(readings: Readings, code: str) -> float | None:
    """Return the value of a figure; None if unknown."""
    found = readings.get(code)
    return found.value if found else None


def number(readings: Readings, code: str) -> float:
    """Return a count; 0 if nothing was ever counted."""
    return value(readings, code) or 0


def trend(change: float, translator: Translator, digits: int = 0, unit: str = "") -> str:
    """Format a change as an arrow and its size."""
    rounded = round(change, digits)
    arrow = "↑" if rounded > 0 else "↓" if rounded < 0 else "±"
    return f"{arrow}{translator.number(abs(rounded), digits if rounded else 0)}{unit}"


def card(figure: FigureCard, translator: Translator) -> html.Article:
    """Build the card of a figure."""
    call = 0 if figure.stale else figure.call
    mark = "hatch" if figure.stale else f"p{call}" if call else ""
    aim = [
        *([html.I(className=f"shape {mark}")] if mark else []),
        html.Span(translator("old") if figure.stale else figure.target),
    ]
    return html.Article(
        [
            html.H3(figure.label),
            html.Div(
                [
                    html.B(figure.value, className="words" if figure.words else ""),
                    html.Span(figure.trend, className="trend"),
                    age(figure.at),
                ],
                className="reading",
            ),
            html.P(aim, className="aim"),
            html.P(figure.detail, className="detail"),
        ],
        className=f"figure call-{call}" if call else "figure old" if figure.stale else "figure",
        id=f"figure-{figure.key}",
    )


def age(at: datetime | None) -> html.Span:
    """Show an age, which the page itself formats and updates."""
    stamp: dict[str, Any] = {"data-at": str(milliseconds(at))} if at else {}
    return html.Span(className="age", **stamp)
