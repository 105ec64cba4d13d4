"""The plan of a replay: its period, speed, source and options."""

from dataclasses import dataclass

from schemas.clickhouse.replays import (
    RunMark,
)
from streams.admin.period import MinutePeriod


@dataclass(frozen=True)
class Plan:
    """The plan of a replay: its period, its speed, its source and its options."""

    name: str
    """The name of the run."""
    period: MinutePeriod | None
    """The period to replay; None for an open run, to which others send until it is stopped."""
    speed: float = 0.0
    """Seconds of history per second; 0: as fast as possible."""
    source: str = "auto"
    """kafka, clickhouse, or auto: Kafka if it holds all of the period, else ClickHouse."""
    workers: int = 1
    """The number of worker processes."""
    mark: RunMark = RunMark.REPLAY
    """The mark that screens show with the run."""
    as_now: bool = False
    """Shift the period by whole days so that it happens today, in real time, with a watch."""
    on_time: bool = False
    """Send each event when it happened, not when it arrived: for history imported later."""

    def __post_init__(self) -> None:
        """Check that the options fit together.

        Raises:
            ValueError: If `on_time` is combined with Kafka as the source.
        """
        if self.on_time and self.source == "kafka":
            raise ValueError(
                "Kafka's records have the times of their arrival: "
                "choose ClickHouse as the source to replay on time."
            )

    @property
    def live(self) -> bool:
        """Return whether the run proceeds in real time."""
        return self.as_now or self.period is None
