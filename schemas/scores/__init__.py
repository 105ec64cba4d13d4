"""How well it goes, from readings: scores by sets of criteria, and targets with where they are heading. Pure; no time of its own.

Reading order: `rules` (a value becomes points), `score` (a unit's tree of points with its coverage, what it loses most by, league
tables); then `forecast` (a robust line), `series` (reports of an indicator, corrections in place), `standing` (a target's status).
"""

from schemas.scores.forecast import Point, Trend, trend
from schemas.scores.score import GroupScore, Part, Question, Rank, Score, State, league, published, score
from schemas.scores.series import LeftOut, Report, Series, by_indicator, reading, readings, series
from schemas.scores.standing import Forecast, Standing, Status, standing, standings, status

__all__ = [
    "Forecast",
    "GroupScore",
    "LeftOut",
    "Part",
    "Point",
    "Question",
    "Rank",
    "Report",
    "Score",
    "Series",
    "Standing",
    "State",
    "Status",
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
