"""What a list is taken along by: its link, and files with all of its rows."""

from typing import Any

from dash import html

from dashboard.components.parts import Part
from dashboard.request.address import PageRequest


def copy_link(asked: PageRequest) -> html.Button:
    """A button that copies the address of the page."""
    said: dict[str, Any] = {
        "data-copy": asked.speech("copied"),
        "data-failed": asked.speech("not_copied"),
    }
    return html.Button(asked.speech("copy_link"), type="button", **said)


def files(asked: PageRequest, address: str, total: int) -> list[Part]:
    """Links to the whole list of an address (`/records/filing?…`) as files, which say how many rows they have."""
    speech, number = asked.speech, asked.speech.number(total)
    forms = {"csv": speech("file_csv", n=number), "xlsx": speech("file_xlsx", n=number)}
    return [file(asked, address, form, words) for form, words in forms.items()]


def file(asked: PageRequest, address: str, form: str, words: str, id: str = "") -> html.A:
    """A link to a page as a file of a form (`dashboard.components.sheet.FORMS`); the page tells how far it is, and what went
    wrong."""
    speech = asked.speech
    path, _, query = address.partition("?")
    said: dict[str, Any] = {
        "data-busy": speech("file_busy"),
        "data-done": speech("file_done"),
        "data-failed": speech("file_failed"),
        "data-torn": speech("file_torn"),
        "data-stop": speech("file_stop"),
        "data-stopped": speech("file_stopped"),
    }
    href = f"/export{path}.{form}" + (f"?{query}" if query else "")
    return html.A(
        words, href=href, download="", id=id or f"download-{form}", className="file", **said
    )
