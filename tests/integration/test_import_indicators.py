"""Figures of indicators from files.

Through the real import, Kafka, worker and ClickHouse, to the scores that a screen shows.
"""

import json
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from dashboard.query import scoreboard
from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.store import ScreenStore
from ingest.mappings import indicators_form
from ingest.mappings.indicators_form import COLUMNS
from schemas import scores
from schemas.figures import Reading
from schemas.reference import ZONE, criteria_set
from schemas.scores import Score
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.running import Running, command, wait_for, worker

pytestmark = pytest.mark.stack
EXAMPLES = Path(indicators_form.__file__).parent / "examples"


NOON = At(datetime.fromisoformat("2023-10-11T12:00:00+07:00"))
LATER = At(datetime.fromisoformat("2026-11-10T12:00:00+07:00"))


@pytest.fixture(scope="module")
def store(
    module_settings: Settings,
    module_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ScreenStore]:
    logs: Path = tmp_path_factory.mktemp("logs")
    migrate(module_settings)
    ready = f"http://127.0.0.1:{module_settings.gateway_port}/readyz"
    with (
        worker(module_environment, logs / "worker.log"),
        Running(
            "ingest",
            "gateway",
            environment=module_environment,
            log=logs / "gateway.log",
            ready=ready,
        ),
    ):
        found = ScreenStore(Connection(module_settings.clickhouse_url))
        yield found
        found.connection.close()


def read(store: ScreenStore, at: At, unit: str = "46") -> dict[str, float | None]:
    """Return what the indicators of a unit read."""
    return {
        code: one.value for code, one in scoreboard.readings(store, at, "46", [unit])[unit].items()
    }


def published(store: ScreenStore, at: At) -> Score:
    """Return the province's published score by the index of services."""
    criteria = criteria_set("766", at.now().astimezone(ZONE).date())
    return scores.published(criteria, scoreboard.readings(store, at, "46", ("46",))["46"])


def told(done: Any) -> str:
    return str((done.stdout + done.stderr).decode())


def test_a_published_reading_of_the_index_shows_what_is_known_of_it(
    store: ScreenStore, module_environment: dict[str, str]
) -> None:
    """Thừa Thiên Huế, 10/10/2023.

    61,7 points, rank 51 of 63, the mean of the country 68,3, and three of the five groups.
    """
    file = str(EXAMPLES / "service-index-2023-10-10.csv")
    done = command(module_environment, "ingest", "import", file, "--mapping", "indicators")
    assert done.returncode == 0, told(done)
    assert "7 rows, 7 accepted (7 events), 0 repeats, 0 refused" in told(done)
    found = wait_for(
        lambda: (one := read(store, NOON)) and len(one) == 7 and one, what="the seven figures"
    )
    assert (
        found["service.index.rank"],
        found["service.index.ranked"],
        found["service.index.mean"],
    ) == (51, 63, 68.3)

    shown = published(store, NOON)
    assert shown.reported is not None
    assert (shown.reported.value, shown.reported.stale) == (61.7, False)
    assert shown.reported.as_of == datetime.fromisoformat("2023-10-10T17:00:00+07:00")
    assert [(group.group.code, group.points) for group in shown.groups] == [
        ("publicity", 11.3),
        ("progress", 17.1),
        ("digitisation", None),
        ("online", None),
        ("satisfaction", 16.4),
    ]
    assert (shown.total, shown.grade, round(shown.coverage, 9)) == (None, None, 56)

    years_later = published(store, LATER)
    assert (years_later.coverage, years_later.reported and years_later.reported.value) == (
        0,
        None,
    ), "too long ago to be looked at"


def test_a_sheet_is_imported_with_its_refused_rows_told_and_a_correction_comes_by_the_gateway(
    store: ScreenStore,
    module_environment: dict[str, str],
    module_settings: Settings,
    tmp_path: Path,
) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Tháng 10"
    sheet.append(["Biểu số liệu chỉ tiêu"])
    sheet.append(COLUMNS)
    reported = datetime(2026, 11, 3, 9, 30)
    sheet.append(["internet.users", "46", None, "Tháng 10/2026", 0.885, "%", "H57.SKHCN", reported])
    sheet["E3"].number_format = "0.0%"
    sheet.append(
        ["internet.users", "19753", "19753", "2026-10", "91,25", "%", "H57.19753.UB", reported]
    )
    sheet.append(["internet.users", "19774", "19774", "2026-13", 90, "%", "H57.19774.UB", reported])
    sheet.append(["internet.fibre", "46", None, "2026-10", "81.5", "%", "H57.SKHCN", reported])
    sheet.merge_cells("A1:H1")
    book.create_sheet("Ghi chú").append(["không có số liệu"])
    book.save(tmp_path / "thang-10.xlsx")
    refused = tmp_path / "refused.csv"
    line = (
        "ingest",
        "import",
        str(tmp_path / "thang-10.xlsx"),
        "--mapping",
        "indicators",
        "--refused",
        str(refused),
    )

    wrong = command(module_environment, *line, "--sheet", "Ghi chú")
    assert (wrong.returncode, "Traceback" in told(wrong)) == (1, False)
    assert "Sheet 'Ghi chú': the columns" in told(wrong)
    done = command(module_environment, *line, "--sheet", "Tháng 10")
    assert done.returncode == 3, told(done)
    assert "4 rows, 2 accepted (2 events), 0 repeats, 2 refused" in told(done)
    assert "sheet 'Tháng 10', row 5: column 'Kỳ báo cáo', value '2026-13'" in told(done)
    assert "numbers are written 1234,5" in told(done)
    wait_for(lambda: read(store, LATER).get("internet.users") == 88.5, what="the province's figure")
    wait_for(
        lambda: read(store, LATER, "19753").get("internet.users") == 91.25,
        what="the commune's figure",
    )

    mended = (
        refused.read_text("utf-8-sig")
        .replace("2026-13", "2026-10")
        .replace("2026-10,81.5,", '2026-10,"81,5",')
    )
    refused.write_text(mended)
    again = command(module_environment, "ingest", "import", str(refused), "--mapping", "indicators")
    assert again.returncode == 0, told(again)
    wait_for(lambda: read(store, LATER, "19774").get("internet.users") == 90, what="the mended row")
    wait_for(lambda: read(store, LATER).get("internet.fibre") == 81.5, what="the other mended row")

    event = {
        "specversion": "1.0",
        "id": "correction-1",
        "source": "/test",
        "type": "vn.ioc.indicator.v1",
        "time": "2026-11-05T10:00:00+07:00",
        "data": {
            "agency": "H57.SKHCN",
            "indicator": "internet.users",
            "unit": "46",
            "period": "2026-10",
            "value": 89.5,
            "measure_unit": "%",
            "reported_at": "2026-11-05T10:00:00+07:00",
        },
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{module_settings.gateway_port}/v1/events",
        json.dumps(event).encode(),
        {"Content-Type": "application/cloudevents+json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status in (200, 202)
    wait_for(lambda: read(store, LATER).get("internet.users") == 89.5, what="the correction")
    done = command(module_environment, *line, "--sheet", "Tháng 10")
    assert done.returncode == 3
    assert read(store, LATER)["internet.users"] == 89.5, (
        "an older report that is sent again corrects nothing"
    )


def test_the_index_of_units_reads_figures_and_reports_together(
    store: ScreenStore, module_environment: dict[str, str], tmp_path: Path
) -> None:
    rows = [COLUMNS]
    for unit, commune, agency in (("46", "", "H57.HCC"), ("19753", "19753", "H57.19753.UB")):
        rows += [
            (code, unit, commune, "2026-10", value, "%", agency, "03/11/2026")
            for code, value in (
                ("procedure.published", "95"),
                ("procedure.complete", "90"),
                ("filing.synchronised", "80"),
            )
        ]
    rows.append(
        ("assessment.council", "H57.SYT", "", "2026", "8,5", "điểm", "H57.SNV", "03/11/2026")
    )
    file = tmp_path / "index.csv"
    file.write_text("\ufeff" + "\r\n".join(";".join(row) for row in rows) + "\r\n", "utf-8")
    done = command(module_environment, "ingest", "import", str(file), "--mapping", "indicators")
    assert done.returncode == 0, told(done)
    wait_for(
        lambda: read(store, LATER, "H57.SYT").get("assessment.council") == 8.5,
        what="the council's points",
    )

    figures = {
        "filing.on_time": Reading(90.0),
        "filing.digitised": Reading(80.0),
        "filing.reused": Reading(50.0),
        "filing.online": Reading(70.0),
        "filing.paid_online": Reading(40.0),
        "filing.satisfaction": Reading(95.0),
        "feedback.on_time": Reading(90.0),
        "feedback.satisfied": Reading(92.0),
    }
    live = {
        "46": figures,
        "19753": figures | {"filing.on_time": Reading(90.0, stale=True)},
        "H57.SYT": figures,
    }

    def scored() -> Any:
        return scoreboard.score_units(
            store, LATER, "46", "766", {"46": "province", "19753": "commune"}, live
        )

    province = wait_for(lambda: (one := scored()["46"]).total and one, what="all of the index")
    reported = 0.95 * 4 + 0.9 * 4 + 0.8 * 10
    assert province.total == pytest.approx(reported + 18 + 9.6 + 5 + 8.4 + 4 + 5.7 + 5.4 + 5.52)
    assert province.losses[0].of.code == "online.payment"
    commune = wait_for(
        lambda: (one := scored()["19753"]).groups[0].complete and one, what="the commune's reports"
    )
    assert (commune.total, round(commune.coverage, 9)) == (None, 80)
    assert commune.losses[0].question.query == "paid_online=0&commune=19753"

    assessed = scoreboard.score_units(
        store, LATER, "46", "agency", {"H57.SYT": "agency", "46": "province"}, live
    )
    assert list(assessed) == ["H57.SYT"], "a province is not assessed as an agency"
    council = next(part for part in assessed["H57.SYT"].parts if part.of.code == "council.points")
    assert council.points == 8.5
