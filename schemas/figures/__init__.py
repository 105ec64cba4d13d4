"""The figures that a province is run by, each defined once: from it follow its SQL, its words on screens, its line in the docs.

Reading order: `definition` (how a figure is declared), `filings`, `feedback`, `documents` (the figures), `questions` (how they are
asked of ClickHouse for a moment), `series` (over time), `reading` (what comes back).
"""

from schemas.figures.definition import Figure, FigurePiece, MeasureUnit
from schemas.figures.documents import DOCUMENTS, MEETINGS
from schemas.figures.feedback import FEEDBACKS
from schemas.figures.filings import FILINGS
from schemas.figures.reading import UNKNOWN, Reading, Readings

FIGURES = (*FILINGS, *FEEDBACKS, *DOCUMENTS, *MEETINGS)
BY_CODE = {figure.code: figure for figure in FIGURES}

__all__ = [
    "BY_CODE",
    "FIGURES",
    "UNKNOWN",
    "Figure",
    "FigurePiece",
    "MeasureUnit",
    "Reading",
    "Readings",
]
