"""Whether any of many records may hold a member twice.

A first look, which may be wrong on the safe side only.
"""

import json
from typing import Any

import msgspec
import pytest

from schemas.documents import example
from schemas.events.kinds import KINDS, Kind
from schemas.events.members import may_repeat


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_many_events_are_known_at_once_to_have_no_member_twice(kind: Kind) -> None:
    event = msgspec.json.decode(example(kind))
    compact, spaced = msgspec.json.encode(event), json.dumps(event).encode()
    strange = msgspec.json.encode(
        event | {"extension": "x", "data": event["data"] | {"of_tomorrow": 1}}
    )
    for one in (compact, spaced, strange):
        assert not may_repeat(kind, [one] * 3)
        for twice in (
            one.replace(b'"agency":', b'"agency":"x","agency":'),
            one.replace(b'"agency":', b'"agency":"x","agency" :'),
            one.replace(b'"agency":', b'"\\u0061gency":"x","agency":'),
            one.replace(b'"source":', b'"source":"x","source":'),
        ):
            assert may_repeat(kind, [one, twice, one]), twice
            assert may_repeat(kind, [twice, one, one]), twice


def test_no_kind_has_objects_within_its_data_whose_members_would_be_looked_at() -> None:
    for kind in KINDS:
        for schema in jsonschema_of(kind):
            assert "object" not in msgspec.json.encode(schema).decode()


def jsonschema_of(kind: Kind) -> list[Any]:
    _, components = msgspec.json.schema_components([kind.event])
    return [
        field
        for one in components.values()
        if "properties" in one
        for field in one["properties"].values()
    ]
