"""Properties of the codecs, for whatever Hypothesis thinks of from the declared types."""

import json
import math
import types
import typing
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from schemas import documents
from schemas.clickhouse import tables
from schemas.events import canonical
from schemas.events.envelope import (
    EARLIEST,
    LATEST,
    Read,
    Reader,
    RefusalError,
    body,
    identity,
    write,
)
from schemas.events.kinds import KINDS, MEETING, Kind
from schemas.events.payloads import Event
from schemas.text import normalise
from tests.unit.repeatable import repeatable, row_of

pytestmark = pytest.mark.slow
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    EARLIEST.replace(tzinfo=None) + timedelta(days=1),
    LATEST.replace(tzinfo=None) - timedelta(days=1),
    timezones=ZONES,
)


def values(annotation: Any, **bounds: Any) -> st.SearchStrategy[Any]:
    """Return what a declared type allows, its bounds included."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *metas = typing.get_args(annotation)
        for meta in metas:
            if isinstance(meta, Meta):
                bounds |= {
                    name: found
                    for name in ("ge", "le", "min_length", "max_length")
                    if (found := getattr(meta, name)) is not None
                }
        return values(annotation, **bounds)
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        parts = [part for part in typing.get_args(annotation) if part is not UnsetType]
        if len(parts) < len(typing.get_args(annotation)):
            return st.just(UNSET)
        return st.one_of([st.none() if part is type(None) else values(part) for part in parts])
    if typing.get_origin(annotation) is list:
        return st.lists(
            values(typing.get_args(annotation)[0]), max_size=min(bounds["max_length"], 5)
        )
    if issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    if annotation is str:
        return texts(bounds.get("min_length", 0), bounds.get("max_length", 300))
    if annotation is float:
        return st.floats(bounds.get("ge"), bounds.get("le"), allow_nan=False, allow_infinity=False)
    if annotation is int:
        return st.integers(bounds["ge"], bounds["le"])
    return {bool: st.booleans(), datetime: MOMENTS}[annotation]


def texts(least: int, most: int) -> st.SearchStrategy[str]:
    """Return texts in their one form, among them the shortest and the longest that are allowed."""
    ends = st.sampled_from([least, most]).map(lambda length: "ệ" * length)
    any_text = st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
        min_size=least,
        max_size=min(most, 40),
    )
    return st.one_of(
        any_text.map(normalise).filter(
            lambda text: least <= len(text) <= most and text not in (".", "..")
        ),
        ends,
    )


def in_one_form(kind: Kind, event: Event) -> Event:
    """Return an event whose codes are as `Reader` leaves them."""
    its = canonical.fields(kind)
    codes = {name: form(name, getattr(event, name)) for name, form in its.forms.items()}
    return msgspec.structs.replace(
        event, **codes, **{name: canonical.sites(getattr(event, name)) for name in its.sites}
    )


@st.composite
def events(draw: st.DrawFn, kind: Kind) -> Event:
    """Return a valid event of a kind."""
    said = {name: draw(values(annotation)) for name, annotation in tables.annotations(kind).items()}
    if (said.get("lat") is None) != (said.get("lon") is None):
        said |= {"lat": None, "lon": None}
    return in_one_form(kind, kind.event(**said))


@kinds
@repeatable
@given(data=st.data())
def test_what_is_written_is_read_as_it_was_and_becomes_its_row(
    kind: Kind, data: st.DataObject
) -> None:
    event, time = data.draw(events(kind)), data.draw(MOMENTS)
    id, source = data.draw(texts(1, 256)), data.draw(texts(1, 512))
    record = write(kind, event, id=id, source=source, time=time)
    read = Reader(1 << 20).read(record)
    assert (read.kind, read.id, read.source, read.time, read.data) == (
        kind,
        id,
        source,
        time,
        event,
    )
    row = dict(
        zip((one.name for one in tables.events_table(kind).columns), row_of(read, 7), strict=True)
    )
    assert (row["identity"], row["body"]) == (identity(f"{source}#{id}"), body(read))
    own = {name: plain(getattr(event, name)) for name in event.__struct_fields__} | {
        "precision": ()
    }
    assert {name: row[name] for name in own} == own
    assert (row["event_id"], row["occurred_at"], row["offset"]) == (
        f"{source}#{id}",
        plain(time),
        7,
    )
    jsonschema.validate(json.loads(record), documents.json_schema(kind))


@kinds
@repeatable
@given(data=st.data())
def test_an_event_of_any_texts_has_one_form_or_is_refused(kind: Kind, data: st.DataObject) -> None:
    """Whoever reads what was read reads the same, one by one or together."""
    event, any_text = (
        data.draw(events(kind)),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
    names = [
        name
        for name in event.__struct_fields__
        if isinstance(getattr(event, name), str) and name != "reporter"
    ]
    changed = {
        name: data.draw(any_text) for name in names if not isinstance(getattr(event, name), Enum)
    }
    record = write(
        kind,
        msgspec.structs.replace(event, **changed),
        id=data.draw(any_text),
        source="/s",
        time=data.draw(MOMENTS),
    )
    try:
        read = Reader().read(record)
    except RefusalError:
        assert Reader().read_all(kind, [record]) is None
        return
    again = write(kind, read.data, id=read.id, source=read.source, time=read.time)
    assert spelt([Reader().read(again)]) == spelt([read])
    for together in (
        Reader().read_all(kind, [record, again]),
        Reader().read_all(kind, [again, record]),
    ):
        assert together is None or spelt(together) == spelt([read, read])


BROKEN = (b"", b"{}", b"null", b"{broken", b"\xff", b'{"a":1', b'"b":2}', b"1\n2")


@kinds
@repeatable
@given(data=st.data())
def test_records_that_are_read_together_are_those_that_are_read_one_by_one(
    kind: Kind, data: st.DataObject
) -> None:
    """Whatever is among them.

    One that is no event, or that would be one only together with the next.
    """
    drawn = data.draw(st.lists(events(kind), min_size=1, max_size=3))
    good = [
        write(kind, event, id=str(n), source="/s", time=data.draw(MOMENTS))
        for n, event in enumerate(drawn)
    ]
    good += [documents.example(other).replace(b"\n", b"") for other in (MEETING, kind)]
    records = data.draw(
        st.lists(
            st.sampled_from(
                [*good, *good, *BROKEN, good[0][:-9], good[0] + b"\n", good[0] + good[0]]
            ),
            min_size=1,
            max_size=6,
        )
    )
    together = Reader().read_all(kind, records)
    one_by_one: list[Read | None] = []
    for record in records:
        try:
            read = Reader().read(record)
            one_by_one.append(read if read.kind is kind else None)
        except RefusalError:
            one_by_one.append(None)
    same = together is not None and None not in one_by_one and spelt(together) == spelt(one_by_one)
    assert together is None or same
    if all(record in good for record in records) and None not in one_by_one:
        assert (
            same or any(b"\n" in record for record in records) or at_the_edge(together, one_by_one)
        )


def spelt(reads: Sequence[Read | None]) -> list[Any]:
    """Return what reads say, whether codes are members of an enumeration or plain.

    The bodies that are compared to find a conflict.
    """
    return [
        (msgspec.to_builtins(read), read.time, body(read), read.event_id) for read in reads if read
    ]


def at_the_edge(together: list[Read] | None, one_by_one: list[Read | None]) -> bool:
    """Return whether a time is of the first or the last year that may be.

    That is looked at more closely.
    """
    edges = [
        value
        for read in one_by_one
        if read
        for value in (
            read.time,
            *(getattr(read.data, name) for name in read.data.__struct_fields__),
        )
    ]
    return together is None and any(
        isinstance(value, datetime) and not 1990 < value.year < 2099 for value in edges
    )


def plain(value: Any) -> Any:
    """Return a field's value as it is stored."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return value.value if isinstance(value, Enum) else value


@kinds
@repeatable
@given(data=st.data())
def test_whatever_comes_is_an_event_or_a_refusal_with_a_reason(
    kind: Kind, data: st.DataObject
) -> None:
    """Bytes of any sort, and good events with something else in their midst."""
    record = documents.example(kind)
    start, length = data.draw(st.integers(0, len(record))), data.draw(st.integers(0, 12))
    other = data.draw(
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from([b"NaN", b"null", b"[[[[", b'"\\ud800"', b"1e999", b"-0", b"{}"]),
        )
    )
    for one in (record[:start] + other + record[start + length :], other, other * 50):
        readable(one)


@kinds
@repeatable
@given(data=st.data())
def test_a_field_of_any_value_is_an_event_or_a_refusal(kind: Kind, data: st.DataObject) -> None:
    event = msgspec.json.decode(documents.example(kind))
    anything = st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(1 << 70), 1 << 70)
        | st.floats()
        | st.text()
        | MOMENTS.map(str),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    place = data.draw(st.sampled_from([event, event["data"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(anything)
    readable(json.dumps(event).encode())


def readable(record: bytes) -> None:
    """Check that a record is an event that can be stored, or is refused with a reason."""
    try:
        read = Reader().read(record)
    except RefusalError as refusal:
        assert refusal.reason and refusal.category
        return
    row = row_of(read, 0)
    assert all(not isinstance(value, float) or math.isfinite(value) for value in row)
    "".join(value for value in row if isinstance(value, str)).encode()
