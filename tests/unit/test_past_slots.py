"""For which periods slices of the past are made ahead."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dashboard.history import periods as past_periods
from dashboard.history.periods import GOES_ON
from dashboard.history.slices import MAX_SLICES, SLICES_AHEAD

DAY = timedelta(days=1)
YEAR = 364 * DAY


@pytest.mark.parametrize("hours", range(0, 28 * 24, 13))
def test_slices_made_ahead_cover_a_year_without_a_gap(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hours)

    class At(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return now

    monkeypatch.setattr(past_periods, "datetime", At)
    spans = list(past_periods.periods(now - YEAR))
    assert all(earlier[0] < later[0] <= earlier[1] < later[1] for later, earlier in pairwise(spans))
    assert (
        spans[0][1] == GOES_ON
        and now - 2 * DAY < spans[0][0] <= now - DAY
        and spans[-1][0] <= now - YEAR
    )
    assert len(spans) <= SLICES_AHEAD < MAX_SLICES
    assert all(
        past_periods.period(min(until - past_periods.MILLISECOND, now)) == (since, until)
        for since, until in spans
    )
