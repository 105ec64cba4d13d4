"""One form of an event, whoever sent it.

The same at the gateway (one by one) and at the worker (many at once).
"""

import gc
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from schemas.documents import example
from schemas.events import canonical
from schemas.events.envelope import Read, Reader, RefusalCategory, RefusalError, body
from schemas.events.kinds import (
    BY_NAME,
    DOCUMENT,
    FEEDBACK,
    FILING,
    INDICATOR,
    KINDS,
    MEETING,
    Kind,
)
from schemas.events.members import repeated_member
from schemas.reference.unknown import unknown_codes
from schemas.text import has_control, may_need_normalising, normalise

READER = Reader()


def record(kind: Kind, envelope: dict[str, Any] | None = None, **data: Any) -> bytes:
    """Return an example of a kind with other values; a field of None is left out."""
    event = msgspec.json.decode(example(kind)) | (envelope or {})
    event["data"] = {
        name: value for name, value in (event["data"] | data).items() if value is not None
    }
    return msgspec.json.encode(event)


def both_ways(record: bytes) -> Read:
    """Return what both ways of reading make of a record."""
    read = READER.read(record)
    many = READER.read_all(read.kind, [record, record])
    if many is None:  # Then the worker reads one by one.
        return read
    for other in many:
        assert (other.event_id, body(other)) == (read.event_id, body(read))
        assert msgspec.to_builtins(other.data) == msgspec.to_builtins(read.data)
    return read


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_event_in_its_one_form_is_left_as_it_is(kind: Kind) -> None:
    read = both_ways(example(kind).strip())
    given = msgspec.json.decode(example(kind))
    assert read.id == given["id"] and read.source == given["source"]
    assert {name: msgspec.to_builtins(getattr(read.data, name)) for name in given["data"]} == given[
        "data"
    ]
    assert not read.data.precision


def test_what_looks_the_same_is_the_same() -> None:
    composed, decomposed = "Trường Tiền", unicodedata.normalize("NFD", "Trường Tiền")
    assert normalise(decomposed) == composed
    assert normalise("\u00a0Trường\u2003Tiền\u200b \t") == composed
    read = both_ways(
        record(
            FEEDBACK,
            {"id": f" {decomposed}"},
            report_id=f"{decomposed}\u00a0",
            address=decomposed,
            category="traffic ",
        )
    )
    assert (read.id, read.data.report_id, read.data.address, read.data.category) == (
        composed,
        composed,
        composed,
        "traffic",
    )
    assert both_ways(record(FEEDBACK, agency=" H57.IOC")).data.agency == "H57.IOC"


def test_escaped_characters_have_one_form_too() -> None:
    escaped = record(FEEDBACK, address="X").replace(
        b'"X"', b'"Tru\\u031bo\\u031b\\u0300ng\\u00a0Ti"'
    )
    assert both_ways(escaped).data.address == normalise("Tru\u031bo\u031b\u0300ng Ti")


@pytest.mark.parametrize(
    "text",
    ["", "a", "Thành phố Huế", "“Đường” – 5 °C", "a\nb", "e\u0301", "\u00a0", "\ufeffx", "x\u3000"],
)
def test_every_text_that_is_changed_is_looked_at(text: str) -> None:
    inner = normalise(f"x{text}x")[1:-1] != text
    assert may_need_normalising(msgspec.json.encode(text)) or not inner
    assert not (
        normalise(text) == text
        and not has_control(text)
        and may_need_normalising(msgspec.json.encode(text))
    )


@pytest.mark.parametrize(
    ("given", "is_one_of", "expected"),
    [
        ("1273", "01273", "01273"),
        (" 19774", "19774", "19774"),
        ("4", "00004", "00004"),
        ("99999", "", "99999"),
        ("9999", "", "9999"),
        ("", "", ""),
    ],
)
def test_zeros_that_a_spreadsheet_took_are_put_back_where_one_commune_has_the_code(
    given: str, is_one_of: str, expected: str
) -> None:
    assert both_ways(record(FILING, commune=given)).data.commune == expected


def test_a_unit_of_a_figure_is_mended_only_where_it_can_be_nothing_but_a_commune() -> None:
    assert both_ways(record(INDICATOR, unit="1273")).data.unit == "01273"
    assert both_ways(record(INDICATOR, unit="4")).data.unit == "4"  # Province 04 or commune 00004.


def test_a_code_longer_than_any_is_refused() -> None:
    with pytest.raises(RefusalError) as refused:
        READER.read(record(FILING, commune="1" * 17))
    assert refused.value.category is RefusalCategory.WRONG_VALUE


def test_a_site_is_invited_once() -> None:
    data = both_ways(
        record(
            MEETING, invited=["19753", "19753", "19774", "", " 19774"], connected=["1273", "01273"]
        )
    ).data
    assert (data.invited, data.connected) == (["19753", "19774"], ["01273"])


@pytest.mark.parametrize(
    "number", [".", "..", "new\nline", "tab\there", "\u0085", " ", "bell\u0007"]
)
def test_a_number_whose_record_could_not_be_opened_is_refused(number: str) -> None:
    with pytest.raises(RefusalError) as refused:
        READER.read(record(FEEDBACK, report_id=number))
    assert refused.value.category is RefusalCategory.WRONG_VALUE
    assert READER.read_all(FEEDBACK, [record(FEEDBACK, report_id=number)]) is None


@pytest.mark.parametrize("field", ["agency", "procedure"])
def test_a_required_code_of_nothing_but_space_is_refused(field: str) -> None:
    with pytest.raises(RefusalError):
        READER.read(record(FILING, None, **{field: " \u00a0"}))


def test_a_document_to_be_sent_at_a_set_hour_is_taken() -> None:
    assert both_ways(record(DOCUMENT, priority=4)).data.priority == 4


def test_a_moment_may_be_a_date() -> None:
    read = both_ways(
        record(
            FILING,
            {"time": "2026-11-25"},
            due_at="2026-11-27",
            finished_at="2026-11-25T10:00:00+07:00",
        )
    )
    assert list(read.data.precision) == ["due_at:day", "time:day"]
    assert read.time == datetime.fromisoformat("2026-11-25T00:00:00+07:00")
    assert read.data.due_at == datetime.fromisoformat("2026-11-27T00:00:00+07:00")
    stated = both_ways(
        record(
            FILING,
            {"time": "2026-11-25T00:00:00+07:00"},
            due_at="2026-11-27T13:45:10+07:00",  # What lies within the day says nothing.
            finished_at="2026-11-25T10:00:00+07:00",
            precision=["time:day", "due_at:day"],
        )
    )
    assert (stated.data, stated.time) == (read.data, read.time)


def test_a_minute_is_a_precision_and_a_field_that_is_no_moment_has_none() -> None:
    read = both_ways(
        record(FILING, {"time": "2026-11-25T10:05:42+07:00"}, precision=["time:minute"])
    )
    assert read.time == datetime.fromisoformat("2026-11-25T10:05:00+07:00")
    for wrong in ("agency:day", "time:hour", "due_at"):
        with pytest.raises(RefusalError):
            READER.read(record(FILING, precision=[wrong]))


def test_a_date_that_there_is_not_is_refused() -> None:
    with pytest.raises(RefusalError) as refused:
        READER.read(record(FILING, due_at="2026-02-30"))
    assert refused.value.category is RefusalCategory.IMPOSSIBLE_DATE


def test_how_exactly_a_moment_is_known_makes_no_conflict() -> None:
    """A file whose dates were taken for midnight once is the same file now."""
    before = both_ways(record(FILING, {"time": "2026-11-25T00:00:00+07:00"}))
    assert body(both_ways(record(FILING, {"time": "2026-11-25"}))) == body(before)


def test_the_body_of_an_exact_event_is_what_it_was_before_there_was_a_precision() -> None:
    assert b"precision" not in msgspec.json.encode(READER.read(example(FILING)))


@pytest.mark.parametrize(
    ("given", "repeated"),
    [
        (b'{"id":"1","data":{"id":"2"}}', None),
        (b'{"id":"1","id":"2"}', "id"),
        (b'{"id":"1","i\\u0064":"2"}', "id"),
        (b'{"id" : "1", "data":{"a":1,\n"a" :2}}', "a"),
        (b'{"id":"a\\":b","x":[{"id":1},{"id":1}]}', None),
        (b"[1", None),
    ],
)
def test_a_member_that_stands_twice_is_found(given: bytes, repeated: str | None) -> None:
    assert repeated_member(given) == repeated


def test_codes_that_nobody_knows_are_named() -> None:
    assert unknown_codes(
        FILING, READER.read(record(FILING, commune="99999", agency="H57.NOBODY")).data
    ) == [
        ("commune", "99999"),
        ("agency", "H57.NOBODY"),
    ]
    assert unknown_codes(
        MEETING, READER.read(record(MEETING, invited=["19753", "88888"], connected=[])).data
    ) == [("invited", "88888")]
    assert unknown_codes(FEEDBACK, READER.read(record(FEEDBACK, category="weather")).data) == [
        ("category", "weather")
    ]
    # A place of elsewhere has agencies of its own, which no table of ours lists.
    assert unknown_codes(FILING, READER.read(record(FILING, agency="DSNY")).data) == []


@pytest.mark.parametrize("name", BY_NAME)
def test_the_examples_have_no_code_that_nobody_knows(name: str) -> None:
    assert unknown_codes(BY_NAME[name], READER.read(example(BY_NAME[name])).data) == []


@pytest.mark.parametrize(
    "due", ["2026-11-24T17:00:00Z", "2026-11-25T00:00:00+07:00", "2026-11-25T10:30:00+07:00"]
)
def test_an_event_that_says_how_exact_it_is_says_the_same_at_first_sight_and_later(
    due: str,
) -> None:
    line = record(FILING, {"source": f"urn:test:{due}"}, due_at=due, precision=["due_at:day"])
    first, *later = [READER.read(line) for _ in range(3)]
    assert first.data.due_at == datetime.fromisoformat("2026-11-25T00:00:00+07:00")
    assert {body(one) for one in later} == {body(first)} == {body(both_ways(line))}


@pytest.mark.parametrize("name", ["id", "number"])
@pytest.mark.parametrize(
    "given",
    [".", "..", "del\x7f", "\u2126", "K\u212a", "\u1100\u1161", "a\u1680b", " a", "QĐ-UBND"],
)
def test_an_identity_does_not_depend_on_what_was_read_before(name: str, given: str) -> None:
    line = record(FEEDBACK, {"id": given}) if name == "id" else record(FEEDBACK, report_id=given)

    def answers() -> list[Any]:
        found: list[Any] = []
        looks: tuple[Callable[[], Read], ...] = (
            lambda: READER.read(line),
            lambda: (READER.read_all(FEEDBACK, [line]) or [READER.read(line)])[0],
        )
        for look in looks:
            try:
                read = look()
                found.append((read.event_id, read.data.report_id, body(read)))
            except RefusalError as refusal:
                found.append(refusal.category)
        return found

    canonical._checks.cache_clear()
    READER.read(record(FEEDBACK, {"source": "urn:cold"}))
    first = answers()
    for _ in range(3):
        READER.read(record(FEEDBACK))  # Now its codes and its source are known.
    assert len({*map(str, answers()), *map(str, first)}) == 1


def test_known_codes_are_known_in_each_combination_but_only_in_their_own_field() -> None:
    canonical._checks.cache_clear()
    first = READER.read(record(FILING, agency="H57.A", procedure="1.001"))
    READER.read(record(FILING, agency="H57.B", procedure="1.002"))

    def known(**codes: str) -> bool:
        data = msgspec.structs.replace(first.data, **codes)
        event = msgspec.structs.replace(first, data=data)
        one_by_one = canonical.is_canonical(FILING, event)
        assert (canonical.uncertain(FILING, [first, event], [first.data, data]) == []) is one_by_one
        return one_by_one

    assert known(agency="H57.A", procedure="1.002") and known(agency="H57.B")
    assert not known(procedure="H57.B") and not known(agency="1.002")
    assert not known(procedure="1.003")


@pytest.mark.parametrize("text", [" Trường Tiền", "Trường Tiền  "])
def test_plain_spaces_at_the_ends_of_texts_are_no_difference(text: str) -> None:
    wanted = both_ways(record(FEEDBACK, address="Trường Tiền"))
    for _ in range(2):
        read = both_ways(record(FEEDBACK, address=text))
        assert read.data.address == "Trường Tiền" and body(read) == body(wanted)


def test_the_code_of_a_province_or_an_agency_is_no_commune() -> None:
    for code in ("46", "H57.SYT"):
        assert unknown_codes(FILING, READER.read(record(FILING, commune=code)).data) == [
            ("commune", code)
        ]


def test_what_cannot_be_read_leaves_nothing_to_be_looked_for() -> None:
    """A record that an error holds in a circle stays in memory until garbage is looked for, which
    worker and gateway do seldom.
    """
    lines = [
        b"{" * 3,
        record(FILING, due_at="never"),
        record(FILING, status=77),
        record(FILING, {"type": "x"}),
    ]
    gc.collect()
    gc.disable()
    try:
        for line in lines * 5:
            with pytest.raises(RefusalError):
                READER.read(line)
        assert gc.collect() < len(lines)  # pytest itself may leave some.
    finally:
        gc.enable()
