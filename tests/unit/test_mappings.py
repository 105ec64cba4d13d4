"""Every mapping has an example of its name, all of which is accepted."""

from pathlib import Path

import pytest

import ingest.mappings
from ingest.importer.mapping_file import load, names
from ingest.importer.run import convert_file
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


@pytest.mark.parametrize(
    "path", [one for one in sorted(EXAMPLES.glob("*.csv")) if one.stem in names()], ids=str
)
def test_all_of_an_example_is_accepted(path: Path) -> None:
    with path.open("rb") as file:
        found = list(convert_file(file, load(path.stem), Reader(), SEALER))
    assert found and not [one.refusal for one in found if one.refusal]
