"""The incident package.

Everything of a period in one file, which proves itself and opens without the system.
"""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from dashboard.query.connection import Connection
from dashboard.request.address import format_moment
from schemas.events.codes import FilingStatus
from schemas.events.kinds import FEEDBACK, FILING
from tests.browser.conftest import System
from tests.browser.samples import filing, report
from tests.running import command, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]


@pytest.fixture(scope="module")
def began(system: System) -> datetime:
    """Send three filings and twenty reports, raise an alarm, and return when."""
    connection, began = Connection(system.settings.clickhouse_url), datetime.now(UTC)
    before = began - timedelta(days=2)
    system.post(FILING, filing("F-before", status=FilingStatus.PROCESSING), time=before)
    system.post(FILING, filing("F-1"), filing("F-2"))
    system.post(FEEDBACK, *(report(f"R{number}") for number in range(20)))
    wait_for(
        lambda: (
            connection.tuples("SELECT count() FROM alarm_steps WHERE raised_at IS NOT NULL")[0][0]
            > 0
        ),
        what="an alarm",
        seconds=90,
    )
    connection.close()
    return began


def rows(package: ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(package.read(f"tables/{name}.csv").decode())))


def proven(package: ZipFile) -> None:
    """Check that every file but the list of hashes is in it, with its hash."""
    lines = package.read("SHA256SUMS").decode().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(sums) == set(package.namelist()) - {"SHA256SUMS"}
    assert all(
        hashlib.sha256(package.read(name)).hexdigest() == digest for name, digest in sums.items()
    )


def test_a_package_has_all_of_its_period_and_proves_itself(
    page: Page, system: System, module_environment: dict[str, str], began: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "package.zip"
    until = datetime.now(UTC)
    period = (
        "--from",
        format_moment(began - timedelta(seconds=2)),
        "--to",
        format_moment(until + timedelta(hours=1)),
    )
    done = command(module_environment, "dashboard", "package", *period, "--out", str(file))
    assert done.returncode == 0, done.stderr.decode()
    with ZipFile(file) as package:
        proven(package)
        filings = {row["filing_id"] for row in rows(package, "events_filing")}
        assert filings == {"F-before", "F-1", "F-2"}, (
            "what happened before and arrived in the period belongs to it"
        )
        assert len(rows(package, "events_feedback")) == 20
        assert all("reporter" not in row for row in rows(package, "events_feedback"))
        assert sum(int(row["steps"]) for row in rows(package, "windows_feedback")) == 20
        assert any(row["raised_at"] for row in rows(package, "alarm_steps"))
        manifest = json.loads(package.read("manifest.json"))
        assert until <= datetime.fromisoformat(manifest["until"]) <= datetime.now(UTC), (
            "nothing is said of what is to come"
        )
        assert {"product", "clickhouse", "figure_rules"} <= manifest["versions"].keys()
        assert "reference/data/alarms.csv" in manifest["reference"]
        told = {one["name"]: one["rows"] for one in manifest["files"] if one["rows"] is not None}
        assert told["tables/events_feedback.csv"] == 20
        pictures = [name for name in package.namelist() if name.endswith(".png")]
        assert pictures and all(package.read(name).startswith(b"\x89PNG") for name in pictures)
        package.extractall(tmp_path / "opened")
    page.goto((tmp_path / "opened" / "index.html").as_uri())
    expect(page.get_by_role("heading", name="Gói sự cố")).to_be_visible()
    assert page.evaluate(
        "[...document.images].every((one) => one.complete && one.naturalWidth === 1920)"
    )
    assert {one.get_attribute("href") for one in page.get_by_role("link").all()} <= {
        *told,
        *pictures,
    }


def test_a_package_is_taken_from_the_page_of_its_moment(
    page: Page, system: System, began: datetime, tmp_path: Path
) -> None:
    moment, since = (
        format_moment(datetime.now(UTC) - timedelta(seconds=1)),
        format_moment(began - timedelta(minutes=5)),
    )
    page.goto(f"{system.url}/replay?moment={moment}&since={since}&picture=corrected")
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("link", name="Tải gói sự cố").click()
    download.value.save_as(tmp_path / "package.zip")
    with ZipFile(tmp_path / "package.zip") as package:
        proven(package)
        shown = [
            one["what"]
            for one in json.loads(package.read("manifest.json"))["files"]
            if one["name"].endswith(".png")
        ]
        assert [one.partition(": ")[2].partition("?")[0] for one in shown] == ["wall", "map"]
        assert all("picture=corrected" in one for one in shown), (
            "what was looked at is what is pictured"
        )
    assert page.request.get(f"{system.url}/export/package.zip?since=yesterday").status == 400


def test_the_moments_that_are_marked_are_pictured(
    page: Page, system: System, began: datetime, tmp_path: Path
) -> None:
    moment, since = (
        format_moment(datetime.now(UTC) - timedelta(seconds=1)),
        format_moment(began - timedelta(minutes=5)),
    )
    page.goto(f"{system.url}/replay?moment={moment}&since={since}&speed=60")
    mark, marks = (
        page.get_by_role("button", name="Đánh dấu thời điểm"),
        page.locator("#replay-line .mark"),
    )
    mark.click()
    expect(mark).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Lùi một bước").click()
    expect(mark).to_have_attribute("aria-pressed", "false")
    for pressed in ("true", "false", "true"):
        mark.click()
        expect(mark).to_have_attribute("aria-pressed", pressed)
    expect(marks).to_have_count(2)
    page.reload()
    expect(marks).to_have_count(2)
    page.get_by_role("link", name="Bản đồ", exact=True).first.click()
    expect(page.locator("#opsmap")).to_be_visible()
    expect(marks).to_have_count(2)  # wherever one goes meanwhile
    page.go_back()
    with page.expect_download(timeout=240_000) as download:
        page.get_by_role("link", name="Tải gói sự cố").click()
    download.value.save_as(tmp_path / "package.zip")
    with ZipFile(tmp_path / "package.zip") as package:
        shown = [
            one["what"].partition(": ")[0]
            for one in json.loads(package.read("manifest.json"))["files"]
            if "screens/" in one["name"]
        ]
    assert len(shown) == 4 and len(set(shown)) == 2, "the wall and the map at either"
    many = ",".join(format_moment(began + timedelta(seconds=number)) for number in range(13))
    refused = page.request.get(f"{system.url}/export/package.zip?marked={many}")
    assert refused.status == 400 and "12" in refused.text()


def test_what_cannot_be_packed_is_said(module_environment: dict[str, str], tmp_path: Path) -> None:
    for arguments, words in (
        (["--from", "yesterday"], "no moment"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "period is empty"),
        (["--from", "2026-11-01", "--moment", "noon"], "no moment"),
    ):
        done = command(
            module_environment, "dashboard", "package", *arguments, "--out", str(tmp_path / "x.zip")
        )
        assert done.returncode == 1 and words in done.stderr.decode()
    gone = module_environment | {"IOC_CLICKHOUSE_URL": "clickhouse://127.0.0.1:1/ioc"}
    done = command(
        gone, "dashboard", "package", "--from", "2026-11-01", "--out", str(tmp_path / "x.zip")
    )
    assert (
        done.returncode == 1
        and "ClickHouse at" in done.stderr.decode()
        and not (tmp_path / "x.zip").exists()
    )
