"""Every question of the stores about the past, and the two databases that answer it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from dashboard.history.past import PastConnection
from dashboard.history.slices import Slices
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import Clock, Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from dashboard.query.lists import ListStore, Order, Sought
from dashboard.query.lives import LifeStore
from dashboard.query.map import MapStore, Scope
from dashboard.query.records import RecordStore
from dashboard.query.snapshot import take
from dashboard.query.sources import SourceStore
from dashboard.query.store import ScreenStore
from dashboard.query.unknown_codes import UnknownStore
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.events.partitions import Partitions
from schemas.figures import BY_CODE, FIGURES
from tests.integration.past_events import CALENDAR, COMMUNES, PLACE, THEN, steps


@dataclass(frozen=True)
class Both:
    """A connection to the database that knows everything, and one to that which knows what had
    arrived by THEN.
    """

    whole: Connection
    then: Connection
    slices: Slices

    def past(
        self, picture: Picture = Picture.KNOWN, at: datetime = THEN, slices: bool = True
    ) -> PastConnection:
        return PastConnection(
            self.whole, "46", Replay(at, picture), None, self.slices if slices else None
        )


Question = Callable[[Connection, Clock], Any]


def lives(connection: Connection) -> LifeStore:
    return LifeStore(connection, CALENDAR)


def sources(connection: Connection) -> SourceStore:
    return SourceStore(connection, PLACE.agencies, CALENDAR)


UNIT = COMMUNES[0].code
SCOPE = Scope(THEN - timedelta(days=9), THEN)
VIEW = (102.0, 8.0, 110.0, 24.0)
LIVED = (FILING, FEEDBACK, DOCUMENT, MEETING)
BEHIND = ("filing.overdue", "filing.open", "feedback.open", "document.waiting")
"""Figures whose records are compared: their queries need no record that was closed long before."""


def _listed(kind: Kind, c: Connection, t: Clock) -> Any:
    wanted = ["status", "agency", "held_since", "overdue"]
    return ListStore(lives(c)).page(t, Sought(kind), wanted, Order(), limit=200)


def _behind(code: str, c: Connection, t: Clock) -> Any:
    return RecordStore(lives(c)).behind(t, BY_CODE[code], "province", "", limit=200)


def _steps(kind: Kind, c: Connection, t: Clock) -> Any:
    return [lives(c).steps(kind, one) for one in ids(kind)]


def _states(kind: Kind, c: Connection, t: Clock) -> Any:
    return [RecordStore(lives(c)).state(kind, one) for one in ids(kind)]


def _events(kind: Kind, c: Connection, t: Clock) -> Any:
    return [RecordStore(lives(c)).events(kind, one) for one in ids(kind)]


QUESTIONS: dict[str, Question] = {
    "the whole snapshot of a wall": lambda c, t: replace(
        take(ScreenStore(c), t, PLACE, Partitions((1,)), 10),
        points=None,  # type: ignore[arg-type]  # a frame cannot be compared; "points" does it
        lags=(),
    ),
    "points": lambda c, t: ScreenStore(c).feedback_points(t).to_dict("records"),
    "indicators": lambda c, t: sorted(ScreenStore(c).indicator_reports(t, ("46",)), key=str),
    "freshness": lambda c, t: ScreenStore(c).freshness(),
    "clocks ahead": lambda c, t: ScreenStore(c).clocks_ahead(t),
    "figures": lambda c, t: FigureStore(c, CALENDAR).now(t),
    "figures by commune": lambda c, t: FigureStore(c, CALENDAR).now(
        t, [one for one in FIGURES if one.kind in (FILING, FEEDBACK)], ("commune",)
    ),
    "what each adds": lambda c, t: [
        FigureStore(c, CALENDAR).each(t, [one for one in FIGURES if one.kind is kind], ids(kind))
        for kind in LIVED
    ],
    "figures a day before": lambda c, t: FigureStore(c, CALENDAR).then(t.now() - timedelta(days=1)),
    "figures a week before, without state": lambda c, t: FigureStore(c, CALENDAR).then(
        t.now() - timedelta(days=7), state=False
    ),
    "figures at moments of a week": lambda c, t: FigureStore(c, CALENDAR).at_moments(
        [t.now() - timedelta(days=days) for days in (7, 3, 1)], by="commune", unit=UNIT
    ),
    "trends": lambda c, t: FigureStore(c, CALENDAR).trends(t, "commune", UNIT),
    "all units": lambda c, t: FigureStore(c, CALENDAR).units(t, "46", tuple),
    **{f"list of {kind.name}s": partial(_listed, kind) for kind in LIVED},
    "waiting since": lambda c, t: lives(c).waiting_since(t),
    "meetings": lambda c, t: lives(c).meetings(t),
    "coming meetings": lambda c, t: lives(c).coming(t),
    **{f"steps of {kind.name}s": partial(_steps, kind) for kind in LIVED},
    **{f"states of {kind.name}s": partial(_states, kind) for kind in LIVED},
    **{f"events of {kind.name}s": partial(_events, kind) for kind in LIVED},
    **{f"behind {code}": partial(_behind, code) for code in BEHIND},
    "beside a record": lambda c, t: [
        RecordStore(lives(c)).nearest(t, FEEDBACK, found[-1])
        for one in ids(FEEDBACK)[:5]
        if (found := lives(c).steps(FEEDBACK, one))
    ],
    "by number": lambda c, t: RecordStore(lives(c)).numbered(t, "f1"),
    "documents by number": lambda c, t: RecordStore(lives(c)).numbered(t, "1/UBND"),
    "a list": lambda c, t: ListStore(lives(c)).page(
        t, Sought(FEEDBACK, text="ngap 1"), ["status", "description"], Order(), limit=50
    ),
    "how many": lambda c, t: ListStore(lives(c)).total(
        t, Sought(FILING, only=(("overdue", ("1",)),))
    ),
    "choices": lambda c, t: ListStore(lives(c)).choices(t, Sought(FILING), ["status", "agency"]),
    "a file": lambda c, t: list(
        ListStore(lives(c)).stream(t, Sought(DOCUMENT), ["entity_id", "subject", "left"], Order())
    ),
    "the map's figures": lambda c, t: MapStore(lives(c)).overview(
        SCOPE, [BY_CODE["feedback.open"]], (FEEDBACK,)
    ),
    "the map's units": lambda c, t: MapStore(lives(c)).by_unit(
        SCOPE, BY_CODE["feedback.received"], "commune"
    ),
    "the map's course": lambda c, t: MapStore(lives(c)).course(SCOPE, FEEDBACK),
    "the map's records": lambda c, t: MapStore(lives(c)).records(t, SCOPE, FILING),
    "the map's cells": lambda c, t: MapStore(lives(c)).grid(SCOPE, VIEW, 9, 72),
    "the map's points": lambda c, t: MapStore(lives(c)).points(SCOPE, VIEW, 500),
    "the map's categories": lambda c, t: MapStore(lives(c)).categories(SCOPE),
    "the map's extent": lambda c, t: MapStore(lives(c)).extent(),
    "flows on the map": lambda c, t: MapStore(lives(c)).flows(
        SCOPE, {one.code: one.code for one in PLACE.agencies}, [BY_CODE["document.sent"]]
    ),
    "a record on the map": lambda c, t: [
        MapStore(lives(c)).record(FEEDBACK, one) for one in ids(FEEDBACK)
    ],
    "open alarms": lambda c, t: AlarmStore(c).open(t),
    "alarms of a period": lambda c, t: AlarmStore(c).history(t.now() - timedelta(days=9), t.now()),
    "sources": lambda c, t: sources(c).current(t),
    "sources' histories": lambda c, t: sources(c).histories(
        [(f"H57.{UNIT}.UB", "document"), ("H57.VP", "filing")], t.now() - timedelta(days=9), t.now()
    ),
    "silences": lambda c, t: sources(c).silences(t.now() - timedelta(days=9), t.now(), 1),
    "the league": lambda c, t: sources(c).league(t),
    "what was refused": lambda c, t: sources(c).refused(t),
    "codes that nobody knows": lambda c, t: UnknownStore(c, lambda field, code: code == UNIT).codes(
        t
    ),
}


def ids(kind: Kind) -> list[str]:
    """Return entities of a kind, known by then or not."""
    return sorted({kind.entity_id(one) for of, _, _, one in steps(Random(7)) if of is kind})[:9]
