"""Hook of MkDocs for pages and links.

Some pages stand beside the code (ARCHITECTURE.md and the like), where they are looked for; here
they join the site. Links are written so that they work in the repository; a link to a file that is
no page leads to a copy of that file in the site. A broken link is left as it is, and MkDocs reports
it. A page that would load anything from another host is reported, too.
"""

import logging
import os.path
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
BESIDE_THE_CODE = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "schemas/places/NOTICE.md": "project/outlines.md",
}
"""Pages of the site by their place in the repository."""
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?(?P<after>\))")
CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^>]*>"""
)
log = logging.getLogger("mkdocs.hooks")


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages that stand beside the code."""
    for path, page in BESIDE_THE_CODE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files, **_: Any
) -> str:
    """Turn links that work in the repository into links that work in the site."""
    folder = Path(page.file.abs_src_path or ROOT / "docs" / page.file.src_uri).parent
    here = PurePosixPath(page.file.src_uri).parent

    def turned(found: re.Match[str]) -> str:
        path = (folder / found["target"]).resolve()
        if not (path.is_file() and path.is_relative_to(ROOT)):
            return found[0]
        target = address(path.relative_to(ROOT).as_posix(), config, files)
        link = f"{os.path.relpath(target, here)}{found['anchor'] or ''}"
        return f"{found['before']}{link}{found['after']}"

    parts, end = [], 0
    for code in CODE.finditer(markdown):
        parts += [LINK.sub(turned, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, LINK.sub(turned, markdown[end:])])


def address(path: str, config: MkDocsConfig, files: Files) -> str:
    """Return where a file of the repository is in the site; one that is no page is copied there."""
    if path in BESIDE_THE_CODE:
        return BESIDE_THE_CODE[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    # Text files get an ending that browsers show instead of offering to save.
    copy = (
        f"repository/{path}"
        if path.endswith((".csv", ".json", ".xlsx", ".geojson"))
        else f"repository/{path}.txt"
    )
    if files.get_file_from_path(copy) is None:
        files.append(File.generated(config, copy, abs_src_path=str(ROOT / path)))
    return copy


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Report what a page would load from another host."""
    for found in ELSEWHERE.findall(output):
        log.warning("%s loads from elsewhere: %s", page.file.src_uri, found)
    return output
