"""What a wall shows of a snapshot.

Honest figures, Vietnamese numbers, greys for the normal and calls for the rest.
"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder  # type: ignore[import-untyped]

from dashboard.components import outlines as map
from dashboard.components.alarm_texts import sentence, where
from dashboard.i18n.translator import Language, Translator
from dashboard.pages.wall import sources
from dashboard.pages.wall.figures import figures
from dashboard.pages.wall.frame import Painter
from dashboard.query.alarm_groups import StoredAlarm, Watched
from dashboard.query.clock import Picture, Replay
from dashboard.query.progress import Lag, Pace
from dashboard.query.snapshot import ProvinceContext, Snapshot
from dashboard.request.view import WallView
from schemas.figures import Reading, Readings
from schemas.moments import milliseconds
from schemas.reference import agencies, alarm_rules
from schemas.sources.freshness import Source, SourceState

NOW = datetime(2026, 11, 17, 7, 5, tzinfo=UTC)
PLACE = ProvinceContext("46")
ONE, TWO = list(PLACE.names)[:2]


def share(part: float, whole: float) -> Reading:
    return Reading(100 * part / whole if whole else None, part, whole)


def commune(overdue: int = 0, filings: int = 0, opened: int = 0) -> Readings:
    return {
        "filing.overdue": Reading(overdue),
        "filing.registered": Reading(filings),
        "filing.on_time": share(0, 0),
        "feedback.open": Reading(opened),
    }


def snapshot(communes: dict[str, Readings] | None = None, now: Readings | None = None) -> Snapshot:
    counted = {"filing.registered": Reading(1284), "filing.wholly_online": share(900, 1284)}
    return Snapshot(
        at=NOW,
        compare_day=NOW - timedelta(days=1),
        now=now
        or {
            "feedback.satisfied": share(95, 100),
            "feedback.on_time": share(48, 50),
            "document.waiting": Reading(3),
        },
        day_ago={"document.waiting": Reading(3)},
        today=counted,
        same_time={"filing.registered": Reading(1211)},
        communes=communes or {ONE: commune()},
        communes_today={ONE: {"filing.registered": Reading(7)}},
        waiting_since=NOW,
        points=pd.DataFrame({"lat": [16.4], "lon": [107.6], "category": ["water"]}),
        sources=(Source("H57.1", "filing", SourceState.LIVE, NOW, ONE),),
        alarms=(),
    )


def figure(key: str, shown: Snapshot, language: Language = "vi") -> Any:
    return next(
        one for one in figures(shown, PLACE, WallView(language).translator) if one.key == key
    )


def test_the_honest_rate_counts_what_is_open_and_overdue() -> None:
    shown = snapshot(now={"filing.on_time": share(88, 100), "filing.on_time_naive": share(88, 90)})
    rate = figure("on_time", shown)
    assert rate.value == "88,0%"
    assert "97,8%" in rate.detail
    assert rate.call == 2 and "dưới mục tiêu 98%" in rate.target


def test_numbers_are_written_as_each_language_reads_them() -> None:
    assert figure("filings", snapshot()).value == "1.284"
    assert figure("filings", snapshot(), "en").value == "1,284"
    assert Translator("vi").number(-1234.5, 1) == "\N{MINUS SIGN}1.234,5"


def test_there_are_at_most_seven_figures_and_each_says_how_old_it_is() -> None:
    found = figures(snapshot(), PLACE, Translator("vi"))
    assert len(found) <= 7
    assert figure("overdue", snapshot()).at == NOW
    assert figure("feedback", snapshot()).at is None, (
        "nothing was ever heard of feedback: there is no age to invent"
    )


def test_with_nothing_closed_there_is_no_rate() -> None:
    assert figure("on_time", snapshot()).value == "–"


def test_a_commune_that_only_some_kinds_tell_of_can_be_drawn_too() -> None:
    shown = snapshot({ONE: commune(overdue=3, filings=100), "19660": {"feedback.open": Reading(4)}})
    assert map.values(shown, "overdue_rate") == {ONE: 30.0}
    assert map.values(shown, "feedback")["19660"] == 4


def test_the_gravest_alarm_colours_a_commune_and_silence_only_hatches_it() -> None:
    silent = Source("H57.1", "filing", SourceState.SILENT, NOW - timedelta(hours=5), TWO)
    shown = replace(
        snapshot(),
        sources=(silent,),
        alarms=(
            StoredAlarm("pile", 1, NOW, (ONE,)),
            StoredAlarm("burst", 2, NOW, (ONE,)),
            StoredAlarm("silent", 3, NOW, (TWO,), "filing"),
        ),
    )
    assert map.hideout(shown, "overdue_rate") == {"step": {}, "call": {ONE: 1}, "unknown": [TWO]}
    marks = [(one["properties"]["name"], one["properties"]["mark"]) for one in _labels(shown)]
    assert marks == [(PLACE.names[ONE], "p1"), (PLACE.names[TWO], "hatch")]


def _labels(shown: Snapshot) -> list[Any]:
    found: list[Any] = map.labels(shown, PLACE, map.centres(PLACE))["features"]
    return found


@pytest.mark.parametrize(
    ("overdue", "step"), [(0, 0), (1, 0), (2, 1), (5, 2), (10, 3), (20, 4), (900, 4)]
)
def test_a_shade_means_the_same_at_any_time(overdue: int, step: int) -> None:
    shown = snapshot({ONE: commune(filings=1000, overdue=overdue)})
    assert map.steps(shown, "overdue_rate") == {ONE: step}


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("measure", list(map.BREAKS))
def test_every_view_can_be_drawn_and_sent(language: Any, measure: Any) -> None:
    causes = sorted({one.cause for one in alarm_rules()})
    called = tuple(
        StoredAlarm(cause, 2, NOW, (ONE, TWO)[:many], "filing", 3)
        for cause in causes
        for many in (1, 2)
    )
    frame = Painter(PLACE).frame(replace(snapshot(), alarms=called), WallView(language, measure))
    assert all(json.dumps(value, cls=PlotlyJSONEncoder) for value in frame.values())


def test_a_stalled_partition_is_said_and_one_that_catches_up_is_counted_with_its_feed() -> None:
    still = [
        Lag("filing", number, Pace.STALLED, 617, NOW - timedelta(minutes=number))
        for number in (1, 3)
    ]
    shown = replace(
        snapshot(),
        lags=(*still, Lag("document", 0, Pace.UNOWNED), Lag("filing", 2, Pace.BEHIND, 100, NOW)),
    )
    said = sources.incomplete(shown, Translator("vi"))
    assert said is not None and said["since"] == milliseconds(NOW - timedelta(minutes=3))
    assert (
        said["reason"] == "Văn bản: phân vùng 0 không có bộ xử lý; "
        "Hồ sơ: phân vùng 1, 3 đứng yên, 1.234 bản ghi chờ"
    )
    strip = json.dumps(sources.strip(shown, PLACE.names, Translator("en")), cls=PlotlyJSONEncoder)
    assert "1/1, 1,334 wait" in strip
    assert sources.incomplete(replace(shown, lags=shown.lags[3:]), Translator("vi")) is None, (
        "it moves: the strip says enough"
    )


def test_a_source_whose_clock_is_ahead_is_named_in_the_strip_and_in_the_alarms() -> None:
    wrong = Source(
        "H57.1",
        "filing",
        SourceState.LIVE,
        NOW,
        ONE,
        timedelta(hours=2, minutes=5),
        NOW - timedelta(minutes=20),
    )
    called = StoredAlarm(
        "ahead", 3, NOW, (ONE,), "filing", agencies=("H57.1",), span=wrong.ahead, rule="ahead"
    )
    shown = replace(snapshot(), sources=(wrong,), alarms=(called,))
    frame = Painter(PLACE).frame(shown, WallView("vi"))
    assert f"đồng hồ nhanh 2 giờ 5 phút: {PLACE.names[ONE]}" in _text(frame["source-0", "children"])
    assert "Hồ sơ: đồng hồ nguồn nhanh 2 giờ 5 phút" in _text(frame["alarms", "children"])


BLIND = Watched(False, NOW - timedelta(minutes=2))


@pytest.mark.parametrize(
    "called", [(), (StoredAlarm("burst", 1, NOW, (ONE,), "water", 20, rule="burst"),)]
)
def test_while_nobody_watches_no_alarm_and_no_calm_is_shown_as_if_it_were_of_now(
    called: tuple[StoredAlarm, ...],
) -> None:
    shown = replace(snapshot(), alarms=called, watched=BLIND)
    frame = Painter(PLACE).frame(shown, WallView("vi"))
    said = _text(frame["alarms", "children"])
    assert "Không ai theo dõi từ 14:03" in said and "Không có cảnh báo" not in said
    assert (
        "shape p1" not in said
        and "alarm p1" not in said
        and said.count("shape hatch") == 1 + len(called)
    )
    assert frame["alarms-title", "children"] == "Cảnh báo (?)"
    assert frame["map-communes", "hideout"]["call"] == {} and shown.calls == ()
    beat = sources.incomplete(shown, Translator("vi"))
    assert beat is not None and (beat["title"], beat["since"]) == (
        "unwatched",
        milliseconds(NOW - timedelta(minutes=2)),
    )
    never = sources.incomplete(replace(shown, watched=Watched(False)), Translator("en"))
    assert (
        never is not None
        and never["title"] == "never_watched"
        and "python -m streams watch" in never["reason"]
    )
    assert sources.incomplete(replace(shown, watched=Watched()), Translator("vi")) is None


def test_an_alarm_is_told_in_one_sentence_with_its_place_and_measure() -> None:
    cluster = StoredAlarm(
        "burst", 2, NOW, (ONE, TWO), "water", 18, rule="cluster", radius=183.0, lat=16.46, lon=107.6
    )
    low = StoredAlarm(
        "figure", 3, NOW, (ONE,), "filing.on_time", 78, rule="filing_on_time", value=78.4
    )
    refused = StoredAlarm(
        "refused", 3, NOW, agencies=("H57.IOC",), subject="wrong-value", count=60, rule="refused"
    )
    said = {one.cause: sentence(one, Translator("vi")) for one in (cluster, low, refused)}
    assert said["burst"].endswith("/ 40 phút, bán kính 180 m") and "18 phản ánh" in said["burst"]
    assert said["figure"] == "Tỷ lệ hồ sơ đúng hạn thấp (%): 78,4"
    assert said["refused"] == "60 bản ghi bị từ chối / 60 phút: wrong-value"
    assert where(replace(low, communes=()), PLACE, Translator("en")) == Translator("en")(
        "whole_province"
    )


def test_a_source_whose_input_is_refused_is_told_from_a_silent_one() -> None:
    wrong = Source(
        "H57.1", "filing", SourceState.MALFORMED, NOW - timedelta(hours=3), ONE, refused_at=NOW
    )
    shown = replace(snapshot(), sources=(wrong,))
    strip = _text(sources.strip(shown, PLACE.names, Translator("vi")))
    assert f"{PLACE.names[ONE]} gửi sai, bị từ chối" in strip and "source malformed" in strip
    assert figure("sources", shown).target == "1 bị từ chối" and shown.unknown("filing") == {ONE}


def _text(components: Any) -> str:
    return json.dumps(json.loads(json.dumps(components, cls=PlotlyJSONEncoder)), ensure_ascii=False)


def test_a_place_without_outlines_is_fitted_to_its_centres() -> None:
    assert map.outlines(ProvinceContext("nowhere"))["features"] == []
    assert map.bounds({"a": (40.5, -74.2), "b": (40.9, -73.7)}, {"features": []}) == [
        [40.5, -74.2],
        [40.9, -73.7],
    ]


def test_a_place_that_is_not_known_still_has_a_wall() -> None:
    nowhere = ProvinceContext("nowhere")
    frame = Painter(nowhere).frame(snapshot(), WallView("vi"))
    assert len(frame["map-dots", "data"]) == 2
    assert (nowhere.full_name("vi"), nowhere.names, nowhere.agencies) == ("nowhere", {}, ())


def test_a_moment_of_the_past_has_the_targets_the_agencies_and_the_calendar_of_its_day() -> None:
    def then(text: str, picture: Picture = Picture.KNOWN) -> ProvinceContext:
        return PLACE.then(Replay(datetime.fromisoformat(f"{text}T09:00+07:00"), picture))

    aims = [
        one.target("filing.wholly_online")
        for one in (then("2022-12-31"), then("2023-01-01"), PLACE)
    ]
    assert aims == [None, 80, 80]
    assert {one.code for one in then("2025-06-30").agencies} == {
        one.code for one in agencies("46", date(2025, 6, 30))
    }
    assert {one.code for one in then("2025-07-01").agencies} == {one.code for one in PLACE.agencies}
    swapped = date(2026, 1, 2)  # announced on 2025-12-20
    assert then("2025-12-19").calendar.is_working_day(swapped) and not then(
        "2025-12-20"
    ).calendar.is_working_day(swapped)
    assert not then("2025-12-19", Picture.CORRECTED).calendar.is_working_day(swapped)
