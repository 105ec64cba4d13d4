"""Lists of records as pandas computes them from the raw events.

Narrowed, sorted, counted, by pages, as a stream and as files.
"""

import io
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import openpyxl
import pandas as pd
import pytest
from clickhouse_driver import Client
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard.components.sheet import csv_pieces, xlsx_pieces
from dashboard.i18n.catalogue import catalogue
from dashboard.pages.records import files
from dashboard.query.clock import At
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.lists import ListStore, Order, Sought
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from dashboard.request.workers import PageWorkers
from dashboard.server import exports
from schemas.clickhouse.lives import current_table
from schemas.events.codes import (
    Channel,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
)
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, MEETING, Kind
from schemas.events.payloads import Document, Event, Feedback, Filing, Meeting
from schemas.figures import BY_CODE
from schemas.reference import ZONE, calendar
from schemas.settings import Settings
from streams.admin.migrate import migrate
from streams.lives import Lives
from tests import second_way
from tests.counting import Counter

pytestmark = pytest.mark.stack
CALENDAR = calendar("46")
NOON = At(datetime(2026, 11, 24, 11, 0, tzinfo=ZONE))
"""The clock of the tests: a Tuesday."""
BEGIN = datetime(2026, 11, 2, 7, 30, tzinfo=ZONE)
UNITS = ("19753", "19774", "20044")
HOSTILE = "x' OR 1=1 --"
FORMULA = "=cmd|' /C calc'!A0"
SECRET = "sealed:1:of-whom"
PROCEDURES = ("1.005129", "2.000635", "1.004222")
PAST: dict[str, list[tuple[Any, ...]]] = {
    "filing": [
        (1,),
        (1, 2),
        (1, 3),
        (1, 2, 4),
        (1, 2, 4, 9),
        (1, 2, 4, 5),
        (1, 2, 4, 5, 4, 9, 10),
        (1, 5),
        (1, 2, 7),
    ],
    "feedback": [
        ("received",),
        ("received", "routed"),
        ("received", "verified", "routed", "published", "rated"),
        ("received", "rejected"),
    ],
    "document": [(1,), (1, 3), (1, 2), (1, 3, 4, 5, 6), (1, 3, 13, 15)],
}


def _steps(draw: random.Random, kind: Kind) -> list[tuple[datetime, Any]]:
    """Return when each step of a life was taken, and the status that it brings; none lies after
    noon.
    """
    at = BEGIN + timedelta(minutes=draw.randrange(20 * 24 * 60))
    found = []
    for status in draw.choice(PAST[kind.name]):
        if at >= NOON.now() - timedelta(minutes=1):
            break
        found.append((at, status))
        at += timedelta(minutes=draw.randrange(20, 4_000))
    return found


def _filings(draw: random.Random) -> Iterator[tuple[datetime, Event]]:
    for number in range(240):
        steps, commune = _steps(draw, FILING), draw.choice(UNITS)
        due = (
            steps[0][0] + timedelta(hours=draw.randrange(10, 400))
            if steps and draw.random() < 0.6
            else None
        )
        agency = HOSTILE if number == 7 else f"H57.{commune}"
        procedure, channel = draw.choice(PROCEDURES), draw.choice(list(Channel))
        for at, status in steps:
            yield (
                at,
                Filing(
                    agency=agency,
                    commune=commune,
                    filing_id=f"H57-{number:04}",
                    procedure=procedure,
                    channel=channel,
                    status=FilingStatus(status),
                    registered_at=steps[0][0],
                    due_at=due,
                    fee=1000 * (number % 7),
                    finished_at=at if status in (9, 10) else None,
                    satisfaction=number % 5 + 1 if status == 10 else None,
                ),
            )


def _reports(draw: random.Random) -> Iterator[tuple[datetime, Event]]:
    for number in range(80):
        steps, commune = _steps(draw, FEEDBACK), draw.choice(UNITS)
        for at, status in steps:
            yield (
                at,
                Feedback(
                    agency=f"H57.{commune}.UB",
                    commune=commune,
                    report_id=f"PA-{number:03}",
                    category=draw.choice(["water", "roads"]),
                    status=FeedbackStatus(status),
                    reported_at=steps[0][0],
                    reporter=SECRET,
                    description=FORMULA if number == 3 else f"Đường ngập nước, số {number}",
                    rating=number % 5 + 1 if status == "rated" else None,
                ),
            )


def _letters(draw: random.Random) -> Iterator[tuple[datetime, Event]]:
    for number in range(80):
        steps, to = _steps(draw, DOCUMENT), f"H57.{draw.choice(UNITS)}.UB"
        priority = draw.choice(list(Priority))
        for at, status in steps:
            yield (
                at,
                Document(
                    agency=to,
                    commune=to[4:9],
                    document_id=f"H57.VP,2026/11/02,{number}/CV-VP",
                    number=str(number),
                    notation="CV-VP",
                    from_organ="H57.VP",
                    to_organ=to,
                    subject="Ứng phó mưa lũ" if number % 2 else "Họp giao ban",
                    priority=priority,
                    document_type="Công văn",
                    status=DocumentStatus(status),
                    sent_at=steps[0][0],
                    reason=FORMULA if status == 2 else "",
                    due_at=steps[0][0] + timedelta(hours=90) if number % 3 else None,
                ),
            )


class Province:
    """The lists of the module's database, and how all stands by pandas."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client, self.settings = client, settings
        self.connection = Connection(settings.clickhouse_url)
        self.ask = PageContext(self.connection, NOON, ProvinceContext("46"))
        self.lists: ListStore = self.ask.lists
        self._known: dict[Kind, pd.DataFrame] = {}

    def stands(self, kind: Kind) -> pd.DataFrame:
        """Return how all records of a kind stand at noon: a row each, computed once."""
        if kind not in self._known:
            rows, columns = self.client.execute(
                f"SELECT * FROM events_{kind.name} FINAL", with_column_types=True
            )
            events = [dict(zip([name for name, _ in columns], row, strict=True)) for row in rows]
            frame = second_way.lives(kind.name, events, CALENDAR, NOON.now())
            frame["standing"] = [
                "paused" if paused else "open" if is_open else "closed"
                for paused, is_open in zip(frame["paused_now"], frame["open"], strict=True)
            ]
            frame["left"] = [
                _left(kind, cast(dict[str, Any], row)) for row in frame.to_dict("records")
            ]
            self._known[kind] = frame
        return self._known[kind]

    def ids(self, sought: Sought, order: Order = Order()) -> list[str]:
        return [row["entity_id"] for row in self.lists.page(NOON, sought, [], order, limit=1_000)]


def _left(kind: Kind, row: dict[str, Any]) -> float | None:
    """Return milliseconds of the clock until a record is due."""
    if row["standing"] == "closed" or row["due"] is None or pd.isna(row["due"]):
        return None
    since, due = (row["since"] if row["standing"] == "paused" else NOON.now()), row["due"]
    if second_way.around(kind.name, row):
        return float((due - since) / timedelta(milliseconds=1))
    return float(CALENDAR.position(due) - CALENDAR.position(since))


@pytest.fixture(scope="module")
def province(module_settings: Settings) -> Iterator[Province]:
    """Yield some hundred random lives, written in several batches whose rows are not merged yet."""
    migrate(module_settings)
    client = Client.from_url(module_settings.clickhouse_url)
    for life in (FILING, FEEDBACK, DOCUMENT, MEETING):
        client.execute(f"SYSTEM STOP MERGES {current_table(life).name}")
    counter, lives, draw = (
        Counter(module_settings),
        Lives(client, module_settings.province),
        random.Random(7),
    )
    steps: dict[Kind, list[tuple[datetime, Event]]] = {
        FILING: sorted(_filings(draw), key=lambda one: one[0]),
        FEEDBACK: sorted(_reports(draw), key=lambda one: one[0]),
        DOCUMENT: sorted(_letters(draw), key=lambda one: one[0]),
        MEETING: [
            (
                BEGIN,
                Meeting(
                    agency="H57.VP",
                    meeting_id="HN-1",
                    title="Họp giao ban",
                    state=state,
                    starts_at=BEGIN,
                ),
            )
            for state in (MeetingState.SCHEDULED, MeetingState.LIVE)
        ],
    }
    for third in range(3):
        for kind, ones in steps.items():
            if batch := ones[third * len(ones) // 3 : (third + 1) * len(ones) // 3]:
                counter.count(kind, batch)
        lives.catch_up()
    assert client.execute("SELECT count() > uniqExact(entity_id) FROM current_filing") == [(1,)], (
        "old rows lie there too"
    )
    found = Province(client, module_settings)
    yield found
    found.connection.close()
    counter.close()
    client.disconnect()


KINDS = (FILING, FEEDBACK, DOCUMENT)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_list_without_conditions_has_every_record_once_the_newest_first(
    province: Province, kind: Kind
) -> None:
    stands = province.stands(kind).sort_values(["started_at", "entity_id"], ascending=[False, True])
    assert province.ids(Sought(kind)) == list(stands["entity_id"])
    assert province.lists.total(NOON, Sought(kind)) == len(stands) > 60


CONDITIONS: dict[str, tuple[Sought, Callable[[pd.DataFrame], Any]]] = {
    "one value": (
        Sought(FILING, (("agency", ("H57.19753",)),)),
        lambda f: f["agency"] == "H57.19753",
    ),
    "two values": (Sought(FILING, (("status", ("4", "5")),)), lambda f: f["status"].isin([4, 5])),
    "two fields": (
        Sought(FILING, (("channel", ("2",)), ("commune", ("20044", "19774")))),
        lambda f: (f["channel"] == 2) & f["commune"].isin(["20044", "19774"]),
    ),
    "paused": (Sought(FILING, (("standing", ("paused",)),)), lambda f: f["paused_now"]),
    "overdue": (Sought(FILING, (("overdue", ("1",)),)), lambda f: f["overdue"]),
    "not overdue": (Sought(FEEDBACK, (("overdue", ("0",)),)), lambda f: ~f["overdue"].astype(bool)),
    "late": (Sought(FILING, (("late", ("1",)),)), lambda f: f["late"]),
    "not rated": (Sought(FILING, (("satisfaction", ("",)),)), lambda f: f["satisfaction"].isna()),
    "three stars or none": (
        Sought(FEEDBACK, (("rating", ("3", "")),)),
        lambda f: f["rating"].isna() | (f["rating"] == 3),
    ),
    "days": (
        Sought(
            FILING,
            since=datetime(2026, 11, 9, tzinfo=ZONE),
            until=datetime(2026, 11, 12, tzinfo=ZONE),
        ),
        lambda f: (
            (f["started_at"] >= datetime(2026, 11, 9, tzinfo=ZONE))
            & (f["started_at"] < datetime(2026, 11, 12, tzinfo=ZONE))
        ),
    ),
    "number": (Sought(FILING, text="h57-001"), lambda f: f["entity_id"].str.startswith("H57-001")),
    "subject without marks": (
        Sought(DOCUMENT, text="UNG PHO mua"),
        lambda f: f["subject"] == "Ứng phó mưa lũ",
    ),
    "number and notation": (Sought(DOCUMENT, text="17/cv-vp"), lambda f: f["number"].isin(["17"])),
    "content": (Sought(FEEDBACK, text="ngập nước"), lambda f: f["description"] != FORMULA),
    "meant": (
        Sought(FILING, text="zz", meant=(("procedure", ("2.000635",)),)),
        lambda f: f["procedure"] == "2.000635",
    ),
    "figure": (Sought(FILING, figure=BY_CODE["filing.overdue"]), lambda f: f["overdue"]),
    "figure of a unit": (
        Sought(FILING, figure=BY_CODE["filing.open"], by="commune", unit="19753"),
        lambda f: f["open"] & (f["commune"] == "19753"),
    ),
    "urgent documents": (
        Sought(DOCUMENT, (("priority", ("2", "3")),)),
        lambda f: f["priority"].isin([2, 3]),
    ),
    "a hostile value": (
        Sought(FILING, (("agency", (HOSTILE,)),)),
        lambda f: f["agency"] == HOSTILE,
    ),
    "a hostile text": (Sought(FILING, text="%' OR '1'='1"), lambda f: f["agency"] == "nobody"),
    "a field that is none": (Sought(FILING, (("nothing", ("x",)),)), lambda f: f["status"] > 0),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_list_is_narrowed_to_what_pandas_finds(province: Province, name: str) -> None:
    sought, holds = CONDITIONS[name]
    stands = province.stands(sought.kind)
    wanted = sorted(stands[holds(stands).astype(bool)]["entity_id"])
    assert sorted(province.ids(sought)) == wanted
    assert province.lists.total(NOON, sought) == len(wanted)
    assert wanted or name == "a hostile text"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_left_of_the_clock_is_what_the_calendar_says_and_the_most_urgent_comes_first(
    province: Province, kind: Kind
) -> None:
    stands = province.stands(kind).set_index("entity_id")["left"]
    rows = province.lists.page(NOON, Sought(kind), ["left"], Order("left", False), limit=1_000)
    for row in rows:
        expected = stands[row["entity_id"]]
        assert (row["left"] is None) == pd.isna(expected), row
        assert row["left"] is None or abs(row["left"] - expected) <= 1, row
    known = [row["left"] for row in rows if row["left"] is not None]
    assert (
        known == sorted(known)
        and all(row["left"] is None for row in rows[len(known) :])
        and 10 < len(known) < len(rows)
    )


@pytest.mark.parametrize(
    "by",
    [
        "started_at",
        "left",
        "agency",
        "status",
        "fee",
        "satisfaction",
        "closed_at",
        "entity_id",
        "overdue",
    ],
)
@pytest.mark.parametrize("down", [True, False])
def test_pages_laid_beside_one_another_are_the_whole_list_also_those_read_from_its_end(
    province: Province, by: str, down: bool
) -> None:
    sought, order = Sought(FILING), Order(by, down)
    whole, total = province.ids(sought, order), province.lists.total(NOON, sought)
    assert len(whole) == total == len(set(whole))
    for size in (25, 37):
        pages = [
            [
                row["entity_id"]
                for row in province.lists.page(
                    NOON, sought, ["agency"], order, limit=size, skip=skip, total=total
                )
            ]
            for skip in range(0, total, size)
        ]
        assert [one for page in pages for one in page] == whole
    assert (
        province.lists.page(NOON, sought, [], order, limit=25, skip=total + 25, total=total) == []
    )


def test_codes_are_sorted_by_the_words_that_they_have(province: Province) -> None:
    ranks = (("19774", 0), ("20044", 1), ("19753", 2))
    rows = province.lists.page(
        NOON, Sought(FILING), ["commune"], Order("commune", False, ranks), limit=1_000
    )
    known = [dict(ranks)[row["commune"]] for row in rows]
    assert known == sorted(known)


@pytest.mark.parametrize(
    "only",
    [
        (),
        (("agency", ("H57.19753",)),),
        (("channel", ("2", "3")), ("status", ("4",)), ("overdue", ("0",))),
    ],
)
def test_choices_count_what_each_would_leave_and_a_field_is_no_condition_on_itself(
    province: Province, only: Any
) -> None:
    names = (
        "status",
        "standing",
        "overdue",
        "agency",
        "channel",
        "procedure",
        "satisfaction",
        "late",
    )
    found, stands = (
        province.lists.choices(NOON, Sought(FILING, only), names),
        province.stands(FILING),
    )

    def texts(name: str) -> "pd.Series[str]":
        values = (
            stands[name].astype(bool).astype(int) if name in ("overdue", "late") else stands[name]
        )
        return values.map(
            lambda one: (
                "" if pd.isna(one) else str(int(one)) if isinstance(one, float) else str(one)
            )
        )

    for name in names:
        held = pd.Series(True, index=stands.index)
        for other, values in only:
            if other != name:
                held &= texts(other).isin(values)
        assert found[name] == texts(name)[held].value_counts().to_dict(), name


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
