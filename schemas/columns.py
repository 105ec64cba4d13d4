"""How a ClickHouse table is declared: its columns, its engine, the type of a moment."""

from dataclasses import dataclass

ZONE = "Asia/Ho_Chi_Minh"
MOMENT = f"DateTime64(3, '{ZONE}')"


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    comment: str

    @property
    def ddl(self) -> str:
        return f"`{self.name}` {self.type} COMMENT {_quoted(self.comment)}"


@dataclass(frozen=True)
class Table:
    """A table with its engine clause."""

    name: str
    columns: tuple[Column, ...]
    engine: str
    comment: str

    @property
    def ddl(self) -> str:
        body = ",\n    ".join(column.ddl for column in self.columns)
        return f"CREATE TABLE IF NOT EXISTS {self.name}\n(\n    {body}\n)\n{self.engine}\nCOMMENT {_quoted(self.comment)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
