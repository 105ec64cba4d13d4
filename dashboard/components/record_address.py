"""Address of a record, `/record/<kind>/<id>`, and the way back to the id. Pure.

An id may hold anything that its sender writes: trailing slashes, `.` and `..` as segments, a line
break. Browsers and proxies rewrite such paths (a segment `..` removes the one before, even as
`%2E%2E`; double slashes are joined), so such an id becomes a parameter, which nobody rewrites:
`/record/feedback/~?entity=a/../b`.
"""

from dashboard.request.address import PageRequest
from schemas.events.kinds import Kind

PREFIX = "/record/"
ELSEWHERE = "~"
"""Stands for the id in the path of an address that has it as a parameter."""
PARAMETER = "entity"


def link_to(request: PageRequest, kind: Kind, entity: str, **parameters: str | None) -> str:
    """Return the address of a record's page for the same viewer.

    `record_of` reads the id from it unchanged.
    """
    if survives(entity):
        return request.link(f"{PREFIX}{kind.name}/{entity}", **parameters)
    return request.link(f"{PREFIX}{kind.name}/{ELSEWHERE}", **{**parameters, PARAMETER: entity})


def survives(entity: str) -> bool:
    """Tell whether an id survives a path unchanged."""
    return (
        entity.isprintable()
        and entity == entity.strip()
        and entity != ELSEWHERE
        and not set(entity) & set("%\\")
        and not {"", ".", ".."} & set(entity.split("/"))
    )


def record_of(request: PageRequest) -> tuple[str, str]:
    """Return the kind's name and the id in the address of a record's page."""
    name, _, entity = request.path.removeprefix(PREFIX).partition("/")
    return name, request.get(PARAMETER, entity) if entity == ELSEWHERE else entity
