"""Names mean one thing.

No class name stands in two modules of the product, and exceptions end in Error.
"""

import ast
import builtins
from pathlib import Path

import pytest

from tests.architecture import counts

ROOT = Path(__file__).parents[2]


def test_no_class_name_stands_in_two_modules() -> None:
    assert len(list(counts.classes(ROOT))) > 300
    assert counts.repeated_classes(ROOT) == []


def test_exceptions_end_in_error() -> None:
    known = {
        name
        for name, one in vars(builtins).items()
        if isinstance(one, type) and issubclass(one, BaseException)
    }
    found = [
        (path, node.name, [ast.unparse(base).rpartition(".")[2] for base in node.bases])
        for path, node in counts.classes(ROOT)
    ]
    more = True
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
        (path, name) for path, name, _ in found if name in derived and not name.endswith("Error")
    ] == []


@pytest.mark.slow
def test_docstrings_begin_with_a_verb() -> None:
    """Nine of ten functions say what they do; the rest are properties."""
    texts = counts.docstrings(ROOT)
    assert len(texts) > 1500
    assert sum(map(counts.begins_with_a_verb, texts)) >= 0.9 * len(texts), counts.first_words(ROOT)
