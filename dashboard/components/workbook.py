"""Write workbooks (XLSX) as they are read: row by row into the ZIP that goes out.

Memory is the same for any length. Own code, as libraries make the whole sheet in a file first and
take long for it. CPU time for 50,000 rows of twelve columns (2026-12-01, 2 cores): this 1.8 s,
XlsxWriter with constant memory 6.4 s, openpyxl's write-only mode 18.7 s; for a million rows
openpyxl 370 s, this 16 s (`docs/explanation/libraries.md`). Texts are inline strings, which no
program takes for a formula; days and times are real ones with the time of Viet Nam; a sheet that is
full is followed by another. ECMA-376, parts 1 and 2.
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
"""Most characters of a cell."""
BLOCK = 2_000
EPOCH = datetime(1899, 12, 30)
DAY = timedelta(days=1)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MOMENT, DATE, HEADING = 1, 2, 3
"""Styles of cells, by their position in `_STYLES`."""
_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Arial"/></font>'
    '<font><b/><sz val="11"/><name val="Arial"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML cannot hold."""
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""Text that a reader would take for an escaped character."""


class _Pipe:
    """Keep what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing, as nothing is buffered elsewhere."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        found = b"".join(self._parts)
        self._parts.clear()
        return found


def workbook(
    title: str, header: Sequence[str], rows: Iterable[Sequence[object]], full: int = FULL
) -> Iterator[bytes]:
    """Yield the file in pieces.

    Args:
        title: the name of the first sheet; those after it have a number.
        header: the heading of each column, repeated on every sheet.
        rows: their cells are texts, numbers, days, times with an offset, or None.
        full: the number of rows of a full sheet, its heading included.
    """
    pipe, names = _Pipe(), list[str]()
    waiting = iter(rows)
    row = next(waiting, None)
    with zipfile.ZipFile(  # type: ignore[call-overload]
        pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as file:
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
        # Infinity and NaN have no cell.
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
    """Return a sheet up to its first row.

    The heading row is frozen, and columns are as wide as their headings need.
    """
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{max(14, len(words) + 4)}" customWidth="1"/>'
        for number, words in enumerate(header, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{widths}</cols><sheetData>"
        f"<row>{''.join(_text(words, HEADING) for words in header)}</row>"
    )


def _name(title: str, before: int) -> str:
    """Return the name of a sheet: at most 31 characters, without forbidden ones."""
    bare = re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:24] or "1"
    return f"{bare} ({before + 1})" if before else bare


def _frame(names: Sequence[str]) -> dict[str, str]:
    """Return the parts of a workbook besides its sheets: path → content."""
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
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f"<sheets>{sheets}</sheets></workbook>",
        "xl/styles.xml": _STYLES,
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
        f'<Relationship Id="rId0" Type="{RELATIONS}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/>{kinds}</Types>',
    }
