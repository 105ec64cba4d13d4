"""Former address of the Faust app, kept so that `faust -A streams.app worker` still works.

The app is `streams.worker.app`.
"""

import logging
from typing import Any


def __getattr__(name: str) -> Any:
    """Return the `app` of `streams.worker.app`, and log that it moved."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from streams.worker.app import app

    logging.getLogger(__name__).warning(
        "streams.app has moved; start the worker with: faust -A streams.worker.app worker"
    )
    return app
