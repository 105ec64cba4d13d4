"""A declaration is whole or it does not import.

Half ones of each kind, and what the error names.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.kind_screens import SCREENS, KindScreens, check_screens
from dashboard.components.list_fields import FIELDS, MAIN, ListField, check_lists
from dashboard.i18n.catalogue import catalogue
from dashboard.i18n.translator import Translator
from dashboard.pages.map import layers
from dashboard.pages.map.layer import MapLayer
from dashboard.pages.map.layers import LAYERS
from dashboard.pages.map.view import MapView
from dashboard.query.alarm_causes import ALARM_CAUSES, AlarmCause, cause_of, check_causes
from dashboard.query.alarm_groups import StoredAlarm
from dashboard.query.clock import At
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.declared import IncompleteDeclarationError, same
from schemas.events.kinds import FILING
from schemas.figures import FIGURES
from schemas.figures.definition import check_figures
from schemas.reference import alarm_rules
from schemas.settings import Settings
from streams.watch import alarm_store, jobs
from streams.watch.jobs import JOBS, Task, alarm_jobs, check_rules
from streams.watch.questions import MEASURES, AlarmMeasure, report_bursts

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
LANGUAGES = ("vi", "en")


def without_texts(keys: set[str]) -> list[tuple[str, str]]:
    """Return the declared keys that a language has no text for."""
    return [(key, name) for name in LANGUAGES for key in sorted(keys) if key not in catalogue(name)]


def test_names_that_only_one_side_has_are_named() -> None:
    same("layers", ["a", "b"], ["b", "a"], "layer")
    with pytest.raises(IncompleteDeclarationError) as error:
        same("layers", ["a", "x"], ["a", "y"], "layer")
    assert error.value.missing == (
        "no declaration of the layer y",
        "nothing has the declared layer x",
    )


# --- alarm measures and the jobs that ask them

MEASURE: dict[str, Any] = {
    "code": "feedback.new",
    "question": report_bursts,
    "job": "reports",
}


@pytest.mark.parametrize("part", MEASURE)
def test_an_alarm_measure_lacks_no_part(part: str) -> None:
    with pytest.raises(TypeError, match=part):
        AlarmMeasure(**{name: value for name, value in MEASURE.items() if name != part})


@pytest.mark.parametrize("part", ["code", "job"])
def test_an_alarm_measure_has_no_empty_part(part: str) -> None:
    with pytest.raises(IncompleteDeclarationError, match=part):
        AlarmMeasure(**{**MEASURE, part: type(MEASURE[part])()})


def test_every_measure_is_asked_by_the_job_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def hear(code: str) -> Any:
        def question(look: Any, rule: Any) -> list[Any]:
            asked.append(code)
            return []

        return question

    monkeypatch.setattr(jobs, "QUESTIONS", {one.code: hear(one.code) for one in MEASURES})
    monkeypatch.setattr(alarm_store, "read", lambda store, at: [])
    monkeypatch.setattr(alarm_store, "write", lambda store, alarms: None)
    for job in alarm_jobs(MEASURES):
        asked.clear()
        job.run(Task(Settings(), None, NOW))  # type: ignore[arg-type]
        assert set(asked) == {one.code for one in MEASURES if one.job == job.name}
    assert {one.job for one in MEASURES} <= {job.name for job in JOBS}


def test_a_rule_that_measures_nothing_and_a_measure_without_a_rule_are_named() -> None:
    rules = list(alarm_rules())
    check_rules(rules, MEASURES)
    with pytest.raises(IncompleteDeclarationError, match=r"feedback\.burst for the rule burst"):
        check_rules(rules, [one for one in MEASURES if one.code != "feedback.burst"])
    with pytest.raises(IncompleteDeclarationError, match=r"no rule for the measure feedback\.new"):
        check_rules(rules, [*MEASURES, AlarmMeasure(**MEASURE)])
    lost = msgspec.structs.replace(rules[-1], measure="filing.lost")
    with pytest.raises(IncompleteDeclarationError, match=r"filing\.lost"):
        check_rules([*rules, lost], MEASURES)


# --- causes of alarms


@pytest.mark.parametrize("part", ["code", "one", "many", "scene"])
def test_a_cause_has_no_empty_part(part: str) -> None:
    changes: dict[str, Any] = {part: ""}
    with pytest.raises(IncompleteDeclarationError, match=part):
        replace(ALARM_CAUSES[0], **changes)


def test_a_cause_lacks_no_part() -> None:
    with pytest.raises(TypeError, match="'subject' and 'scene'"):
        AlarmCause(code="new", one="new", many="new")  # type: ignore[call-arg]


def test_the_causes_are_those_of_the_rules() -> None:
    check_causes()
    with pytest.raises(IncompleteDeclarationError, match=ALARM_CAUSES[0].code):
        check_causes(ALARM_CAUSES[1:])


def test_every_cause_has_its_sentences_in_both_languages() -> None:
    assert not without_texts({key for one in ALARM_CAUSES for key in one.keys})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", [*(one.code for one in ALARM_CAUSES), "of-the-past"])
def test_every_cause_is_told_of_one_unit_and_of_many(cause: str, language: Any) -> None:
    place, translator = ProvinceContext("46"), Translator(language)
    subject = "filing" if cause_of(cause).subject.startswith("feed") else "x"
    for units in ((), ("19753",), ("19753", "19774", "19786")):
        alarm = StoredAlarm(cause, 2, NOW, units, subject, 3, merged_count=max(1, len(units)))
        assert sentence(alarm, translator).strip() and where(alarm, place, translator).strip()


# --- layers of the map

LAYER: dict[str, Any] = {
    "name": "schools",
    "title": "map_schools",
    "usual": False,
    "count": lambda context, view: 7,
    "legend": lambda context, request, view: ["a school"],
    "data": lambda context, request, view: {"schools": [{"at": (16.4, 107.5), "n": 7}]},
}


@pytest.mark.parametrize("part", LAYER)
def test_a_layer_lacks_no_part(part: str) -> None:
    with pytest.raises(TypeError, match=part):
        MapLayer(**{name: value for name, value in LAYER.items() if name != part})


@pytest.mark.parametrize("part", ["name", "title"])
def test_a_layer_has_no_empty_part(part: str) -> None:
    with pytest.raises(IncompleteDeclarationError, match=part):
        MapLayer(**{**LAYER, part: ""})


def test_every_layer_has_a_title_in_both_languages() -> None:
    assert not without_texts({one.title for one in LAYERS})


def test_a_further_layer_counts_and_tells_what_it_is_of_and_not_alarms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = MapLayer(**{**LAYER, "title": "map_sources"})
    monkeypatch.setattr(layers, "LAYERS", (layer,))
    context = PageContext(
        Connection("clickhouse://127.0.0.1:1/none"), At(NOW), ProvinceContext("46")
    )
    request = PageRequest("/map", (("layers", "schools"),), "en")
    view = MapView.of(request, context.place, NOW)
    side = str(layers.section(context, request, view))
    assert "layer-schools" in side and "'7'" in side and "a school" in side
    assert layer.data(context, request, view)["schools"]


# --- the screens of a kind, fields of lists, figures


def test_every_kind_with_a_history_has_its_screens() -> None:
    with pytest.raises(IncompleteDeclarationError, match="no declaration of the kind filing"):
        check_screens([one for one in SCREENS if one.kind is not FILING])


@pytest.mark.parametrize("part", ["title", "hint", "map_figures"])
def test_the_screens_of_a_kind_have_no_empty_part(part: str) -> None:
    changes: dict[str, Any] = {part: type(getattr(SCREENS[0], part))()}
    with pytest.raises(IncompleteDeclarationError, match=part):
        replace(SCREENS[0], **changes)


def test_the_screens_of_a_kind_name_only_what_there_is() -> None:
    with pytest.raises(IncompleteDeclarationError, match=r"a figure of the code a\.b"):
        replace(SCREENS[0], map_figures=("a.b",))


@pytest.mark.parametrize(
    ("fields", "main", "missing"),
    [
        (dict(list(FIELDS.items())[1:]), MAIN, "no declaration of the kind filing"),
        (FIELDS, dict(list(MAIN.items())[1:]), "no declaration of the kind filing"),
        ({**FIELDS, FILING: ()}, MAIN, "list of filing is declared incompletely: fields"),
        (FIELDS, {**MAIN, FILING: ()}, "main, the filters in its bar"),
        (FIELDS, {**MAIN, FILING: ("status", "lost")}, "a field of the choice lost"),
    ],
)
def test_a_list_that_lacks_fields_or_filters_is_named(fields: Any, main: Any, missing: str) -> None:
    with pytest.raises(IncompleteDeclarationError, match=missing):
        check_lists(fields, main)


@pytest.mark.parametrize("screens", SCREENS, ids=lambda one: one.kind.name)
def test_every_word_of_the_screens_of_a_kind_is_there_in_both_languages(
    screens: KindScreens,
) -> None:
    assert not without_texts(set(screens.keys))


def test_a_word_that_is_missing_is_named() -> None:
    screens = replace(SCREENS[0], title="list_lost")
    assert without_texts(set(screens.keys)) == [("list_lost", "vi"), ("list_lost", "en")]


@pytest.mark.parametrize("part", ["name", "words"])
def test_a_field_of_a_list_has_its_name_and_its_words(part: str) -> None:
    given: dict[str, Any] = {"name": "fee", "words": "field_fee", "look": "number", part: ""}
    with pytest.raises(IncompleteDeclarationError, match=part):
        ListField(**given)
    with pytest.raises(TypeError, match="look"):
        ListField(name="fee", words="field_fee")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"code": "feedback.x"}, "a code that begins with filing"),
        ({"part": ()}, "part"),
        ({"whole": FIGURES[0].part}, "either whole or another unit"),
    ],
)
def test_a_figure_is_whole(changes: dict[str, Any], missing: str) -> None:
    with pytest.raises(IncompleteDeclarationError, match=missing):
        replace(FIGURES[0], **changes)


@pytest.mark.parametrize("part", ["vi", "en", "sentence"])
def test_a_figure_without_its_texts_is_named(part: str) -> None:
    changes: dict[str, Any] = {part: " "}
    with pytest.raises(IncompleteDeclarationError, match=f"{part} of {FIGURES[0].code}"):
        check_figures([replace(FIGURES[0], **changes), *FIGURES[1:]])
