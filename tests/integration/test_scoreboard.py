"""The scoreboard of a simulated province, a second time.

By pandas from the raw events in ClickHouse, by other means.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from clickhouse_driver import Client

from dashboard.query import scoreboard
from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.store import ScreenStore
from ingest.producer import Producer
from ingest.simulator import World, indicators
from ingest.simulator.clock import DAY, HOUR, ZONE, moment
from ingest.topics import ensure
from schemas import places, reference
from schemas.events.kinds import INDICATOR
from schemas.events.payloads import Indicator
from schemas.figures import Reading
from schemas.moments import milliseconds
from schemas.scores import Forecast, LeftOut, TargetStanding, TargetStatus
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.running import wait_for, worker

pytestmark = pytest.mark.stack
END = datetime(2026, 11, 24, 9, 40, tzinfo=ZONE)


def told(
    code: str, unit: str, period: str, value: float, at: datetime, measure_unit: str = "%"
) -> Indicator:
    commune = unit if unit != "46" else ""
    return Indicator(
        agency="H57.TEST",
        commune=commune,
        indicator=code,
        unit=unit,
        period=period,
        value=value,
        measure_unit=measure_unit,
        reported_at=at,
    )


BEFORE = END - timedelta(hours=3)
ODD = (
    told("internet.users", "46", "2026-10", 71.5, BEFORE),
    told("health.records", "19753", "2026-11-23", 12.0, BEFORE),
    told("health.records", "19753", "2026-11-20", 99.0, END + timedelta(hours=1)),
    told("internet.fibre", "46", "2027", 100.0, BEFORE),
    told("internet.fibre", "46", "thang 10", 1.0, BEFORE),
    told("internet.villages", "46", "2026-09", 3.0, BEFORE, "thôn"),
    told("economy.sme", "46", "2026-Q3", 21.0, BEFORE),
    told("service.level34", "46", "2022-12", 70.0, BEFORE),
)
"""A correction, a slip, one of the future, a plan, no period, another unit, a quarter that ends
with a month, a due day passed.
"""


@pytest.fixture(scope="module")
def raw(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """Yield a month of a province's indicators, counted.

    Gives the store, and the raw events as a frame.
    """
    logs: Path = tmp_path_factory.mktemp("logs")
    migrate(module_settings)
    ensure(module_settings)
    world = World("46", seed=7)
    sent = 0
    with worker(module_environment, logs / "worker.log"), Producer(module_settings) as producer:
        for hour in range(milliseconds(END) // HOUR * HOUR - 30 * DAY, milliseconds(END), HOUR):
            for step in indicators.generate(world, hour, world.dice("indicator", hour), 0):
                at = moment(step.occurred)
                producer.send(
                    INDICATOR, step.event, id=step.id, source=step.agency, time=at, received_at=at
                )
                sent += 1
        for number, event in enumerate(ODD):
            at = event.reported_at
            producer.send(
                INDICATOR, event, id=f"odd-{number}", source="/test", time=at, received_at=at
            )
            sent += 1
        producer.flush()
        client = Client.from_url(module_settings.clickhouse_url)
        wait_for(
            lambda: client.execute("SELECT count() FROM events")[0][0] == sent,
            120,
            "every report in ClickHouse",
        )
        frame = client.query_dataframe(
            "SELECT indicator, unit, period, value, measure_unit, reported_at FROM events WHERE "
            "kind = 'indicator'"
        )
        client.disconnect()
    store = ScreenStore(Connection(module_settings.clickhouse_url))
    yield store, frame
    store.connection.close()


def by_pandas(frame: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Return one figure per indicator, unit and day, as the rules have it.

    Pandas knows months, quarters and years by itself.
    """
    listed = pd.Series({one.code: one.measure_unit for one in reference.indicators()})
    known = frame[frame["reported_at"] <= now].sort_values("reported_at", kind="stable")
    newest = known.drop_duplicates(["indicator", "unit", "period"], keep="last")
    same_unit = newest["measure_unit"] == newest["indicator"].map(listed)
    good = newest[same_unit & newest["period"].str.match(r"^\d{4}(-|$)")].copy()
    spans = good["period"].map(lambda text: pd.Period(text.replace("-Q", "Q")))
    day = good["reported_at"].dt.tz_convert("Asia/Ho_Chi_Minh").dt.tz_localize(None).dt.normalize()
    good["day"] = pd.DataFrame(
        {"last": spans.map(lambda span: span.end_time.normalize()), "day": day}
    ).min(axis=1)
    good = good[spans.map(lambda span: span.start_time) <= pd.Timestamp(now.date())]
    return good.drop_duplicates(["indicator", "unit", "day"], keep="last").sort_values("day")


def line_by_numpy(days: Any, figures: Any, due: pd.Timestamp) -> float | None:
    """Return the forecast for the due day: median of all slopes, median of what is left."""
    last = days.max()
    recent = days > last - pd.Timedelta(days=366)
    chosen = np.flatnonzero(recent)[-60:] if recent.sum() >= 6 else np.arange(len(days))[-6:]
    x, y = (days[chosen] - last).days.to_numpy(dtype=float), figures[chosen]
    if len(x) < 3 or (due - last).days > -4 * x.min():
        return None
    slopes = [(y[j] - y[i]) / (x[j] - x[i]) for i, j in itertools.combinations(range(len(x)), 2)]
    slope = float(np.median(slopes))
    return float(np.median(y - slope * x) + slope * (due - last).days)


def by_hand(
    target: reference.Target, days: Any, figures: Any, now: datetime
) -> tuple[str, float | None]:
    """Return a status and a forecast."""
    better = 1 if target.direction == "up" else -1
    due = pd.Timestamp(target.due)
    if pd.Timestamp(now.date()) > due:
        until = figures[days <= due]
        decides = until[-1] if len(until) else figures[-1]
        return ("met" if better * (decides - target.value) >= 0 else "missed"), None
    ahead = line_by_numpy(days, figures, due)
    if ahead is not None:
        ahead = max(ahead, 1.0 if target.measure_unit == "hạng" else 0.0)
        ahead = min(ahead, 100.0) if target.measure_unit == "%" else ahead
    if better * (figures[-1] - target.value) >= 0:
        return "met", ahead
    if ahead is None:
        return "unknown", None
    if better * (ahead - target.value) >= 0:
        return "on_track", ahead
    allowed = max(0.05 * target.value, 1.0 if target.measure_unit == "hạng" else 0.0)
    return ("at_risk" if abs(ahead - target.value) <= allowed else "off_track"), ahead


def test_every_standing_of_province_and_communes_is_as_pandas_computes_it(raw: Any) -> None:
    store, frame = raw
    units = ["46", *(commune.code for commune in places.communes("46"))]
    boards = scoreboard.scoreboards(store, At(END), "46", units)
    table = dict(iter(by_pandas(frame, END).groupby(["unit", "indicator"])))
    compared = 0
    for unit in units:
        for one in boards[unit].standings:
            part = table.get((unit, one.target.indicator))
            if part is None:
                assert (one.status, one.reading.value, one.points) == (
                    TargetStatus.UNKNOWN,
                    None,
                    (),
                )
                continue
            days, figures = pd.DatetimeIndex(part["day"]), part["value"].to_numpy()
            assert [(pd.Timestamp(day), value) for day, value in one.points] == list(
                zip(days, figures, strict=True)
            )
            status, ahead = by_hand(one.target, days, figures, END)
            assert (one.reading.value, one.reading.stale) == (figures[-1], False)
            assert one.status == status, one
            assert (one.forecast and one.forecast.value) == (ahead and pytest.approx(ahead)), one
            compared += 1
    assert compared > 31 + 40 * 8


def standing(raw: Any, code: str, unit: str = "46", **live: Reading) -> TargetStanding:
    store, _ = raw
    figures = {unit: {name.replace("__", "."): one for name, one in live.items()}}
    board = scoreboard.scoreboard(store, At(END), "46", figures, unit)
    return next(one for one in board.standings if one.target.indicator == code)


def test_corrections_and_odd_reports_do_what_they_should(raw: Any) -> None:
    users = standing(raw, "internet.users")
    assert {str(day): value for day, value in users.points}["2026-10-31"] == 71.5
    assert users.status is TargetStatus.MET and users.reading.value != 71.5, (
        "the newest figure is November's"
    )
    assert standing(raw, "health.records", "19753").reading.value == 12.0
    fibre, villages = standing(raw, "internet.fibre"), standing(raw, "internet.villages")
    assert {(report.period, why) for report, why in fibre.series.left_out} == {
        ("2027", LeftOut.FUTURE),
        ("thang 10", LeftOut.PERIOD),
    }
    assert [why for _, why in villages.series.left_out] == [LeftOut.UNIT]
    assert {str(day): value for day, value in standing(raw, "economy.sme").points}[
        "2026-09-30"
    ] == 21.0, "reported later"
    assert standing(raw, "service.level34").status is TargetStatus.MISSED, (
        "the figure of the due day decides"
    )


def test_some_targets_are_met_some_at_risk_and_one_is_off_track(raw: Any) -> None:
    store, _ = raw
    count = scoreboard.scoreboard(store, At(END), "46").count
    assert all(
        count[status]
        for status in (
            TargetStatus.MET,
            TargetStatus.ON_TRACK,
            TargetStatus.AT_RISK,
            TargetStatus.OFF_TRACK,
            TargetStatus.UNKNOWN,
        )
    )
    assert sum(count.values()) == len(reference.targets("46", END.date()))
    tax = standing(raw, "tax.electronic")
    assert (tax.status, tax.reporter.en) == (TargetStatus.OFF_TRACK, "Tax Office of Huế City")


def test_what_is_computed_here_comes_from_the_figures(raw: Any) -> None:
    online = standing(
        raw, "filing.online", filing__online=Reading(91.0, part=91, whole=100, as_of=END)
    )
    assert (online.status, online.forecast, online.reading.whole) == (
        TargetStatus.MET,
        Forecast(91.0, steady=True),
        100,
    )
    assert standing(raw, "filing.online").status is TargetStatus.UNKNOWN
    assert (
        standing(raw, "filing.online", "19753", filing__online=Reading(50.0)).status
        is TargetStatus.OFF_TRACK
    )
