"""The address of a record: `/record/<kind>/<id>`, and the way back from an address to the id. Pure.

An id may hold anything that its sender writes: slashes at its end, `.` and `..` as parts, a line's end. Browsers and proxies
rewrite such paths (a part `..` takes the one before away, even as `%2E%2E`; doubled slashes are joined), so such an id stands
behind the question mark, where nobody touches it: `/record/feedback/~?entity=a/../b`.
"""

from dashboard.request.address import PageRequest
from schemas.events.kinds import Kind

PREFIX = "/record/"
ELSEWHERE = "~"
"""Stands for the id in the path of an address that has it as a parameter."""
PARAMETER = "entity"


def link_to(request: PageRequest, kind: Kind, entity: str, **parameters: str | None) -> str:
    """Return the address of a record's page for the same viewer; `record_of` reads the id out of it unchanged."""
    if survives(entity):
        return request.link(f"{PREFIX}{kind.name}/{entity}", **parameters)
    return request.link(f"{PREFIX}{kind.name}/{ELSEWHERE}", **{**parameters, PARAMETER: entity})


def survives(entity: str) -> bool:
    """Return whether an id comes back as it was from the path of an address."""
    return (
        entity.isprintable()
        and entity == entity.strip()
        and entity != ELSEWHERE
        and not set(entity) & set("%\\")
        and not {"", ".", ".."} & set(entity.split("/"))
    )


def record_of(request: PageRequest) -> tuple[str, str]:
    """Return the names of the kind and of the record (its id) that the address of a record's page is about."""
    name, _, entity = request.path.removeprefix(PREFIX).partition("/")
    return name, request.get(PARAMETER, entity) if entity == ELSEWHERE else entity
