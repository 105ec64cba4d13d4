"""The catalogues are whole.

One text per key and language, every key of the code, none that is unused.
"""

import ast
import re
import string
from collections.abc import Iterator
from enum import EnumType
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import dashboard
from dashboard.i18n.catalogue import MissingTextError, catalogue, text
from dashboard.i18n.translator import Translator
from schemas import reference
from schemas.events import codes
from schemas.events.kinds import KINDS
from schemas.figures import FIGURES

LANGUAGES = ("vi", "en")
ROOM = Path(dashboard.__file__).parent
TEXTS = catalogue("vi")
VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]")
NAMES = re.compile("Huế|Hue-S|đồng")
"""What is Vietnamese in English, too, beside the names of places."""


def messages(language: str) -> list[Message]:
    with (ROOM / "i18n/locale" / language / "LC_MESSAGES/ioc.po").open("rb") as file:
        return [one for one in read_po(file, abort_invalid=True) if one.id]


def places(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


# --- what the code says


@cache
def trees() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOM.rglob("*.py"))
    }


def calls() -> Iterator[tuple[str, ast.expr, set[str] | None]]:
    """Yield every call of a translator: where, its key, and the names of the values.

    None for `**values`.
    """
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and _translates(node.func, path):
                given = {one.arg for one in node.keywords}
                named = None if None in given else {one for one in given if one}
                for key in _branches(node.args[0]):
                    yield f"{path.relative_to(ROOM)}:{key.lineno}", key, named


def _translates(function: ast.expr, path: Path) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "translator"
    own = "self" if path.name == "translator.py" else "translator"
    return isinstance(function, ast.Name) and function.id == own


def _branches(key: ast.expr) -> list[ast.expr]:
    """Return what a key can be: both branches of a condition."""
    if isinstance(key, ast.IfExp):
        return _branches(key.body) + _branches(key.orelse)
    return [key]


def pattern(key: ast.JoinedStr) -> "re.Pattern[str]":
    """Return the keys that an f-string can be: its own letters, and any others in the place of
    values.
    """
    return re.compile(
        "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.]+"
            for part in key.values
        )
    )


def constants() -> set[str]:
    """Return every text of the code: the keys in tuples and mappings are among them."""
    return {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def joined() -> list["re.Pattern[str]"]:
    """Return every f-string that puts a key together.

    A value, and at least four letters with an underscore.
    """
    return [
        pattern(node)
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        and re.fullmatch(
            r"[a-z]\w{2,}_|_\w{3,}|[a-z]\w*_\w+",
            "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)),
        )
    ]


# --- the catalogues


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_each_key_once_with_a_text_that_somebody_checked(language: str) -> None:
    found = messages(language)
    assert not [one.id for one in found if one.fuzzy]
    assert not [one.id for one in found if not str(one.string).strip() or one.context]
    file = (ROOM / "i18n/locale" / language / "LC_MESSAGES/ioc.po").read_text(encoding="utf-8")
    # Babel keeps the last of several messages of a key, and none of those that are commented out.
    assert file.count("\nmsgid ") - 1 == len(found) == len(catalogue(language)) > 700
    assert "\n#~" not in file


def test_both_languages_have_the_same_keys_in_the_same_order_on_the_same_screens() -> None:
    vi, en = ([(one.id, one.auto_comments) for one in messages(name)] for name in LANGUAGES)
    assert vi == en and all(comments for _, comments in vi)


def test_both_languages_have_the_same_places() -> None:
    assert not [key for key in TEXTS if places(TEXTS[key]) != places(catalogue("en")[key])]


def test_english_texts_are_english() -> None:
    assert not [
        (key, one)
        for key, one in catalogue("en").items()
        if VIETNAMESE.search(NAMES.sub("", one)) and key not in ("other_language", "dong")
    ]


# --- the code against the catalogues


def test_every_key_that_the_code_says_exists_in_every_language() -> None:
    said = [(at, str(key.value)) for at, key, _ in calls() if isinstance(key, ast.Constant)]
    assert len(said) > 400
    assert not [
        (at, key, language)
        for language in LANGUAGES
        for at, key in said
        if key not in catalogue(language)
    ]


def test_every_key_that_the_code_puts_together_can_be_one() -> None:
    built = [(at, pattern(key)) for at, key, _ in calls() if isinstance(key, ast.JoinedStr)]
    assert len(built) > 40
    assert not [(at, one.pattern) for at, one in built if not any(map(one.fullmatch, TEXTS))]


def test_every_call_fills_the_places_of_its_text() -> None:
    assert not [
        (at, key.value, places(TEXTS[str(key.value)]) - named)
        for at, key, named in calls()
        if isinstance(key, ast.Constant)
        and named is not None
        and not places(TEXTS.get(str(key.value), "")) <= named
    ]


def test_no_text_is_kept_that_nothing_uses() -> None:
    used, built = constants(), joined()
    assert not [
        key for key in TEXTS if key not in used and not any(one.fullmatch(key) for one in built)
    ]


def test_a_missing_text_is_named_with_its_language() -> None:
    with pytest.raises(MissingTextError, match=r"'no_such_key'.*'en'"):
        Translator("en")("no_such_key")


def test_a_missing_value_is_an_error_and_not_a_gap_on_the_wall() -> None:
    with pytest.raises(MissingTextError, match=r"'ago'.*'vi'.*'span'"):
        text("ago", "vi")


def test_a_missing_text_is_not_taken_for_something_that_is_not_found() -> None:
    assert not issubclass(MissingTextError, LookupError | ValueError)


# --- texts that stand elsewhere


def worded() -> Iterator[tuple[str, Any]]:
    """Yield all that has texts of its own: codes, kinds, figures and the reference data of a
    province.
    """
    lists: list[Any] = [
        one
        for one in vars(codes).values()
        if isinstance(one, EnumType) and issubclass(one, codes.Labelled)
    ]
    yield from ((f"{of.__name__}.{one.name}", one) for of in lists for one in of)
    yield from ((f"kind {one.name}", one) for one in KINDS)
    yield from ((f"figure {one.code}", one) for one in FIGURES)
    for criteria in reference.criteria_sets():
        yield from (
            (f"{criteria.code} {one.code}", one)
            for one in (criteria, *criteria.groups, *criteria.items, *criteria.grades)
        )
    for name in ("procedures", "categories", "indicators", "alarm_rules"):
        yield from ((f"{name} {one.code}", one) for one in getattr(reference, name)())
    yield from ((f"target {one.code}", one) for one in reference.targets("46"))
    yield from ((f"agency {one.code}", one) for one in reference.agencies("46"))


def test_whatever_has_texts_has_them_in_both_languages() -> None:
    found = list(worded())
    assert len(found) > 400
    assert not [
        what for what, one in found if not one.label("vi").strip() or not one.label("en").strip()
    ]
    assert not [
        what
        for what, one in found
        if VIETNAMESE.search(NAMES.sub("", one.label("en")))
        and not what.startswith("agency")  # which are named after places
    ]
