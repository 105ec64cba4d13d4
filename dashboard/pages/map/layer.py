"""What a layer of the map is: its switch, how much it shows, its legend and its marks, declared as one."""

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

    Every part is asked for: a layer that lacks one is a `TypeError` where it is declared, so at import.

    Raises:
        IncompleteDeclarationError: if its name or its title is empty.
    """

    name: str
    """What an address calls it."""
    title: str
    """The key of what its switch is called."""
    usual: bool
    """Whether it is on where the address does not say which are."""
    count: Callable[[PageContext, MapView], float]
    """How much it shows in all, as its switch says it, on or off."""
    legend: Legend
    """What its marks mean, while it is on."""
    data: Data
    """What the page's script draws, by name. Marks under the layer's own name that the script has no painter for are drawn as
    squares with their number `n`; nothing for a layer whose data the script asks for by view."""

    def __post_init__(self) -> None:
        whole(
            f"map layer {self.name or '?'}",
            (bool(self.name), "name"),
            (bool(self.title), "title, the key of what its switch is called"),
        )
