"""A figure as the wall shows it: value with trend, target and age; grey hatch where its sources are silent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html

from dashboard.i18n.translator import Translator
from schemas.figures import Readings
from schemas.moments import milliseconds

MAX_CARDS = 7
"""Figures of a scene at most."""
DAY_HOURS = 7.5


@dataclass(frozen=True)
class FigureCard:
    """One figure: its value with trend, target and age. `call` is 0 for normal, 1 to 3 for the priority of what is abnormal."""

    key: str
    label: str
    value: str
    trend: str = ""
    target: str = ""
    detail: str = ""
    at: datetime | None = None
    call: int = 0
    stale: bool = False
    """Whether it rests on sources that are silent: then it calls for nobody, and is not shown as if it were of now."""
    words: bool = False
    """Whether its value is words, which are written smaller."""


def value(readings: Readings, code: str) -> float | None:
    """What a figure reads; None where nothing can be said."""
    found = readings.get(code)
    return found.value if found else None


def number(readings: Readings, code: str) -> float:
    """A count; 0 where nothing was ever counted."""
    return value(readings, code) or 0


def trend(change: float, translator: Translator, digits: int = 0, unit: str = "") -> str:
    """A change as an arrow and its size."""
    rounded = round(change, digits)
    arrow = "↑" if rounded > 0 else "↓" if rounded < 0 else "±"
    return f"{arrow}{translator.number(abs(rounded), digits if rounded else 0)}{unit}"


def card(figure: FigureCard, translator: Translator) -> html.Article:
    """A figure as a card."""
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
    """How old something is, written and kept up by the page itself."""
    stamp: dict[str, Any] = {"data-at": str(milliseconds(at))} if at else {}
    return html.Span(className="age", **stamp)
