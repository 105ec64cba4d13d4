"""Former address of the Faust app, kept so that `faust -A streams.app worker` still works.

The app is `streams.worker.app`.
"""

import logging

from streams.worker.app import app

__all__ = ["app"]
logging.getLogger(__name__).warning(
    "streams.app has moved; start the worker with: faust -A streams.worker.app worker"
)
