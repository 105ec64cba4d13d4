"""What the worker patches in libraries is what the patches were written for, and only they change
it.
"""

import ast
import hashlib
import importlib.util
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiokafka.consumer import fetcher, subscription_state
from clickhouse_driver.columns.datetimecolumn import DateTime64Column

from schemas.moments import milliseconds
from streams.worker import patches
from streams.worker.fetching import ChunkResult, PartitionState

REPLACED = {
    ("aiokafka.consumer.fetcher", "PartitionRecords._consumer_record"): "d8ace8ffb7f64cae",
    ("aiokafka.consumer.fetcher", "PartitionRecords._unpack_records"): "40c81a2a6aac5ac0",
    ("aiokafka.consumer.fetcher", "FetchResult"): "fa61b3894a7f59bf",
    ("aiokafka.consumer.subscription_state", "TopicPartitionState"): "f1d3292996633525",
    ("aiokafka.consumer.subscription_state", "Assignment.__init__"): "01d056d54489b4a2",
    (
        "clickhouse_driver.columns.datetimecolumn",
        "DateTime64Column.before_write_items",
    ): "47e223de821d8222",
    ("clickhouse_driver.columns.base", "Column.prepare_items"): "a14c9d6ff556c37d",
}
"""Digests of the code that is replaced, extended or relied on.

Look at it anew before changing one.
"""


def source(module: str, name: str) -> str:
    """Return the text of a class or method as the library's file has it, whatever this process
    patched.
    """
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        node = next(
            one
            for one in ast.iter_child_nodes(node)
            if isinstance(one, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and one.name == part
        )
    return ast.get_source_segment(text, node) or ""


@pytest.mark.parametrize(("module", "name"), REPLACED)
def test_a_library_still_has_the_code_that_a_patch_was_written_for(module: str, name: str) -> None:
    digest = hashlib.sha256(source(module, name).encode()).hexdigest()[:16]
    assert digest == REPLACED[module, name], f"{module}.{name} changed: is the patch still right?"


def test_patches_were_written_for_the_versions_that_are_installed() -> None:
    assert {name: metadata.version(name) for name in patches.WRITTEN_FOR} == patches.WRITTEN_FOR


def test_patches_stand_after_they_are_applied_however_often() -> None:
    patches.apply()
    replaced = DateTime64Column.prepare_items
    patches.apply()
    assert DateTime64Column.prepare_items is replaced
    assert fetcher.FetchResult is ChunkResult
    assert subscription_state.TopicPartitionState is PartitionState
    assert fetcher.PartitionRecords._consumer_record(None, None, "a record") == "a record"


def test_times_that_are_ticks_are_sent_as_they_are_and_others_as_the_driver_does() -> None:
    patches.apply()
    column = DateTime64Column(scale=3, context=SimpleNamespace(client_settings={}))
    ticks = [1_764_560_000_123, 0]
    assert column.prepare_items(ticks) is ticks
    at = datetime(2026, 11, 30, 9, 15, 0, 123_000, tzinfo=UTC)
    assert list(column.prepare_items([at])) == [milliseconds(at)]
    column.nullable = True
    assert list(column.prepare_items([None, *ticks])) == [0, *ticks]


@pytest.mark.slow
def test_importing_the_worker_patches_nothing() -> None:
    code = (
        "import streams.worker.patches, streams.worker.transport, streams.worker.store\n"
        "from aiokafka.consumer import fetcher, subscription_state\n"
        "from clickhouse_driver.columns.datetimecolumn import DateTime64Column\n"
        "for one in (fetcher.FetchResult, subscription_state.TopicPartitionState,\n"
        "            fetcher.PartitionRecords._consumer_record, DateTime64Column.prepare_items):\n"
        "    assert not one.__module__.startswith('streams'), one\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
