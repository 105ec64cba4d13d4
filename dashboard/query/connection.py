"""Run queries on ClickHouse, with one client per thread.

A `Client` of clickhouse-driver serves one thread at a time and is unusable after an error. So each
thread has its own, which is dropped after an error and created again.
"""

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes

from dashboard.query import time_limit
from dashboard.query.errors import TimeLimitError, UnreachableError
from dashboard.query.rights import must_see_all
from dashboard.query.turns import waiting
from schemas.clickhouse.query import Query
from schemas.clickhouse.sql import database

__all__ = ["Connection", "Statement", "TimeLimitError", "UnreachableError"]
STREAM_SECONDS = 120
"""Seconds for which ClickHouse may send nothing while it sorts a long answer."""


class Statement(NamedTuple):
    """What is sent to ClickHouse for a query: SQL, external tables and settings."""

    sql: str
    tables: list[dict[str, Any]] | None = None
    """Rows sent along, as external tables of clickhouse-driver."""
    settings: Mapping[str, Any] = {}


class Connection:
    """Runs queries on one ClickHouse database, from any thread.

    Every method that queries may raise `UnreachableError`, and
    `dashboard.query.rights.NoRightsError` for a viewer who may see the wall only. All take a
    `Query`, which a connection to the past (`dashboard.history.past`) can answer, too. SQL as a
    plain string is for statements about the present only (the server's version, temporary tables);
    a connection to the past refuses it.
    """

    def __init__(self, url: str) -> None:
        """Prepare a connection to `clickhouse://…`; it connects at the first query."""
        self.url = url
        self._local = threading.local()

    @property
    def database(self) -> str:
        """Return the name of its database."""
        return database(self.url)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        must_see_all()
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._new(seconds=10)
        try:
            with waiting():
                yield client
        except Exception as error:
            self._local.client = None
            client.disconnect()
            if isinstance(error, TimeLimitError):
                raise
            raise _why(error) from error

    def _new(self, seconds: int) -> Any:
        client = Client.from_url(self.url)
        client.connection.connect_timeout = 2
        client.connection.send_receive_timeout = seconds
        return client

    def _statement(self, query: Query | str, *, has_parameters: bool) -> Statement:
        """Return what is sent for a query; one with parameters has each literal % as `%%`."""
        return Statement(query if isinstance(query, str) else query.live)

    def rows(self, query: Query | str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of an answer as dicts by column name."""
        statement = self._statement(query, has_parameters=True)
        settings = _limited(statement.settings)
        with self._client() as client:
            found, columns = client.execute(
                statement.sql,
                parameters,
                with_column_types=True,
                external_tables=statement.tables,
                settings=settings,
            )
        names = [name for name, _ in columns]
        return [dict(zip(names, row, strict=True)) for row in found]

    def tuples(self, query: Query | str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of an answer as tuples."""
        statement = self._statement(query, has_parameters=bool(parameters))
        settings = _limited(statement.settings)
        with self._client() as client:
            return list(
                client.execute(
                    statement.sql,
                    parameters or None,
                    external_tables=statement.tables,
                    settings=settings,
                )
            )

    def frame(self, query: Query | str, **parameters: Any) -> Any:
        """Return the rows of an answer as a pandas DataFrame."""
        statement = self._statement(query, has_parameters=True)
        settings = _limited(statement.settings)
        with self._client() as client:
            return client.query_dataframe(
                statement.sql, parameters, external_tables=statement.tables, settings=settings
            )

    def stream(
        self, query: Query | str, block: int, **parameters: Any
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a long answer in blocks of `block` rows.

        Only one block is in memory at a time. The query uses a client of its own, so that different
        threads may take blocks. Closing the iterator cancels the query.

        Raises:
            UnreachableError: also in the middle of an answer.
        """
        must_see_all()
        statement = self._statement(query, has_parameters=bool(parameters))
        settings = _limited({"max_block_size": block})
        client = self._new(seconds=STREAM_SECONDS)
        try:
            blocks = client.execute_iter(
                statement.sql,
                parameters or None,
                external_tables=statement.tables,
                settings=settings,
                chunk_size=block,
            )
            while True:
                with waiting():
                    rows = next(blocks, None)
                if rows is None:
                    return
                yield rows
        except GeneratorExit:
            # A complete answer must not be cancelled: ClickHouse would not reply any more.
            if client.connection.is_query_executing:
                with suppress(Exception):
                    client.cancel()
            raise
        except TimeLimitError:
            raise
        except Exception as error:
            raise _why(error) from error
        finally:
            client.disconnect()

    def close(self) -> None:
        """Disconnect this thread's client in good order.

        ClickHouse sees a reset if a socket is closed with unread bytes.
        """
        client = getattr(self._local, "client", None)
        if client is not None:
            self._local.client = None
            client.disconnect()


def _limited(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return settings that make ClickHouse give up when the caller's time limit ends.

    Raises `TimeLimitError` if it has ended already.
    """
    left = time_limit.remaining()
    return settings if left is None else {**settings, "max_execution_time": math.ceil(left)}


def _why(error: Exception) -> UnreachableError:
    is_late = getattr(error, "code", None) == ErrorCodes.TIMEOUT_EXCEEDED
    return (TimeLimitError if is_late else UnreachableError)(" ".join(str(error).split())[:200])
