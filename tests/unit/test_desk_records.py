"""Lists of records as pure parts: what an address asks for and is refused for, choices, chips."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components import list_address as address
from dashboard.components.list_address import Toggles
from dashboard.components.list_cells import CellFormatter
from dashboard.components.list_fields import FIELDS, MAIN, choices
from dashboard.i18n.catalogue import catalogue
from dashboard.i18n.translator import Translator, sort_key
from dashboard.pages.records import filters, grid
from dashboard.query import lists as store_lists
from dashboard.query.lists import EXTRA, Order, Sought, conditions
from dashboard.query.records import SEALED
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from schemas.clickhouse.lives import LIVES, current_table
from schemas.clickhouse.tables import state_table
from schemas.events.kinds import FEEDBACK, FILING, Kind
from schemas.figures import FIGURES
from schemas.figures.questions import QueryMoment
from schemas.reference import calendar, criteria_sets

PLACE = ProvinceContext("46")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
MOMENT = QueryMoment.of(NOW, calendar("46"))
KINDS = tuple(life.kind for life in LIVES)
HOSTILE = "x' OR 1=1 --", "%(only_agency)s", "\\'; DROP TABLE current_filing", "{where}", "100%"


def text(components: Any) -> str:
    return json.dumps(json.loads(json.dumps(components, cls=PlotlyJSONEncoder)), ensure_ascii=False)


def read(search: str, kind: str = "filing", language: str = "vi") -> address.Wanted:
    asked = PageRequest.of(f"/records/{kind}", search, language, "vi")
    return address.read(
        asked, PLACE, CellFormatter(address.kind_of(asked), PLACE, asked.translator)
    )


def test_an_address_says_all_that_a_list_is() -> None:
    wanted = read(
        "agency=H57.SYT,H57.SXD&overdue=1&text=khai++sinh&from=2026-11-01&to=22/11/2026&figure=filing.overdue&unit=19753"
        "&sort=-left&columns=left,entity_id&page=2&size=100"
    )
    assert wanted.values == {"agency": ("H57.SYT", "H57.SXD"), "overdue": ("1",)}
    assert (wanted.sought.text, wanted.sought.by, wanted.sought.unit) == (
        "khai sinh",
        "commune",
        "19753",
    )
    assert (wanted.sought.since, wanted.sought.until) == (
        datetime(2026, 11, 1, tzinfo=HERE),
        datetime(2026, 11, 23, tzinfo=HERE),
    )
    assert wanted.sought.figure is not None and wanted.sought.figure.code == "filing.overdue"
    assert (wanted.order.by, wanted.order.down, wanted.page, wanted.size) == ("left", True, 2, 100)
    assert [one.name for one in wanted.shown] == ["left", "entity_id"], (
        "the columns keep the order of the address"
    )


def test_without_a_wish_the_newest_come_first_and_behind_a_figure_the_most_urgent() -> None:
    for kind in KINDS:
        wanted = read("", kind.name)
        assert (wanted.order.by, wanted.order.down, wanted.page, wanted.size) == (
            "started_at",
            True,
            1,
            address.DEFAULT_PAGE_SIZE,
        )
        assert wanted.sought == Sought(kind) and wanted.shown
    assert read("figure=filing.overdue").order == Order("left", False)
    assert read("figure=meeting.live", "meeting").order.by == "started_at"


@pytest.mark.parametrize(
    ("search", "key"),
    [
        ("sort=nothing", "no_sort"),
        ("sort=--left", "no_sort"),
        ("sort=reporter", "no_sort"),
        ("columns=entity_id,reporter", "no_column"),
        ("columns=1;DROP", "no_column"),
        ("page=0", "no_page"),
        ("page=-1", "no_page"),
        ("page=x", "no_page"),
        ("page=9999999999", "no_page"),
        ("page=²", "no_page"),
        ("size=1000000", "no_size"),
        ("from=31/02/2026", "no_day"),
        ("to=gestern", "no_day"),
        ("from=2026-11-02&to=2026-11-01", "days_turned"),
        ("figure=feedback.open", "no_figure"),
        ("figure=x", "no_figure"),
        ("reporter=x", "no_parameter"),
        ("agency%3D1=x", "no_parameter"),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_cannot_be_understood_is_said_in_words(search: str, key: str, language: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read(search, language=language)
    pattern = catalogue(language)[key]
    assert pattern.partition("{")[0] in str(refused.value)


def test_a_kind_or_a_unit_that_is_none_is_not_found() -> None:
    for path in ("/records/indicator", "/records/nothing", "/records/filing/x"):
        with pytest.raises(LookupError):
            address.kind_of(PageRequest(path))
    assert address.kind_of(PageRequest("/records")) is FILING
    with pytest.raises(LookupError):
        read("unit=nobody")


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12), unique=True, max_size=5
    )
)
def test_any_values_survive_an_address(wanted: list[str]) -> None:
    known = [one for one in wanted if one != address.NONE]
    said = address.join_values(known)
    found = address.values(said) if said else ()
    assert ["" if one == address.NONE else one for one in found] == known


def test_a_choice_is_added_and_taken_away_by_its_link_and_leads_to_the_first_page() -> None:
    asked = PageRequest.of("/records/filing", "agency=H57.SYT&page=4&theme=dark", None, "vi")
    more = Toggles(asked, "agency").to("H57.SXD")
    assert more == "/records/filing?agency=H57.SYT%2CH57.SXD&theme=dark"
    again = PageRequest.of("/records/filing", more.partition("?")[2], None, "vi")
    assert Toggles(again, "agency").to("H57.SYT") == "/records/filing?agency=H57.SXD&theme=dark"
    unknown = PageRequest.of(
        "/records/feedback",
        Toggles(PageRequest("/records/feedback"), "rating").to("").partition("?")[2],
        None,
        "vi",
    )
    assert read(unknown.with_().partition("?")[2], "feedback").values == {"rating": ("",)}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)


@given(
    st.lists(TEXTS, unique=True, max_size=5),
    TEXTS,
    st.sampled_from(["agency", "sort", "zone"]),
    TEXTS,
)
def test_the_links_of_all_values_are_written_as_each_by_itself(
    now: list[str], value: str, other: str, kept: str
) -> None:
    now, value = [one for one in now if one != address.NONE], "" if value == address.NONE else value
    given_, kept = (
        {"procedure": address.join_values(now) or "", other: kept, "page": "3"},
        kept.strip() or "x",
    )
    asked = PageRequest(
        "/records/filing", tuple(sorted((name, text) for name, text in given_.items() if text))
    )
    changed = [one for one in now if one != value] if value in now else [*now, value]
    assert Toggles(asked, "procedure").to(value) == asked.with_(
        procedure=address.join_values(changed), page=None
    )


def test_more_values_than_a_person_chooses_are_refused_in_one_sentence() -> None:
    most = ",".join(f"1.{number:06}" for number in range(address.MAX_VALUES))
    assert len(read(f"procedure={most}").values["procedure"]) == address.MAX_VALUES
    with pytest.raises(ValueError, match="“Thủ tục”: nhiều nhất 50 giá trị, địa chỉ có 51"):
        read(f"procedure={most},2.000001")


def test_what_stands_twice_in_an_address_counts_once() -> None:
    names = [one.name for one in read("columns=entity_id,status,entity_id,status,entity_id").shown]
    assert names == ["entity_id", "status"]
    assert read("procedure=1,1,2,1").values["procedure"] == ("1", "2")


def test_values_never_become_sql() -> None:
    for one in HOSTILE:
        found = conditions(
            Sought(FEEDBACK, (("agency", (one,)),), one, (("category", (one,)),)), MOMENT, "today"
        )
        assert (
            one not in found.sql.replace("%(only_agency)s", "")
            and (one,) in found.parameters.values()
        )
    none = conditions(Sought(FILING, (("1=1) OR (reporter", ("x",)),)), MOMENT, "today")
    assert len(none.each) == 1, "a field that is none is left out"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_list_has_what_tables_have_and_nothing_that_is_sealed(kind: Kind) -> None:
    known = {*store_lists.fields(kind, MOMENT, "today"), *EXTRA.get(kind, ())}
    names = [name for one in FIELDS[kind] for name in (one.name, *one.needs)]
    assert set(names) <= known and not {*names, *known} & set(SEALED)
    assert {*EXTRA.get(kind, ())} <= {column.name for column in state_table(kind).columns}
    assert not {column.name for column in current_table(kind).columns} & set(SEALED)
    assert set(MAIN[kind]) <= {one.name for one in choices(kind)}
    assert len({one.name for one in FIELDS[kind]}) == len(FIELDS[kind])
    assert {one.words for one in FIELDS[kind]} <= set(catalogue("vi"))
    assert not any(one.sort for one in FIELDS[kind] if one.name in EXTRA.get(kind, ())), (
        "what only its state has sorts nothing"
    )


def test_what_a_set_of_criteria_asks_by_can_be_asked_of_a_list() -> None:
    figures = {figure.code: figure for figure in FIGURES}
    asked = 0
    for one in (item for criteria in criteria_sets(date(2026, 11, 24)) for item in criteria.items):
        if figure := figures.get(one.question or one.reads):
            names = set(re.findall(r"(\w+)=", one.filter))
            assert names <= {field.name for field in choices(figure.kind)}, one.code
            asked += len(names)
    assert asked


def test_every_value_has_words_in_both_languages_and_an_order() -> None:
    for language in ("vi", "en"):
        filings, reports = (
            CellFormatter(FILING, PLACE, Translator(language)),
            CellFormatter(FEEDBACK, PLACE, Translator(language)),
        )
        assert (
            filings.label("status", "4")
            == filings.label("status", 4)
            == ("Processing" if language == "en" else "Đang xử lý")
        )
        assert filings.label("overdue", "1") != filings.label("overdue", "0")
        assert (
            filings.label("agency", "H57.SYT") and filings.label("agency", "stranger") == "stranger"
        )
        assert reports.label("status", "routed") and filings.label("satisfaction", "")
        names = [
            filings.label("commune", code) for code in filings.in_order("commune", PLACE.names)
        ]
        assert names == sorted(names, key=sort_key)
        assert filings.in_order("status", ["10", "2", "x"]) == ["2", "10", "x"]
        assert filings.in_order("standing", ["closed", "open"]) == ["open", "closed"]
        places = dict(filings.ranked("agency"))
        assert len(places) == len(PLACE.agencies) == len(set(places.values()))


def test_a_text_means_the_procedures_that_have_it_in_their_words() -> None:
    formatter = CellFormatter(FILING, PLACE, Translator("vi"))
    ((name, codes),) = formatter.meant("KHAI SINH")
    assert (
        name == "procedure"
        and codes
        and all("khai sinh" in formatter.label(name, code).lower() for code in codes)
    )
    assert formatter.meant("zzzz") == (("procedure", ("",)),) and formatter.meant("") == ()


def test_the_bar_tells_counts_and_what_is_chosen_can_be_taken_away_one_by_one() -> None:
    asked = PageRequest.of(
        "/records/filing", "agency=H57.SYT,H57.SXD&text=x&from=2026-11-01", None, "vi"
    )
    formatter = CellFormatter(FILING, PLACE, Translator("vi"))
    wanted = address.read(asked, PLACE, formatter)
    counts = {"agency": {"H57.SYT": 1284}, "status": {"4": 3}}
    bar = text(filters.bar(asked, wanted, formatter, counts, date(2026, 11, 24)))
    assert "1.284" in bar and "Sở Xây dựng" in bar, (
        "what is chosen stays there when none of it is left"
    )
    chips = text(filters.chosen(asked, wanted, formatter, PLACE))
    for words, href in {
        "Đang giữ: Sở Y tế": "/records/filing?agency=H57.SXD&from=2026-11-01&text=x",
        "Có chữ: “x”": "/records/filing?agency=H57.SYT%2CH57.SXD&from=2026-11-01",
        "Ngày bắt đầu: từ 01/11/2026": "/records/filing?agency=H57.SYT%2CH57.SXD&text=x",
    }.items():
        assert words in chips and f'"{href}"' in chips
    assert '"/records/filing"' in chips, "all at once"
    assert filters.chosen(PageRequest("/records/filing"), read(""), formatter, PLACE) is None


def test_columns_are_hidden_shown_and_moved_by_links_and_the_last_one_stays() -> None:
    asked = PageRequest.of("/records/filing", "columns=entity_id,status", None, "vi")
    shown = text(grid.columns(asked, read("columns=entity_id,status")))
    assert (
        '"/records/filing?columns=status"' in shown
        and '"/records/filing?columns=status%2Centity_id"' in shown
    )
    assert (
        '"/records/filing?columns=entity_id%2Cstatus%2Cfee"' in shown
        and '"/records/filing"' in shown
    )
    alone = text(
        grid.columns(
            PageRequest.of("/records/filing", "columns=fee", None, "vi"), read("columns=fee")
        )
    )
    assert '"/records/filing?columns="' not in alone


@pytest.mark.parametrize(
    "typed", ["Số\u00a012/QĐ", "So\u0302\u0301 12/QĐ", " Số\u2009 12/QĐ ", "Số 12\u200b/QĐ"]
)
def test_a_text_is_looked_for_in_the_form_that_records_were_brought_into(typed: str) -> None:
    given = conditions(Sought(FEEDBACK, text=typed), MOMENT, "today").parameters
    assert given["text"].split() == ["Số", "12/QĐ"] and "\u00a0" not in given["folded"]
    asked = PageRequest.of("/records/feedback", urlencode({"text": typed}), None, "vi")
    wanted = address.read(asked, PLACE, CellFormatter(FEEDBACK, PLACE, asked.translator))
    assert conditions(wanted.sought, MOMENT, "today").parameters["text"] == "Số 12/QĐ"
