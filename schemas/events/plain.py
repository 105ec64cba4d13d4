"""Derive event structs whose codes are plain numbers and words, as they are stored.

Plain values cost less than enumeration members. The struct is derived from the declared one, so
that it accepts and refuses the same, gives the same errors and has the same JSON.
"""

import types
import typing
from enum import Enum
from typing import Annotated, Any, Literal, Union

import msgspec

from schemas.events.payloads import Event


def plain(event: type[Event]) -> type[msgspec.Struct]:
    """Return the struct of an event with plain values in place of enumeration members."""
    hints = typing.get_type_hints(event, include_extras=True)
    fields = [
        (one.name, _plain(hints[one.name]), _default(one)) for one in msgspec.structs.fields(event)
    ]
    return msgspec.defstruct(f"{event.__name__}Plain", fields, frozen=True, kw_only=True, gc=False)


def _plain(annotation: Any) -> Any:
    if typing.get_origin(annotation) is Annotated:
        inner, *metas = typing.get_args(annotation)
        return Annotated[(_plain(inner), *metas)]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is Union:
        return Union[tuple(map(_plain, typing.get_args(annotation)))]  # noqa: UP007
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return Literal[tuple(member.value for member in annotation)]
    return annotation


def _default(field: msgspec.structs.FieldInfo) -> Any:
    # msgspec's declaration of `field` allows one of the two arguments only; a field without a
    # default has neither.
    make_field: Any = msgspec.field
    default = field.default.value if isinstance(field.default, Enum) else field.default
    return make_field(default=default, default_factory=field.default_factory)
