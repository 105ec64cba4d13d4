"""The browser's side: modules and styles of `dashboard/client`, at addresses with their digest.

Modules are served as they are written; nothing is built. Styles are joined in the order of the
cascade, so that a page requests one file. An address holds a digest of all of them: a browser keeps
the files for a year, and a new release has new addresses.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request, Response

FOLDER = Path(__file__).parents[1] / "client"
STYLES = (
    "access.css",
    "desk/frame.css",
    "desk/parts.css",
    "desk/cards.css",
    "desk/tables.css",
    "desk/help.css",
    "desk/sizes.css",
    "desk/scores.css",
    "desk/score-bars.css",
    "desk/chart.css",
    "map/page.css",
    "map/layers.css",
    "map/bar.css",
    "map/find.css",
    "map/ground.css",
    "map/panel.css",
    "records/list.css",
    "records/files.css",
    "records/word.css",
    "replay.css",
    "theme/fonts.css",
    "theme/colours.css",
    "theme/base.css",
    "theme/shapes.css",
    "unit.css",
    "wall/frame.css",
    "wall/figures.css",
    "wall/ground.css",
    "wall/board.css",
    "wall/alarms.css",
    "wall/sources.css",
    "wall/banner.css",
    "wall/sizes.css",
)
"""Files of `styles` in the order of the cascade: of rules of one specificity, the later one wins.
"""
ENTRY, SHEET = "main.js", "styles.css"
KEPT, CHECKED = "public, max-age=31536000, immutable", "no-cache"
MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True)
class ClientFile:
    """A file as it is sent, plain and compressed."""

    content: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True)
class Client:
    """All files of the browser's side, below the address `base`."""

    base: str
    files: dict[str, ClientFile]

    @property
    def sheet(self) -> str:
        """The address of the styles."""
        return f"{self.base}/{SHEET}"

    @property
    def head(self) -> str:
        """Elements for a page's head that load all files, and modules in parallel."""
        modules = sorted(name for name in self.files if name.endswith(".js") and name != ENTRY)
        preloads = "".join(
            f'<link rel="modulepreload" href="{self.base}/{name}">' for name in modules
        )
        return (
            f'<link rel="stylesheet" href="{self.sheet}">'
            f'<script type="module" src="{self.base}/{ENTRY}"></script>{preloads}'
        )


@cache
def client() -> Client:
    """Return the files of the browser's side, read once."""
    modules = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*.js"))
    }
    sheet = b"\n".join((FOLDER / "styles" / name).read_bytes() for name in STYLES)
    contents = {**modules, SHEET: sheet}
    digest = hashlib.blake2b(digest_size=8)
    for name, content in contents.items():
        digest.update(b"%s %d\n" % (name.encode(), len(content)) + content)
    return Client(
        f"/assets/v-{digest.hexdigest()}",
        {
            name: ClientFile(
                content,
                gzip.compress(content, 9, mtime=0),
                MEDIA_TYPES[Path(name).suffix],
            )
            for name, content in contents.items()
        },
    )


def add_routes(server: FastAPI) -> None:
    """Add the route of the files; before Dash adds its own of `/assets`."""

    @server.get("/assets/v-{digest}/{path:path}", include_in_schema=False)
    def file(request: Request, digest: str, path: str) -> Response:
        """Serve a file; a page of another release gets the current one, uncached."""
        found = client().files.get(path)
        if found is None:
            return Response(status_code=404)
        same = client().base == f"/assets/v-{digest}"
        headers = {"Cache-Control": KEPT if same else CHECKED, "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(found.content, media_type=found.media_type, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(found.compressed, media_type=found.media_type, headers=headers)
