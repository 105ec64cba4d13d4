"""Every word of the screens is there in both languages, and every one is used."""

import re
import string
from collections import Counter
from pathlib import Path

import pytest

from dashboard.words import WORDS, words

SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in Path("dashboard").rglob("*.py") if path.name != "words.py")
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


def test_no_key_is_declared_twice() -> None:
    # A module that is taken in later would silently speak for another's.
    modules = Path("dashboard").rglob("words.py")
    keys = [key for path in modules for key in re.findall(r'^    "(\w+)": \(', path.read_text(encoding="utf-8"), re.MULTILINE)]
    assert len(keys) > len(WORDS) / 2 and [key for key, times in Counter(keys).items() if times > 1] == []


def test_every_key_that_the_code_says_exists() -> None:
    said = set(re.findall(r'speech\(\s*"(\w+)"', SOURCES))
    assert said and said <= set(WORDS)


def test_a_missing_place_is_an_error_and_not_a_gap_on_the_wall() -> None:
    with pytest.raises(KeyError):
        words("ago", "vi")
