"""What can be done with a page that judges units: choose another unit, take it along as a file, print it."""

from typing import Any

from dash import html

from dashboard.components.list_links import file
from dashboard.components.parts import Part, kept
from dashboard.i18n.speech import in_order
from dashboard.request.address import FRAME, PageRequest
from dashboard.request.context import PageContext


def chooser(ask: PageContext, asked: PageRequest, unit: str) -> Part:
    """Chooses the unit, by mouse or keyboard; the address of what is chosen is its own."""
    speech, place = asked.speech, ask.place
    options = [
        (place.code, place.full_name(asked.spoken)),
        *sorted(place.names.items(), key=lambda one: in_order(one[1])),
    ]
    return html.Form(
        [
            html.Label(speech("unit"), htmlFor="unit"),
            html.Select(
                [html.Option(words, value=code, selected=code == unit) for code, words in options],
                id="unit",
                name="unit",
            ),
            *kept(asked, (*FRAME, "target")),
            html.Button(speech("show"), type="submit"),
        ],
        action=asked.path,
        className="chooser",
    )


def actions(asked: PageRequest) -> list[Part]:
    """What can be done with what is shown: take it along as a file, print it."""
    speech = asked.speech
    prints: dict[str, Any] = {"data-print": "page"}
    return [
        file(asked, asked.with_(), "csv", speech("download"), id="download"),
        file(asked, asked.with_(), "xlsx", speech("download_xlsx")),
        html.Button(speech("print"), id="print", type="button", **prints),
    ]
