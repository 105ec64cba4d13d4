"""One identity, sealed and opened: AES-SIV (RFC 5297), deterministic and authenticated.

Deterministic, so that an event that is sent again is the same event byte for byte, and the centre can tell that two reports come
from one reporter without opening either. That much, and about how long it is, a sealed text gives away to those without the key.
"""

import base64
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

PREFIX = "sealed:1:"
KEY_BYTES = 64
"""AES-256-SIV takes two keys of 256 bits."""
FORM = re.compile(re.escape(PREFIX) + "[A-Za-z0-9_-]{22,}")
"""What a sealed text looks like: the prefix, then at least the 16 bytes of the tag in base64url."""
_PURPOSE = [b"reporter"]
"""Authenticated with the text: what was sealed with the same key for another purpose does not open as an identity."""
_SEALED_OR_NOBODY = re.compile(f"(?:{FORM.pattern})?")


class DecryptionError(Exception):
    """A text that none of the keys opens, or that is no sealed one."""


def is_sealed(text: str) -> bool:
    """Whether a text has the form of a sealed one. Whether it opens is another question: that takes the key."""
    return FORM.fullmatch(text) is not None


def hides(text: str) -> bool:
    """Whether a text may be kept: it is sealed, or empty for nobody."""
    return _SEALED_OR_NOBODY.fullmatch(text) is not None


class Sealer:
    """Seals with the first of its keys and opens with any. Safe to share between threads."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises `ValueError` unless there is a key and each has 64 bytes."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"A seal needs at least one key, each of {KEY_BYTES} bytes.")
        self._keys = [AESSIV(key) for key in keys]

    def seal(self, text: str) -> str:
        """The sealed text; one that is sealed already, or empty, as it is."""
        if hides(text):
            return text
        # A lone surrogate is no text and cannot be kept anyhow; it must not stop the rest from being sealed.
        closed = self._keys[0].encrypt(text.encode(errors="replace"), _PURPOSE)
        return PREFIX + base64.urlsafe_b64encode(closed).rstrip(b"=").decode()

    def open(self, text: str) -> str:
        """The identity in a sealed text, and in those that were sealed within it. Raises `DecryptionError`."""
        if not is_sealed(text):
            raise DecryptionError(f"It is no sealed identity; those look like {PREFIX}….")
        letters = text.removeprefix(PREFIX)
        try:
            closed = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
        except ValueError:
            raise DecryptionError("It was cut short or changed.") from None
        for key in self._keys:
            try:
                inner = key.decrypt(closed, _PURPOSE).decode()
            except (InvalidTag, ValueError):
                continue
            return FORM.sub(lambda found: self._open_within(found[0]), inner)
        raise DecryptionError(
            f"None of the {len(self._keys)} keys opens it: it was sealed with another, cut short or changed."
        )

    def _open_within(self, text: str) -> str:
        try:
            return self.open(text)
        except DecryptionError:
            return text
