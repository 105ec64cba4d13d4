"""Keep how far a run has come in `simulator.json` of the home; a second run continues there."""

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
    """The state file cannot be used; the message says why and what to do."""


class SimulatorState(msgspec.Struct, kw_only=True):
    """A world and how far it has been sent.

    Everything that arrives before `until` (ms since 1970) is acknowledged by Kafka.
    """

    province: str
    seed: int
    beginning: int
    scenes: tuple[Scene, ...] = ()
    until: int

    @classmethod
    def of(cls, world: World, until: datetime) -> "SimulatorState":
        """Return the state of a world that has been sent up to a moment."""
        return cls(
            province=world.province,
            seed=world.seed,
            beginning=world.beginning,
            scenes=world.scenes,
            until=milliseconds(until),
        )

    @property
    def world(self) -> World:
        """Return the world that was being sent; what its last live run staged has ended."""
        return World(self.province, self.seed, ended(self.scenes, self.until), self.beginning)

    @property
    def sent_until(self) -> datetime:
        """Return the moment up to which it has been sent."""
        return moment(self.until).astimezone(UTC)

    def save(self, home: Path) -> None:
        """Write it whole or not at all."""
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f"{FILE}.{os.getpid()}"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))
        draft.replace(home / FILE)


def load(home: Path) -> SimulatorState | None:
    """Return the state of an installation, None where nothing was simulated yet.

    Raises:
        StateError: the file is no state.
    """
    try:
        text = (home / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(text, type=SimulatorState)
    except msgspec.MsgspecError as error:
        raise StateError(
            f"{home / FILE} is not a state of the simulator ({error}); remove it to start afresh."
        ) from None
