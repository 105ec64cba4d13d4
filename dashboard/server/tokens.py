"""Access tokens for the wall or for every page.

Only hashes are kept, in a file of `IOC_HOME` that its owner alone can read.
"""

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from dashboard.query.rights import Right

FILE = "tokens.json"


class Token(msgspec.Struct, frozen=True):
    """A token as stored."""

    hash: str
    right: Right
    made_at: datetime
    expires_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether it is valid at a moment."""
        return self.expires_at is None or now < self.expires_at


@dataclass
class Tokens:
    """The tokens of an installation; changes by other processes apply from the next request on."""

    path: Path
    _known: Mapping[str, Token] = field(default_factory=dict)
    _read: tuple[int, int] | None = None

    @classmethod
    def of(cls, home: Path) -> "Tokens":
        """Return the tokens stored in a folder."""
        return cls(home / FILE)

    def all(self) -> Mapping[str, Token]:
        """Return the tokens by name; empty if none was ever made."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._known, self._read = {}, None
            return self._known
        if (stamp := (found.st_mtime_ns, found.st_size)) != self._read:
            self._known = msgspec.json.decode(self.path.read_bytes(), type=dict[str, Token])
            self._read = stamp
        return self._known

    def add(self, name: str, right: Right, now: datetime, days: int | None = None) -> str:
        """Make a token and return it; it is never shown again.

        Raises:
            ValueError: the name is taken.
        """
        known = dict(self.all())
        if name in known and known[name].holds(now):
            raise ValueError(f"there is a token {name!r} already; revoke it first")
        made = secrets.token_urlsafe(24)
        known[name] = Token(_hash(made), right, now, now + timedelta(days=days) if days else None)
        self._write(known)
        return made

    def revoke(self, name: str) -> None:
        """Delete a token.

        Raises:
            KeyError: there is none of that name.
        """
        known = dict(self.all())
        del known[name]
        self._write(known)

    def right(self, text: str | None) -> Right | None:
        """Return what a token grants; None if it is invalid."""
        if not text:
            return None
        hashed, now = _hash(text), datetime.now(UTC)
        found = (
            one
            for one in self.all().values()
            if secrets.compare_digest(one.hash, hashed) and one.holds(now)
        )
        return next((one.right for one in found), None)

    def _write(self, known: Mapping[str, Token]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(known), indent=2))
        new.replace(self.path)


def _hash(text: str) -> str:
    """Hash a token; it has 192 random bits, so one round of a good hash is enough."""
    return hashlib.sha256(text.encode()).hexdigest()
