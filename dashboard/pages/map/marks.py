"""Marks of the map as data for its script: position, size and text of each."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.outlines import Bounds, outlines_address
from dashboard.components.parts import value
from dashboard.components.source_states import state_word
from dashboard.components.unit_refs import name
from dashboard.i18n.catalogue import catalogue
from dashboard.i18n.translator import Language
from dashboard.pages.map import layer_data
from dashboard.pages.map.layer import MapLayer
from dashboard.pages.map.layer_data import Amount, Calls, Edge, Feeds, Meetings, MeetingSite
from dashboard.pages.map.spots import Spot, Spots, spots
from dashboard.pages.map.view import MapView
from dashboard.query.clock import Replay
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from schemas.events.kinds import FEEDBACK
from schemas.figures import BY_CODE
from schemas.reference import category_label

MAX_LINES = 6
"""Most lines in the text of a mark."""
FILTERS = ("category", "state", "window", "from", "to", "unit", "box", "run")
"""Parameters that decide which reports the map shows."""
Mark = dict[str, Any]


def map_data(
    context: PageContext, request: PageRequest, view: MapView, layers: Sequence[MapLayer]
) -> dict[str, Any]:
    """Return all that the map shows except the reports, which are requested by view.

    `layers` are those that are on.
    """
    place = spots(context.place)
    found: dict[str, Any] = {
        "layers": [one.name for one in layers],
        "style": view.style,
        "query": urlencode(
            [(key, request.get(key)) for key in FILTERS if request.get(key)] + _moment(context)
        ),
        "chosen": {
            "communes": list(view.inside(place) if view.box else view.communes),
            "agency": _at(place, view.agency),
            "box": view.box,
            "record": _record(context, view, place),
            "any": view.chosen,
        },
        "categories": {
            code: category_label(code, request.language)
            for code in layer_data.categories(context, view, view.scope(context.place, place))
        },
        "names": {code: context.place.names.get(code, code) for code in place.communes},
        "spots": place.communes,
        "bounds": _bounds(context, place),
        "outlined": place.outlined,
        "outlines": outlines_address(context.place),
    }
    for layer in layers:
        found |= layer.data(context, request, view)
    return found


def _moment(context: PageContext) -> list[tuple[str, str]]:
    """Return the past moment shown, as parameters for the script; none for the present.

    The address of a followed run does not hold it.
    """
    if not isinstance(context.clock, Replay):
        return []
    return [
        ("moment", format_moment(context.clock.at, "milliseconds")),
        ("picture", context.clock.picture),
    ]


def title(context: PageContext, request: PageRequest, code: str) -> str:
    """Return the name of a spot: a commune's name; the seat stands for the provincial level."""
    return (
        request.translator("map_seat")
        if code == context.place.code
        else name(code, context.place, request.translator)
    )


def _bounds(context: PageContext, place: Spots) -> Bounds:
    """Return the bounds of the province, or those of its reports if it has no known units."""
    if place.communes:
        return place.bounds
    return (
        context.cached(
            "map extent",
            lambda: layer_data.store(context).extent(),
            seconds=layer_data.KEEP_SECONDS,
        )
        or place.bounds
    )


def communes(context: PageContext, request: PageRequest, view: MapView) -> dict[str, Any]:
    """Return the shades of the communes."""
    readings, classes = layer_data.communes(context, view)
    translator = request.translator
    values = {
        code: translator("stale") if found.stale else value(found, view.measure, translator)
        for code in context.place.names
        if (found := readings.get(code)) is not None
    }
    return {
        "measure": view.measure.label(request.language),
        "shades": {code: classes.shade(step) for code, step in classes.steps.items()},
        "unknown": [code for code, found in readings.items() if found.stale],
        "values": values,
    }


def overdue(context: PageContext, request: PageRequest, view: MapView) -> dict[str, Any]:
    """Return the marks of overdue filings."""
    return {
        "overdue": [_amount(context, request, one) for one in layer_data.overdue(context, view)]
    }


def flows(context: PageContext, request: PageRequest, view: MapView) -> dict[str, Any]:
    """Return the lines of documents, the largest ones."""
    largest = layer_data.flows(context, view)[: layer_data.DRAWN_FLOWS]
    return {"flows": [_edge(context, request, one) for one in largest]}


def meetings(context: PageContext, request: PageRequest, view: MapView) -> dict[str, Any]:
    """Return the marks of the sites of meetings."""
    found = layer_data.meetings(context, view)
    return {"meetings": [_site(context, request, one, found) for one in found.sites]}


def sources(context: PageContext, request: PageRequest, view: MapView) -> dict[str, Any]:
    """Return the marks of feeds."""
    return {"sources": [_feeds(context, request, one) for one in layer_data.sources(context, view)]}


def alarms(context: PageContext, request: PageRequest, view: MapView) -> dict[str, Any]:
    """Return the marks of open alarms."""
    calls, watched = layer_data.calls(context, view)
    return {"alarms": [_call(context, request, one, watched.alive) for one in calls]}


def mark(code: str, spot: Spot, heading: str, *texts: str, **more: Any) -> Mark:
    """Return a mark at a spot: its heading, at most `MAX_LINES` lines, and what a painter needs.

    Args:
        code: the unit that a click selects; empty for none.
        spot: its position.
        heading: the first line.
        texts: further lines; empty ones are left out.
        more: further properties, such as `n`, the number in a square.
    """
    lines = [one for one in texts if one]
    kept = (
        lines
        if len(lines) <= MAX_LINES
        else [*lines[: MAX_LINES - 1], f"… +{len(lines) - MAX_LINES + 1}"]
    )
    return {"code": code, "at": spot, "title": heading, "text": kept, **more}


def _bodies(
    context: PageContext, request: PageRequest, spot: str, values: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the commune and agencies of a mark, to choose from: the code and the text of each."""
    own = [(spot, title(context, request, spot))] if spot in context.place.names else []
    return [*own, *values.items()]


def _amount(context: PageContext, request: PageRequest, one: Amount) -> Mark:
    translator, of = (
        request.translator,
        sorted(one.of.items(), key=lambda item: (-item[1], item[0])),
    )
    lines = {
        code: f"{translator.number(count)} · {name(code, context.place, translator)}"
        for code, count in of
    }
    heading = translator(
        "map_overdue_at", unit=title(context, request, one.code), n=translator.number(one.count)
    )
    return mark(
        one.code,
        one.spot,
        heading,
        *lines.values(),
        n=one.count,
        agencies=_bodies(context, request, one.code, lines),
    )


def _edge(context: PageContext, request: PageRequest, one: Edge) -> Mark:
    translator = request.translator
    ends = [title(context, request, code) for code in (one.sender, one.receiver)]
    lines = [
        f"{BY_CODE[code].label(request.language)}: "
        f"{value(one.readings[code], BY_CODE[code], translator)}"
        for code in (
            "document.sent",
            "document.receive_p50",
            "document.receive_p90",
            "document.waiting",
            "document.overdue",
        )
    ]
    late = bool(one.value("overdue"))
    return mark(
        "",
        one.ends[0],
        " → ".join(ends),
        *lines,
        to=one.ends[1],
        n=one.sent,
        slow=one.slow,
        late=late,
    )


def _site(context: PageContext, request: PageRequest, one: MeetingSite, meetings: Meetings) -> Mark:
    translator = request.translator
    lines = [
        translator("map_sites_connected", n=translator.number(one.connected))
        if one.connected
        else "",
        translator("map_sites_missing", n=translator.number(one.missing)) if one.missing else "",
        translator("map_sites_invited", n=translator.number(one.invited)) if one.invited else "",
    ]
    if one.hosts:
        lines += [
            f"{translator.moment(row['started_at'], context.clock.now())} {row['title']}"
            for row in (*meetings.live, *meetings.coming)
        ]
    state = "missing" if one.missing else "connected" if one.connected else "coming"
    return mark(
        one.code, one.spot, title(context, request, one.code), *lines, state=state, hosts=one.hosts
    )


def _feeds(context: PageContext, request: PageRequest, one: Feeds) -> Mark:
    translator = request.translator
    lines = [
        f"{state_word(source.state, translator)} · {translator(f'feed_{source.kind}')} · "
        f"{name(source.agency, context.place, translator)}"
        for source in one.sources
        if source.state is one.state
    ]
    bodies = _bodies(
        context,
        request,
        one.code,
        {source.agency: name(source.agency, context.place, translator) for source in one.sources},
    )
    return mark(
        one.code,
        one.spot,
        title(context, request, one.code),
        *lines,
        state=one.state.value,
        agencies=bodies,
    )


def _call(context: PageContext, request: PageRequest, one: Calls, alive: bool) -> Mark:
    translator = request.translator
    lines = [
        f"{translator(f'priority_{alarm.priority}')}: {sentence(alarm, translator)}"
        for alarm in one.alarms
    ]
    heading = (
        title(context, request, one.code)
        if one.code
        else where(one.alarms[0], context.place, translator)
    )
    priority = one.alarms[0].priority if alive else 0
    return mark(one.code, one.spot, heading, *lines, priority=priority, n=len(one.alarms))


def _at(place: Spots, code: str) -> Spot | None:
    found = place.of(code) if code else None
    return found[1] if found else None


def _record(context: PageContext, view: MapView, place: Spots) -> Mark | None:
    """Return the position of the record in the address: a report's own, else its holder's."""
    if view.record is None:
        return None
    kind, entity = view.record
    row = layer_data.cached(
        context,
        view,
        ("record", view.record),
        lambda: layer_data.store(context).record(kind, entity),
    )
    if row is None:
        return None
    own = (row["lat"], row["lon"]) if kind is FEEDBACK and row["lat"] is not None else None
    spot = own or _at(place, row["commune"]) or _at(place, row["agency"])
    return {"at": spot, "title": entity} if spot else None


TEXTS = {
    "many": "map_many",
    "seen": "map_seen",
    "none": "map_none_here",
    "failed": "map_failed",
    "reports": "map_reports",
    "overdue": "map_of_them_overdue",
    "open": "map_state_open",
    "paused": "map_state_open",
    "closed": "map_state_closed",
    "late": "map_state_overdue",
}
"""Messages of the script, by its own names."""


def words(language: Language) -> dict[str, str]:
    """Return the messages of the script, with open placeholders, and its number format."""
    found = {name: catalogue(language)[key] for name, key in TEXTS.items()}
    return found | {"locale": "en-GB" if language == "en" else "vi-VN"}
