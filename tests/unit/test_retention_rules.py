"""How long single events are kept.

What is too old to be told from a repeat, from when on all is kept.
"""

import io
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ingest.gateway.intake import Intake
from ingest.gateway.recent import RecentEvents
from ingest.gateway.refusals import RefusalCounter
from ingest.importer.run import convert_file, refuse_expired
from schemas.clickhouse.replays import is_sandbox, sandbox
from schemas.clickhouse.retention import LOOKBACK, Horizon, RetentionCheck
from schemas.documents import example
from schemas.events.envelope import Reader, RefusalError
from schemas.events.kinds import FEEDBACK, INDICATOR, Kind
from schemas.moments import milliseconds
from schemas.settings import Settings
from tests.sealing import SEALER

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


def record(kind: Kind = FEEDBACK, ago: timedelta = 31 * DAY, now: datetime = NOW) -> bytes:
    event = msgspec.json.decode(example(kind))
    return msgspec.json.encode(event | {"time": (now - ago).isoformat()})


def test_an_event_from_before_what_is_kept_is_refused_to_the_millisecond() -> None:
    read, keeping = Reader().read(record(ago=30 * DAY)), RetentionCheck(30)
    assert not keeping.refuses(read, milliseconds(NOW)) and keeping.refuses(
        read, milliseconds(NOW) + 1
    )
    assert not RetentionCheck().refuses(read, milliseconds(NOW) + 1), (
        "unless a limit is set, all is kept"
    )
    with pytest.raises(
        RefusalError, match="more than 30 days before its arrival, 2026-11-27T10:00"
    ) as refused:
        keeping.check(read, milliseconds(NOW) + 1)
    assert refused.value.category == "too-old"


def test_reports_of_indicators_are_never_too_old() -> None:
    assert not RetentionCheck(1).refuses(
        Reader().read(record(INDICATOR, 2000 * DAY)), milliseconds(NOW)
    )


def test_the_gateway_and_the_import_say_it_at_once() -> None:
    intake = Intake(
        Reader(), SEALER, RecentEvents(), "ioc.", "vi", RefusalCounter("g"), RetentionCheck(30)
    )
    for _ in intake.steps([record()], None, milliseconds(NOW)):  # type: ignore[arg-type] # nothing is sent
        pass
    (result,) = intake.results
    assert (result.status, result.category) == (
        "refused",
        "too-old",
    ) and "không còn được lưu" in str(result.reason)
    now = datetime.now(UTC)
    lines = b"\n".join(record(ago=ago * DAY, now=now) for ago in (29, 31))
    young, old = refuse_expired(
        convert_file(io.BytesIO(lines), None, Reader(), SEALER, "lines"), RetentionCheck(30)
    )
    assert (
        young.refusal is None
        and old.refusal is not None
        and old.refusal.category == "too-old"
        and not old.events
    )


def test_what_is_kept_begins_at_midnight_and_pages_look_back_from_there() -> None:
    due = Horizon.due(NOW, 400)
    assert due.whole_from.isoformat() == "2025-10-23T00:00:00+07:00"
    assert due.whole_from - due.removed_before == LOOKBACK
    assert Horizon.due(NOW + timedelta(hours=13), 400) == due
    assert Horizon.due(NOW + timedelta(hours=14), 400).whole_from - due.whole_from == DAY


def test_what_a_run_of_the_stream_has_of_its_own_is_told_apart() -> None:
    live = Settings()
    assert is_sandbox(sandbox(live, "tuan_47")) and not is_sandbox(live)
    assert not is_sandbox(live.model_copy(update={"topic_prefix": "replays."}))
