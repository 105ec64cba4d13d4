"""Encrypt and decrypt one identity with AES-SIV (RFC 5297), deterministic and authenticated.

Deterministic, so that an event that is sent again is the same event byte for byte, and the centre
can see that two reports come from one reporter without decrypting either. That, and its approximate
length, is all that an encrypted text reveals to those without the key.
"""

import base64
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

PREFIX = "sealed:1:"
KEY_BYTES = 64
"""Length of a key in bytes; AES-256-SIV takes two keys of 256 bits."""
FORM = re.compile(re.escape(PREFIX) + "[A-Za-z0-9_-]{22,}")
"""Form of an encrypted text: the prefix, then at least the 16 bytes of the tag in base64url."""
_PURPOSE = [b"reporter"]
"""Authenticated with the text.

A text that was encrypted with the same key for another purpose does not decrypt as an identity.
"""
_SEALED_OR_NOBODY = re.compile(f"(?:{FORM.pattern})?")


class DecryptionError(Exception):
    """Raised for a text that none of the keys decrypts, or that is not encrypted."""


def is_sealed(text: str) -> bool:
    """Return whether a text has the form of an encrypted one.

    Only the key shows whether it decrypts.
    """
    return FORM.fullmatch(text) is not None


def hides(text: str) -> bool:
    """Return whether a text may be stored: it is encrypted, or empty for nobody."""
    return _SEALED_OR_NOBODY.fullmatch(text) is not None


class Sealer:
    """Encrypts with the first of its keys and decrypts with any; safe to share between threads."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Keep the keys.

        Raises:
            ValueError: There is no key, or one does not have 64 bytes.
        """
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"A seal needs at least one key, each of {KEY_BYTES} bytes.")
        self._keys = [AESSIV(key) for key in keys]

    def seal(self, text: str) -> str:
        """Return the encrypted text.

        A text that is encrypted already, or empty, is returned as it is.
        """
        if hides(text):
            return text
        # A lone surrogate is no text and cannot be stored anyhow; it must not stop the rest from
        # being encrypted.
        closed = self._keys[0].encrypt(text.encode(errors="replace"), _PURPOSE)
        return PREFIX + base64.urlsafe_b64encode(closed).rstrip(b"=").decode()

    def open(self, text: str) -> str:
        """Return the identity in an encrypted text, and in those encrypted within it.

        Raises:
            DecryptionError: None of the keys decrypts it.
        """
        if not is_sealed(text):
            raise DecryptionError(f"It is no encrypted identity; those look like {PREFIX}….")
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
            f"None of the {len(self._keys)} keys opens it: it was sealed with another, cut short "
            "or changed."
        )

    def _open_within(self, text: str) -> str:
        try:
            return self.open(text)
        except DecryptionError:
            return text
