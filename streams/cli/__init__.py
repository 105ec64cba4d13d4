"""The larger commands: `windows` (verify, rebuild), `letters` (dead letters), and what they share."""

import sys
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

console = Console()
T = TypeVar("T")


def explained(what: str, address: str, run: Callable[[], T]) -> T:
    """Run; a part that cannot be reached is one sentence, not a traceback."""
    try:
        return run()
    except ValueError as error:
        sys.exit(str(error))
    except Exception as error:
        reason = " ".join(str(error).partition("Stack trace")[0].split()) or type(error).__name__
        sys.exit(f"{what} at {address}: {reason}")
