"""What every page of the desk has: keys, a title, a state for who may not see it."""

import json
from typing import Any

import pytest
from dash import html
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components.keyboard import dialog, letters
from dashboard.components.parts import no_rights
from dashboard.components.shell import heading
from dashboard.i18n.translator import Language, Translator
from dashboard.request.address import PageRequest
from dashboard.server.pages import PAGES


def text(part: Any) -> str:
    return json.dumps(part, cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_every_page_has_a_letter_of_its_own() -> None:
    assert letters(["unit", "targets", "index", "sources"]) == {
        "wall": "w",
        "unit": "u",
        "targets": "t",
        "index": "i",
        "sources": "s",
    }
    assert letters(["records", "replay"]) == {"wall": "w", "records": "r", "replay": "e"}
    assert letters(["w", "aw"])["w"] == "", "nothing is left"
    named = letters(page.name for page in PAGES if page.words)
    assert "" not in named.values() and len(set(named.values())) == len(named)


def test_the_help_tells_the_keys_with_the_address_of_every_page_for_the_same_viewer() -> None:
    asked = PageRequest("/sources", (("theme", "dark"),), "en")
    said = text(dialog(asked, [("targets", "Targets", asked.link("/targets"))]))
    for words in (
        "Keyboard shortcuts",
        '"data-goes": "t"',
        "/targets?theme=dark",
        "/wall?theme=dark",
        "Close",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            [html.Header([html.Nav("x"), html.H1("Phường Phú Xuân")]), html.H1("other")],
            "Phường Phú Xuân",
        ),
        (html.H1("Tìm"), "Tìm"),
        ([html.Div([html.P("no heading"), None, "text"])], ""),
        (html.H1(["in", html.B("parts")]), ""),
        (None, ""),
    ],
)
def test_a_tab_is_called_by_the_first_heading(content: Any, words: str) -> None:
    assert heading(content) == words


@pytest.mark.parametrize("language", ["vi", "en"])
def test_who_may_not_see_a_page_is_told_so_and_what_to_do(language: Language) -> None:
    translator = Translator(language)
    said = text(no_rights(translator))
    assert (
        translator("no_rights") in said
        and translator("no_rights_hint") in said
        and "shape lock" in said
    )
