"""The public cases from the field that are about files.

Each gives its right result, through the real import and worker.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client

from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.field_cases import field_case
from tests.running import Running, wait_for, worker

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def counting(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """Yield a database whose worker and watch run."""
    migrate(module_settings)
    logs = tmp_path_factory.mktemp("logs")
    with (
        worker(module_environment, logs / "worker.log"),
        Running("streams", "watch", environment=module_environment, log=logs / "watch.log"),
    ):
        client = Client.from_url(module_settings.clickhouse_url)
        yield client
        client.disconnect()


def imported(
    environment: dict[str, str], folder: Path, file: str, mapping: str = "mapping.toml"
) -> tuple[int, str, str]:
    """Return status, output and errors of an import in a folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IOC_")}
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "import", file, "--mapping", f"./{mapping}"],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def rows(
    counting: Client, columns: str, name: str, table: str = "events_feedback"
) -> list[tuple[Any, ...]]:
    """Return what is stored of entities whose number begins so."""
    asked = (
        f"SELECT {columns} FROM {table} FINAL WHERE startsWith(entity_id, '{name}') ORDER BY "
        "entity_id"
    )
    return list(counting.execute(asked))


def test_a_quotation_mark_swallows_no_rows(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    status, said, _ = imported(module_environment, field_case("01", tmp_path), "reports.csv")
    assert status == 3 and "50 rows, 49 accepted (49 events), 0 repeats, 1 refused" in said, said
    assert (
        "51 lines: 1 of the header, 0 blank, 50 of rows" in said
        and "Line 2 opens a quotation mark" in said
    )
    assert {name for (name,) in rows(counting, "entity_id", "Q-")} == {
        f"Q-{number}" for number in range(2, 51)
    }


def test_a_deadline_that_is_a_date_lasts_to_the_end_of_that_day(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    assert imported(module_environment, field_case("03", tmp_path), "filings.csv")[0] == 0
    right = [("DD-1", 0), ("DD-2", 0), ("DD-3", 1)]
    wait_for(
        lambda: rows(counting, "entity_id, toUInt8(late)", "DD-", "current_filing") == right,
        30,
        "what is late",
    )


def test_a_closing_that_is_a_date_closes_what_came_that_day(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    assert imported(module_environment, field_case("04", tmp_path), "filings.csv")[0] == 0
    right = [("SD-1", 9, 0), ("SD-2", 9, 0)]
    columns = "entity_id, toInt32(status), toUInt8(late)"
    wait_for(
        lambda: rows(counting, columns, "SD-", "current_filing") == right,
        30,
        "both to be closed in time",
    )


@pytest.mark.parametrize(("kind", "name"), [("nfd", "ND-"), ("cp1258", "NW-")])
def test_decomposed_letters_are_the_same_letters(
    counting: Client, module_environment: dict[str, str], tmp_path: Path, kind: str, name: str
) -> None:
    mapping = "mapping.toml" if kind == "nfd" else "mapping-cp1258.toml"
    status, said, _ = imported(
        module_environment, field_case("05", tmp_path), f"reports-{kind}.csv", mapping
    )
    assert status == 0 and "2 rows, 2 accepted" in said, said
    assert [category for (category,) in rows(counting, "category", name)] == [
        "environment",
        "flooding",
    ]


def test_the_summary_tells_repeats_and_conflicts(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    status, said, _ = imported(module_environment, field_case("06", tmp_path), "reports.csv")
    assert status == 3 and "4 rows, 2 accepted (2 events), 1 repeat, 1 refused" in said, said
    assert "1 conflict, such as row 3: " in said
    assert len(rows(counting, "entity_id", "SR-")) == 2


def test_an_encoding_that_nobody_knows_or_can_read_is_one_sentence_or_is_read(
    module_environment: dict[str, str], tmp_path: Path
) -> None:
    status, said, errors = imported(module_environment, field_case("08", tmp_path), "reports.csv")
    assert (status, said) == (1, "")
    assert (
        errors.strip().splitlines()[-1]
        == "ingest import: The encoding 'tcvn3' of the mapping is not known."
    )


def test_refused_rows_of_another_encoding_can_be_mended_and_imported(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    folder = field_case("09", tmp_path)
    status, said, _ = imported(module_environment, folder, "reports.csv")
    assert status == 3 and "2 rows, 1 accepted" in said, said
    refused = folder / "reports.csv.refused.csv"
    refused.write_bytes(refused.read_bytes().replace(b"32/12/2026", b"31/12/2026"))
    status, said, _ = imported(module_environment, folder, refused.name)
    assert status == 0 and "1 row, 1 accepted" in said, said
    assert [category for (category,) in rows(counting, "category", "RE-")] == [
        "Rác thải",
        "Ngập nước",
    ]


def test_a_code_that_a_spreadsheet_took_for_a_number_is_certain_or_refused(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    status, said, _ = imported(module_environment, field_case("10", tmp_path), "filings.xlsx")
    assert (
        status == 3
        and "3 rows, 2 accepted" in said
        and "holds the number 1.0101 where a code is meant" in said
    ), said
    assert set(rows(counting, "entity_id, procedure", "CN-", "events_filing")) == {
        ("CN-1", "1.005129"),
        ("CN-3", "1.005129"),
    }


@pytest.mark.parametrize("file", ["requests.json", "comma.jsonl"])
def test_a_json_array_is_rows(
    counting: Client, module_environment: dict[str, str], tmp_path: Path, file: str
) -> None:
    status, said, _ = imported(module_environment, field_case("12", tmp_path), file)
    assert status == 0 and (
        "4 rows, 4 accepted (6 events)" in said
        or "4 rows, 0 accepted (0 events), 4 repeats" in said
    ), said
    assert len(rows(counting, "event_id", "OA-")) == 6


def test_seconds_since_1970_are_times(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    status, said, _ = imported(module_environment, field_case("16", tmp_path), "reports.csv")
    assert status == 0 and "1 row, 1 accepted" in said, said
    ((seconds,),) = rows(counting, "toUnixTimestamp64Milli(occurred_at) / 1000", "EP-")
    assert seconds == 1_796_000_000
