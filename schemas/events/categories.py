"""What can be wrong with an input: the categories, and the refusal that names one."""

from enum import StrEnum


class RefusalCategory(StrEnum):
    """What is wrong with a refused event; stable words for machines."""

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
"""Letters of a reason: it may quote what is wrong, and that may be long."""


class RefusalError(Exception):
    """An input that cannot be an event, with its category and a reason to act on."""

    def __init__(self, category: RefusalCategory, reason: str) -> None:
        super().__init__(reason)
        self.category = category
        self.reason = (
            reason if len(reason) <= MAX_REASON_LETTERS else reason[:MAX_REASON_LETTERS] + "…"
        )
