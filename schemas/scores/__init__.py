"""Score units and targets from readings: scores by sets of criteria, and where targets are heading.

All functions are pure; time is a parameter. Reading order: `rules` (a value becomes points),
`score` (a unit's tree of points with its coverage, its largest losses, league tables); then
`forecast` (a robust line), `series` (reports of an indicator with corrections), `standing` (a
target's status).
"""

from schemas.scores.forecast import SeriesPoint, Trend, trend
from schemas.scores.score import (
    GroupScore,
    InputState,
    Question,
    Rank,
    Score,
    ScorePart,
    league,
    published,
    score,
)
from schemas.scores.series import (
    IndicatorReport,
    LeftOut,
    Series,
    by_indicator,
    reading,
    readings,
    series,
)
from schemas.scores.standing import (
    Forecast,
    TargetStanding,
    TargetStatus,
    standing,
    standings,
    status,
)

__all__ = [
    "Forecast",
    "GroupScore",
    "IndicatorReport",
    "InputState",
    "LeftOut",
    "Question",
    "Rank",
    "Score",
    "ScorePart",
    "Series",
    "SeriesPoint",
    "TargetStanding",
    "TargetStatus",
    "Trend",
    "by_indicator",
    "league",
    "published",
    "reading",
    "readings",
    "score",
    "series",
    "standing",
    "standings",
    "status",
    "trend",
]
