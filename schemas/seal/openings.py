"""The log of openings: who opened which sealed identity, when and why. Never what was in it.

One JSON object per line in `unmask.log` of the installation's home, on disk before anything is shown.
"""

import hashlib
import os
import pwd
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from schemas.settings import Settings

FILE = "unmask.log"


class Opening(msgspec.Struct, frozen=True, omit_defaults=True):
    """One opening."""

    at: datetime
    user: str
    reason: str
    sealed: str
    """The first half of the SHA-256 of the sealed text: tells which it was to those who have it."""
    entity: str = ""
    on_behalf_of: str = ""
    """Who became that user by sudo."""


def note(settings: Settings, sealed: str, *, reason: str, entity: str = "") -> Path:
    """Write an opening down; returns the log. Raises `OSError`, when nothing may be shown, and `ValueError` without a reason."""
    if not reason.strip():
        raise ValueError("Say why it is opened.")
    mark = hashlib.sha256(sealed.encode()).hexdigest()[:32]
    line = Opening(
        datetime.now(UTC), _user(), reason.strip(), mark, entity, os.environ.get("SUDO_USER", "")
    )
    path = settings.home / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write in append mode: lines of several people at once do not mix, and none can overwrite another.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, msgspec.json.encode(line) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    return path


def noted(settings: Settings, since: datetime, until: datetime) -> list[Opening]:
    """The openings of a period. Raises `OSError` for a log that may not be read, msgspec's `DecodeError` for a damaged one."""
    try:
        lines = (settings.home / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [
        one
        for line in lines
        if since <= (one := msgspec.json.decode(line, type=Opening)).at < until
    ]


def _user() -> str:
    """The account, by the system and not by what the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
