"""Questions about single entities and between units, over their lives: who holds what since when, what is stuck, what flows.

SQL of the dashboard beside `store`; all answers are lists of rows by column name, at most `limit` of them, and may raise
`dashboard.query.connection.Unreachable`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from dashboard.query.store import Row
from schemas.clickhouse.lives import current_table, life_table
from schemas.events.codes import DocumentStatus, MeetingState
from schemas.events.kinds import DOCUMENT, Kind
from schemas.figures import FIGURES, FigurePiece
from schemas.figures.documents import SITES
from schemas.figures.questions import AskedMoment, begun, moment_sql, question, readings
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
    """What one organisation sent another in a period, and how long it took to be received."""

    sender: str
    receiver: str
    figures: dict[str, Reading]


@dataclass(frozen=True)
class LifeStore:
    """Asks about lives. `calendar` is the working calendar of the province."""

    connection: Connection
    calendar: WorkingCalendar
    told_by: Units = "today"
    """By which units communes are told apart and meant."""

    def held(
        self,
        clock: Clock,
        kind: Kind,
        *,
        where: str = "true",
        order: str = "held_since",
        limit: int = 200,
    ) -> list[Row]:
        """Open entities with who holds them (`agency`, `level`), since when, in which status, how long in hours of their clock.

        `held_hours` is the time since the agency of now took it over, `overdue` whether its deadline has passed.
        """
        now = AskedMoment.of(clock.now(), self.calendar)
        overdue = now.sql(OVERDUE)
        rows = self.connection.reaching(clock.now()).rows(
            f"SELECT * EXCEPT version, {overdue} AS overdue FROM {current_table(kind).name} FINAL "
            f"WHERE standing != 'closed' AND {begun(kind)} <= {moment_sql(now.at)} AND ({where}) "
            f"ORDER BY {order}, entity_id LIMIT {limit:d}"
        )
        return [self.told(row, clock.now()) for row in rows]

    def told(self, row: Row, at: datetime) -> Row:
        """A row of `current_K` with the level of who holds it, and for how many hours of its clock."""
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
        """Documents that arrived and that nobody received for so many hours of their clock, the most urgent and oldest first.

        With number, notation, subject, sender and receiver, so that they can be named.
        """
        now = AskedMoment.of(clock.now(), self.calendar)
        waited = f"if(around, {now.at}, {now.position}) - at"
        return list(
            self.connection.reaching(clock.now()).rows(
                f"""SELECT entity_id, c.priority AS priority, c.from_organ AS from_organ, c.to_organ AS to_organ,
                    c.commune AS commune,
                    c.since AS since, waited / 3600000 AS hours, s.number AS number, s.notation AS notation, s.subject AS subject
                FROM (SELECT *, {waited} AS waited FROM {current_table(DOCUMENT).name} FINAL
                    WHERE status = {DocumentStatus.ARRIVED:d} AND waited > if(around, {flash_hours}, {hours}) * 3600000) AS c
                LEFT JOIN (SELECT entity_id, number, notation, subject FROM state_document FINAL
                    WHERE status = {DocumentStatus.ARRIVED:d}) AS s USING entity_id
                ORDER BY priority DESC, since LIMIT {limit:d}"""
            )
        )

    def waiting_since(self, clock: Clock) -> datetime | None:
        """Since when the document waits that has waited longest to be received; None where none waits."""
        (row,) = self.connection.reaching(clock.now()).rows(
            f"SELECT minOrNull(since) AS since FROM {current_table(DOCUMENT).name} FINAL "
            f"WHERE status = {DocumentStatus.ARRIVED:d} AND started_at <= {moment_sql(milliseconds(clock.now()))}"
        )
        found: datetime | None = row["since"]
        return found

    def endings(
        self, clock: Clock, status: DocumentStatus, period: timedelta = timedelta(days=30)
    ) -> list[Row]:
        """Why documents were refused or recalled: reason and how many, the most frequent first."""
        at = clock.now()
        return list(
            self.connection.reaching(at - period).rows(
                f"""SELECT reason, count() AS documents FROM {current_table(DOCUMENT).name} FINAL
                WHERE status = {status:d} AND closed_at > {moment_sql(milliseconds(at - period))}
                    AND closed_at <= {moment_sql(milliseconds(at))}
                GROUP BY reason ORDER BY documents DESC, reason"""
            )
        )

    def flows(
        self, clock: Clock, period: timedelta = timedelta(days=7), limit: int = 500
    ) -> list[Flow]:
        """Edges between organisations: volume and delay of the documents sent in a period, the largest volume first."""
        figures = [figure for figure in FIGURES if figure.code in FLOW_FIGURES]
        asked = question(
            figures, AskedMoment.of(clock.now(), self.calendar, period), ("from_organ", "to_organ")
        )
        rows = self.connection.reaching(clock.now() - period).tuples(asked)
        found = [Flow(key[0], key[1], said) for key, said in readings(figures, rows, 2).items()]
        found.sort(
            key=lambda flow: (
                -(flow.figures["document.sent"].value or 0),
                flow.sender,
                flow.receiver,
            )
        )
        return [flow for flow in found if flow.figures["document.sent"].value][:limit]

    def meetings(self, clock: Clock) -> list[Row]:
        """Meetings that go on: title, host, when they began, sites invited, connected and missing (codes, each once)."""
        return list(
            self.connection.reaching(clock.now()).rows(
                f"""SELECT c.entity_id AS entity_id, s.title AS title, c.agency AS host, c.started_at AS started_at,
                    s.ends_at AS ends_at, c.sites AS invited, arrayFilter(x -> has(c.connected, x), c.sites) AS connected,
                    arrayFilter(x -> NOT has(c.connected, x), c.sites) AS missing
                FROM (SELECT *, {SITES} AS sites FROM current_meeting FINAL WHERE state = '{MeetingState.LIVE}'
                    AND started_at <= {moment_sql(milliseconds(clock.now()))}) AS c
                LEFT JOIN (SELECT entity_id, title, ends_at FROM state_meeting FINAL) AS s USING entity_id
                ORDER BY started_at, entity_id"""
            )
        )

    def coming(
        self, clock: Clock, within: timedelta = timedelta(days=30), limit: int = 100
    ) -> list[Row]:
        """Meetings that are to come, the next first: entity_id, title, host, started_at (when they begin), invited (codes)."""
        now = clock.now()
        return list(
            self.connection.reaching(clock.now()).rows(
                f"""SELECT c.entity_id AS entity_id, s.title AS title, c.agency AS host, c.started_at AS started_at,
                    c.sites AS invited
                FROM (SELECT *, {SITES} AS sites FROM current_meeting FINAL WHERE state = '{MeetingState.SCHEDULED}'
                    AND started_at > {moment_sql(milliseconds(now))}
                    AND started_at <= {moment_sql(milliseconds(now + within))}) AS c
                LEFT JOIN (SELECT entity_id, title FROM state_meeting FINAL) AS s USING entity_id
                ORDER BY started_at, entity_id LIMIT {limit:d}"""
            )
        )

    def steps(self, kind: Kind, entity: str) -> list[dict[str, Any]]:
        """The whole life of an entity: its steps in order, with how long each lasted in hours of its clock."""
        rows = self.connection.rows(
            f"SELECT * EXCEPT version FROM {life_table(kind).name} FINAL WHERE entity_id = %(entity)s ORDER BY step",
            entity=entity,
        )
        found = []
        for row, after in zip_longest(rows, rows[1:]):
            lasted = (after["at"] - row["at"]) / 3_600_000 if after else None
            found.append({**row, "level": agency(row["agency"]).level, "hours": lasted})
        return found
