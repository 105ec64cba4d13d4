"""What a record is about, and all that was said of it; a reporter's identity is only ever said to be sealed."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from dash import html

from dashboard.components.parts import Part, labelled, listed
from dashboard.components.unit_refs import commune_name, unit_link
from dashboard.i18n.speech import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from schemas.events.codes import (
    Applicant,
    Channel,
    Digitisation,
    DocumentAction,
    Priority,
    Reuse,
    ServiceLevel,
    Urgency,
    Worded,
)
from schemas.events.kinds import FEEDBACK, Kind
from schemas.reference import category_words, indicator, procedure_words

Row = Mapping[str, Any]
CODES: dict[str, type[Enum]] = {
    "channel": Channel,
    "service_level": ServiceLevel,
    "applicant": Applicant,
    "digitisation": Digitisation,
    "reuse": Reuse,
    "urgency": Urgency,
    "priority": Priority,
    "action": DocumentAction,
}
UNITS = ("agency", "commune", "from_organ", "to_organ", "unit")
MANY_UNITS = ("invited", "connected")
LEFT_OUT = (
    "event_id",
    "entity_id",
    "occurred_at",
    "received_at",
    "partition",
    "offset",
    "status",
    "state",
    "sealed",
    "lat",
    "lon",
    "precision",
)
"""Fields that are told elsewhere on the page, or only among the raw events."""


def facts(kind: Kind, row: Row, place: ProvinceContext, asked: PageRequest) -> html.Dl:
    """The fields of a record in the order of the vocabulary; those that say nothing are left out."""
    speech = asked.speech
    said: list[Part] = []
    for name, value in row.items():
        if name in LEFT_OUT or value in (None, "", []):
            continue
        told = (
            _moment(name, value, row, speech)
            if isinstance(value, datetime)
            else _told(name, value, place, asked)
        )
        said += [html.Dt(speech(f"field_{name}")), html.Dd(told)]
    if row.get("lat") is not None:
        said += [html.Dt(speech("field_point")), html.Dd(f"{row['lat']:.5f}, {row['lon']:.5f}")]
    if kind is FEEDBACK:
        seal: list[Part] = [html.I(className="shape hatch"), " "] if row["sealed"] else []
        words = speech("reporter_sealed" if row["sealed"] else "reporter_none")
        said += [html.Dt(speech("field_reporter")), html.Dd([*seal, words])]
    return html.Dl(said, className="facts-of")


def _told(name: str, value: Any, place: ProvinceContext, asked: PageRequest) -> Part:
    speech = asked.speech
    if name == "commune":
        return unit_link(asked, place, value, commune_name(value, place, speech))
    if name in UNITS:
        return unit_link(asked, place, value)
    if name in MANY_UNITS:
        return listed(unit_link(asked, place, code) for code in dict.fromkeys(value) if code)
    if name == "procedure":
        return [procedure_words(value, asked.spoken), html.Small(f" {value}")]
    if name == "category":
        return category_words(value, asked.spoken)
    if name == "indicator":
        found = indicator(value)
        return found.words(asked.spoken) if found else value
    if name == "fee":
        return speech("dong", n=speech.number(value))
    if name in ("satisfaction", "rating"):
        return speech("stars", n=value)
    if name in CODES:
        return code_words(CODES[name], value, asked.spoken)
    if isinstance(value, bool):
        return speech("yes" if value else "no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return _number(value, speech) if isinstance(value, float) else str(value)


def to_the_day(name: str, row: Row) -> bool:
    """Return whether a moment of an event, `time` for its own, is known to the day only."""
    return f"{name}:day" in (row.get("precision") or ())


def _moment(name: str, value: datetime, row: Row, speech: Translator) -> str:
    is_day = to_the_day(name, row)
    return (
        speech("end_of_day", day=speech.day(value.astimezone(HERE)))
        if is_day and name == "due_at"
        else speech.known(value, to_the_day=is_day)
    )


def code_words(code: type[Enum], value: Any, language: str) -> str:
    """The words of a code of a list; the value itself where the list does not have it."""
    try:
        found = code(value)
    except ValueError:
        return str(value)
    return found.words(language) if isinstance(found, Worded) else str(value)


def _number(value: float, speech: Translator) -> str:
    return speech.number(value, 0 if value == round(value) else 2)


def raw(kind: Kind, events: list[Row], asked: PageRequest) -> html.Details:
    """All events as they were sent, on demand: field and value as in their JSON."""
    speech = asked.speech
    shown = []
    for event in events:
        fields = {name: _plain(value) for name, value in event.items() if name != "sealed"}
        if kind is FEEDBACK:
            fields["reporter"] = speech("reporter_sealed") if event["sealed"] else ""
        title = " · ".join(
            (
                speech.known(event["occurred_at"], to_the_day=to_the_day("time", event)),
                event["event_id"],
            )
        )
        shown.append(
            html.Li(
                [
                    html.H3(title),
                    html.Pre(
                        "\n".join(f'"{name}": {value}' for name, value in fields.items()),
                        tabIndex=0,
                        **labelled(title),
                    ),
                ]
            )
        )
    return html.Details(
        [html.Summary(speech("raw_events", n=speech.number(len(events)))), html.Ol(shown)],
        className="raw",
        id="raw",
    )


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return f'"{value.isoformat(timespec="milliseconds")}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value) if isinstance(value, int | float) else f'"{value}"'
