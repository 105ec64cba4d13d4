"""New York's requests for animals, a file of real data beside the repository.

As pandas reads it, and as the product shows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from clickhouse_driver import Client

from schemas.settings import Settings
from tests.field_cases import SHARED
from tests.running import Running, wait_for, worker

FILE = SHARED / "data" / "nyc311_animals.csv"
OUTLINES = Path(__file__).parents[1] / "ingest" / "mappings" / "nyc_boroughs.geojson"
ZONE = "America/New_York"
EVENTS = 9_753
"""That the rows of the file stand for."""
needed = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the repository")


def steps() -> pd.DataFrame:
    """Return the file with one row per event that it stands for.

    Its columns, and `commune`, `status`, `at`.
    """
    rows = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    rows["commune"] = rows["Borough"].replace({"Unspecified": "", "STATEN ISLAND": "STATEN_ISLAND"})
    open_and_acted = (rows["Closed Date"] == "") & (rows["Resolution Action Updated Date"] != "")
    found = pd.concat(
        [
            rows.assign(status="received", at=rows["Created Date"]),
            rows[open_and_acted].assign(
                status="processing", at=rows["Resolution Action Updated Date"]
            ),
            rows[rows["Closed Date"] != ""].assign(status="published", at=rows["Closed Date"]),
        ]
    )
    found["at"] = pd.to_datetime(found["at"], format="%m/%d/%Y %H:%M").dt.tz_localize(ZONE)
    return found


def in_order() -> pd.DataFrame:
    """Return the same in the order in which it happened, with `closed`.

    Whether a request was, from then on.
    """
    found = steps()
    return found.assign(closed=found["status"] == "published").sort_values("at", kind="stable")


def counted(in_order: pd.DataFrame, until: datetime) -> dict[str, tuple[int, int]]:
    """Open and closed requests of each agency at a moment."""
    last = in_order[in_order["at"] <= until].drop_duplicates("Unique Key", keep="last")
    return {
        str(agency): (int((~one).sum()), int(one.sum()))
        for agency, one in last.groupby("Agency")["closed"]
    }


@contextmanager
def new_york(environment: dict[str, str], logs: Path) -> Iterator[str]:
    """Yield an installation for New York with all of the file imported, running, in a database that
    is up to date; its address.
    """
    here = environment | {"IOC_PROVINCE": "NYC"}
    place = [
        "--code-property",
        "code",
        "--name-property",
        "name",
        "--create",
        "--province",
        "NYC",
        "--name",
        "New York",
    ]
    for command in (
        ["schemas", "places", "import", str(OUTLINES), *place],
        ["ingest", "import", str(FILE), "--mapping", "nyc311"],
    ):
        done = Running(*command, environment=here, log=logs / "command.log")
        assert done.process.wait(120) == 0, done.text()
    url = f"http://127.0.0.1:{environment['IOC_DASHBOARD_PORT']}"
    with (
        Client.from_url(Settings.of(environment).clickhouse_url) as database,
        worker(here, logs / "worker.log"),
        Running("streams", "watch", environment=here, log=logs / "watch.log"),
        Running(
            "dashboard",
            "serve",
            environment=here,
            log=logs / "dashboard.log",
            ready=f"{url}/readyz",
        ),
    ):
        wait_for(
            lambda: database.execute("SELECT count() FROM events")[0][0] == EVENTS,
            120,
            "every event in ClickHouse",
        )
        yield url
