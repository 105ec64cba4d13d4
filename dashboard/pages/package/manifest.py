"""What a package says of itself: `manifest.json`."""

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
    """What a package says of itself."""

    province: str
    since: str
    until: str
    made_at: str
    versions: dict[str, str]
    reference: dict[str, str]
    """File of reference data → its hash."""
    run: str = ""
    """The run of the stream that it is of; empty for live."""
    mark: str = ""
    """What screens say of that run: replay or exercise."""
    files: list[File] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What is not in it, and why."""
