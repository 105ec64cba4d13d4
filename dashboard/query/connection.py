"""Asks ClickHouse. A `Client` of clickhouse-driver serves one thread at a time and is unusable after an error: so each thread has
its own, which is dropped after any error and made anew."""

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes

from dashboard.query import time_limit
from dashboard.query.errors import TimeLimitError, UnreachableError
from dashboard.query.rights import must_see_all
from dashboard.query.turns import waiting
from schemas.clickhouse.sql import database

__all__ = ["Connection", "Statement", "TimeLimitError", "UnreachableError"]
STREAM_SECONDS = 120
"""How long ClickHouse may be silent while it sorts a long answer."""


class Statement(NamedTuple):
    """A question as it is put to ClickHouse, tables that go with it, and settings for one whose answer is short."""

    sql: str
    tables: list[dict[str, Any]] | None = None
    settings: Mapping[str, Any] = {}


class Connection:
    """Runs queries on one ClickHouse database, from any thread; never for somebody who may see the wall only (`NoRightsError`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()

    @property
    def database(self) -> str:
        """The name of its database."""
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

    def _said(self, sql: str, given: object) -> Statement:
        """A question as it is put to ClickHouse; `given` are its parameters, None where a % is one."""
        return Statement(sql)

    def reaching(self, since: datetime, held: datetime | None = None) -> "Connection":
        """The same, for questions that look back no further: what asks the past may then take a shorter way.

        They need, of what is closed by then, only what began, was changed or was closed after `since`; by groups they may ask of
        agencies and communes only, or of rows that meet such a condition. Of lives they need with `held` only steps that held
        at that moment or later.
        """
        return self

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of an answer, by column name. Raises `UnreachableError`."""
        said = self._said(sql, parameters)
        settings = _limited(said.settings)
        with self._client() as client:
            found, columns = client.execute(
                said.sql,
                parameters,
                with_column_types=True,
                external_tables=said.tables,
                settings=settings,
            )
        names = [name for name, _ in columns]
        return [dict(zip(names, row, strict=True)) for row in found]

    def tuples(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of an answer as they come. Raises `UnreachableError`."""
        given = parameters or None
        said = self._said(sql, given)
        settings = _limited(said.settings)
        with self._client() as client:
            return list(
                client.execute(said.sql, given, external_tables=said.tables, settings=settings)
            )

    def frame(self, sql: str, **parameters: Any) -> Any:
        """The rows of an answer as a pandas frame. Raises `UnreachableError`."""
        said = self._said(sql, parameters)
        settings = _limited(said.settings)
        with self._client() as client:
            return client.query_dataframe(
                said.sql, parameters, external_tables=said.tables, settings=settings
            )

    def stream(self, sql: str, block: int, **parameters: Any) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a long answer in blocks of `block`, of which one is in memory. Raises `UnreachableError`, also in the middle.

        It has a client of its own, so that blocks may be taken by different threads. Whoever takes no more closes the iterator:
        the question is then cancelled.
        """
        must_see_all()
        given = parameters or None
        said = self._said(sql, given)
        settings = _limited({"max_block_size": block})
        client = self._new(seconds=STREAM_SECONDS)
        try:
            blocks = client.execute_iter(
                said.sql, given, external_tables=said.tables, settings=settings, chunk_size=block
            )
            while True:
                with waiting():
                    rows = next(blocks, None)
                if rows is None:
                    return
                yield rows
        except GeneratorExit:
            # Of an answer that has come whole there is nothing to cancel: ClickHouse would say nothing more.
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
        """Leave in good order, from the thread that asked: a socket that closes with unread bytes is a reset to ClickHouse."""
        client = getattr(self._local, "client", None)
        if client is not None:
            self._local.client = None
            client.disconnect()


def _limited(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a question, which ClickHouse gives up when the time of whoever asks is over. Raises `TimeLimitError`."""
    left = time_limit.remaining()
    return settings if left is None else {**settings, "max_execution_time": math.ceil(left)}


def _why(error: Exception) -> UnreachableError:
    is_late = getattr(error, "code", None) == ErrorCodes.TIMEOUT_EXCEEDED
    return (TimeLimitError if is_late else UnreachableError)(" ".join(str(error).split())[:200])
