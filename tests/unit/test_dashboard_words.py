"""Every word of the screens is there in both languages, and every one is used."""

import re
import string
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path
from typing import Any

import pytest

from dashboard.i18n.words import WORDS, words
from schemas import reference
from schemas.events import codes
from schemas.events.kinds import KINDS
from schemas.figures import FIGURES

SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in Path("dashboard").rglob("*.py")
    if not path.name.endswith("words.py")
)
BUILT = (
    "feed_",
    "state_",
    "theme_",
    "measure_",
    "priority_",
    "burst",
    "pile",
    "flash",
    "ahead",
    "silent",
    "dead_letters",
    "malformed",
    "refused",
    "figure",
    "off_track",
    "store_away",
    "stalled",
    "unowned",
    "level_",
    "field_",
    "trend_",
    "rhythm_",
    "units_",
    "in_",
    "scene_",
    "short_",
    "token_",
    "no_rights",
    "map_as_",
    "map_begun_",
    "map_state_",
    "map_window_",
    "list_",
    "text_hint_",
    "picture_",
    "reach_",
    "disk_",
    "line_span_",
    "run_",
    "too_",
)
"""Beginnings of keys that are put together from a kind, a measure, a priority, a cause or a rhythm."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same_with_the_same_places(key: str) -> None:
    vi, en = WORDS[key]
    assert vi.strip() and en.strip()
    assert places(vi) == places(en)


@pytest.mark.parametrize("key", WORDS)
def test_no_word_is_kept_that_nobody_says(key: str) -> None:
    assert f'"{key}"' in SOURCES or key.startswith(BUILT)


def test_no_key_has_words_twice_of_which_one_would_be_lost() -> None:
    modules = "\n".join(
        path.read_text(encoding="utf-8") for path in Path("dashboard/i18n").glob("*words.py")
    )
    written = re.findall(r'^    "(\w+)": \(', modules, re.M)
    assert len(written) > 400 and not [key for key in WORDS if written.count(key) > 1]


def test_every_key_that_the_code_says_exists() -> None:
    said = set(re.findall(r'translator\(\s*"(\w+)"', SOURCES)) | set(
        re.findall(r'words\(\s*"(\w+)", language', SOURCES)
    )
    said |= {
        key
        for pair in re.findall(r'translator\(\s*"(\w+)" if [^"]+ else "(\w+)"', SOURCES)
        for key in pair
    }
    assert len(said) > 100 and said <= set(WORDS)


def test_every_beginning_that_the_code_puts_a_key_together_from_has_keys() -> None:
    built = set(re.findall(r'translator\(\s*f"(\w+)\{', SOURCES))
    assert len(built) > 5 and not [
        one for one in built if not any(key.startswith(one) for key in WORDS)
    ]


def worded() -> Iterator[tuple[str, Any]]:
    """All that has words of its own: codes, kinds, figures and the reference data of a province."""
    lists = [
        one
        for one in vars(codes).values()
        if isinstance(one, EnumType) and issubclass(one, codes.Worded)
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


WORDED = dict(worded())
VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]")
NAMES = re.compile("Huế|Hue-S|đồng")
"""What is Vietnamese in English, too, beside the names of places."""


@pytest.mark.parametrize("what", WORDED)
def test_whatever_has_words_has_them_in_both_languages(what: str) -> None:
    vi, en = (WORDED[what].words(language) for language in ("vi", "en"))
    assert vi.strip() and en.strip()
    if not what.startswith("agency"):  # which are named after places
        assert not VIETNAMESE.search(NAMES.sub("", en))


@pytest.mark.parametrize("key", WORDS)
def test_english_words_are_english(key: str) -> None:
    assert not VIETNAMESE.search(NAMES.sub("", WORDS[key][1])) or key in ("other_language", "dong")


def test_a_missing_place_is_an_error_and_not_a_gap_on_the_wall() -> None:
    with pytest.raises(KeyError):
        words("ago", "vi")
