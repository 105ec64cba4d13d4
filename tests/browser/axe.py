"""axe-core, as npm fetched it.

What of a page people cannot use who see, hear or move differently.
"""

from typing import Any

from playwright.sync_api import Page

from stack.parts import npm_packages

GRAVE = ("serious", "critical")


def grave(page: Page) -> list[str]:
    """Return what axe-core finds on the page that is open, by its rule and place.

    Serious and critical findings, and contrast.
    """
    found = _run(page, "{ resultTypes: ['violations'] }")
    assert len(found["passes"]) > 5, "axe-core has looked"
    return [told for told, impact in _told(page, found) if impact in GRAVE]


def small_targets(page: Page) -> list[str]:
    """Return what is too small for a finger (24 px), and has not that much room around it."""
    return [
        told
        for told, _ in _told(
            page, _run(page, "{ runOnly: { type: 'rule', values: ['target-size'] } }")
        )
    ]


def _run(page: Page, options: str) -> dict[str, Any]:
    if not page.evaluate("'axe' in window"):
        page.evaluate((npm_packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(f"axe.run(document, {options})")
    return found


def _told(page: Page, found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            f"{page.url}: {one['impact']} {one['id']}: {node['target']} {node['html'][:160]}",
            one["impact"],
        )
        for one in found["violations"]
        for node in one["nodes"][:5]
    ]
