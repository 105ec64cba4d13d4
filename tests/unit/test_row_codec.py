"""Rows by name.

What is written is what is read, and a class that does not fit its table is an error where it is
declared.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import pytest

from schemas.clickhouse.columns import MOMENT, Column, Table
from schemas.clickhouse.rows import RowCodec
from schemas.declared import IncompleteDeclarationError
from schemas.moments import milliseconds

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


class Thing(NamedTuple):
    seen_at: datetime
    name: str
    colour: Colour
    key: bytes = b""
    gone_at: datetime | None = None
    codes: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return milliseconds(self.seen_at)


COLUMNS = (
    Column("name", "String", ""),
    Column("colour", "LowCardinality(String)", ""),
    Column("seen_at", MOMENT, ""),
    Column("key", "String", ""),
    Column("gone_at", f"Nullable({MOMENT})", ""),
    Column("codes", "Array(String)", ""),
    Column("version", "UInt64", ""),
)


def table(*columns: Column) -> Table:
    return Table("things", columns, "ENGINE = Null", "")


THINGS = RowCodec(table=table(*COLUMNS), of=Thing)
ONE = Thing(NOW, "x", Colour.RED, b"\xff", None, ("a", "b"))


def test_rows_are_by_name_in_the_order_of_the_table() -> None:
    assert THINGS.names == "name, colour, seen_at, key, gone_at, codes, version"
    assert THINGS.row(ONE) == ("x", "red", NOW, b"\xff", None, ["a", "b"], milliseconds(NOW))
    assert THINGS.columns([ONE, ONE])[2] == [milliseconds(NOW)] * 2
    assert THINGS.columns([ONE, ONE])[4] == [None, None]


def test_what_is_written_is_read_and_what_is_computed_is_not() -> None:
    assert THINGS.read_names == "name, colour, seen_at, key, gone_at, codes"
    read = THINGS.read(("x", "red", NOW, b"\xff", None, ["a", "b"]))
    assert read == ONE and read.colour is Colour.RED
    assert THINGS.read(("x", "red", NOW, "text", None, [])).key == b"text"
    with pytest.raises(ValueError):
        THINGS.read(("x", "blue", NOW, b"", None, []))


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        (COLUMNS[1:], "no column for the field name"),
        ((*COLUMNS, Column("size", "UInt8", "")), "no field for the column size"),
        (
            (*COLUMNS[:4], Column("gone_at", MOMENT, ""), *COLUMNS[5:]),
            "one of column and field gone_at may be empty, the other not",
        ),
    ],
)
def test_a_class_that_does_not_fit_its_table_is_refused(
    columns: tuple[Column, ...], missing: str
) -> None:
    with pytest.raises(IncompleteDeclarationError) as error:
        RowCodec(table=table(*columns), of=Thing)
    assert error.value.missing == (missing,)
    assert "Thing as a row of things" in str(error.value)
