"""Define the figures that a province is run by, each once: its SQL, labels and docs follow from it.

Reading order: `definition` (how a figure is declared), `filings`, `feedback`, `documents` (the
figures), `questions` (the queries for a moment), `series` (over time), `reading` (the result),
`aging` (its age), `snapshots` (recorded results).
"""

from schemas.figures.definition import Figure, FigurePiece, MeasureUnit, check_figures
from schemas.figures.documents import DOCUMENTS, MEETINGS
from schemas.figures.feedback import FEEDBACKS
from schemas.figures.filings import FILINGS
from schemas.figures.reading import UNKNOWN, Reading, Readings

FIGURES = (*FILINGS, *FEEDBACKS, *DOCUMENTS, *MEETINGS)
BY_CODE = {figure.code: figure for figure in FIGURES}
check_figures(FIGURES)

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
