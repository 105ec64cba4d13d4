"""`python -m tests.architecture.audit`: import every module of the product, print what that reads.

One line of JSON for each reading: the module and the function of ours that read, what kind of thing
(`environment`, `clock`, or the name of Python's audit event, such as `open`), and its name.
"""

import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from tests.architecture.parts import PARTS

EVENTS = {
    "open",
    "os.listdir",
    "os.scandir",
    "os.system",
    "socket.__new__",
    "socket.getaddrinfo",
    "socket.gethostname",
    "subprocess.Popen",
}
CLOCKS = {"time", "time_ns", "monotonic", "perf_counter"}
DAYS = {"now", "today", "utcnow"}
LIBRARIES = (
    *(
        "aiokafka",
        "babel.dates",
        "clickhouse_driver",
        "cryptography.fernet",
        "dash",
        "dash_leaflet",
    ),
    *("fastapi", "faust", "holidays", "kafka", "openpyxl", "pandas", "pydantic_settings"),
    *("rich.console", "typer", "uvicorn"),
)
"""The larger libraries of the product."""
READINGS: dict[tuple[str, str, str, str], None] = {}


def main() -> None:
    """Import all modules with everything watched, then print what they read."""
    type_of_environment = type(os.environ)

    class Environment(type_of_environment):  # type: ignore[valid-type, misc]
        """The environment, which notes who reads it."""

        def __getitem__(self, key: str) -> Any:
            note("environment", key)
            return super().__getitem__(key)

        def __iter__(self) -> Iterator[str]:
            note("environment", "all of it")
            return iter(list(super().__iter__()))

    for library in LIBRARIES:  # what they read is their affair, and watching it takes long
        importlib.import_module(library)
    os.environ.__class__ = Environment
    sys.addaudithook(heard)
    sys.setprofile(called)
    for part in PARTS:
        package = importlib.import_module(part)
        for module in pkgutil.walk_packages(package.__path__, f"{part}."):
            importlib.import_module(module.name)
    sys.setprofile(None)
    for reading in list(READINGS):
        sys.stdout.write(json.dumps(reading) + "\n")


def heard(event: str, arguments: tuple[Any, ...]) -> None:
    """Note an audit event, unless it is the import of code."""
    if event not in EVENTS:
        return
    name = str(arguments[0]) if arguments else ""
    if not (event == "open" and name.endswith((".py", ".pyc", ".so"))):
        note(event, name)


def called(frame: FrameType, event: str, argument: Any) -> None:
    """Note a clock that a function of ours asks: clocks raise no audit events."""
    if event == "c_call" and (argument.__name__ in DAYS or argument.__name__ in CLOCKS):
        owner = getattr(argument, "__self__", None)
        if argument.__name__ in DAYS or getattr(owner, "__name__", "") == "time":
            note("clock", argument.__name__)


def note(kind: str, name: str) -> None:
    """Note a reading as that of the innermost frame of ours, unless importing came between.

    What a library reads when it is itself imported is its own affair, and so is what Python's
    import machinery looks at.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if is_ours(frame):
            code = frame.f_code
            READINGS[frame.f_globals["__name__"], code.co_name, kind, name] = None
            return
        if frame.f_code.co_name == "<module>" or frame.f_code.co_filename.startswith("<frozen imp"):
            return
        frame = frame.f_back


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame is of the product."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in PARTS


if __name__ == "__main__":
    main()
