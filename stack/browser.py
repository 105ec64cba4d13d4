"""Find or install Chromium and fonts with Vietnamese letters for the browser tests."""

import os
import shutil
import subprocess

from rich.console import Console

from stack import StackError

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-core")


def browser(console: Console) -> str:
    """Return the path of a Chromium, installing it where that needs no confirmation.

    Args:
        console: shows which step of the installation runs.

    Raises:
        StackError: it is missing and cannot be installed here, or the installation failed.
    """
    if found := find():
        return found
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        raise StackError(
            "The browser tests need Chromium and fonts: install them "
            "(Debian: apt install chromium fonts-noto-core)."
        )
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (
        ("update", "-qq"),
        ("install", "-y", "-qq", "--no-install-recommends", *PACKAGES),
    ):
        with console.status(f"apt-get {' '.join(arguments)}"):
            done = subprocess.run(
                ("apt-get", *arguments), env=quiet, capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise StackError(
                f"apt-get {' '.join(arguments)} failed:\n{(done.stdout + done.stderr)[-2000:]}"
            )
    if found := find():
        return found
    raise StackError(
        f"apt-get installed {', '.join(PACKAGES)}, but none of {', '.join(NAMES)} can be found."
    )


def find() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)
