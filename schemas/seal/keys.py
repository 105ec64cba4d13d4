"""The file of keys: one per line in base64url, the first seals, all open. Every process of an installation needs the same.

It is made at first use. Whoever loses it can open nothing that was sealed with it, so it has to be kept apart from the data.
"""

import base64
import logging
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from schemas.seal.identity import KEY_BYTES, Sealer
from schemas.settings import Settings

HEADER = "# Keys that seal who reported. The first seals, all open. Keep a copy apart from the data; show it to nobody.\n"
log = logging.getLogger(__name__)


class SealError(Exception):
    """The keys cannot be had; says which file, why, and what to do. Never quotes a key."""


def key_file(settings: Settings) -> Path:
    """Where the keys of an installation are."""
    return settings.home / settings.seal_key_file


def sealer(settings: Settings) -> Sealer:
    """What seals and opens in this installation; its first key is made if there is none. Raises `SealError`."""
    path = key_file(settings)
    try:
        if not path.exists() and _make(path):
            log.warning(
                "made the key that seals who reported, %s: every process needs this very file; keep a copy of it",
                path,
            )
        text = path.read_text("ascii")
    except UnicodeDecodeError:
        raise SealError(
            f"{path} is no file of seal keys: it is not text. Put back the copy that you kept."
        ) from None
    except OSError as error:
        raise SealError(
            f"{path} (IOC_SEAL_KEY_FILE) cannot be used: {error.strerror or error}."
        ) from None
    return Sealer(_keys(text, path))


def rotate(settings: Settings) -> int:
    """Put a new key on top, which seals from then on; those that were there go on opening. Returns how many there are."""
    sealer(settings)
    path = key_file(settings)
    keys = [secrets.token_bytes(KEY_BYTES), *_keys(path.read_text("ascii"), path)]
    draft = _draft(path, keys)
    draft.replace(path)
    return len(keys)


def _keys(text: str, path: Path) -> list[bytes]:
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key = base64.b64decode(line.strip().encode(), altchars=b"-_", validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise SealError(
                f"{path}, line {number} is no key: {KEY_BYTES} bytes in base64url. Put back the copy that you kept."
            )
        keys.append(key)
    if not keys:
        raise SealError(
            f"{path} holds no key. Put back the copy that you kept; without one, remove the file and one is made."
        )
    return keys


def _make(path: Path) -> bool:
    """Make the file with a first key, whole or not at all; False if another process was first, whose key then holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, [secrets.token_bytes(KEY_BYTES)])
    try:
        # Unlike a rename, a link never takes the place of what is there.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _draft(path: Path, keys: Sequence[bytes]) -> Path:
    """A file beside it that only its owner can read, on disk before it gets its name."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(HEADER + "".join(base64.urlsafe_b64encode(key).decode() + "\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
