"""The figures that a province is run by, each defined once: from it follow its SQL, its words on screens, its line in the docs."""

from schemas.figures.reading import UNKNOWN, Reading, Readings

__all__ = ["UNKNOWN", "Reading", "Readings"]
