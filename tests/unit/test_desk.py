"""What the pages of the desk are made of.

Addresses to share, tables that keep their order, cells that stay texts.
"""

import csv
import io
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.components.parts import chip, sparkline, value
from dashboard.components.sheet import Sheet, csv_pieces, xlsx_pieces
from dashboard.components.shell import DeskPage, drawn, layout
from dashboard.components.source_states import strip
from dashboard.components.table import TableColumn, TableState, plain, sorted_rows
from dashboard.i18n.catalogue import MissingTextError
from dashboard.i18n.translator import Translator
from dashboard.pages.wall.frame import Painter
from dashboard.pages.wall.layout import page as wall
from dashboard.query import rights
from dashboard.query.cache import AnswerCache
from dashboard.query.clock import Live
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.rights import NoRightsError
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.answers import content_tag, to_json
from dashboard.request.context import PageContext
from dashboard.request.viewing_distance import ViewingDistance
from schemas.figures import BY_CODE, UNKNOWN, Reading
from schemas.places import UnknownUnitError
from schemas.sources.freshness import SourceState
from schemas.sources.timeliness import Span

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
ASK = PageContext(Connection("clickhouse://127.0.0.1:1/none"), Live(), ProvinceContext("46"))


def test_a_link_keeps_what_belongs_to_the_viewer_and_says_what_it_shows() -> None:
    asked = PageRequest.of("/sources", "?theme=dark&agency=H57.VP&sort=-state", "en", "vi")
    assert (asked.language, asked.theme, asked.get("agency"), asked.segments) == (
        "en",
        "dark",
        "H57.VP",
        ("sources",),
    )
    assert asked.link("/unit/19753") == "/unit/19753?theme=dark"
    assert asked.with_(agency=None, page="2") == "/sources?page=2&sort=-state&theme=dark"
    assert PageRequest.of("/sources", "?lang=vi", "en", "en").language == "vi", (
        "an address goes before what is remembered"
    )


def test_an_identifier_with_slashes_and_commas_survives_a_link() -> None:
    record = "H57.VP,2026/11/24,123/CV-VP/H57.19753.UB"
    assert PageRequest("/").link(f"/record/document/{record}") == f"/record/document/{record}"


COLUMNS = (
    TableColumn("name", "Name", lambda row: row["name"], lambda row: row["name"]),
    TableColumn("count", "Count", lambda row: row["count"], lambda row: row["count"]),
    TableColumn("free", "Free", lambda row: ""),
)


@pytest.mark.parametrize(
    ("asked", "names"),
    [("count", "bac"), ("-count", "abc"), ("name", "abc"), ("free", "cab"), ("", "cab")],
)
def test_rows_are_sorted_as_the_address_says_and_what_is_unknown_comes_last(
    asked: str, names: str
) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "c", "count": None},
        {"name": "a", "count": 2},
        {"name": "b", "count": 1},
    ]
    table_state = TableState.of(PageRequest("/x", (("sort", asked),) if asked else ()), "", "")
    assert "".join(row["name"] for row in sorted_rows(rows, COLUMNS, table_state)) == names


@pytest.mark.parametrize("page", ["0", "-1", "x", ""])
def test_a_page_that_is_none_is_the_first(page: str) -> None:
    assert TableState.of(PageRequest("/x", (("page", page),)), "", "").page == 1


FORMULAS = (
    "=1+1",
    "+A1",
    "-A1",
    "@cmd",
    "\tx",
    "\rx",
    "\n=1+1",
    "\r\n@cmd",
    " =1+1",
    "\u200b=1+1",
    "\u202e=1+1",
    "＝1+1",
    "＋A1",
    "－A1",
    "＠cmd",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_marked_as_text(text: str) -> None:
    assert plain(text) == "'" + text
    assert plain("Phú Xuân") == "Phú Xuân" and plain(-5) == -5


def test_a_file_of_outside_texts_holds_no_formula_in_either_form() -> None:
    sheet = Sheet("x", ["a", "b"], [[text, "beside"] for text in FORMULAS])
    rows = list(
        csv.reader(io.StringIO(b"".join(csv_pieces(sheet)).decode("utf-8-sig"), newline=""))
    )
    assert rows == [["a", "b"], *(["'" + text, "beside"] for text in FORMULAS)]
    with zipfile.ZipFile(io.BytesIO(b"".join(xlsx_pieces(sheet)))) as file:
        cells = file.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in cells and cells.count('t="inlineStr"') == 2 + 2 * len(FORMULAS), (
        "a text by its type, which is never computed"
    )


def test_a_reading_is_written_with_its_unit_and_a_dash_where_nothing_is_known() -> None:
    vi = Translator("vi")
    assert value(Reading(94.06), BY_CODE["filing.on_time"], vi) == "94,1%"
    assert value(Reading(1284), BY_CODE["filing.open"], vi) == "1.284"
    assert value(Reading(7.5), BY_CODE["filing.duration_p50"], vi) == "7,5 giờ"
    assert value(UNKNOWN, BY_CODE["filing.duration_p50"], vi) == "–"


def test_a_sparkline_has_a_gap_where_nothing_is_known() -> None:
    assert str(vars(sparkline([1, 2, None, 4, 5], "x"))["src"]).count("<polyline") == 2
    assert str(vars(sparkline([None, None], "x"))["src"]).count("<polyline") == 0


def test_a_state_is_told_by_a_word_and_a_shape_never_by_colour_alone() -> None:
    assert len(chip("im lặng", "p3").children) == 2
    assert chip("đúng nhịp", "good").children == ["đúng nhịp"]


def test_a_strip_tells_when_a_source_was_silent() -> None:
    spans = [
        Span(SourceState.LIVE, NOW, NOW + timedelta(hours=1)),
        Span(SourceState.SILENT, NOW + timedelta(hours=1), NOW + timedelta(hours=3)),
    ]
    shown = strip(spans, Translator("vi")).to_plotly_json()["props"]
    assert shown["aria-label"] == "im lặng 11:00–13:00"
    assert [part.style["width"] for part in shown["children"]] == ["33.333%", "66.667%"]


def test_many_viewers_ask_once_per_tick() -> None:
    asked: list[int] = []
    barrier = threading.Barrier(8)

    def viewer() -> None:
        barrier.wait()
        ASK.cached("same", lambda: asked.append(1))

    threads = [threading.Thread(target=viewer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [1]
    ASK.cached("same", lambda: asked.append(2), seconds=0)
    assert asked == [1, 2]


def test_what_was_changed_is_asked_anew_even_if_an_answer_is_still_on_its_way() -> None:
    once, begun, changed, answers = (
        AnswerCache(),
        threading.Event(),
        threading.Event(),
        iter(["before", "after"]),
    )

    def question() -> str:
        begun.set()
        assert changed.wait(10)
        return next(answers)

    early = threading.Thread(target=once, args=("key", question, 60.0))
    early.start()
    assert begun.wait(10)
    forgetting = threading.Thread(target=once.forget, args=("key",))
    forgetting.start()
    changed.set()
    for thread in (early, forgetting):
        thread.join()
    assert once("key", question, 60.0) == "after"


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (UnreachableError("away"), "store_away"),
        (LookupError("H57.X"), "not_found"),
        (ValueError("what"), "wrong_address"),
        (RuntimeError("bug"), "stopped_failed"),
        (UnknownUnitError("commune", "46000"), "not_found"),
        # Mistakes of the code: nothing that somebody looked for in vain.
        (MissingTextError("no text"), "stopped_failed"),
        (KeyError("column"), "stopped_failed"),
        (IndexError("list index out of range"), "stopped_failed"),
    ],
)
def test_whatever_fails_a_page_says_it_in_words(error: Exception, key: str) -> None:
    def content(_ask: PageContext, _asked: PageRequest) -> Any:
        raise error

    shown = drawn(DeskPage("x", "/x", content), ASK, PageRequest(f"/x/{key}", language="en"))
    assert Translator("en")(key) in str(shown)


@pytest.mark.parametrize("asked", [("moment", "2026-11-22T14:05:30"), ("run", "week")])
def test_a_page_of_the_past_says_that_clickhouse_is_away_or_that_it_may_not_be_seen(
    asked: tuple[str, str],
) -> None:
    """Its bar asks by itself how far back it reaches, and which runs there are."""
    page = DeskPage("unit", "/unit/<code>", lambda ask, asked: str(ask.units()))
    shown = layout([page], page, ASK, PageRequest("/unit/46", (asked,), "en"))
    assert Translator("en")("store_away") in str(shown) and "past-bar" not in str(shown)
    before = rights.current.set("wall")
    try:
        refused = layout([page], page, ASK, PageRequest("/unit/46", (asked,), "en"))
    finally:
        rights.current.reset(before)
    assert Translator("en")("no_rights") in str(refused)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (UnreachableError("x"), "store_away"),
        (NoRightsError(), "no_rights"),
        (ValueError("not yet"), ""),
    ],
)
def test_so_does_a_wall(error: Exception, why: str) -> None:
    def past(_asked: PageRequest) -> None:
        raise error

    shown = str(
        wall(
            Painter(ProvinceContext("46")),
            "en",
            ViewingDistance(3.0, 0.63),
            30,
            {"moment": "2026-11-22T14:05:30", "lang": "en"},
            past,
        )
    )
    assert (
        Translator("en")("not_that_moment", why=Translator("en")(why) if why else "not yet")
        in shown
    )


def test_a_content_that_did_not_change_is_not_sent_again() -> None:
    assert (
        content_tag(to_json([chip("a", "good")]))
        == content_tag(to_json([chip("a", "good")]))
        != content_tag(to_json([chip("b", "good")]))
    )
