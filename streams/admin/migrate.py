"""Create or update a ClickHouse database from its declarations: idempotent, safe while workers run.

Missing tables and columns are added, the tables of units are filled, views are replaced, and
materialized views follow their tables. What a declaration cannot express (a changed key or type) is
a named step in `STEPS`, run once and recorded in the table `migrations`.
"""

from collections import defaultdict
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from clickhouse_driver import Client

from schemas.clickhouse.columns import Table
from schemas.clickhouse.lives import life_tables, life_views
from schemas.clickhouse.replays import REPLAY_STOPS, REPLAYS
from schemas.clickhouse.retention import HORIZONS
from schemas.clickhouse.sql import database
from schemas.clickhouse.tables import state_table, tables, windows_table
from schemas.clickhouse.views import materialized_views, views
from schemas.clickhouse.watch_tables import ALARM_STEPS, ARRIVALS
from schemas.clickhouse.working_time import WORKING_WEEKS
from schemas.events.kinds import KINDS
from schemas.figures.snapshots import SNAPSHOTS
from schemas.settings import Settings
from streams.admin import units

Step = tuple[str, str, Callable[[Client], None]]


def fill_states(client: Client) -> None:
    """Recompute every entity's state from the raw events, by the current definition of a version.

    Workers may write meanwhile.
    """
    for table in map(state_table, KINDS):
        fill = f"fill_{table.name}"
        client.execute(f"DROP VIEW IF EXISTS {fill} SYNC")
        client.execute(f"TRUNCATE TABLE {table.name}")
        _fill(client, fill, table)


def fill_arrivals(client: Client) -> None:
    """Fill the arrivals from the raw events and from the former table `arrivals`.

    The former table had another sorting key and goes back further. The tables that views fill from
    arrivals are written, too. Workers may write meanwhile.
    """
    fills = materialized_views()
    for fill in ("fill_freshness", "fill_arrival_days"):
        target, query = fills[fill]
        client.execute(f"DROP VIEW IF EXISTS {fill} SYNC")
        client.execute(f"CREATE MATERIALIZED VIEW {fill} TO {target} AS {query}")
    for kind in KINDS:
        _fill(client, f"fill_{ARRIVALS.name}_{kind.name}", ARRIVALS)
        for former in (f"fill_freshness_{kind.name}", f"fill_arrivals_{kind.name}"):
            client.execute(f"DROP VIEW IF EXISTS {former} SYNC")
    if client.execute("EXISTS TABLE arrivals") == [(1,)]:
        columns = ARRIVALS.names
        client.execute(f"INSERT INTO {ARRIVALS.name} ({columns}) SELECT {columns} FROM arrivals")
        client.execute("DROP TABLE arrivals")


def fill_alarm_steps(client: Client) -> None:
    """Fill the steps of alarms from their last rows, all that is known of earlier alarms."""
    _fill(client, "fill_alarm_steps", ALARM_STEPS)


def drop_working_days(client: Client) -> None:
    """Drop the table that `working_weeks` replaced."""
    client.execute("DROP TABLE IF EXISTS working_days")


STEPS: tuple[Step, ...] = (
    (
        "states by arrival",
        "A step dated in the future must not hide the steps that arrive after it.",
        fill_states,
    ),
    (
        "states in legal order",
        "Steps that are dated to the day only are ordered within the day by their status.",
        fill_states,
    ),
    (
        "working time by weeks",
        "With a row for each day ClickHouse planned queries for longer than it ran them.",
        drop_working_days,
    ),
    (
        "arrivals in order of time",
        "A query for a month of all sources read every minute ever stored.",
        fill_arrivals,
    ),
    (
        "alarms step by step",
        "A replay has to know the state of an alarm at a past moment.",
        fill_alarm_steps,
    ),
)
"""The migrations in order: (name, reason, function). A name is recorded and must not change."""


def migrate(settings: Settings) -> list[str]:
    """Create or update the database of an installation.

    Returns:
        A line for each thing that was done.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    on_server(settings, "CREATE DATABASE IF NOT EXISTS `{database}`")
    client = Client.from_url(settings.clickhouse_url)
    try:
        return [
            *_tables(client),
            *_steps(client),
            *_apply_retention(client, settings),
            *_materialized(client),
            *units.fill(client),
            *_views(client, settings.topic_prefix),
        ]
    finally:
        client.disconnect()


def on_server(settings: Settings, statement: str) -> None:
    """Run a statement about an installation's database, which need not exist.

    Args:
        settings: The installation's settings.
        statement: The statement, with `{database}` for the name of the database.

    Raises:
        clickhouse_driver.errors.Error: If ClickHouse cannot be used.
    """
    server = Client.from_url(
        urlunsplit(urlsplit(settings.clickhouse_url)._replace(path="/default"))
    )
    try:
        server.execute(statement.format(database=database(settings.clickhouse_url)))
    finally:
        server.disconnect()


def _fill(client: Client, view: str, table: Table) -> None:
    """Create a materialized view and insert the rows that it would have written until now.

    Rows that are inserted in between are written twice, which the table collapses.
    """
    _, query = materialized_views()[view]
    client.execute(f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view} TO {table.name} AS {query}")
    client.execute(f"INSERT INTO {table.name} ({table.names}) {query}")


def _tables(client: Client) -> list[str]:
    # All columns and all indexes at once: to ask table by table took longer than to make them.
    columns: dict[str, dict[str, str]] = defaultdict(dict)
    for name, column, comment in client.execute(
        "SELECT table, name, comment FROM system.columns WHERE database = currentDatabase()"
    ):
        columns[name][column] = comment
    indexes = set(
        client.execute(
            "SELECT table, name FROM system.data_skipping_indices "
            "WHERE database = currentDatabase()"
        )
    )
    done = []
    for table in (
        *tables(),
        *life_tables(),
        WORKING_WEEKS,
        REPLAYS,
        REPLAY_STOPS,
        SNAPSHOTS,
        HORIZONS,
    ):
        present = columns.get(table.name)
        if not present:
            client.execute(table.ddl)
            done.append(f"table {table.name}")
        else:
            done += [*_add_columns(client, table, present), *_add_indexes(client, table, indexes)]
    return done


def _add_indexes(client: Client, table: Table, present: set[tuple[str, str]]) -> list[str]:
    missing = [(name, rest) for name, rest in table.indexes if (table.name, name) not in present]
    for name, rest in missing:
        client.execute(f"ALTER TABLE {table.name} ADD INDEX IF NOT EXISTS {name} {rest}")
        client.execute(f"ALTER TABLE {table.name} MATERIALIZE INDEX {name}")
    return [f"index {table.name}.{name}" for name, _ in missing]


def _add_columns(client: Client, table: Table, present: dict[str, str]) -> list[str]:
    done = []
    previous = ""
    for column in table.columns:
        if column.name not in present:
            client.execute(
                f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {column.ddl}{previous}"
            )
            done.append(f"column {table.name}.{column.name}")
        elif present[column.name] != column.comment:
            client.execute(
                f"ALTER TABLE {table.name} COMMENT COLUMN `{column.name}` %(comment)s",
                {"comment": column.comment},
            )
        previous = f" AFTER `{column.name}`"
    return done


def _steps(client: Client) -> list[str]:
    client.execute(
        "CREATE TABLE IF NOT EXISTS migrations "
        "(name String, reason String, done_at DateTime DEFAULT now()) "
        "ENGINE = ReplacingMergeTree ORDER BY name"
    )
    before = {name for (name,) in client.execute("SELECT name FROM migrations")}
    done = []
    for name, reason, step in STEPS:
        if name not in before:
            step(client)
            client.execute("INSERT INTO migrations (name, reason) VALUES", [(name, reason)])
            done.append(f"step {name}")
    return done


def _apply_retention(client: Client, settings: Settings) -> list[str]:
    """Set the TTL of snapshots and windows; raw events are deleted by `streams.admin.retain`."""
    wanted = {SNAPSHOTS.name: (settings.keep_snapshots_days, "toDateTime(moment)", "")}
    for kind in KINDS:  # The window of 1970 marks a checkpoint and must stay.
        wanted[windows_table(kind).name] = (
            settings.keep_windows_days,
            "window_start",
            " WHERE window_start > toDateTime(0)",
        )
    present = dict(
        client.execute(
            "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
        )
    )
    done = []
    for name, (days, moment, where) in wanted.items():
        ttl = f" TTL {moment} + toIntervalDay({days}){where}"
        if days and ttl not in present[name]:
            client.execute(f"ALTER TABLE {name} MODIFY{ttl}")
            done.append(f"{name} is kept for {days} days")
        elif not days and " TTL " in present[name]:
            client.execute(f"ALTER TABLE {name} REMOVE TTL")
            done.append(f"{name} is kept forever")
    return done


def _materialized(client: Client) -> list[str]:
    done = []
    present = {
        name
        for (name,) in client.execute(
            "SELECT name FROM system.tables "
            "WHERE database = currentDatabase() AND engine = 'MaterializedView'"
        )
    }
    for name, (target, query) in (materialized_views() | life_views()).items():
        if name in present:
            client.execute(f"ALTER TABLE {name} MODIFY QUERY {query}")
        else:
            client.execute(f"CREATE MATERIALIZED VIEW IF NOT EXISTS {name} TO {target} AS {query}")
            done.append(f"materialized view {name}")
    return done


def _views(client: Client, prefix: str) -> list[str]:
    for name, query in views(prefix).items():
        client.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
    return []
