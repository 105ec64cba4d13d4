"""A real worker that gives itself a signal at a named step.

`python -m tests.chaos.doomed STEP PASSAGE SIGNAL`.

The product has no hooks for this: its methods are wrapped here, before its own main program runs. A
name that is gone raises, so that a changed order of work is noticed. With SIGKILL the worker is
dead between two statements; with SIGSTOP it is a zombie there.
"""

import functools
import inspect
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

KINDS = ("filing", "feedback", "document", "meeting", "indicator")
STEPS = (
    "take",
    "copy",
    "letters",
    *(f"events {kind}" for kind in KINDS),
    "in events",
    "before windows",
    *(f"windows {kind}" for kind in KINDS),
    "in windows",
    "write",
    "acknowledge",
)
"""The steps in the order of work.

The signal comes after a step unless its name says in or before.
"""


class Doom:
    """Counts passages of one step, and gives this process the signal at the chosen one."""

    def __init__(self, passage: int, number: int) -> None:
        self._left, self._signal = passage, number

    def passed(self, *_: object) -> None:
        """Note a passage."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)

    def soon(self, *_: object) -> None:
        """Note a passage whose signal comes within milliseconds, during the next statement."""
        self._left -= 1
        if self._left == 0:
            delay = random.random() * 0.006

            def strike() -> None:
                time.sleep(delay)
                os.kill(os.getpid(), self._signal)

            threading.Thread(target=strike).start()


def wrap(
    owner: Any,
    name: str,
    when: Callable[..., bool],
    *,
    before: Callable[..., None] | None = None,
    after: Any = None,
) -> None:
    """Call `before` or `after` around a method, where `when` holds for its arguments (without
    self).
    """
    method = getattr(owner, name)

    @functools.wraps(method)
    def wrapped(self: Any, *arguments: Any, **options: Any) -> Any:
        chosen = when(*arguments)
        if chosen and before:
            before()
        result = method(self, *arguments, **options)
        if chosen and after:
            after()
        return result

    @functools.wraps(method)
    async def wrapped_async(self: Any, *arguments: Any, **options: Any) -> Any:
        result = await method(self, *arguments, **options)
        if when(*arguments) and after:
            after()
        return result

    setattr(owner, name, wrapped_async if inspect.iscoroutinefunction(method) else wrapped)


def arm(step: str, doom: Doom) -> None:
    """Wrap the method of a step."""
    from streams.worker import loop as work
    from streams.worker.engine import Engine
    from streams.worker.store import WorkerStore

    def some(*arguments: Any) -> bool:
        return bool(arguments[-1])

    what, _, kind = step.partition(" ")

    def of_kind(which: Any, rows: Any) -> bool:
        return which.name == kind and bool(rows)

    match what, kind:
        case "take", _:
            wrap(Engine, "take", some, after=doom.passed)
        case "copy", _:
            wrap(work.WorkLoop, "_copy", some, after=doom.passed)
        case "letters", _:
            wrap(WorkerStore, "write_dead_letters", some, after=doom.passed)
        case "in", "events":
            wrap(WorkerStore, "write_events", some, before=doom.soon)
        case "in", "windows":
            wrap(WorkerStore, "write_windows", some, before=doom.soon)
        case "before", "windows":
            wrap(WorkerStore, "write_windows", some, before=doom.passed)
        case "events", _:
            wrap(WorkerStore, "write_events", of_kind, after=doom.passed)
        case "windows", _:
            wrap(WorkerStore, "write_windows", of_kind, after=doom.passed)
        case "write", _:
            wrap(work, "write", lambda batch: bool(batch.events), after=doom.passed)
        case "acknowledge", _:
            wrap(work.WorkLoop, "_write", some, after=doom.passed)
        case _:
            raise SystemExit(f"no step {step!r}; there are {', '.join(STEPS)}")


if __name__ == "__main__":
    chosen, passage, number = sys.argv[1:]
    arm(chosen, Doom(int(passage), int(number)))
    sys.argv = ["streams", "worker"]
    from streams.__main__ import cli

    cli()
