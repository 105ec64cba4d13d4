"""Queries about single entities, over their lives.

Holders, steps, the longest wait, meetings. Answers are lists of rows by column name, of at most
`limit` rows; every method may raise `dashboard.query.connection.UnreachableError`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from dashboard.query.store import Row
from schemas.clickhouse.lives import current_table, life_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import state_table
from schemas.events.codes import DocumentStatus, MeetingState
from schemas.events.kinds import DOCUMENT, MEETING, Kind
from schemas.figures import FigurePiece
from schemas.figures.documents import SITES
from schemas.figures.questions import moment_sql
from schemas.moments import milliseconds
from schemas.places.restate import Units
from schemas.reference import WorkingCalendar, agency

FLOW_FIGURES = (
    "document.sent",
    "document.waiting",
    "document.overdue",
    "document.receive_p50",
    "document.receive_p90",
)
OVERDUE = FigurePiece("standing = 'open' AND {passed}", aggregate="{where}")


@dataclass(frozen=True)
class LifeStore:
    """Queries lives. `calendar` is the working calendar of the province."""

    connection: Connection
    calendar: WorkingCalendar
    commune_units: Units = "today"
    """Whether communes are units of a step's own day, or of today."""

    def with_holder(self, row: Row, at: datetime) -> Row:
        """Return a row of `current_K` with the level of its holder and the hours it has held it."""
        since = row["held_since"]
        held = at - since if row["around"] else self.calendar.working_time(since, at)
        return {
            **row,
            "level": agency(row["agency"]).level,
            "held_hours": held / timedelta(hours=1),
        }

    def waiting_since(self, clock: Clock) -> datetime | None:
        """Return since when a document has waited longest for receipt; None if none waits."""
        documents = current_table(DOCUMENT)
        query = Query(
            f"SELECT minOrNull(since) AS since FROM {documents.final} "
            f"WHERE status = {DocumentStatus.ARRIVED:d} "
            f"AND started_at <= {moment_sql(milliseconds(clock.now()))}",
            (documents,),
            since=clock.now(),
        )
        (row,) = self.connection.rows(query)
        found: datetime | None = row["since"]
        return found

    def meetings(self, clock: Clock) -> list[Row]:
        """Return the meetings in progress with their connected and missing sites.

        Title, host, start, and the sites invited, connected and missing (codes, each once).
        """
        meetings, states = current_table(MEETING), state_table(MEETING)
        query = Query(
            f"""SELECT c.entity_id AS entity_id, s.title AS title, c.agency AS host,
                c.started_at AS started_at, s.ends_at AS ends_at, c.sites AS invited,
                arrayFilter(x -> has(c.connected, x), c.sites) AS connected,
                arrayFilter(x -> NOT has(c.connected, x), c.sites) AS missing
            FROM (SELECT *, {SITES} AS sites FROM {meetings.final}
                WHERE state = '{MeetingState.LIVE}'
                AND started_at <= {moment_sql(milliseconds(clock.now()))}) AS c
            LEFT JOIN (SELECT entity_id, title, ends_at FROM {states.final}) AS s USING entity_id
            ORDER BY started_at, entity_id""",
            (meetings, states),
            since=clock.now(),
        )
        return list(self.connection.rows(query))

    def coming(
        self, clock: Clock, within: timedelta = timedelta(days=30), limit: int = 100
    ) -> list[Row]:
        """Return the coming meetings, next first.

        entity_id, title, host, started_at (the planned start), invited (codes).
        """
        now, meetings, states = clock.now(), current_table(MEETING), state_table(MEETING)
        query = Query(
            f"""SELECT c.entity_id AS entity_id, s.title AS title, c.agency AS host,
                c.started_at AS started_at, c.sites AS invited
            FROM (SELECT *, {SITES} AS sites FROM {meetings.final}
                WHERE state = '{MeetingState.SCHEDULED}'
                AND started_at > {moment_sql(milliseconds(now))}
                AND started_at <= {moment_sql(milliseconds(now + within))}) AS c
            LEFT JOIN (SELECT entity_id, title FROM {states.final}) AS s USING entity_id
            ORDER BY started_at, entity_id LIMIT {limit:d}""",
            (meetings, states),
            since=now,
        )
        return list(self.connection.rows(query))

    def steps(self, kind: Kind, entity: str) -> list[dict[str, Any]]:
        """Return the steps of an entity in order, each with its duration.

        Durations are hours of the entity's clock.
        """
        life = life_table(kind)
        query = Query(
            f"SELECT * EXCEPT version FROM {life.final} WHERE entity_id = %(entity)s ORDER BY step",
            (life,),
        )
        rows = self.connection.rows(query, entity=entity)
        found = []
        for row, after in zip_longest(rows, rows[1:]):
            lasted = (after["at"] - row["at"]) / 3_600_000 if after else None
            found.append({**row, "level": agency(row["agency"]).level, "hours": lasted})
        return found
