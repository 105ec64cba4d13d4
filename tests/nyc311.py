"""New York's requests for animals, a file of real data beside the repository, as pandas reads it."""

from pathlib import Path

import pandas as pd
import pytest

FILE = Path(__file__).parents[1].parent / "shared" / "data" / "nyc311_animals.csv"
ZONE = "America/New_York"
needed = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the repository")


def steps() -> pd.DataFrame:
    """The file with one row per event that it stands for: its columns, and `commune`, `status`, `at`."""
    rows = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    rows["commune"] = rows["Borough"].replace({"Unspecified": "", "STATEN ISLAND": "STATEN_ISLAND"})
    open_and_acted = (rows["Closed Date"] == "") & (rows["Resolution Action Updated Date"] != "")
    found = pd.concat(
        [
            rows.assign(status="received", at=rows["Created Date"]),
            rows[open_and_acted].assign(status="processing", at=rows["Resolution Action Updated Date"]),
            rows[rows["Closed Date"] != ""].assign(status="published", at=rows["Closed Date"]),
        ]
    )
    found["at"] = pd.to_datetime(found["at"], format="%m/%d/%Y %H:%M").dt.tz_localize(ZONE)
    return found
