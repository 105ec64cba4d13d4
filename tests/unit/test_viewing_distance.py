"""Letters are as large as the distance asks for (NUREG-0700), whatever the panel."""

import pytest

from dashboard.request.viewing_distance import ViewingDistance, viewing_distance

USUAL = ViewingDistance(distance=5, pitch=0.63)


def test_the_examples_of_the_rule() -> None:
    panel = ViewingDistance(distance=8, pitch=0.63)
    assert panel.pixels(16) == pytest.approx(84, abs=1)
    assert panel.pixels(20) == pytest.approx(106, abs=3)


@pytest.mark.parametrize("wrong", [None, "", "far", "nan", "inf", "-3", "1e9"])
def test_an_impossible_address_gets_the_default(wrong: str | None) -> None:
    assert viewing_distance(wrong, wrong, USUAL) == USUAL


def test_an_address_decides() -> None:
    assert viewing_distance("8", "1.25", USUAL) == ViewingDistance(8, 1.25)
