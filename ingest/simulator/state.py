"""How far a run has come: kept in `simulator.json` of the installation's home, so that a second run goes on from there."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ingest.simulator.clock import moment
from ingest.simulator.scenes import Scene
from ingest.simulator.staging import ended
from ingest.simulator.world import World
from schemas.moments import milliseconds

FILE = "simulator.json"


class StateError(Exception):
    """The state file cannot be used; says why and what to do."""


class SimulatorState(msgspec.Struct, kw_only=True):
    """A world and how far it has been sent: everything that arrives before `until` (ms since 1970) is acknowledged by Kafka."""

    province: str
    seed: int
    beginning: int
    scenes: tuple[Scene, ...] = ()
    until: int

    @classmethod
    def of(cls, world: World, until: datetime) -> "SimulatorState":
        """The state of a world that has been sent up to a moment."""
        return cls(
            province=world.province,
            seed=world.seed,
            beginning=world.beginning,
            scenes=world.scenes,
            until=milliseconds(until),
        )

    @property
    def world(self) -> World:
        """The world that was being sent; what its last run staged for as long as it was live ended when it stopped."""
        return World(self.province, self.seed, ended(self.scenes, self.until), self.beginning)

    @property
    def came(self) -> datetime:
        """The moment up to which it has been sent."""
        return moment(self.until).astimezone(UTC)

    def save(self, home: Path) -> None:
        """Write it whole or not at all."""
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f"{FILE}.{os.getpid()}"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))
        draft.replace(home / FILE)


def load(home: Path) -> SimulatorState | None:
    """The state of an installation, None where nothing was simulated yet. Raises `StateError` for a file that is no state."""
    try:
        text = (home / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(text, type=SimulatorState)
    except msgspec.MsgspecError as error:
        raise StateError(
            f"{home / FILE} is not a state of the simulator ({error}); remove it to begin anew."
        ) from None
