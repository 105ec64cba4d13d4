"""A package as one ZIP file: tables, pictures, a manifest with hashes and versions, an index page.

`SHA256SUMS` holds the hash of every other file; `sha256sum -c SHA256SUMS` proves that none was
changed.
"""

import hashlib
import itertools
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

import schemas
from dashboard.components.sheet import Sheet, csv_pieces
from dashboard.history.proof import Proof
from dashboard.pages.package.manifest import File, Manifest
from dashboard.pages.package.page import index
from dashboard.pages.package.screens import PictureError, browser, installed, picture
from dashboard.pages.package.tables import cell, extracts, rows_of
from dashboard.query.connection import Connection
from schemas.clickhouse.replays import ReplayRun
from schemas.clickhouse.retention import horizon
from schemas.seal.openings import Opening

Tell = Callable[[str, int, int], None]
DATA = ("reference/data", "places/data")


@dataclass(frozen=True)
class PicturedPage:
    """A page to be pictured."""

    moment: datetime
    address: str


def build(
    connection: Connection,
    province: str,
    since: datetime,
    until: datetime,
    into: IO[bytes],
    screens: Sequence[PicturedPage] = (),
    cookies: Mapping[str, str] | None = None,
    tell: Tell = lambda what, done, total: None,
    openings: Sequence[Opening] | None = None,
    run: ReplayRun | None = None,
) -> Manifest:
    """Write the package of a period; pages that cannot be pictured are left out and listed.

    Args:
        connection: of live, or of a replay run.
        province: its code.
        since: the start of the period.
        until: its end.
        into: gets the ZIP file.
        screens: pages to be pictured.
        cookies: hold the rights of the pictured pages' viewer.
        run: the replay run of the connection; None for live. The package names it, so that nobody
            takes an exercise for a real event.
        tell: is called with what is being written, the number of parts done, and their total.
        openings: decryptions of identities; None for an account that may not read their log.

    Raises:
        dashboard.query.connection.UnreachableError: ClickHouse does not answer.
    """
    manifest = Manifest(
        province,
        since.isoformat(),
        until.isoformat(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        _versions(connection, province),
        _reference(),
        run.name if run else "",
        str(run.mark) if run else "",
    )
    if openings is None:
        manifest.left_out.append(
            "ai đã mở danh tính niêm phong: chỉ lệnh của chính tài khoản cài đặt mới đóng gói · "
            "who opened sealed identities: only the command of the installation's own account "
            "packs that"
        )
    if (known := horizon(connection.tuples)) and since < known.whole_from:
        before = known.whole_from.isoformat()
        manifest.left_out.append(
            f"sự kiện gốc không còn được lưu, từ trước {before} · single events that are kept "
            f"no longer, from before {before}"
        )
    tables = extracts(since, until)
    total = len(tables) + len(screens)
    with ZipFile(into, "w", ZIP_DEFLATED) as package:
        for number, one in enumerate(tables):
            tell(one.name, number, total)
            sheet = Sheet(one.name, one.columns, rows_of(connection, one))
            manifest.files.append(_packed(package, sheet, one.what))
        if openings is not None:
            rows = ([cell(value) for value in msgspec.structs.astuple(one)] for one in openings)
            sheet = Sheet("openings", Opening.__struct_fields__, rows)
            what = (
                "ai đã mở danh tính nào, khi nào, vì sao · who opened which sealed identity, "
                "when and why"
            )
            manifest.files.append(_packed(package, sheet, what))
        _screens(
            package,
            manifest,
            screens,
            cookies or {},
            lambda what, done: tell(what, len(tables) + done, total),
        )
        said = {
            "manifest.json": json.dumps(asdict(manifest), ensure_ascii=False, indent=1),
            "index.html": index(manifest),
        }
        sums = {file.name: file.sha256 for file in manifest.files}
        for name, text in said.items():
            package.writestr(name, text)
            sums[name] = hashlib.sha256(text.encode()).hexdigest()
        package.writestr(
            "SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        )
    tell("", total, total)
    return manifest


def _packed(package: ZipFile, sheet: Sheet, what: str) -> File:
    file, digest, numbers = (
        File(f"tables/{sheet.name}.csv", what),
        hashlib.sha256(),
        itertools.count(),
    )
    # Rows are counted as they pass, so that none has to be kept.
    rows = (row for row, _ in zip(sheet.rows, numbers, strict=False))
    with package.open(file.name, "w", force_zip64=True) as out:
        for piece in csv_pieces(Sheet(sheet.name, sheet.header, rows)):
            file.bytes += len(piece)
            digest.update(piece)
            out.write(piece)
    file.rows, file.sha256 = next(numbers), digest.hexdigest()
    return file


def _screens(
    package: ZipFile,
    manifest: Manifest,
    screens: Sequence[PicturedPage],
    cookies: Mapping[str, str],
    tell: Callable[[str, int], None],
) -> None:
    path = installed()
    if screens and path is None:
        manifest.left_out.append(
            "ảnh màn hình: chưa cài Chromium · pictures of the screens: no Chromium is installed"
        )
    if not screens or path is None:
        return
    try:
        with browser(path) as tools:
            for number, one in enumerate(screens):
                tell(one.address, number)
                try:
                    data = picture(tools, one.address, cookies)
                except PictureError as error:
                    manifest.left_out.append(f"một ảnh màn hình · a picture: {error}")
                    continue
                name = f"screens/{number + 1:02}-{one.moment:%Y%m%dT%H%M%S%z}.png".replace("+", "p")
                package.writestr(name, data)
                what = (
                    f"{one.moment.isoformat(timespec='seconds')}: "
                    f"{one.address.partition('//')[2].partition('/')[2]}"
                )
                manifest.files.append(
                    File(name, what, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
                )
    except PictureError as error:
        manifest.left_out.append(f"ảnh màn hình · pictures of the screens: {error}")


def _versions(connection: Connection, province: str) -> dict[str, str]:
    proof = Proof(connection, province)
    ((database,),) = connection.tuples("SELECT version()")
    return {
        "product": metadata.version("province-ioc"),
        "python": platform.python_version(),
        "clickhouse": database,
        "figure_rules": f"{proof.rules:016x}",
        "working_calendar": str(proof.calendar),
    }


def _reference() -> dict[str, str]:
    root = Path(schemas.__file__).parent
    files = sorted(
        path
        for folder in DATA
        for path in (root / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
