"""Run `Query` values on a plain client, and record those that stores ask."""

import re
from collections.abc import Iterator
from typing import Any

from clickhouse_driver import Client

from dashboard.history.sql import check
from dashboard.query.connection import Connection
from schemas.clickhouse.query import Query
from schemas.figures.questions import Execute


def live(client: Client) -> Execute:
    """Return what runs a query on the live tables."""
    return lambda query: client.execute(query.live)


def all_of(table: str) -> Query:
    """Return a query for all rows of a table or view."""
    return Query(f"SELECT * FROM {{tables.{table}}}", (table,))


class Recorder(Connection):
    """Keeps every query that it is asked, and answers none of them with a row."""

    def __init__(self) -> None:
        super().__init__("clickhouse://127.0.0.1:1/none")
        self.queries: list[Query | str] = []

    def check(self) -> None:
        """Assert that every query declares all its tables, and that each has a past."""
        assert self.queries
        for query in self.queries:
            assert isinstance(query, Query)
            check(query)
            bare = re.findall(r"\b(?:FROM|(?<!ARRAY )JOIN)\s+[^({\s]+", query.sql)
            assert not bare, "without a placeholder it is the table of now, also in the past"

    def rows(self, query: Query | str, **parameters: Any) -> list[dict[str, Any]]:
        self.queries.append(query)
        return []

    def tuples(self, query: Query | str, **parameters: Any) -> list[tuple[Any, ...]]:
        self.queries.append(query)
        return []

    def frame(self, query: Query | str, **parameters: Any) -> Any:
        self.queries.append(query)
        raise ValueError("no rows")

    def stream(
        self, query: Query | str, block: int, **parameters: Any
    ) -> Iterator[list[tuple[Any, ...]]]:
        self.queries.append(query)
        return iter(())
