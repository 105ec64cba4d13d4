"""Every page that there is, with addresses that stand for all that it shows.

A new page takes part by being registered: one whose path varies needs examples here, and the tests
of all pages fail until it has them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.request.view import SCENES
from dashboard.server.pages import PAGES

WALL = "/wall?scene=overview"


@dataclass(frozen=True)
class Names:
    """What the addresses of a province's pages need: a commune, and the number of a filing."""

    province: str
    commune: str
    filing: str

    def examples(self) -> dict[str, tuple[str, ...]]:
        """Name of a page → addresses.

        Of a page whose path does not vary those beside the path itself.
        """
        return {
            "unit": (f"/unit/{self.province}?records=filing.overdue", f"/unit/{self.commune}"),
            "records": ("/records/filing", "/records/document"),
            "record": (f"/record/filing/{self.filing}",),
            "search": ("/search", f"/search?q={self.filing[:9]}"),
            "targets": ("/targets", "/targets?target=e-tax"),
            "index": ("/index", f"/index?unit={self.commune}"),
        }

    def addresses(self, scenes: Sequence[str] = SCENES[:1]) -> Iterator[tuple[str, str]]:
        """Yield (name of the page, address) of everything, the wall's scenes first.

        Raises `KeyError` for a page that has no example.
        """
        yield from (("wall", f"/wall?scene={scene}") for scene in scenes)
        known = self.examples()
        for page in PAGES:
            for address in (
                known[page.name] if "<" in page.template else known.get(page.name, (page.template,))
            ):
                yield page.name, address


def spoken(address: str, **parameters: str) -> str:
    """Return an address with more parameters."""
    for name, value in parameters.items():
        address += f"{'&' if '?' in address else '?'}{name}={value}"
    return address
