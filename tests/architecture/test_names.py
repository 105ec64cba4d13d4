"""Names mean one thing.

No class name stands in two modules of the product, and exceptions end in Error.
"""

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import counts

ROOT = Path(__file__).parents[2]
PARTS = ("schemas", "ingest", "streams", "dashboard", "stack")


def classes() -> Iterator[tuple[str, str, list[str]]]:
    """Yield every class of the product: module, name, the last part of each base's name."""
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                    yield str(path.relative_to(ROOT)), node.name, bases


def test_no_class_name_stands_in_two_modules() -> None:
    where = defaultdict(set)
    for module, name, _ in classes():
        where[name].add(module)
    assert len(where) > 300
    assert {name: modules for name, modules in where.items() if len(modules) > 1} == {}


def test_exceptions_end_in_error() -> None:
    known = {
        name
        for name, one in vars(builtins).items()
        if isinstance(one, type) and issubclass(one, BaseException)
    }
    found, more = list(classes()), True
    while more:  # Bases may be declared after what derives from them.
        derived = {
            name
            for _, name, bases in found
            if known.intersection(bases) or any(one.endswith("Error") for one in bases)
        }
        more = not derived <= known
        known |= derived
    assert len(derived) > 15
    assert [
        (module, name)
        for module, name, _ in found
        if name in derived and not name.endswith("Error")
    ] == []


@pytest.mark.slow
def test_docstrings_begin_with_a_verb() -> None:
    """Nine of ten functions say what they do; the rest are properties."""
    texts = counts.docstrings(ROOT)
    assert len(texts) > 1500
    assert sum(map(counts.begins_with_a_verb, texts)) >= 0.9 * len(texts), counts.first_words(ROOT)
