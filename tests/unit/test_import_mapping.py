"""What a mapping makes of rows: converters, conditions, refusals that name column and value."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely

from ingest.importer.convert import row_events
from ingest.importer.mapping import Mapping, MappingError
from ingest.importer.mapping_file import load, names
from ingest.importer.run import convert_file
from ingest.mappings import nyc_boroughs
from schemas.events.envelope import Read, Reader, RefusalCategory, RefusalError
from schemas.events.kinds import FEEDBACK
from tests.field_cases import SHARED
from tests.sealing import SEALER
from tests.unit.feedback_rows import MAPPING, ROW, mapped

REQUESTS = SHARED / "data" / "nyc311_animals.csv"


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    return mapped(tmp_path, MAPPING)


def read(mapping: Mapping, **changes: str) -> list[Read]:
    return [event.read for event in row_events(ROW | changes, mapping, Reader())]


def test_a_row_becomes_an_event_with_an_id_of_its_own_key(mapping: Mapping) -> None:
    (event,) = read(mapping)
    assert (event.id, event.source, event.kind) == ("7/received", "/test", FEEDBACK)
    assert event.time == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)
    data = event.data
    assert (data.report_id, data.agency, data.commune, data.category, data.status) == (
        "7",
        "H57.08",
        "",
        "traffic",
        "received",
    )
    assert (data.lat, data.lon, data.rating, data.address) == (16.46, 107.59, None, "")


def test_a_row_stands_for_every_step_whose_conditions_hold(mapping: Mapping) -> None:
    assert [event.id for event in read(mapping, done="02/11/2026", state="mở")] == ["7/received"]
    _, published = read(mapping, done="02/11/2026", state="xong")
    assert (published.id, published.data.status) == ("7/published", "published")
    assert published.time == datetime(2026, 11, 1, 17, tzinfo=UTC)  # a day, whatever the zone
    assert published.data.precision == ["finished_at:day", "reported_at:minute", "time:day"]
    assert published.data.finished_at == datetime(
        2026, 11, 1, 17, tzinfo=UTC
    )  # and this one in the mapping's zone


def test_converters_give_text_numbers_lookups_and_templates(mapping: Mapping) -> None:
    (event,) = read(mapping, commune="Thuận Hóa", stars="5", street="Lê Lợi")
    assert (event.data.commune, event.data.rating, event.data.address) == (
        "19774",
        5,
        "Lê Lợi, Thuận Hóa",
    )
    assert read(mapping, commune="Nơi khác")[0].data.commune == ""  # by the lookup's default


def test_a_point_needs_both_its_halves(mapping: Mapping) -> None:
    for changes in ({"lat": ""}, {"lon": " "}):
        data = read(mapping, **changes)[0].data
        assert (data.lat, data.lon) == (None, None)


@pytest.mark.parametrize(
    ("changes", "category", "told"),
    [
        (
            {"day": "31/02/2026"},
            RefusalCategory.IMPOSSIBLE_DATE,
            "column 'day', value '31/02/2026'",
        ),
        ({"day": ""}, RefusalCategory.MISSING_FIELD, "column 'day', value ''"),
        (
            {"day": "01/01/1890"},
            RefusalCategory.IMPOSSIBLE_DATE,
            "column 'day', value '01/01/1890'",
        ),
        ({"day": "01/01/0001"}, RefusalCategory.IMPOSSIBLE_DATE, "not between 1990 and 2099"),
        ({"agency": "Sở X"}, RefusalCategory.WRONG_VALUE, "column 'agency', value 'Sở X'"),
        ({"agency": ""}, RefusalCategory.MISSING_FIELD, "column 'agency', value ''"),
        ({"number": ""}, RefusalCategory.MISSING_FIELD, "column 'number', value ''"),
        ({"lat": "16,46"}, RefusalCategory.WRONG_TYPE, "column 'lat', value '16,46'"),
        ({"lat": "nan"}, RefusalCategory.WRONG_TYPE, "not finite"),
        ({"lat": "96"}, RefusalCategory.IMPOSSIBLE_POINT, "column 'lat', value '96'"),
        ({"stars": "6"}, RefusalCategory.WRONG_VALUE, "column 'stars', value '6'"),
        ({"number": "9" * 200}, RefusalCategory.WRONG_VALUE, "column 'number'"),
        (
            {"done": "soon", "state": "xong"},
            RefusalCategory.IMPOSSIBLE_DATE,
            "column 'done', value 'soon'",
        ),
    ],
)
def test_a_refusal_names_column_and_value(
    mapping: Mapping, changes: dict[str, str], category: RefusalCategory, told: str
) -> None:
    with pytest.raises(RefusalError) as refusal:
        read(mapping, **changes)
    assert refusal.value.category == category
    assert told in refusal.value.reason


def test_a_time_that_the_clocks_skipped_is_refused_and_a_repeated_one_is_the_first(
    tmp_path: Path,
) -> None:
    mapping = mapped(tmp_path, MAPPING.replace("Asia/Ho_Chi_Minh", "America/New_York"))
    assert read(mapping, day="02/11/2025 01:30")[0].time == datetime(2025, 11, 2, 5, 30, tzinfo=UTC)
    with pytest.raises(RefusalError, match="clocks of America/New_York skipped it"):
        read(mapping, day="09/03/2025 02:30")


@pytest.mark.parametrize("said", ['constant = "{}"', 'column = "done", default = "{}"'])
@pytest.mark.parametrize("text", ["02/11/2026 09:15", "2026-11-02T09:15", "2026-11-02T02:15Z"])
def test_a_time_that_the_mapping_itself_says_is_read_as_one_of_a_column(
    tmp_path: Path, said: str, text: str
) -> None:
    field = f'{{ {said.format(text)}, as = "time" }}'
    step = MAPPING.replace('time = "day"', f"time = {field}")
    (event,) = read(mapped(tmp_path, step))
    assert (event.time, event.data.precision) == (
        datetime(2026, 11, 2, 2, 15, tzinfo=UTC),
        ["reported_at:minute", "time:minute"],
    )
    (event,) = read(mapped(tmp_path, step.replace('{ column = "day", as = "time" }', field)))
    assert (event.data.reported_at, event.data.precision) == (
        event.time,
        ["reported_at:minute", "time:minute"],
    )


@pytest.mark.parametrize(
    "said", ['constant = "31/02/2026"', 'column = "done", default = "31/02/2026"']
)
def test_a_time_that_the_mapping_says_wrongly_is_told_as_its_own(tmp_path: Path, said: str) -> None:
    with pytest.raises(
        RefusalError, match="the mapping's own value '31/02/2026' is not a time"
    ) as refused:
        read(mapped(tmp_path, MAPPING.replace('time = "day"', f"time = {{ {said} }}")))
    assert refused.value.category is RefusalCategory.IMPOSSIBLE_DATE


def test_without_formats_times_are_iso_8601(tmp_path: Path) -> None:
    mapping = mapped(tmp_path, MAPPING.replace('times = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]', ""))
    assert (
        read(mapping, day="2026-11-01T08:30")[0].time
        == read(mapping, day="2026-11-01T03:30+02:00")[0].time
    )


def test_a_row_for_which_no_step_applies_is_refused(tmp_path: Path) -> None:
    mapping = mapped(
        tmp_path,
        MAPPING.replace(
            'id = "{number}/received"',
            'when = [{ column = "state", in = ["mới"] }]\nid = "{number}"',
        ),
    )
    with pytest.raises(RefusalError, match="No step"):
        read(mapping)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "feedback"', 'kind = "parking"', "kind 'parking' is not known"),
        ("report_id", "report_number", "has no field 'report_number'"),
        ("constant = ", "constante = ", "constante"),
        ('column = "number"', 'needs = ["number"]', "exactly one of column, template and constant"),
        ("Asia/Ho_Chi_Minh", "Asia/Hue", "time zone 'Asia/Hue' is not known"),
        ("[[step]]", "[[steps]]", "step"),
        ("[fields]", "[fields", "cannot be read"),
    ],
)
def test_a_mapping_that_cannot_work_is_told_before_any_row(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(MappingError, match=told.replace("[", r"\[")):
        mapped(tmp_path, MAPPING.replace(old, new))


def test_the_mappings_that_come_along_are_valid() -> None:
    assert "nyc311" in names()
    for name in names():
        load(name)
    with pytest.raises(MappingError, match="nyc311"):
        load("nothing")


def test_the_same_row_always_gives_the_same_bytes(mapping: Mapping) -> None:
    def once() -> list[Any]:
        return [
            event.record
            for event in row_events(
                ROW | {"done": "02/11/2026", "state": "xong"}, mapping, Reader()
            )
        ]

    assert once() == once()


@pytest.mark.skipif(not REQUESTS.exists(), reason=f"{REQUESTS.name} is not beside the repository")
def test_the_outlines_of_new_york_hold_the_points_of_their_boroughs_and_do_not_overlap() -> None:
    collection = json.loads((Path(nyc_boroughs.__file__).with_suffix(".geojson")).read_text())
    outlines = {
        feature["properties"]["code"]: shapely.geometry.shape(feature["geometry"])
        for feature in collection["features"]
    }
    assert all(one.is_valid for one in outlines.values())
    assert sum(one.area for one in outlines.values()) == pytest.approx(
        shapely.union_all([*outlines.values()]).area, rel=1e-3
    )
    inside: list[bool] = []
    with REQUESTS.open("rb") as file:
        for taken in convert_file(file, load("nyc311"), Reader(), SEALER):
            data = taken.events[0].read.data
            if data.lat is not None and data.commune:
                inside.append(outlines[data.commune].contains(shapely.Point(data.lon, data.lat)))
    assert len(inside) > 4_900
    assert sum(inside) / len(inside) > 0.998
