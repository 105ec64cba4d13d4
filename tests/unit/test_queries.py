"""Queries as values: what is declared with a template, and what a connection makes of it."""

from datetime import UTC, datetime

import pytest

from dashboard.history.past import PastConnection
from dashboard.history.prepared import Prepared
from dashboard.history.sql import NoPastError, Tables, check
from dashboard.query.clock import Picture, Replay
from dashboard.query.connection import Connection
from schemas.clickhouse.lives import LIVES_PROGRESS, current_table
from schemas.clickhouse.query import Query
from schemas.clickhouse.tables import events_table, state_table, windows_table
from schemas.clickhouse.unit_tables import UNITS
from schemas.events.kinds import FEEDBACK, FILING

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
FILINGS, STATES, EVENTS = current_table(FILING), state_table(FILING), events_table(FILING)
OPEN = Query(f"SELECT count() FROM {FILINGS.final} WHERE standing = 'open'", (FILINGS,))
PAST = Tables("ioc", Replay(AT, Picture.KNOWN))


def test_live_a_placeholder_is_its_table() -> None:
    assert OPEN.live == "SELECT count() FROM current_filing FINAL WHERE standing = 'open'"
    assert Query(f"SELECT 1 FROM {EVENTS.ref} AS e", (EVENTS,)).live == (
        "SELECT 1 FROM events_filing AS e"
    )
    assert Query("SELECT 1 FROM {tables.alarms}", ("alarms",)).live == "SELECT 1 FROM alarms"
    assert Query("SELECT x", shared=("1 AS x", "2 AS y")).live == "WITH 1 AS x, 2 AS y SELECT x"


@pytest.mark.parametrize(
    ("sql", "tables", "error"),
    [
        (f"SELECT 1 FROM {FILINGS.final}", (), "not declared: current_filing"),
        (f"SELECT 1 FROM {FILINGS.final}", (FILINGS, EVENTS), "not used: events_filing"),
        ("SELECT 1 FROM current_filing FINAL", (FILINGS,), "not used: current_filing"),
    ],
)
def test_a_declaration_that_does_not_fit_its_template_is_refused(
    sql: str, tables: tuple[object, ...], error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        Query(sql, tables)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sql", "entities"),
    [
        (f"SELECT 1 FROM {STATES.final} WHERE {{entities}}", ""),
        (f"SELECT 1 FROM {STATES.final}", "entity_id = %(entity)s"),
    ],
)
def test_entities_are_a_condition_of_the_template_itself(sql: str, entities: str) -> None:
    with pytest.raises(ValueError, match="go together"):
        Query(sql, (STATES,), entities=entities)


def test_entities_narrow_one_table() -> None:
    sql = f"SELECT 1 FROM {STATES.final}, {EVENTS.ref} WHERE {{entities}}"
    with pytest.raises(ValueError, match="one table"):
        Query(sql, (STATES, EVENTS), entities="true")


def test_what_held_goes_with_how_far_back() -> None:
    with pytest.raises(ValueError, match="since"):
        Query(OPEN.sql, OPEN.tables, held=AT)


def test_in_the_past_a_table_is_what_was_known_of_it() -> None:
    sql = PAST.rewrite(Query(f"SELECT 1 FROM {EVENTS.ref} AS e", (EVENTS,)), Prepared())
    assert sql.startswith("WITH events_filing AS (SELECT * FROM `ioc`.events_filing WHERE ")
    assert sql.endswith(") SELECT 1 FROM events_filing AS e")
    shared = Query(f"SELECT x FROM {EVENTS.ref}", (EVENTS,), shared=("1 AS x",))
    assert PAST.rewrite(shared, Prepared()).endswith("), 1 AS x SELECT x FROM events_filing")


def test_in_the_past_newest_rows_are_asked_without_final() -> None:
    assert PAST.rewrite(OPEN, Prepared()).endswith(
        " SELECT count() FROM current_filing WHERE standing = 'open'"
    )


def test_tables_without_time_stay_what_they_are() -> None:
    query = Query(f"SELECT 1 FROM {UNITS.final}", (UNITS,))
    assert PAST.rewrite(query, Prepared()) == query.live


def test_the_entities_that_are_asked_for_are_looked_up_alone() -> None:
    query = Query(
        f"SELECT 1 FROM {STATES.final} WHERE {{entities}}",
        (STATES,),
        entities="entity_id IN %(ids)s",
    )
    sql = PAST.rewrite(query, Prepared(), "%%")
    assert sql.count("entity_id IN %(ids)s") == 4, "of now, later, among the events, and its own"
    assert "{entities}" not in sql


def test_a_table_that_is_materialised_takes_the_place_of_one() -> None:
    from schemas.clickhouse.lives import LIVES

    (filings,) = (life for life in LIVES if life.kind is FILING)
    sql = PAST.rewrite(OPEN, Prepared(moments={filings: "moment_1"}))
    assert sql == "SELECT count() FROM `ioc`.moment_1 WHERE standing = 'open'"


@pytest.mark.parametrize(
    "table", [windows_table(FEEDBACK), LIVES_PROGRESS], ids=lambda one: one.name
)
def test_a_table_without_a_past_is_refused_before_anything_is_sent(table: object) -> None:
    query = Query(f"SELECT 1 FROM {table.ref}", (table,))  # type: ignore[attr-defined, arg-type]
    with pytest.raises(NoPastError, match=table.name):  # type: ignore[attr-defined]
        check(query)
    past = PastConnection(Connection("clickhouse://127.0.0.1:1/none"), "46", Replay(AT))
    with pytest.raises(NoPastError):
        past.rows(query)


def test_the_past_refuses_a_text_which_does_not_say_what_it_reads() -> None:
    past = PastConnection(Connection("clickhouse://127.0.0.1:1/none"), "46", Replay(AT))
    with pytest.raises(NoPastError, match="Query"):
        past.tuples("SELECT count() FROM current_filing FINAL")
