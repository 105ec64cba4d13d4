"""Links that export a list: its address, and files with all of its rows."""

from typing import Any

from dash import html

from dashboard.components.parts import Part
from dashboard.request.address import PageRequest


def copy_link(request: PageRequest) -> html.Button:
    """Build a button that copies the address of the page."""
    attributes: dict[str, Any] = {
        "data-copy": request.translator("copied"),
        "data-failed": request.translator("not_copied"),
    }
    return html.Button(request.translator("copy_link"), type="button", **attributes)


def files(request: PageRequest, address: str, total: int) -> list[Part]:
    """Link the whole list of an address (`/records/filing?…`) as files, with the number of rows."""
    translator, number = request.translator, request.translator.number(total)
    forms = {"csv": translator("file_csv", n=number), "xlsx": translator("file_xlsx", n=number)}
    return [file(request, address, form, words) for form, words in forms.items()]


def file(request: PageRequest, address: str, form: str, words: str, id: str = "") -> html.A:
    """Link a page as a file of a form (`dashboard.components.sheet.FORMS`).

    The page shows the progress of the download, and what went wrong.
    """
    translator = request.translator
    path, _, query = address.partition("?")
    attributes: dict[str, Any] = {
        "data-busy": translator("file_busy"),
        "data-done": translator("file_done"),
        "data-failed": translator("file_failed"),
        "data-torn": translator("file_torn"),
        "data-stop": translator("file_stop"),
        "data-stopped": translator("file_stopped"),
    }
    href = f"/export{path}.{form}" + (f"?{query}" if query else "")
    return html.A(
        words, href=href, download="", id=id or f"download-{form}", className="file", **attributes
    )
