"""Log who decrypted which identity, when and why, never the identity itself.

The log has one JSON object per line in `unmask.log` of the installation's home, flushed to disk
before anything is shown.
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
    """One decryption."""

    at: datetime
    user: str
    reason: str
    sealed: str
    """First half of the SHA-256 of the encrypted text, which identifies it to those who have it."""
    entity: str = ""
    on_behalf_of: str = ""
    """The account that became that user by sudo."""


def note(settings: Settings, sealed: str, *, reason: str, entity: str = "") -> Path:
    """Record a decryption and return the path of the log.

    Raises:
        OSError: It cannot be recorded; then nothing may be shown.
        ValueError: The reason is empty.
    """
    if not reason.strip():
        raise ValueError("Give a reason for decrypting.")
    mark = hashlib.sha256(sealed.encode()).hexdigest()[:32]
    line = Opening(
        datetime.now(UTC), _user(), reason.strip(), mark, entity, os.environ.get("SUDO_USER", "")
    )
    path = settings.home / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write in append mode: lines of several people at once do not mix, and none can overwrite
    # another.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, msgspec.json.encode(line) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    return path


def noted(settings: Settings, since: datetime, until: datetime) -> list[Opening]:
    """Return the decryptions of a period.

    Raises:
        OSError: The log may not be read.
        msgspec.DecodeError: The log is damaged.
    """
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
    """Return the account, as the system knows it and not by the environment."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
