"""How the bench counts what viewers got."""

import pytest

from tests.bench.audience import took
from tests.bench.viewers import Round


def test_news_is_as_old_as_the_first_frame_that_tells_of_it_and_counts_once_per_viewer() -> None:
    updates = [
        (1, 110.0, "a", 100.0),
        (2, 150.0, "a", 140.0),
        (2, 2150.0, "a", 2140.0),
        (1, 1020.0, "b", 1010.0),
    ]
    assert sorted(took(updates)) == [10.0, 10.0, 50.0]


def test_what_viewers_cost_and_how_soon_they_have_the_news_is_told_per_update() -> None:
    found = Round(
        "ours", 10, 2.0, 20, 0, 40_960, 0.1, 0.2, [float(number) for number in range(1, 101)]
    )
    assert found.cost == pytest.approx(5.0) and found.level(0.95) == pytest.approx(0.096)
    assert found.row()[2:6] == ("1.00", "5.00", "10.00", "2.0")
