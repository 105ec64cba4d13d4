"""Actions of a page that compares units: choose another unit, export, print."""

from typing import Any

from dash import html

from dashboard.components.list_links import file
from dashboard.components.parts import Part, kept
from dashboard.i18n.translator import sort_key
from dashboard.request.address import FRAME, PageRequest
from dashboard.request.context import PageContext


def chooser(context: PageContext, request: PageRequest, unit: str) -> Part:
    """Build the choice of a unit, by mouse or keyboard; each choice has its own address."""
    translator, place = request.translator, context.place
    options = [
        (place.code, place.full_name(request.language)),
        *sorted(place.names.items(), key=lambda one: sort_key(one[1])),
    ]
    return html.Form(
        [
            html.Label(translator("unit"), htmlFor="unit"),
            html.Select(
                [html.Option(words, value=code, selected=code == unit) for code, words in options],
                id="unit",
                name="unit",
            ),
            *kept(request, (*FRAME, "target")),
            html.Button(translator("show"), type="submit"),
        ],
        action=request.path,
        className="chooser",
    )


def actions(request: PageRequest) -> list[Part]:
    """Build the links that export the content as a file and print it."""
    translator = request.translator
    prints: dict[str, Any] = {"data-print": "page"}
    return [
        file(request, request.with_(), "csv", translator("download"), id="download"),
        file(request, request.with_(), "xlsx", translator("download_xlsx")),
        html.Button(translator("print"), id="print", type="button", **prints),
    ]
