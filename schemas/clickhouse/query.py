"""Represent a ClickHouse query as a value: its SQL, and the facts needed to rewrite it.

The SQL is a template. Each table is in it as a placeholder (`Table.ref`, `Table.final`) and is
declared in `tables`: so a replay can put another source in place of a table without parsing SQL,
and a table without a history is refused before anything is sent.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from schemas.clickhouse.columns import Table

_PLACEHOLDER = re.compile(r"\{tables\.(\w+)(\.final)?\}")
ENTITIES = "{entities}"
"""Placeholder of `Query.entities` in a template."""


@dataclass(frozen=True)
class Query:
    """A query: an SQL template, the tables it reads, and which of their rows it needs.

    `docs/explanation/queries.md` shows how one is declared.

    Raises:
        ValueError: A table is named but not declared, or declared but not named.
    """

    sql: str
    """SELECT with a placeholder for each table; parameters as `%(name)s`."""
    tables: tuple[Table | str, ...] = ()
    """All tables and views that it reads, views by their names."""
    entities: str = ""
    """SQL condition that holds for every row the query needs; `{entities}` in the template."""
    since: datetime | None = None
    """Of closed entities, the query needs only those that began, changed or were closed after this.

    None: it needs all. A query with `since` may group by agencies and communes only, or by other
    columns if each group counts only rows that meet this condition.
    """
    held: datetime | None = None
    """The query needs only the steps that held at this moment or later; None: all steps."""
    shared: tuple[str, ...] = ()
    """Named expressions (`x + 1 AS y`) for its WITH clause.

    Without names, ClickHouse plans each mention again.
    """

    def __post_init__(self) -> None:
        """Check the declaration against the template."""
        named = {name for name, _ in _PLACEHOLDER.findall(self.sql)}
        if undeclared := named - self.names:
            raise ValueError(f"tables that are not declared: {', '.join(sorted(undeclared))}")
        if unused := self.names - named:
            raise ValueError(f"declared tables that are not used: {', '.join(sorted(unused))}")
        if bool(self.entities) is not (ENTITIES in self.sql):
            raise ValueError("`entities` and its placeholder {entities} go together")
        if self.entities and len(self.names) != 1:
            raise ValueError("`entities` narrows the rows of one table")
        if self.held and not self.since:
            raise ValueError("`held` goes with `since`: how far a query looks back")

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of its tables."""
        return frozenset(one.name if isinstance(one, Table) else one for one in self.tables)

    @property
    def live(self) -> str:
        """Return its SQL on the tables themselves."""
        return self.render(lambda name, final: f"{name} FINAL" if final else name)

    def render(self, source: Callable[[str, bool], str], expressions: tuple[str, ...] = ()) -> str:
        """Return its SQL with sources in place of the tables.

        Args:
            source: Returns what follows FROM, given the name of a table and whether its newest rows
                are needed (FINAL).
            expressions: Further named expressions, which come first in its WITH clause.
        """
        text = _PLACEHOLDER.sub(lambda found: source(found[1], bool(found[2])), self.sql)
        if named := (*expressions, *self.shared):
            text = f"WITH {', '.join(named)} {text}"
        return text.replace(ENTITIES, self.entities)
