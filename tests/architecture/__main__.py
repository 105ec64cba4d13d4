"""Write the pages of the docs that derive from the whole code: python -m tests.architecture."""

from pathlib import Path

from schemas.documents import ARCHITECTURE, ROOT, renewed
from tests.architecture import commands, rooms

COMMANDS = ROOT / "docs" / "reference" / "commands.md"


def files() -> dict[Path, str]:
    """Return every page with its content."""
    architecture = renewed(ARCHITECTURE.read_text(), "rooms", rooms.draw())
    return {
        COMMANDS: commands.page(),
        ARCHITECTURE: renewed(architecture, "contracts", rooms.contracts()),
    }


if __name__ == "__main__":
    for path, content in files().items():
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
            print(f"wrote: {path.name}")
