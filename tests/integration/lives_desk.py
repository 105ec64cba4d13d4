"""A desk that counts steps, computes lives and answers questions about them."""

from datetime import datetime, timedelta
from typing import Any

from clickhouse_driver import Client

from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING, Kind
from schemas.events.payloads import Filing
from schemas.figures import FIGURES, Reading
from schemas.figures.questions import QueryMoment, question, readings
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.lives import Lives
from tests.counting import Counter

CALENDAR = calendar("46")
REGISTERED, ACCEPTED, PROCESSING, SUPPLEMENT, PAYMENT, WITHDRAWN, FINISHED, RETURNED = (
    FilingStatus(number) for number in (1, 2, 4, 5, 6, 7, 9, 10)
)


def at(text: str) -> datetime:
    """Return a moment of Viet Nam, such as `2026-02-13 08:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


class Desk:
    """Counts steps, computes lives, answers questions."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self.client, self.settings = client, settings
        self.counter = Counter(settings)
        self.lives = Lives(client, settings.province)

    def filing(self, number: str, *steps: tuple[str, FilingStatus], **said: Any) -> None:
        usual: dict[str, Any] = {
            "agency": "H57.HCC",
            "procedure": "1.005129",
            "channel": Channel.ONLINE,
            "registered_at": at(steps[0][0]),
        }
        self.take(
            FILING,
            [
                (at(when), Filing(**usual | {"filing_id": number, "status": status} | said))
                for when, status in steps
            ],
        )

    def take(self, kind: Kind, steps: list[tuple[datetime, Any]]) -> None:
        self.counter.count(kind, steps)
        self.lives.catch_up()

    def figures(
        self, kind: Kind, moment: datetime, *, past: bool = True, days: int = 30
    ) -> dict[str, Reading]:
        figures = [figure for figure in FIGURES if figure.kind is kind]
        asked = question(figures, QueryMoment.of(moment, CALENDAR, timedelta(days=days)), past=past)
        return readings(figures, self.client.execute(asked.live))[()]

    def life(self, kind: Kind, entity: str, columns: str) -> list[tuple[Any, ...]]:
        return list(
            self.client.execute(
                f"SELECT {columns} FROM life_{kind.name} FINAL WHERE entity_id = '{entity}' ORDER "
                "BY step"
            )
        )
