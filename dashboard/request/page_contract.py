"""The page contract: which components a page may hold that the browser's own renderer draws.

`dashboard/client/renderer/components.js` draws them; docs/reference/page-contract.md explains it. A
component that it cannot draw is an error on this side, where a test and the log see it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

HTML = "dash_html_components"
"""Every component of this namespace is an element, and is drawn."""
DRAWN: Mapping[str, tuple[str, ...]] = {"dash_core_components": ("Input", "Link")}
"""Namespace → components that are drawn, too; the same as `DRAWN` of components.js."""


class UndrawnComponentError(TypeError):
    """A page holds a component that the browser's renderer cannot draw."""

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(f"the page contract has no {namespace}.{name}")


def check_component(component: Component) -> None:
    """Check one component, without its children.

    Raises:
        UndrawnComponentError: the renderer cannot draw it.
    """
    found: dict[str, str] = vars(type(component)) | vars(component)
    namespace, name = found.get("_namespace", ""), found.get("_type", "")
    if namespace != HTML and name not in DRAWN.get(namespace, ()):
        raise UndrawnComponentError(namespace, name)


def check_content(content: Any) -> None:
    """Check a component, a text, or a list of them, with all that is in it.

    Raises:
        UndrawnComponentError: the renderer cannot draw a part of it.
    """
    for one in _components(content):
        check_component(one)


def _components(content: Any) -> Iterator[Component]:
    if isinstance(content, Component):
        yield content
        yield from _components(getattr(content, "children", None))
    elif isinstance(content, (list, tuple)):
        for one in content:
            yield from _components(one)


class PageEncoder(PlotlyJSONEncoder):  # type: ignore[misc]
    """Encodes components as JSON for the renderer; raises `UndrawnComponentError` for others."""

    def default(self, obj: Any) -> Any:
        """Encode one component."""
        if isinstance(obj, Component):
            check_component(obj)
        return super().default(obj)
