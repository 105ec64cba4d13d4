"""Queries about single entities and flows between units, over their lives.

Holders, stuck documents, flows, meetings. Answers are lists of rows by column name, of at most
`limit` rows; every method may raise `dashboard.query.connection.UnreachableError`.
"""

from dataclasses import dataclass, replace
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
from schemas.figures import FIGURES, FigurePiece
from schemas.figures.documents import SITES
from schemas.figures.questions import QueryMoment, begun, moment_sql, question, readings
from schemas.figures.reading import Reading
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
class Flow:
    """Documents that one organisation sent another in a period, and the time until receipt."""

    sender: str
    receiver: str
    figures: dict[str, Reading]


@dataclass(frozen=True)
class LifeStore:
    """Queries lives. `calendar` is the working calendar of the province."""

    connection: Connection
    calendar: WorkingCalendar
    commune_units: Units = "today"
    """Whether communes are units of a step's own day, or of today."""

    def held(
        self,
        clock: Clock,
        kind: Kind,
        *,
        where: str = "true",
        order: str = "held_since",
        limit: int = 200,
    ) -> list[Row]:
        """Return open entities with their holder, since when it holds them, and their status.

        `held_hours` is the time since the current agency took over, in hours of the entity's clock;
        `overdue` says whether the deadline has passed.
        """
        now = QueryMoment.of(clock.now(), self.calendar)
        entities = current_table(kind)
        query = Query(
            f"SELECT * EXCEPT version, {now.sql(OVERDUE)} AS overdue FROM {entities.final} "
            f"WHERE standing != 'closed' AND {begun(kind)} <= {moment_sql(now.at)} AND ({where}) "
            f"ORDER BY {order}, entity_id LIMIT {limit:d}",
            (entities,),
            since=clock.now(),
        )
        return [self.with_holder(row, clock.now()) for row in self.connection.rows(query)]

    def with_holder(self, row: Row, at: datetime) -> Row:
        """Return a row of `current_K` with the level of its holder and the hours it has held it."""
        since = row["held_since"]
        held = at - since if row["around"] else self.calendar.working_time(since, at)
        return {
            **row,
            "level": agency(row["agency"]).level,
            "held_hours": held / timedelta(hours=1),
        }

    def stuck(
        self, clock: Clock, *, flash_hours: float = 2, hours: float = 15, limit: int = 50
    ) -> list[Row]:
        """Return documents that arrived and have waited for receipt for some hours of their clock.

        Most urgent first, then oldest, with number, notation, subject, sender and receiver, so that
        people can identify them.
        """
        now = QueryMoment.of(clock.now(), self.calendar)
        waited = f"if(around, {now.at}, {now.position}) - at"
        documents, states = current_table(DOCUMENT), state_table(DOCUMENT)
        is_arrived = f"status = {DocumentStatus.ARRIVED:d}"
        query = Query(
            f"""SELECT entity_id, c.priority AS priority, c.from_organ AS from_organ,
                c.to_organ AS to_organ, c.commune AS commune, c.since AS since,
                waited / 3600000 AS hours, s.number AS number, s.notation AS notation,
                s.subject AS subject
            FROM (SELECT *, {waited} AS waited FROM {documents.final} WHERE {is_arrived}
                AND waited > if(around, {flash_hours}, {hours}) * 3600000) AS c
            LEFT JOIN (SELECT entity_id, number, notation, subject FROM {states.final}
                WHERE {is_arrived}) AS s USING entity_id
            ORDER BY priority DESC, since LIMIT {limit:d}""",
            (documents, states),
            since=clock.now(),
        )
        return list(self.connection.rows(query))

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

    def endings(
        self, clock: Clock, status: DocumentStatus, period: timedelta = timedelta(days=30)
    ) -> list[Row]:
        """Return why documents were refused or recalled: reason and count; most frequent first."""
        at, documents = clock.now(), current_table(DOCUMENT)
        query = Query(
            f"""SELECT reason, count() AS documents FROM {documents.final}
            WHERE status = {status:d} AND closed_at > {moment_sql(milliseconds(at - period))}
                AND closed_at <= {moment_sql(milliseconds(at))}
            GROUP BY reason ORDER BY documents DESC, reason""",
            (documents,),
            since=at - period,
        )
        return list(self.connection.rows(query))

    def flows(
        self, clock: Clock, period: timedelta = timedelta(days=7), limit: int = 500
    ) -> list[Flow]:
        """Return volume and delay of documents between organisations in a period, largest first."""
        figures = [figure for figure in FIGURES if figure.code in FLOW_FIGURES]
        moment = QueryMoment.of(clock.now(), self.calendar, period)
        query = question(figures, moment, ("from_organ", "to_organ"))
        # Groups without any document sent in the period are left out below.
        query = replace(query, since=clock.now() - period)
        rows = self.connection.tuples(query)
        found = [Flow(key[0], key[1], read) for key, read in readings(figures, rows, 2).items()]
        found.sort(
            key=lambda flow: (
                -(flow.figures["document.sent"].value or 0),
                flow.sender,
                flow.receiver,
            )
        )
        return [flow for flow in found if flow.figures["document.sent"].value][:limit]

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
