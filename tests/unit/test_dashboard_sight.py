"""Letters are as large as the distance asks for (NUREG-0700), whatever the panel."""

import pytest

from dashboard.sight import Sight, sight


def test_the_examples_of_the_rule() -> None:
    panel = Sight(distance=8, pitch=0.63)
    assert panel.pixels(16) == pytest.approx(84, abs=1)
    assert panel.pixels(20) == pytest.approx(106, abs=3)


def test_the_default_is_a_55_inch_panel_seen_from_5_metres() -> None:
    assert Sight().pixels() == pytest.approx(52.8, abs=0.1)


@pytest.mark.parametrize("wrong", [None, "", "far", "nan", "inf", "-3", "1e9"])
def test_an_impossible_address_gets_the_default(wrong: str | None) -> None:
    assert sight(wrong, wrong) == Sight()


def test_an_address_decides() -> None:
    assert sight("8", "1.25") == Sight(8, 1.25)
