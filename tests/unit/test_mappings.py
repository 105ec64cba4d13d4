"""Every mapping has an example of its name, all of which is accepted."""

from pathlib import Path

import pytest

import ingest.mappings
from ingest.importer.mapping_file import load, names
from ingest.importer.run import convert, convert_file
from ingest.importer.sheets import sheet_rows
from schemas.events.envelope import Reader
from tests.sealing import SEALER

EXAMPLES = Path(ingest.mappings.__file__).parent / "examples"
ELSEWHERE = {"nyc311"}
"""Mappings of files that are too large to come along; their tests read the published file."""


def lacking(mappings: set[str], examples: set[str]) -> set[str]:
    return mappings - examples - ELSEWHERE


def test_a_mapping_without_an_example_is_named() -> None:
    assert not lacking(set(names()), {path.stem for path in EXAMPLES.iterdir()})
    assert lacking({"lost", "nyc311"}, {"other"}) == {"lost"}


OF_MAPPING = {"service-index-2023-10-10": "indicators"}
"""Mappings of examples that are not named after their own."""
SHEETS = {"indicators": "Ví dụ"}
"""Sheets with the examples of workbooks."""


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_all_of_an_example_is_accepted(path: Path) -> None:
    mapping = load(OF_MAPPING.get(path.stem, path.stem))
    with path.open("rb") as file:
        found = list(
            convert_file(file, mapping, Reader(), SEALER)
            if path.suffix == ".csv"
            else convert(sheet_rows(file, mapping, SHEETS[path.stem]), mapping, Reader(), SEALER)
        )
    assert found and not [one.refusal for one in found if one.refusal]
