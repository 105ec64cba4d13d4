"""Workbooks (XLSX) written as they are read: row by row into the ZIP that goes out, whatever their length.

Own code, as libraries make the whole sheet in a file first and take long for it: openpyxl's write-only mode needs 370 s of CPU for
a million rows of twelve columns, this 16 s. Texts are inline strings, which no program takes for a formula; days and times are
real ones with the time of Viet Nam; a sheet that is full is followed by another. ECMA-376, parts 1 and 2.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape

from dashboard.query.store import HERE

FULL = 1_048_576
"""Rows of a sheet, its heading included."""
MAX_CELL_LETTERS = 32_767
"""Letters of a cell."""
BLOCK = 2_000
EPOCH = datetime(1899, 12, 30)
DAY = timedelta(days=1)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MOMENT, DATE, HEADING = 1, 2, 3
"""Which styles of `_STYLES` cells have."""
_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Arial"/></font><font><b/><sz val="11"/><name val="Arial"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Letters that XML cannot hold."""
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What a reader would take for an escaped letter."""


class _Pipe:
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        """What was written since."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def workbook(
    title: str, header: Sequence[str], rows: Iterable[Sequence[object]], full: int = FULL
) -> Iterator[bytes]:
    """The file in pieces. Cells are texts, numbers, days, times with an offset, or None; `full` rows make a sheet."""
    pipe, names = _Pipe(), list[str]()
    waiting = iter(rows)
    row = next(waiting, None)
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:  # type: ignore[call-overload]
        while not names or row is not None:
            names.append(_name(title, len(names)))
            with file.open(f"xl/worksheets/sheet{len(names)}.xml", "w", force_zip64=True) as sheet:
                sheet.write(_beginning(header).encode())
                left, block = full - 1, list[str]()
                while row is not None and left:
                    block.append(f"<row>{''.join(map(_cell, row))}</row>")
                    left -= 1
                    row = next(waiting, None)
                    if len(block) == BLOCK:
                        sheet.write("".join(block).encode())
                        block.clear()
                        yield pipe.take()
                sheet.write(f"{''.join(block)}</sheetData></worksheet>".encode())
        for name, text in _frame(names).items():
            file.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}')
    yield pipe.take()


def _cell(value: object) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float):
        # What is no number (infinite, none at all) has no cell.
        return f"<c><v>{value}</v></c>" if abs(value) < float("inf") else "<c/>"
    if isinstance(value, datetime):
        local = value.astimezone(HERE).replace(tzinfo=None, second=0, microsecond=0)
        return f'<c s="{MOMENT}"><v>{(local - EPOCH) / DAY:.10f}</v></c>'
    if isinstance(value, date):
        return f'<c s="{DATE}"><v>{(value - EPOCH.date()).days}</v></c>'
    return _text(str(value))


def _text(value: str, style: int = 0) -> str:
    said = escape(
        _ESCAPED.sub(
            "_x005F_", _IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", value[:MAX_CELL_LETTERS])
        )
    ).replace("\r", "_x000D_")
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def _beginning(header: Sequence[str]) -> str:
    """A sheet up to its first row: the heading stands still, and columns are as wide as it asks for."""
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{max(14, len(words) + 4)}" customWidth="1"/>'
        for number, words in enumerate(header, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="{MAIN}"><sheetViews>'
        '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
        f"</sheetViews><cols>{widths}</cols><sheetData><row>{''.join(_text(words, HEADING) for words in header)}</row>"
    )


def _name(title: str, before: int) -> str:
    """The name of a sheet: at most 31 letters, and none of those that it may not have."""
    bare = re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:24] or "1"
    return f"{bare} ({before + 1})" if before else bare


def _frame(names: Sequence[str]) -> dict[str, str]:
    """What makes sheets a workbook: part → its content."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in zip(numbers, names, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    return {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>',
        "xl/styles.xml": _STYLES,
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
        f'<Relationship Id="rId0" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/>{kinds}</Types>',
    }
