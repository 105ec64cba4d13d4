"""The larger commands: `windows` (verify, rebuild, retain), `dead_letters` and `replays`.

This module holds what they share.
"""

import sys
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from rich.console import Console

T = TypeVar("T")


@cache
def console() -> Console:
    """Return the console that the commands print on; it is created at the first call."""
    return Console()


def run_or_exit(what: str, address: str, run: Callable[[], T]) -> T:
    """Call `run`; exit with a one-line message instead of a traceback if it fails.

    Args:
        what: The service that `run` uses, such as ClickHouse, for the message.
        address: The address of that service, for the message.
        run: The work to do.

    Returns:
        What `run` returns.
    """
    try:
        return run()
    except ValueError as error:
        sys.exit(str(error))
    except Exception as error:
        reason = " ".join(str(error).partition("Stack trace")[0].split()) or type(error).__name__
        sys.exit(f"{what} at {address}: {reason}")
