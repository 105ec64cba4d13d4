"""The drawing of the rooms in ARCHITECTURE.md, from the imports that are really in the code.

A room is a package with the modules that stand in it directly. An entry point (`__main__`) is a
room of its own, as it may import all others of its part.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import grimp

from tests.architecture.parts import PARTS

Arrows = Mapping[str, set[str]]


def contracts() -> str:
    """Return the import contracts of pyproject.toml as a list in Markdown."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    return "\n".join(f"- {one['name']}" for one in project["tool"]["importlinter"]["contracts"])


def draw() -> str:
    """Return the rooms and their imports in Markdown.

    Counts, what each part uses of `schemas`, a flow chart per part.
    """
    modules = imports()
    arrows = between_rooms(modules)
    lines = [
        "| part | rooms | modules | arrows between its rooms | cycles | rooms of `schemas` that it "
        "uses |"
    ]
    lines += ["|---|---|---|---|---|---|"]
    for part in PARTS:
        inside = within(part, arrows)
        count = sum(1 for module in modules if belongs(module, part))
        vocabulary = sorted(
            {other for one in inside for other in arrows[one] if belongs(other, "schemas")}
            - set(inside)
        )
        named = ", ".join(f"`{other.removeprefix('schemas.')}`" for other in vocabulary) or "-"
        counted = sum(map(len, inside.values()))
        lines.append(
            f"| `{part}` | {len(inside)} | {count} | {counted} | {len(cycles(inside))} | {named} |"
        )
    for part in PARTS:
        if len(inside := within(part, arrows)) > 2:
            lines += ["", f"### Rooms of `{part}`", "", *chart(inside)]
    return "\n".join(lines)


def between_rooms(modules: Arrows) -> dict[str, set[str]]:
    """Return each room with the rooms that it imports, from the imports between modules."""
    homes = {module: room(module, modules) for module in modules}
    arrows: dict[str, set[str]] = {home: set() for home in homes.values()}
    for module, used in modules.items():
        arrows[homes[module]] |= {homes[other] for other in used} - {homes[module]}
    return arrows


def imports() -> dict[str, set[str]]:
    """Return every module of the product with the modules of the product that it imports."""
    graph = grimp.build_graph(*PARTS, cache_dir=None)
    return {
        module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)
    }


def room(module: str, modules: Iterable[str]) -> str:
    """Return the package that a module stands in.

    A package's own `__init__` stands in that package.
    """
    if module.endswith(".__main__"):
        return module
    return (
        module
        if any(other.startswith(f"{module}.") for other in modules)
        else module.rpartition(".")[0] or module
    )


def belongs(module: str, part: str) -> bool:
    """Return whether a module or room belongs to a part."""
    return module == part or module.startswith(f"{part}.")


def within(part: str, arrows: Arrows) -> dict[str, set[str]]:
    """Return the arrows between the rooms of one part."""
    return {
        one: {other for other in used if belongs(other, part)}
        for one, used in arrows.items()
        if belongs(one, part)
    }


def chart(arrows: Arrows) -> list[str]:
    """Return a flow chart whose arrows point from a room to those it imports.

    Arrows that follow from others are left out.
    """
    lines = ["```mermaid", "flowchart LR"]
    part = min(arrows)
    lines += [f'    {name(one)}["{one.removeprefix(f"{part}.")}"]' for one in sorted(arrows)]
    for one, used in sorted(reduced(arrows).items()):
        lines += [f"    {name(one)} --> {name(other)}" for other in sorted(used)]
    return [*lines, "```"]


def name(one: str) -> str:
    """Return a room's name as Mermaid takes it; `end` and the like are words of its own."""
    return "r_" + one.replace(".", "_")


def reduced(arrows: Arrows) -> dict[str, set[str]]:
    """Return the arrows without those that follow from a longer way.

    Arrows within a cycle all stay.
    """
    left = {one: set(used) for one, used in arrows.items()}
    for one in sorted(arrows):
        for other in sorted(arrows[one]):
            left[one].discard(other)
            if one in reach(other, arrows) or other not in reach(one, left):
                left[one].add(other)
    return left


def reach(start: str, arrows: Arrows) -> set[str]:
    """Return the rooms that `start` imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for other in arrows[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def cycles(arrows: Arrows) -> set[frozenset[str]]:
    """Return the groups of rooms that import one another."""

    def groups() -> Iterator[frozenset[str]]:
        for one in arrows:
            if one in (reached := reach(one, arrows)):
                yield frozenset(other for other in reached if one in reach(other, arrows))

    return set(groups())
