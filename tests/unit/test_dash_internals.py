"""What the dashboard uses of Dash beyond its API is there unchanged, and stands in one module."""

import ast
import hashlib
import inspect
from pathlib import Path

import pytest
from dash import Dash
from dash.backends import _fastapi, ws

RELIED_ON = {
    Dash._initialize_context: "16cf88640733cfb1",
    Dash._prepare_callback: "d5a65d454c199ae6",
    Dash._inputs_to_vals: "bb8bb870ba448c99",
    Dash._execute_callback: "848bab324017f0d1",
    Dash.index: "7035702df5186409",
    _fastapi.set_current_request: "1b26f46dfa4752f4",
    _fastapi.reset_current_request: "e1d780bb7523e098",
    ws.DashWebsocketCallback.__init__: "8321797595eb004d",
    ws._send_batched: "09375dde1501f0cb",
}
"""Digests of the code that is called or relied on; look at it anew before changing one."""


@pytest.mark.parametrize("function", RELIED_ON, ids=lambda function: function.__qualname__)
def test_dash_still_has_the_code_that_is_relied_on(function: object) -> None:
    text = inspect.getsource(function)  # type: ignore[arg-type]
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == RELIED_ON[function]  # type: ignore[index]


def test_only_one_module_uses_what_is_private_in_others() -> None:
    found = set()
    for path in Path("dashboard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.attr.startswith("_")
                and not node.attr.startswith("__")
                and node.value.id in ("app", "dash", "socket", "ws", "backend")
            ) or (
                isinstance(node, ast.ImportFrom)
                and (node.module or "").startswith("dash.")
                and (
                    "._" in (node.module or "")
                    or any(name.name.startswith("_") for name in node.names)
                )
            ):
                found.add(path.name)
    assert found == {"dash_internals.py"}
