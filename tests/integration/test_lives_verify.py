"""Verify finds wrong lives, and rebuild repairs them."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from schemas.events.codes import Channel
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.settings import Settings
from streams.admin.period import ALL_TIME
from streams.admin.rebuild import rebuild
from streams.admin.verify import verify
from tests.integration.lives_desk import ACCEPTED, FINISHED, Desk, at

pytestmark = pytest.mark.stack


@pytest.fixture
def desk(settings: Settings, database: Client) -> Iterator[Desk]:
    found = Desk(settings, database)
    yield found
    found.counter.close()


WRONG_LIVES = {
    "a wrong deadline": "ALTER TABLE life_filing UPDATE due = due + 1 WHERE step = 2",
    "a missing step": "ALTER TABLE life_filing DELETE WHERE step = 1",
    "a missing newest step": "ALTER TABLE current_filing DELETE WHERE 1",
    "a step too many": (
        "INSERT INTO life_filing (entity_id, step, version) SELECT entity_id, 9, "
        "version FROM current_filing"
    ),
    "an entity of which no event tells": (
        "INSERT INTO current_filing (entity_id, step) VALUES ('ghost', 1)"
    ),
}


@pytest.mark.parametrize("statement", WRONG_LIVES.values(), ids=WRONG_LIVES)
def test_verify_finds_a_wrong_life_and_rebuild_mends_it(
    desk: Desk, settings: Settings, statement: str
) -> None:
    steps = (("2026-11-02 08:00", ACCEPTED), ("2026-11-02 10:00", FINISHED))
    desk.filing("F1", *steps, due_at=at("2026-11-02 11:00"))
    desk.filing("F2", *steps, due_at=at("2026-11-02 09:00"))
    (report,) = verify(settings, [FILING])
    assert (report.lives, report.lives_lag, report.differences) == (2, 0, [])
    before = desk.life(FILING, "F1", "* EXCEPT version")
    desk.client.execute(statement, settings={"mutations_sync": 1})
    assert any("life of" in line for line in verify(settings, [FILING])[0].differences)
    assert any(
        one.swapped
        for one in rebuild(settings, ALL_TIME, [FILING], states=True)
        if one.what == "lives"
    )
    assert not verify(settings, [FILING])[0].differences
    assert desk.life(FILING, "F1", "* EXCEPT version") == before


def test_what_is_not_in_the_lives_yet_is_reported_and_is_no_difference(
    desk: Desk, settings: Settings
) -> None:
    desk.filing("F1", ("2026-11-02 08:00", ACCEPTED))
    desk.counter.count(
        FILING,
        [
            (
                at("2026-11-02 10:00"),
                Filing(
                    agency="H57.HCC",
                    procedure="1.005129",
                    channel=Channel.ONLINE,
                    filing_id="F1",
                    status=FINISHED,
                    registered_at=at("2026-11-02 08:00"),
                ),
            )
        ],
    )
    (report,) = verify(settings, [FILING])
    assert (report.lives_lag, report.differences) == (1, [])
