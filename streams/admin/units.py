"""Fill the reference tables of units from `schemas.places`, idempotently.

Only rows that differ are written.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from clickhouse_driver import Client

from schemas.clickhouse.columns import Table
from schemas.clickhouse.unit_tables import HEIRS, SUCCESSORS, UNITS
from schemas.places.rows import heir_rows, successor_rows, unit_rows

Row = tuple[Any, ...]
NO_DAY = date(1970, 1, 1)


def fill(client: Client) -> list[str]:
    """Update the tables of units, successors and heirs.

    A query that runs meanwhile sees all new rows or none; obsolete rows are deleted in a second
    step.

    Returns:
        A line for each table that changed.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    return [
        *_fill(
            client,
            UNITS,
            unit_rows(),
            "level, code, ifNull(valid_from, toDate(0))",
            lambda row: (row[1], row[0], row[5] or NO_DAY),
        ),
        *_fill(client, SUCCESSORS, successor_rows(), "former, successor", lambda row: row[:2]),
        *_fill_heirs(client),
    ]


def _fill_heirs(client: Client) -> list[str]:
    """Replace all heirs in one step, so that a query sees all old rows or all new ones."""
    wanted = heir_rows()
    columns = HEIRS.names
    if sorted(client.execute(f"SELECT {columns} FROM {HEIRS.name}")) == wanted:
        return []
    made = replace(HEIRS, name=f"{HEIRS.name}_new")
    client.execute(f"DROP TABLE IF EXISTS {made.name}")
    client.execute(made.ddl)
    client.execute(f"INSERT INTO {made.name} VALUES", wanted)
    client.execute(f"EXCHANGE TABLES {HEIRS.name} AND {made.name}")
    client.execute(f"DROP TABLE {made.name}")
    return [f"rows of {HEIRS.name}"]


def _fill(
    client: Client, table: Table, rows: Sequence[Row], key: str, key_of: Callable[[Row], Row]
) -> list[str]:
    columns = table.names
    present, wanted = set(client.execute(f"SELECT {columns} FROM {table.name} FINAL")), set(rows)
    if present == wanted:
        return []
    if wanted - present:
        client.execute(
            f"INSERT INTO {table.name} ({columns}) VALUES", sorted(wanted - present, key=key_of)
        )
    if obsolete := {key_of(row) for row in present} - {key_of(row) for row in wanted}:
        client.execute(
            f"DELETE FROM {table.name} WHERE ({key}) IN %(keys)s", {"keys": tuple(obsolete)}
        )
    return [f"rows of {table.name}"]
