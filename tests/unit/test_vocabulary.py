"""The vocabulary.

What is read, what is refused and why, and that everything else derives from one line.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import jsonschema
import msgspec
import pytest
from msgspec import Meta

from schemas import dictionary, documents
from schemas.clickhouse import tables
from schemas.events.codes import FilingStatus, Priority
from schemas.events.envelope import Reader, RefusalCategory, RefusalError, body, identity, write
from schemas.events.kinds import BY_NAME, FILING, KINDS, Kind
from schemas.events.payloads import Filing, Text, describe
from streams.worker.rows import columns_maker

EXAMPLE = json.loads(documents.example(FILING))


def changed(**changes: Any) -> bytes:
    """Return the example with changes; `data_x` changes the field x; None removes."""
    event = json.loads(json.dumps(EXAMPLE))
    for name, value in changes.items():
        place = event["data"] if name.startswith("data_") else event
        place[name.removeprefix("data_")] = value
        if value is None:
            del place[name.removeprefix("data_")]
    return json.dumps(event).encode()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_example_of_each_kind_is_read_and_meets_its_schema(kind: Kind) -> None:
    assert Reader().read(documents.example(kind)).kind is kind
    jsonschema.validate(json.loads(documents.example(kind)), documents.json_schema(kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_written_is_read_again(kind: Kind) -> None:
    read = Reader().read(documents.example(kind))
    again = Reader().read(write(kind, read.data, id=read.id, source=read.source, time=read.time))
    assert (again.kind, again.id, again.source, again.time, again.data) == (
        kind,
        read.id,
        read.source,
        read.time,
        read.data,
    )
    assert (identity(again.event_id), body(again)) == (identity(read.event_id), body(read))


@pytest.mark.parametrize(
    ("record", "category", "names"),
    [
        (b"", RefusalCategory.BAD_JSON, ""),
        (documents.example(FILING)[:100], RefusalCategory.BAD_JSON, "truncated"),
        (b"\xff\xfe{}", RefusalCategory.BAD_JSON, ""),
        (documents.example(FILING).replace(b"1.005129", b"\xff\xfe"), RefusalCategory.BAD_UTF8, ""),
        (
            documents.example(FILING).replace(
                b'"data": {', b'"data": {"x":' + b"[" * 9999 + b"]" * 9999 + b","
            ),
            RefusalCategory.TOO_DEEP,
            "",
        ),
        (changed(data_fee=None, x="y" * (300 << 10)), RefusalCategory.TOO_LARGE, "262144"),
        (changed(type="vn.ioc.filing.v9"), RefusalCategory.UNKNOWN_KIND, "vn.ioc.filing.v9"),
        (changed(specversion="0.3"), RefusalCategory.WRONG_VALUE, "specversion"),
        (changed(datacontenttype="text/xml"), RefusalCategory.WRONG_VALUE, "text/xml"),
        (changed(data=None), RefusalCategory.MISSING_FIELD, "data"),
        (changed(data_status=None), RefusalCategory.MISSING_FIELD, "status"),
        (changed(id=None), RefusalCategory.MISSING_FIELD, "id"),
        (changed(data_status="9"), RefusalCategory.WRONG_TYPE, "$.data.status"),
        (changed(data=[]), RefusalCategory.WRONG_TYPE, "$.data"),
        (changed(data_status=11), RefusalCategory.WRONG_VALUE, "$.data.status"),
        (changed(data_fee=-1), RefusalCategory.WRONG_VALUE, "$.data.fee"),
        (documents.example(FILING).replace(b"50000", b"NaN"), RefusalCategory.BAD_JSON, ""),
        (documents.example(FILING).replace(b"50000", b"Infinity"), RefusalCategory.BAD_JSON, ""),
        (changed(time="2026-02-30T00:00:00Z"), RefusalCategory.IMPOSSIBLE_DATE, "$.time"),
        (changed(time="2026-02-03T00:00:00"), RefusalCategory.IMPOSSIBLE_DATE, "timezone"),
        (changed(time="0026-02-03T00:00:00Z"), RefusalCategory.IMPOSSIBLE_DATE, "0026"),
        (changed(data_due_at="2926-02-03T00:00:00Z"), RefusalCategory.IMPOSSIBLE_DATE, "2926"),
        (
            documents.example(BY_NAME["feedback"]).replace(b"16.4637", b"96.4"),
            RefusalCategory.IMPOSSIBLE_POINT,
            "$.data.lat",
        ),
        (
            documents.example(BY_NAME["feedback"]).replace(b'"lat": 16.4637,', b""),
            RefusalCategory.IMPOSSIBLE_POINT,
            "together",
        ),
    ],
)
def test_bad_input_is_refused_with_a_reason_to_act_on(
    record: bytes, category: RefusalCategory, names: str
) -> None:
    with pytest.raises(RefusalError) as refusal:
        Reader().read(record)
    assert refusal.value.category is category
    assert names in refusal.value.reason


def test_fields_we_do_not_know_are_no_error() -> None:
    assert (
        Reader().read(changed(data_new="x", traceparent="y")).data.filing_id
        == EXAMPLE["data"]["filing_id"]
    )


def test_codes_carry_their_words_in_both_languages() -> None:
    assert (FilingStatus.FINISHED.label("vi"), FilingStatus.FINISHED.label("en")) == (
        "Đã xử lý xong",
        "Finished",
    )
    assert Priority(3).label() == "Hỏa tốc"


def test_adding_a_field_is_one_edit() -> None:
    """A field declared in one line appears in decoding, DDL, JSON Schema, the dictionary and the
    stored row.
    """

    class Longer(Filing, frozen=True, kw_only=True, gc=False):
        counter: Annotated[Text, describe("Number of the counter it was handed in at.")] = ""

    kind = replace(FILING, event=Longer)
    assert any(
        "Number of the counter" in line for line in tables.events_table(kind).ddl.splitlines()
    )
    assert "counter" in {column.name for column in tables.state_table(kind).columns}
    assert "Number of the counter" in json.dumps(documents.json_schema(kind))
    assert any("`counter`" in line for line in dictionary._kind(kind))
    read = Reader().read(documents.example(FILING))
    values = {name: getattr(read.data, name) for name in Filing.__struct_fields__}
    row = columns_maker(kind)(
        [msgspec.structs.replace(read, data=Longer(**values, counter="7"))], [0], [0], 0
    )
    assert dict(
        zip((column.name for column in tables.events_table(kind).columns), row, strict=True)
    )["counter"] == ["7"]


def test_a_field_without_a_type_in_clickhouse_is_an_error() -> None:
    with pytest.raises(TypeError, match="complex"):
        tables.clickhouse_type(Annotated[complex, Meta(description="x")])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_and_measure_has_a_sentence(kind: Kind) -> None:
    assert all(
        tables.sentence(annotation).endswith(".")
        for annotation in tables.annotations(kind).values()
    )
    assert all(measure.sentence.endswith(".") for measure in kind.measures)


def test_a_row_keeps_times_in_milliseconds() -> None:
    read = Reader().read(documents.example(FILING))
    made = dict(
        zip(
            (c.name for c in tables.events_table(FILING).columns),
            columns_maker(FILING)([read], [5], [7], 2),
            strict=True,
        )
    )
    row = {name: value for name, (value,) in made.items()}
    assert row["occurred_at"] == datetime(2026, 11, 20, 8, 42, 10, tzinfo=UTC).timestamp() * 1000
    assert (
        row["received_at"],
        row["partition"],
        row["offset"],
        row["status"],
        row["service_level"],
    ) == (5, 2, 7, 9, "full")
    assert row["satisfaction"] is None


def test_records_are_not_read_together_as_what_none_of_them_is() -> None:
    """Two events in one record are none, however many blank records make up for it."""
    one = write(
        FILING,
        Reader().read(documents.example(FILING)).data,
        id="1",
        source="/s",
        time=datetime(2026, 11, 2, tzinfo=UTC),
    )
    assert len(Reader().read_all(FILING, [one, one]) or ()) == 2
    for records in (
        [one + one, b""],
        [one + one, b" "],
        [b"", one + one],
        [one[:50], one[50:]],
        [one + b"\n", one[:-1]],
    ):
        assert Reader().read_all(FILING, records) is None


def test_a_reason_quotes_no_more_than_a_person_reads() -> None:
    with pytest.raises(RefusalError) as refused:
        Reader().read(changed(type="\x00" * 100_000))
    assert len(refused.value.reason) < 1100
