"""The manifest of a package: `manifest.json`."""

from dataclasses import dataclass, field


@dataclass
class File:
    """A file of a package."""

    name: str
    what: str
    rows: int | None = None
    bytes: int = 0
    sha256: str = ""


@dataclass
class Manifest:
    """The description of a package."""

    province: str
    since: str
    until: str
    made_at: str
    versions: dict[str, str]
    reference: dict[str, str]
    """Hashes by file of reference data."""
    run: str = ""
    """The replay run that it is of; empty for live."""
    mark: str = ""
    """The label of that run on screens: replay or exercise."""
    files: list[File] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What is missing, and why."""
