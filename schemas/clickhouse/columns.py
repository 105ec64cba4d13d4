"""Declare a ClickHouse table: its columns, its engine, its indexes."""

from dataclasses import dataclass

from schemas.moments import ZONE

MOMENT = f"DateTime64(3, '{ZONE}')"


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    comment: str
    default: str = ""
    """SQL for the value in rows that were written before the column existed."""

    @property
    def ddl(self) -> str:
        """Return the column as DDL."""
        default = f" DEFAULT {self.default}" if self.default else ""
        return f"`{self.name}` {self.type}{default} COMMENT {quoted(self.comment)}"


@dataclass(frozen=True)
class Table:
    """A table with its engine clause."""

    name: str
    columns: tuple[Column, ...]
    engine: str
    comment: str
    indexes: tuple[tuple[str, str], ...] = ()
    """Data-skipping indexes: (name, rest of the DDL)."""

    @property
    def names(self) -> str:
        """Return the names of the columns, for a SELECT or an INSERT."""
        return ", ".join(column.name for column in self.columns)

    @property
    def unversioned(self) -> str:
        """Return the names of all columns but the last, the version of a replacing table."""
        return ", ".join(column.name for column in self.columns[:-1])

    @property
    def ref(self) -> str:
        """Return the placeholder for all rows that were written, for the SQL of a `Query`."""
        return f"{{tables.{self.name}}}"

    @property
    def final(self) -> str:
        """Return the placeholder for the merged rows, the newest of each key (FINAL)."""
        return f"{{tables.{self.name}.final}}"

    @property
    def ddl(self) -> str:
        """Return the statement that creates the table."""
        lines = [column.ddl for column in self.columns] + [
            f"INDEX {name} {rest}" for name, rest in self.indexes
        ]
        body = ",\n    ".join(lines)
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name}\n(\n    {body}\n)\n{self.engine}\nCOMMENT "
            f"{quoted(self.comment)}"
        )


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
