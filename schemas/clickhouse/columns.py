"""How a ClickHouse table is declared: its columns, its engine, its indexes."""

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
    """SQL: what rows say that were written before there was the column."""

    @property
    def ddl(self) -> str:
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
    """Data-skipping indexes: (name, what follows it in DDL)."""

    @property
    def ddl(self) -> str:
        lines = [column.ddl for column in self.columns] + [
            f"INDEX {name} {rest}" for name, rest in self.indexes
        ]
        body = ",\n    ".join(lines)
        return f"CREATE TABLE IF NOT EXISTS {self.name}\n(\n    {body}\n)\n{self.engine}\nCOMMENT {quoted(self.comment)}"


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
