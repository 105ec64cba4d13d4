"""No hidden state.

Nothing is read at import, and no module keeps what changes but declared caches.
"""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.parts import PARTS

ROOT = Path(__file__).parents[2]

READ_AT_IMPORT = {
    # The system's time zone database: the same for as long as a process lives.
    # `schemas.reference.ZONE` is a constant in some thirty places, among them defaults and keys of
    # caches.
    ("schemas.reference.calendar", "<module>", "open"),
    # pydantic asks by itself, when a class of settings is declared, whether its plug-ins are off.
    ("schemas.settings", "<module>", "environment"),
    # prometheus-client notes when a counter is declared; declared once a process, as it wants it.
    ("streams.worker.metrics", "<module>", "clock"),
}
"""What may be read at import (module, function, kind of reading), with the reason.

It may only shrink.
"""

CACHES = {
    # Codes that were looked at and need no word; forgotten from `MAX_CLEAN_CODES` on.
    ("ingest.gateway.notices", "_clean"),
    # Processes that write logs, so that they are reaped: the operating system keeps the same list.
    ("stack.process", "_writers"),
    # Labels that the process's metrics have; the library keeps its registry by process, too.
    ("streams.worker.metrics", "_labelled"),
    # One text for all codes that are alike; forgotten from `MAX_SHARED` on.
    ("streams.worker.rows", "_shared"),
    # Whether this very thread has a turn (`threading.local`).
    ("dashboard.query.turns", "_here"),
}
"""Names of modules whose value changes after import.

Caches and registers of the process, with their bound.
"""

CHANGING = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem"),
    *("difference_update", "popleft", "remove", "setdefault", "sort", "update"),
}
"""Methods that change a collection."""


@cache
def modules() -> list[tuple[str, ast.Module]]:
    """Return every module of the product, parsed."""
    found = []
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found.append((name.removesuffix(".__init__"), tree))
    return found


@pytest.mark.slow
def test_importing_a_module_reads_no_file_environment_clock_or_network(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.architecture.audit"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "IOC_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    found = {(module, function, kind) for module, function, kind, _ in readings}
    unexpected = [one for one in readings if tuple(one[:3]) not in READ_AT_IMPORT]
    assert unexpected == []
    assert found >= READ_AT_IMPORT, "what is no longer read at import is no longer an exception"
    assert not (tmp_path / "home").exists(), "importing makes nothing either"


def names_of(tree: ast.Module) -> set[str]:
    """Return the names that a module binds to values."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Assign(targets=targets):
                found.update(one.id for one in targets if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def changed_by(node: ast.AST) -> ast.expr | None:
    """Return the expression whose value a node changes, if it changes one."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in CHANGING:
            return value
        case ast.Attribute(value=value, attr=attr) if attr in CHANGING:  # handed on to be called
            return value
        case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
            return value
        case ast.Attribute(value=value, ctx=ast.Store() | ast.Del()):
            return value
    return None


@pytest.mark.slow
def test_functions_change_no_value_of_a_module_but_declared_caches() -> None:
    found = set()
    for module, tree in modules():
        names = names_of(tree)
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            own = {
                node.id
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            } | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
            for node in ast.walk(function):
                changed = changed_by(node)
                if isinstance(changed, ast.Name) and changed.id in names - own:
                    found.add((module, changed.id))
    assert found == CACHES


def test_no_function_binds_a_name_of_its_module_anew() -> None:
    found = {
        (module, name)
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
        for name in node.names
    }
    assert found == set()


def imported(tree: ast.Module) -> dict[str, str]:
    """Return the names that a module imports from elsewhere: name -> where it comes from."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {(one.asname or one.name).partition(".")[0]: one.name for one in names}
            case ast.ImportFrom(module=source, names=names):
                found |= {one.asname or one.name: f"{source}.{one.name}" for one in names}
    return found


PATCHES = {"streams.worker.patches"}
"""The modules that change others' modules, one for each process that needs it."""
HOOKS = {("schemas.logs", "sys.excepthook"), ("schemas.logs", "threading.excepthook")}
"""What Python itself offers to be set, by `schemas.logs.configure`."""


def test_only_the_modules_for_it_patch_others_modules() -> None:
    found = set()
    for module, tree in modules():
        foreign = imported(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(ctx=ast.Store() | ast.Del()):
                    base: ast.expr = node
                    while isinstance(base, ast.Attribute | ast.Subscript):
                        base = base.value
                    if isinstance(base, ast.Name) and base.id in foreign:
                        found.add((module, ast.unparse(node)))
                case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), *_]):
                    if name in foreign:
                        found.add((module, ast.unparse(node)))
    assert {module for module, _ in found - HOOKS} == PATCHES
    assert found >= HOOKS
