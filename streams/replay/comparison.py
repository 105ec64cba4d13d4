"""How the windows of a replay differ from the live ones."""

from clickhouse_driver import Client

from schemas.clickhouse.replays import (
    Difference,
    ReplayRun,
    difference,
)
from schemas.clickhouse.sql import database
from schemas.events.kinds import KINDS, Kind
from schemas.settings import Settings


def compare(
    client: Client, settings: Settings, own: Settings, one: ReplayRun
) -> dict[Kind, Difference]:
    """Return, by kind, how the windows of a run differ from the live ones.

    Args:
        client: A connection to the live database.
        settings: The settings of the live installation.
        own: The settings of the run.
        one: The run.
    """
    live, its = database(settings.clickhouse_url), database(own.clickhouse_url)
    return {
        kind: Difference.of(client.execute(difference(kind, live, its, one.since, one.until))[0])
        for kind in KINDS
    }
