"""A layer of the map: its switch, count, legend and marks, declared as one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dashboard.components.parts import Part
from dashboard.pages.map.view import MapView
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.declared import whole

Legend = Callable[[PageContext, PageRequest, MapView], list[Part]]
Data = Callable[[PageContext, PageRequest, MapView], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class MapLayer:
    """A layer of the map; `dashboard.pages.map.layers` lists them.

    All parts are required: a layer that lacks one is a `TypeError` where it is declared, at import.

    Raises:
        IncompleteDeclarationError: its name or its title is empty.
    """

    name: str
    """Its name in addresses."""
    title: str
    """The message key of its switch."""
    usual: bool
    """Whether it is on where the address names no layers."""
    count: Callable[[PageContext, MapView], float]
    """Returns how much it shows in all, for its switch, whether it is on or off."""
    legend: Legend
    """Explains its marks while it is on."""
    data: Data
    """Returns what the page's script draws, by name.

    Marks under the layer's own name that the script has no painter for are drawn as squares with
    their number `n`; nothing for a layer whose data the script requests by view.
    """

    def __post_init__(self) -> None:
        whole(
            f"map layer {self.name or '?'}",
            (bool(self.name), "name"),
            (bool(self.title), "title, the key of what its switch is called"),
        )
