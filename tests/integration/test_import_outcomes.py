"""What an import says of its rows is what is stored.

Repeats, conflicts and what the worker refuses are told with their rows.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client

from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.running import command, worker

pytestmark = pytest.mark.stack
MAPPING = """
kind = "feedback"
source = "urn:test:outcomes"
times = ["%d/%m/%Y %H:%M"]
delimiter = ";"

[fields]
report_id = { column = "Mã" }
agency = { constant = "H57.IOC" }
category = { column = "Lĩnh vực" }
reported_at = { column = "Ngày", as = "time" }
description = { column = "Nội dung" }

[[step]]
id = "{Mã}/r"
time = "Ngày"
fields = { status = "received" }

[[step]]
id = "{Mã}/p"
time = "Ngày"
when = [{ column = "Xong", present = true }]
fields = { status = "published" }
"""
HEADER = "Mã;Lĩnh vực;Ngày;Nội dung;Xong"


@pytest.fixture(scope="module")
def counting(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """Yield a database whose worker runs."""
    migrate(module_settings)
    with worker(module_environment, tmp_path_factory.mktemp("logs") / "worker.log"):
        client = Client.from_url(module_settings.clickhouse_url)
        yield client
        client.disconnect()


def imported(
    environment: dict[str, str], folder: Path, *rows: str, options: tuple[str, ...] = ()
) -> tuple[int, str]:
    """Return the status of an import of those rows, and what it said."""
    folder.mkdir(exist_ok=True)
    (folder / "mapping.toml").write_text(MAPPING)
    (folder / "reports.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    refused = folder / "refused.csv"
    done = command(
        environment,
        *(
            "ingest",
            "import",
            str(folder / "reports.csv"),
            "--mapping",
            str(folder / "mapping.toml"),
        ),
        *("--refused", str(refused), *options),
    )
    return done.returncode, (done.stdout + done.stderr).decode()


def stored(counting: Client, name: str) -> int:
    """Return events that are stored of reports whose number begins so."""
    return int(
        counting.execute(
            f"SELECT count() FROM events_feedback WHERE startsWith(entity_id, '{name}')"
        )[0][0]
    )


def test_the_summary_of_repeats_and_conflicts_within_a_file_is_what_is_stored(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    status, said = imported(
        module_environment,
        tmp_path,
        "A-1;traffic;01/11/2026 08:00;một;",
        "A-1;flooding;01/11/2026 08:00;hai, khác hẳn;",
        "A-2;traffic;01/11/2026 08:00;ba;",
        "A-2;traffic;01/11/2026 08:00;ba;",
        "A-2;traffic;01/11/2026 08:00;ba;x",
    )
    assert status == 3, said
    assert "5 rows, 3 accepted (3 events), 1 repeat, 1 refused" in said
    assert "1 conflict, such as row 3: The event urn:test:outcomes#A-1/r" in said
    assert stored(counting, "A-") == 3
    assert (
        counting.execute("SELECT count() FROM dead_letters WHERE category = 'conflict'")[0][0] == 0
    )


def test_what_an_earlier_import_brought_is_a_repeat_and_what_contradicts_it_is_refused_with_its_row(
    counting: Client, module_environment: dict[str, str], tmp_path: Path
) -> None:
    rows = [f"B-{number};traffic;01/11/2026 08:{number:02};Rác;" for number in range(40)]
    assert (
        "40 rows, 40 accepted (40 events), 0 repeats, 0 refused"
        in imported(module_environment, tmp_path, *rows)[1]
    )
    status, said = imported(module_environment, tmp_path, *rows)
    assert status == 0 and "40 rows, 0 accepted (0 events), 40 repeats, 0 refused" in said
    rows[7] += "x"
    rows[9] = rows[9].replace("Rác", "Rác khác")
    status, said = imported(
        module_environment, tmp_path, *rows, "B-40;traffic;01/11/2026 08:00;Rác;"
    )
    assert status == 3 and "41 rows, 2 accepted (2 events), 38 repeats, 1 refused" in said, said
    assert re.search(r"1 conflict, such as row 11: .*received before with other content", said)
    refused = (tmp_path / "refused.csv").read_text("utf-8-sig").splitlines()
    assert (
        len(refused) == 2
        and refused[1].startswith("B-9;traffic;01/11/2026 08:09;")
        and ";11;conflict;" in refused[1]
    )
    assert stored(counting, "B-") == 42


def test_what_no_worker_has_counted_is_said(
    environment: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    status, said = imported(environment, tmp_path, "C-1;traffic;01/11/2026 08:00;Rác;")
    assert (status, "1 row in Kafka, not yet counted: no worker is running" in said) == (0, True), (
        said
    )
    _, said = imported(
        environment, tmp_path, "C-2;traffic;01/11/2026 08:00;Rác;", options=("--no-wait",)
    )
    assert "1 row in Kafka, not yet counted: the worker was not waited for" in said
