"""Facts and raw events of a record; a reporter's identity is shown only as encrypted."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from dash import html

from dashboard.components.kind_screens import LEFT_OUT
from dashboard.components.parts import Part, labelled, listed
from dashboard.components.unit_refs import commune_name, unit_link
from dashboard.i18n.translator import Translator
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.store import HERE
from dashboard.request.address import PageRequest
from schemas.events.codes import (
    Applicant,
    Channel,
    Digitisation,
    DocumentAction,
    Labelled,
    Priority,
    Reuse,
    ServiceLevel,
    Urgency,
)
from schemas.events.kinds import FEEDBACK, Kind
from schemas.reference import category_label, indicator, procedure_label

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


def facts(kind: Kind, row: Row, place: ProvinceContext, request: PageRequest) -> html.Dl:
    """List the fields of a record in the order of the vocabulary, without empty ones."""
    translator = request.translator
    parts: list[Part] = []
    for name, value in row.items():
        if name in LEFT_OUT or value in (None, "", []):
            continue
        content = (
            _moment(name, value, row, translator)
            if isinstance(value, datetime)
            else _content(name, value, place, request)
        )
        parts += [html.Dt(translator(f"field_{name}")), html.Dd(content)]
    if row.get("lat") is not None:
        parts += [
            html.Dt(translator("field_point")),
            html.Dd(f"{row['lat']:.5f}, {row['lon']:.5f}"),
        ]
    if kind is FEEDBACK:
        seal: list[Part] = [html.I(className="shape hatch"), " "] if row["sealed"] else []
        words = translator("reporter_sealed" if row["sealed"] else "reporter_none")
        parts += [html.Dt(translator("field_reporter")), html.Dd([*seal, words])]
    return html.Dl(parts, className="facts-of")


def _content(name: str, value: Any, place: ProvinceContext, request: PageRequest) -> Part:
    translator = request.translator
    if name == "commune":
        return unit_link(request, place, value, commune_name(value, place, translator))
    if name in UNITS:
        return unit_link(request, place, value)
    if name in MANY_UNITS:
        return listed(unit_link(request, place, code) for code in dict.fromkeys(value) if code)
    if name == "procedure":
        return [procedure_label(value, request.language), html.Small(f" {value}")]
    if name == "category":
        return category_label(value, request.language)
    if name == "indicator":
        found = indicator(value)
        return found.label(request.language) if found else value
    if name == "fee":
        return translator("dong", n=translator.number(value))
    if name in ("satisfaction", "rating"):
        return translator("stars", n=value)
    if name in CODES:
        return code_label(CODES[name], value, request.language)
    if isinstance(value, bool):
        return translator("yes" if value else "no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return _number(value, translator) if isinstance(value, float) else str(value)


def to_the_day(name: str, row: Row) -> bool:
    """Tell whether a moment of an event (`time`: its own) is known to the day only."""
    return f"{name}:day" in (row.get("precision") or ())


def _moment(name: str, value: datetime, row: Row, translator: Translator) -> str:
    is_day = to_the_day(name, row)
    return (
        translator("end_of_day", day=translator.day(value.astimezone(HERE)))
        if is_day and name == "due_at"
        else translator.known(value, to_the_day=is_day)
    )


def code_label(code: type[Enum], value: Any, language: str) -> str:
    """Return the label of a listed code; the value itself if the list does not have it."""
    try:
        found = code(value)
    except ValueError:
        return str(value)
    return found.label(language) if isinstance(found, Labelled) else str(value)


def _number(value: float, translator: Translator) -> str:
    return translator.number(value, 0 if value == round(value) else 2)


def raw(kind: Kind, events: list[Row], request: PageRequest) -> html.Details:
    """Show all events as they were sent, on demand: fields and values as in their JSON."""
    translator = request.translator
    shown = []
    for event in events:
        fields = {name: _plain(value) for name, value in event.items() if name != "sealed"}
        if kind is FEEDBACK:
            fields["reporter"] = translator("reporter_sealed") if event["sealed"] else ""
        title = " · ".join(
            (
                translator.known(event["occurred_at"], to_the_day=to_the_day("time", event)),
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
        [html.Summary(translator("raw_events", n=translator.number(len(events)))), html.Ol(shown)],
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
