"""Guard texts in CSV files: a spreadsheet evaluates a text that looks like a formula."""

import re

_SKIPPED = r"[\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
_FORMULA = re.compile(
    rf"[\t\r\n]|{_SKIPPED}[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
)
_NUMBER = re.compile(r"[+-]\d[\d.,]*%?", re.ASCII)
GUARD = "'"
"""Prefix by which a spreadsheet recognises a text."""


def guard_formula(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet could take it for a formula.

    Signs of full width, and signs behind line ends, spaces and invisible characters, count:
    spreadsheets skip or fold these. A signed number is no formula. `unguard_formula` restores the
    text, whatever it was.
    """
    return GUARD + text if _is_formula(text.lstrip(GUARD)) else text


def unguard_formula(text: str) -> str:
    """Return the text that `guard_formula` was given."""
    return text[1:] if text.startswith(GUARD) and _is_formula(text.lstrip(GUARD)) else text


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
