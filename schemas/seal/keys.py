"""Read and write the file of keys: one per line in base64url, the first encrypts, all decrypt.

Every process of an installation needs the same file. It is created at first use. Whoever loses it
can decrypt nothing that was encrypted with it, so keep it apart from the data.
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

HEADER = (
    "# Keys that seal who reported. The first seals, all open. Keep a copy apart from the data; "
    "show it to nobody.\n"
)
log = logging.getLogger(__name__)


class SealError(Exception):
    """Raised if the keys cannot be read or written.

    The message says which file, why, and what to do.

    It never quotes a key.
    """


def key_file(settings: Settings) -> Path:
    """Return the path of the keys of an installation."""
    return settings.home / settings.seal_key_file


def sealer(settings: Settings) -> Sealer:
    """Return the `Sealer` of this installation, creating its first key if there is none.

    Raises:
        SealError: The keys cannot be read or created.
    """
    path = key_file(settings)
    try:
        if not path.exists() and _make(path):
            log.warning(
                (
                    "created the key that encrypts reporters, %s: every process needs this very "
                    "file; keep a copy of it"
                ),
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
    """Add a new key, which encrypts from then on; return the number of keys.

    Raises:
        SealError: The keys cannot be read or written.
    """
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
                f"{path}, line {number} is no key: {KEY_BYTES} bytes in base64url. "
                "Put back the copy that you kept."
            )
        keys.append(key)
    if not keys:
        raise SealError(
            f"{path} holds no key. Put back the copy that you kept; "
            "without one, remove the file and a new key is created."
        )
    return keys


def _make(path: Path) -> bool:
    """Create the file with a first key, atomically; return False if another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, [secrets.token_bytes(KEY_BYTES)])
    try:
        # Unlike a rename, a link never replaces what is there.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _draft(path: Path, keys: Sequence[bytes]) -> Path:
    """Write a new file next to `path` that only its owner can read, and flush it to disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(HEADER + "".join(base64.urlsafe_b64encode(key).decode() + "\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
