"""Define the categories of invalid input and the error that carries one."""

from enum import StrEnum


class RefusalCategory(StrEnum):
    """Category of a refused event; the values are stable and meant for programs."""

    BAD_UTF8 = "bad-utf8"
    BAD_JSON = "bad-json"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    MISSING_FIELD = "missing-field"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"
    UNKNOWN_KIND = "unknown-kind"
    IMPOSSIBLE_DATE = "impossible-date"
    IMPOSSIBLE_POINT = "impossible-point"
    WRONG_KEY = "wrong-key"
    CONFLICT = "conflict"
    TOO_OLD = "too-old"


MAX_REASON_LETTERS = 1000
"""Maximum length of a reason, in letters; a reason quotes the wrong input, which may be long."""


class RefusalError(Exception):
    """Raised for input that is not a valid event, with a category and a reason to act on."""

    def __init__(self, category: RefusalCategory, reason: str) -> None:
        """Keep the category, and the reason cut to `MAX_REASON_LETTERS`."""
        super().__init__(reason)
        self.category = category
        self.reason = (
            reason if len(reason) <= MAX_REASON_LETTERS else reason[:MAX_REASON_LETTERS] + "…"
        )
