"""Pages hold only what the browser's renderer draws; anything else is an error, not silence."""

import json
import logging
import re
from typing import Any, cast

import dash_leaflet as dl
import pytest
from dash import dcc, html

from dashboard.components.shell import DeskPage, drawn
from dashboard.request.address import PageRequest
from dashboard.request.answers import to_json
from dashboard.request.context import PageContext
from dashboard.request.page_contract import DRAWN, UndrawnComponentError, check_content
from dashboard.server import client_files

COMPONENTS = client_files.FOLDER / "renderer" / "components.js"


class OneContext:
    """A context of which a page needs nothing but that it is made once."""

    def cached(self, _key: object, make: Any, seconds: float = 0) -> Any:
        return make()

    def of(self, _request: PageRequest) -> "OneContext":
        return self


def content_of(part: Any) -> Any:
    """What is drawn for a page with a part."""
    page = DeskPage("test", "/test", lambda _context, _request: [html.H1("x"), part])
    return drawn(page, cast(PageContext, OneContext()), PageRequest("/test", (), "en"))


def test_both_sides_know_the_same_components() -> None:
    declared = re.search(r"export const DRAWN = (\{.*?\});", COMPONENTS.read_text(), re.DOTALL)
    assert declared
    said = json.loads(re.sub(r"(\w+):", r'"\1":', declared[1]))
    assert said == {namespace: list(names) for namespace, names in DRAWN.items()}


@pytest.mark.parametrize(
    "part", [html.Section([html.P("a"), dcc.Link("b", href="/map")]), "text", None]
)
def test_html_links_and_fields_are_drawn(part: Any) -> None:
    assert content_of(part)[1] is part
    assert to_json({"children": part})


@pytest.mark.parametrize("part", [dcc.Graph(), html.Div([html.P([dl.Map()])]), [dcc.Markdown("x")]])
def test_a_page_with_another_component_fails_and_the_log_says_which(
    part: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        shown = content_of(part)
    assert "nothing" in str(shown) and "h1" not in str(shown).lower()
    assert "the page contract has no dash_" in caplog.text


@pytest.mark.parametrize("part", [dcc.Graph(), html.Div([html.P([dl.Map()])]), [dcc.Markdown("x")]])
def test_no_answer_to_a_script_holds_another_component(part: Any) -> None:
    with pytest.raises(UndrawnComponentError):
        check_content(part)
    with pytest.raises(UndrawnComponentError, match="the page contract has no"):
        to_json({"panel": part})
