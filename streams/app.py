"""Former address of the Faust app, which `faust -A streams.app worker` goes on finding: now `streams.worker.app`."""

import logging

from streams.worker.app import app

__all__ = ["app"]
logging.getLogger(__name__).warning("streams.app has moved: use faust -A streams.worker.app worker")
