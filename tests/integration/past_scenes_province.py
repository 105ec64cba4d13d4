"""Open filings of the past, and the slices that are made of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clickhouse_driver import Client

from dashboard.history.past import PastConnection
from dashboard.history.slices import Slices
from dashboard.query.clock import At, Picture, Replay
from dashboard.query.connection import Connection
from dashboard.query.figures import FigureStore
from schemas.clickhouse.lives import LIVES
from schemas.events.codes import Channel, FilingStatus
from schemas.events.kinds import FILING
from schemas.events.payloads import Filing
from schemas.reference import calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from tests.counting import Counter

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
THEN = NOW - 60 * DAY
(FILINGS,) = (life for life in LIVES if life.kind is FILING)


@dataclass
class Province:
    """Open filings, and slices of their past."""

    client: Client
    counter: Counter
    lives: Lives
    connection: Connection
    slices: Slices

    def told(
        self,
        name: str,
        happened: datetime,
        arrived: datetime,
        status: FilingStatus = FilingStatus.PROCESSING,
        commune: str = "19753",
        registered: datetime | None = None,
    ) -> None:
        filing = Filing(
            agency=f"H57.{commune}.UB",
            commune=commune,
            filing_id=name,
            procedure="1.005129",
            status=status,
            channel=Channel.ONLINE,
            registered_at=registered or happened,
        )
        self.counter.arrive(FILING, [(happened, arrived, filing)])
        self.lives.catch_up()

    def open(self, picture: Picture, at: datetime = THEN) -> int:
        """Return how many filings were open at a moment, by the shorter way if there is one."""
        past = PastConnection(self.connection, "46", Replay(at, picture), None, self.slices)
        found = FigureStore(past, calendar("46")).now(At(at))[()]
        return int(found["filing.open"].value or 0)

    def tables(self) -> set[str]:
        return {name for (name,) in self.client.execute("SHOW TABLES LIKE 'scene_%'")}


def first_filing(settings: Settings) -> Iterator[Province]:
    """Yield a province with a filing that came a day before `THEN`."""
    migrate(settings)
    client, connection = (
        Client.from_url(settings.clickhouse_url),
        Connection(settings.clickhouse_url),
    )
    counter = Counter(settings)
    made = Province(
        client,
        counter,
        Lives(client, settings.province),
        connection,
        Slices(connection, settings.province),
    )
    made.told("early", THEN - DAY, THEN - DAY)
    yield made
    counter.close()
    connection.close()
    client.disconnect()
