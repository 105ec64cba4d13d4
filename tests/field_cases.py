"""The public cases from the field.

Folders with an input, a mapping, how to run them and the right result.

They lie beside the repository, or where IOC_SHARED says, and are no part of it.
"""

import os
import shutil
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("IOC_SHARED") or Path(__file__).parents[1].parent / "shared")
"""The folder of what is shared between checkouts; it need not be there."""


def field_case(number: str, into: Path | None = None) -> Path:
    """Return the folder of a case, such as `01`, or a copy of it in `into`.

    Skip the test where it is not there.
    """
    found = next(iter(sorted((SHARED / "cases").glob(f"{number}-*"))), None)
    if found is None:
        pytest.skip(f"the cases from the field are not beside the repository ({SHARED / 'cases'})")
    if into is None:
        return found
    copy = into / found.name
    copy.mkdir(parents=True)
    for file in found.iterdir():
        shutil.copyfile(file, copy / file.name)
    return copy
