"""What the map shows, as data for its script: every mark with where it lies, how much it is and what is said of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from dashboard.components.alarm_texts import sentence, where
from dashboard.components.outlines import Bounds, outlines_address
from dashboard.components.parts import value
from dashboard.components.source_states import state_word
from dashboard.components.unit_refs import name
from dashboard.i18n.speech import Language
from dashboard.i18n.words import WORDS
from dashboard.pages.map import gathered
from dashboard.pages.map.gathered import Amount, Calls, Edge, Feeds, Meetings, MeetingSite
from dashboard.pages.map.spots import Spot, Spots, spots
from dashboard.pages.map.view import MapView
from dashboard.query.clock import Replay
from dashboard.request.address import PageRequest, written
from dashboard.request.context import PageContext
from schemas.events.kinds import FEEDBACK
from schemas.figures import BY_CODE
from schemas.reference import category_words

TOLD = 6
"""Lines that a mark tells at most."""
FILTERS = ("category", "state", "window", "from", "to", "unit", "box", "run")
"""Parameters that decide which reports the map shows."""
Mark = dict[str, Any]


def drawn(ask: PageContext, asked: PageRequest, view: MapView) -> dict[str, Any]:
    """All that the map shows but the reports, which are asked for by view. Layers that are off are left out."""
    place, on = spots(ask.place), set(view.layers)
    found: dict[str, Any] = {
        "layers": list(view.layers),
        "style": view.style,
        "query": urlencode(
            [(key, asked.get(key)) for key in FILTERS if asked.get(key)] + _moment(ask)
        ),
        "chosen": {
            "communes": list(view.inside(place) if view.box else view.communes),
            "agency": _at(place, view.agency),
            "box": view.box,
            "record": _record(ask, view, place),
            "any": view.chosen,
        },
        "categories": {
            code: category_words(code, asked.spoken)
            for code in gathered.categories(ask, view, view.scope(ask.place, place))
        },
        "names": {code: ask.place.names.get(code, code) for code in place.communes},
        "spots": place.communes,
        "bounds": _bounds(ask, place),
        "outlined": place.outlined,
        "outlines": outlines_address(ask.place),
    }
    if "communes" in on:
        found |= _communes(ask, asked, view)
    if "overdue" in on:
        found["overdue"] = [_amount(ask, asked, one) for one in gathered.overdue(ask, view)]
    if "flows" in on:
        found["flows"] = [
            _edge(ask, asked, one) for one in gathered.flows(ask, view)[: gathered.DRAWN_FLOWS]
        ]
    if "meetings" in on:
        meetings = gathered.meetings(ask, view)
        found["meetings"] = [_site(ask, asked, one, meetings) for one in meetings.sites]
    if "sources" in on:
        found["sources"] = [_feeds(ask, asked, one) for one in gathered.sources(ask, view)]
    if "alarms" in on:
        calls, watched = gathered.calls(ask, view)
        found["alarms"] = [_call(ask, asked, one, watched.alive) for one in calls]
    return found


def _moment(ask: PageContext) -> list[tuple[str, str]]:
    """The moment that is drawn, which an address that follows a run does not say; nothing for the present."""
    if not isinstance(ask.clock, Replay):
        return []
    return [("moment", written(ask.clock.at, "milliseconds")), ("picture", ask.clock.picture)]


def title(ask: PageContext, asked: PageRequest, code: str) -> str:
    """What a spot is called: a commune by its name, the seat as the level of the province."""
    return (
        asked.speech("map_seat") if code == ask.place.code else name(code, ask.place, asked.speech)
    )


def _bounds(ask: PageContext, place: Spots) -> Bounds:
    """All of the province; a place of which no units are known is where its reports lie."""
    if place.communes:
        return place.bounds
    return (
        ask.once("map extent", lambda: gathered.store(ask).extent(), seconds=gathered.KEEP_SECONDS)
        or place.bounds
    )


def _communes(ask: PageContext, asked: PageRequest, view: MapView) -> dict[str, Any]:
    readings, classes = gathered.communes(ask, view)
    speech = asked.speech
    told = {
        code: speech("stale") if found.stale else value(found, view.measure, speech)
        for code in ask.place.names
        if (found := readings.get(code)) is not None
    }
    return {
        "measure": view.measure.words(asked.spoken),
        "shades": {code: classes.shade(step) for code, step in classes.steps.items()},
        "unknown": [code for code, found in readings.items() if found.stale],
        "values": told,
    }


def _mark(code: str, spot: Spot, heading: str, *said: str, **more: Any) -> Mark:
    lines = [one for one in said if one]
    kept = lines if len(lines) <= TOLD else [*lines[: TOLD - 1], f"… +{len(lines) - TOLD + 1}"]
    return {"code": code, "at": spot, "title": heading, "told": kept, **more}


def _bodies(
    ask: PageContext, asked: PageRequest, spot: str, told: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Whom a mark is of, to choose from: its commune and its agencies, each with its code and what is told of it."""
    own = [(spot, title(ask, asked, spot))] if spot in ask.place.names else []
    return [*own, *told.items()]


def _amount(ask: PageContext, asked: PageRequest, one: Amount) -> Mark:
    speech, of = asked.speech, sorted(one.of.items(), key=lambda item: (-item[1], item[0]))
    said = {code: f"{speech.number(count)} · {name(code, ask.place, speech)}" for code, count in of}
    heading = speech("map_overdue_at", unit=title(ask, asked, one.code), n=speech.number(one.count))
    return _mark(
        one.code,
        one.spot,
        heading,
        *said.values(),
        n=one.count,
        agencies=_bodies(ask, asked, one.code, said),
    )


def _edge(ask: PageContext, asked: PageRequest, one: Edge) -> Mark:
    speech = asked.speech
    ends = [title(ask, asked, code) for code in (one.sender, one.receiver)]
    said = [
        f"{BY_CODE[code].words(asked.spoken)}: {value(one.readings[code], BY_CODE[code], speech)}"
        for code in (
            "document.sent",
            "document.receive_p50",
            "document.receive_p90",
            "document.waiting",
            "document.overdue",
        )
    ]
    late = bool(one.value("overdue"))
    return _mark(
        "",
        one.ends[0],
        " → ".join(ends),
        *said,
        to=one.ends[1],
        n=one.sent,
        slow=one.slow,
        late=late,
    )


def _site(ask: PageContext, asked: PageRequest, one: MeetingSite, meetings: Meetings) -> Mark:
    speech = asked.speech
    said = [
        speech("map_sites_connected", n=speech.number(one.connected)) if one.connected else "",
        speech("map_sites_missing", n=speech.number(one.missing)) if one.missing else "",
        speech("map_sites_invited", n=speech.number(one.invited)) if one.invited else "",
    ]
    if one.hosts:
        said += [
            f"{speech.moment(row['started_at'], ask.clock.now())} {row['title']}"
            for row in (*meetings.live, *meetings.coming)
        ]
    state = "missing" if one.missing else "connected" if one.connected else "coming"
    return _mark(
        one.code, one.spot, title(ask, asked, one.code), *said, state=state, hosts=one.hosts
    )


def _feeds(ask: PageContext, asked: PageRequest, one: Feeds) -> Mark:
    speech = asked.speech
    said = [
        f"{state_word(source.state, speech)} · {speech(f'feed_{source.kind}')} · {name(source.agency, ask.place, speech)}"
        for source in one.sources
        if source.state is one.state
    ]
    bodies = _bodies(
        ask,
        asked,
        one.code,
        {source.agency: name(source.agency, ask.place, speech) for source in one.sources},
    )
    return _mark(
        one.code,
        one.spot,
        title(ask, asked, one.code),
        *said,
        state=one.state.value,
        agencies=bodies,
    )


def _call(ask: PageContext, asked: PageRequest, one: Calls, alive: bool) -> Mark:
    speech = asked.speech
    said = [
        f"{speech(f'priority_{alarm.priority}')}: {sentence(alarm, speech)}" for alarm in one.alarms
    ]
    heading = title(ask, asked, one.code) if one.code else where(one.alarms[0], ask.place, speech)
    priority = one.alarms[0].priority if alive else 0
    return _mark(one.code, one.spot, heading, *said, priority=priority, n=len(one.alarms))


def _at(place: Spots, code: str) -> Spot | None:
    found = place.of(code) if code else None
    return found[1] if found else None


def _record(ask: PageContext, view: MapView, place: Spots) -> Mark | None:
    """Where the record lies that the address names: a report at its own place, all else with who holds it."""
    if view.record is None:
        return None
    kind, entity = view.record
    row = gathered.once(
        ask, view, ("record", view.record), lambda: gathered.store(ask).record(kind, entity)
    )
    if row is None:
        return None
    own = (row["lat"], row["lon"]) if kind is FEEDBACK and row["lat"] is not None else None
    spot = own or _at(place, row["commune"]) or _at(place, row["agency"])
    return {"at": spot, "title": entity} if spot else None


SAID = {
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
"""What the script itself says, by its own names."""


def words(language: Language) -> dict[str, str]:
    """The words of the script, their places not yet filled, and how it writes numbers."""
    found = {name: WORDS[key][language == "en"] for name, key in SAID.items()}
    return found | {"locale": "en-GB" if language == "en" else "vi-VN"}
