"""The gateway's pure parts: bodies to events, words, and its description of itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import msgspec
import pytest

from ingest.gateway import bodies, messages
from ingest.gateway.app import create
from ingest.gateway.bodies import BATCH, EVENT, LINES, UnusableBodyError
from schemas.documents import example
from schemas.events.envelope import Reader, RefusalCategory, RefusalError
from schemas.events.kinds import FEEDBACK, KINDS
from schemas.settings import Settings

EVENT_BYTES = example(FEEDBACK)


def test_lines_may_end_as_they_like_and_be_blank() -> None:
    assert bodies.split_events(LINES, b"{}\r\n\n  \n[1]\n{}") == [b"{}", b"[1]", b"{}"]


def test_an_array_gives_its_members_as_they_are_written() -> None:
    assert bodies.split_events(BATCH, b' [ {"a" : 1} ,2, "\xff" ] ') == [
        b'{"a" : 1}',
        b"2",
        b'"\xff"',
    ]


@pytest.mark.parametrize(
    ("media", "body", "status", "category"),
    [
        (EVENT, b" \n", 400, "empty"),
        (BATCH, b"{}", 400, "wrong-type"),
        (BATCH, b"[1", 400, "bad-json"),
        (BATCH, b"[1] 2", 400, "bad-json"),
        (BATCH, b"[" * 100_000, 400, "too-deep"),
        (BATCH, b"[" + b"1," * bodies.MAX_EVENTS + b"1]", 413, "too-large"),
        (LINES, b"1\n" * (bodies.MAX_EVENTS + 1), 413, "too-large"),
    ],
)
def test_a_body_without_events_is_refused_whole(
    media: str, body: bytes, status: int, category: str
) -> None:
    with pytest.raises(UnusableBodyError) as refusal:
        bodies.split_events(media, body)
    assert (refusal.value.status, refusal.value.category) == (status, category)


@pytest.mark.parametrize(
    "taken",
    [
        "application/json",
        "application/cloudevents+json; charset=UTF-8",
        'APPLICATION/JSON;charset="utf-8"',
    ],
)
def test_one_event_has_two_content_types(taken: str) -> None:
    assert bodies.media_type(taken, "") == EVENT


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("text/plain", ""),
        ("", ""),
        ("application/json; charset=latin-1", ""),
        ("application/json", "gzip"),
    ],
)
def test_other_content_is_not_taken(content: str, encoding: str) -> None:
    with pytest.raises(UnusableBodyError) as refusal:
        bodies.media_type(content, encoding)
    assert refusal.value.status == 415


def test_a_body_is_read_no_further_than_its_limit() -> None:
    given: list[int] = []

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            given.append(10)
            yield b"x" * 10

    with pytest.raises(UnusableBodyError):
        asyncio.run(bodies.read_body(chunks(), None, 35))
    assert len(given) == 4
    with pytest.raises(UnusableBodyError):
        asyncio.run(bodies.read_body(chunks(), "36", 35))
    assert len(given) == 4


def test_every_category_has_words_in_both_languages() -> None:
    for category in RefusalCategory:
        vi, en = messages.CATEGORIES[category]
        assert vi and en and vi != en


def test_a_refusal_says_what_and_where_in_the_language_of_its_reader() -> None:
    with pytest.raises(RefusalError) as refusal:
        Reader().read(EVENT_BYTES.replace(b'"agency"', b'"agence"'))
    assert messages.explain(refusal.value, "en") == (
        "A required field is missing: Object missing required field `agency` - at `$.data`"
    )
    assert (
        messages.explain(refusal.value, "vi")
        == "Thiếu trường bắt buộc: thiếu `agency` - tại `$.data`"
    )


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "vi"),
        ("en", "en"),
        ("en-GB,en;q=0.9,vi;q=0.8", "en"),
        ("fr, vi;q=0.5, en;q=0.4", "vi"),
        ("en;q=x", "vi"),
        ("de", "vi"),
    ],
)
def test_the_language_is_the_one_that_is_asked_for(accept: str, language: str) -> None:
    assert messages.preferred_language(accept, "vi") == language


def test_the_description_is_complete_and_its_examples_are_valid() -> None:
    described = create(Settings()).openapi()
    post = described["paths"]["/v1/events"]["post"]
    assert set(post["responses"]) == {
        "200",
        "207",
        "400",
        "408",
        "413",
        "415",
        "421",
        "422",
        "431",
        "503",
    }
    content = post["requestBody"]["content"]
    assert set(content) == set(bodies.MEDIA_TYPES)
    reader = Reader()
    schema = {"$ref": "#/components/schemas/CloudEvent", "components": described["components"]}
    for shown in content[EVENT]["examples"].values():
        reader.read(msgspec.json.encode(shown["value"]))
        jsonschema.Draft202012Validator(schema).validate(shown["value"])
    assert [
        reader.read(record).kind
        for record in bodies.split_events(LINES, content[LINES]["example"].encode())
    ] == list(KINDS)
    references = set(_references(described))
    assert references <= {
        f"#/components/schemas/{name}" for name in described["components"]["schemas"]
    }


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _references(value)]
    return (
        [found for value in part for found in _references(value)] if isinstance(part, list) else []
    )


@pytest.mark.parametrize("media", [EVENT, BATCH, LINES])
def test_a_byte_order_mark_before_the_body_is_no_part_of_an_event(media: str) -> None:
    body = (
        b"[" + EVENT_BYTES + b"]"
        if media == BATCH
        else msgspec.json.encode(msgspec.json.decode(EVENT_BYTES))
    )
    assert bodies.split_events(media, b"\xef\xbb\xbf" + body) == bodies.split_events(media, body)


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        (BATCH, b"[" + b"1," * 500_000 + b"1]", 400),
        (BATCH, b"[" + b"{}," * 500_000 + b"{}]", 413),
        (LINES, b"\n" * 500_000 + b"1", 413),
    ],
)
def test_a_body_of_tiny_items_is_refused_before_it_is_taken_apart(
    media: str, body: bytes, status: int
) -> None:
    with pytest.raises(UnusableBodyError) as refused:
        bodies.split_events(media, body)
    assert refused.value.status == status


def test_a_large_batch_names_the_item_that_is_no_object() -> None:
    with pytest.raises(UnusableBodyError) as refused:
        bodies.split_events(
            BATCH, b"[" + EVENT_BYTES + b",7," + b",".join([EVENT_BYTES] * 4_000) + b"]"
        )
    assert refused.value.parts == (1,)
