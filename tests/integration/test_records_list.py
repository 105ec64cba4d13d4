"""Lists of records as pandas computes them from the raw events: narrowed, sorted, counted."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from dashboard.query.lists import Order, Sought
from schemas.events.kinds import DOCUMENT, FEEDBACK, FILING, Kind
from schemas.figures import BY_CODE
from schemas.reference import ZONE
from schemas.settings import Settings
from tests.integration.records_province import FORMULA, HOSTILE, NOON, Province, random_lives

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def province(module_settings: Settings) -> Iterator[Province]:
    yield from random_lives(module_settings)


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
