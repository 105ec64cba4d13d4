"""Lists of records as files and as streams: whole, without formulas, and of nobody's name."""

import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard.components.sheet import csv_pieces, xlsx_pieces
from dashboard.i18n.catalogue import catalogue
from dashboard.pages.records import files
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.lists import Order, Sought
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from dashboard.request.workers import PageWorkers
from dashboard.server import exports
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING
from schemas.reference import ZONE
from schemas.settings import Settings
from tests.integration.records_province import FORMULA, NOON, SECRET, Province, random_lives

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def province(module_settings: Settings) -> Iterator[Province]:
    yield from random_lives(module_settings)


def test_a_stream_is_the_list_in_blocks_with_what_only_the_state_has(province: Province) -> None:
    order = Order("left", False)
    asked = {
        FILING: ["entity_id", "agency", "left"],
        DOCUMENT: ["subject", "entity_id", "number"],
        FEEDBACK: ["entity_id", "description"],
    }
    for kind, names in asked.items():
        rows = province.lists.page(NOON, Sought(kind), names, order, limit=1_000)
        streamed = [
            row
            for block in province.lists.stream(NOON, Sought(kind), names, order)
            for row in block
        ]
        assert streamed == [tuple(row[name] for name in names) for row in rows]
    (title,) = next(province.lists.stream(NOON, Sought(MEETING), ["title"], Order()))
    assert title == ("Họp giao ban",)


def cells(province: Province, address: str, language: Any = "vi") -> list[tuple[Any, ...]]:
    path, _, query = address.partition("?")
    sheet = files.sheet(province.ask, PageRequest.of(path, query, language, "vi"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_pieces(sheet))))
    return [tuple(cell.value for cell in row) for row in book.active.iter_rows()]  # type: ignore[union-attr]


def test_a_file_is_the_list_with_its_columns_its_order_and_real_values(province: Province) -> None:
    head, *rows = cells(
        province,
        "/records/filing?overdue=1&sort=left&columns=entity_id,agency,started_at,left,fee,overdue",
    )
    assert head == (
        "Bản ghi",
        "Đang giữ",
        "Bắt đầu",
        "Còn lại (giờ)",
        "Phí, lệ phí",
        "Đang quá hạn",
    )
    stands = province.stands(FILING).set_index("entity_id")
    assert [row[0] for row in rows] == province.ids(
        Sought(FILING, (("overdue", ("1",)),)), Order("left", False)
    )
    for number, agency, started, left, fee, overdue in rows:
        one = stands.loc[number]
        assert started == one["started_at"].astimezone(ZONE).replace(
            tzinfo=None, second=0, microsecond=0
        )
        assert (
            left == round(one["left"] / 3_600_000, 2) <= 0
            and fee == one["fee"]
            and overdue == "có"
            and agency
        )
    assert cells(province, "/records/filing?overdue=1", "en")[0][0] == "Record"


def test_no_file_has_a_formula_or_who_reported(province: Province) -> None:
    columns = ",".join(("entity_id", "description", "address", "status", "agency", "rating"))
    sealed = {
        row[0] for row in province.client.execute("SELECT DISTINCT reporter FROM state_feedback")
    }
    assert len(sealed) == 1 and all(sealed), "they are there"
    rows = cells(province, f"/records/feedback?columns={columns}")
    asked = PageRequest.of("/records/feedback", f"columns={columns}", None, "vi")
    written = b"".join(csv_pieces(files.sheet(province.ask, asked))).decode("utf-8-sig")
    assert f"'{FORMULA}" in written and f",{FORMULA}" not in written
    everything = [
        row
        for block in province.lists.stream(NOON, Sought(FEEDBACK), [*columns.split(",")], Order())
        for row in block
    ]
    assert len(everything) > 60
    for one in (SECRET, *sealed):
        assert one not in written + str(everything) + str(rows)
        assert province.lists.total(NOON, Sought(FEEDBACK, text=one)) == 0, (
            "nobody is found by who they are"
        )


@pytest.mark.timeout(60, func_only=True)  # it once waited two minutes for a word that never comes
def test_a_stream_that_is_given_up_leaves_clickhouse_in_good_order(province: Province) -> None:
    stream = province.lists.stream(NOON, Sought(FILING), ["entity_id"], Order())
    assert next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert province.lists.total(NOON, Sought(FILING)) > 200


def test_a_stream_that_clickhouse_ends_midway_is_no_whole_list(province: Province) -> None:
    stream = province.lists.lives.connection.stream(
        "SELECT number, 'ended midway' FROM system.numbers", 1_000
    )
    assert len(next(stream)) == 1_000
    killed = (
        "KILL QUERY WHERE query LIKE '%ended midway%' AND query NOT LIKE '%KILL%' AND user = "
        "currentUser() SYNC"
    )
    province.lists.lives.connection.tuples(killed)
    with pytest.raises(UnreachableError):
        for _ in stream:
            pass


def test_one_file_more_than_may_be_is_answered_in_words(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = FastAPI()
    exports.add_routes(
        server,
        PageContext(province.lists.lives.connection, NOON, ProvinceContext("46")),
        PageWorkers(60.0),
        "vi",
    )
    assert TestClient(server).get("/export/records/filing.csv").status_code == 200
    many = TestClient(server).get(
        "/export/records/filing.csv", params={"procedure": ",".join(map(str, range(51)))}
    )
    assert (many.status_code, many.text) == (
        400,
        "Địa chỉ không hợp lệ: “Thủ tục”: nhiều nhất 50 giá trị, địa chỉ có 51",
    )
    monkeypatch.setattr(exports, "AT_A_TIME", 0)
    full = FastAPI()
    exports.add_routes(
        full,
        PageContext(province.lists.lives.connection, NOON, ProvinceContext("46")),
        PageWorkers(60.0),
        "vi",
    )
    answer = TestClient(full).get("/export/records/filing.csv")
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (
        429,
        "10",
        catalogue("vi")["files_busy"],
    )


def test_a_clickhouse_that_is_away_is_said(province: Province) -> None:
    away = PageContext(Connection("clickhouse://127.0.0.1:1/none"), NOON, ProvinceContext("46"))
    with pytest.raises(UnreachableError):
        b"".join(xlsx_pieces(files.sheet(away, PageRequest("/records/filing"))))
