"""What the demo starts, and that each process gets the settings that were chosen."""

import pytest

from schemas.events.partitions import Partitions
from schemas.settings import Settings
from stack.demo import demo_steps, environment

GROWN = "4, 2027-01-01T00:00+07:00 = 8"


@pytest.mark.parametrize("partitions", ["4", GROWN])
def test_settings_are_handed_on_as_they_are(
    partitions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Settings(partitions=Partitions.parse(partitions), gateway_port=1, wall_pitch=0.5)
    for name, value in environment(given).items():
        monkeypatch.setenv(name, value)
    assert Settings() == given


def test_the_watch_is_part_of_the_whole_system() -> None:
    names = [step.name for step in demo_steps(Settings(), 30, 1)]
    assert names == ["migrate", "worker", "watch", "gateway", "simulator", "dashboard"]
