"""The bar of a screen that shows the past: which moment, which picture of it, and the timeline with its player.

All of it is in the address. The player and the timeline are drawn by assets/replay.js, which asks `dashboard.desk.replay.routes`.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard.clock import Picture, Replay
from dashboard.desk.ask import Ask
from dashboard.desk.asked import PAST, Asked, moment_of
from dashboard.desk.parts import Part, labelled, stated
from schemas.moments import milliseconds

SPEEDS = (1, 10, 60, 600, 3600)
USUAL_SPEED = 600
BEFORE, AFTER = timedelta(days=6), timedelta(days=1)
"""The period of the timeline around a moment, where the address has none."""
SPOKEN = (
    *(
        "play",
        "pause",
        "no_alarm_next",
        "line_failed",
        "frame_failed",
        "drawing",
        "silent_feeds",
        "arrived",
        "timeline_hint",
        "replaying",
    ),
    *("alarms",),
)


def period(asked: Asked, at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The period of the timeline: that of the address, else some days around the moment, which is always within. Raises
    `ValueError` for moments that are none."""
    since = moment_of(asked.get("since")) if asked.get("since") else at - BEFORE
    until = moment_of(asked.get("until")) if asked.get("until") else min(now, at + AFTER)
    return min(since, at - timedelta(minutes=1)), max(min(until, now), at)


def bar(ask: Ask, asked: Asked) -> Part | None:
    """The bar; None where the present is shown, or a moment that is none, which the page itself says."""
    try:
        replay = asked.replay
        if replay is None or replay.at > ask.clock.now():
            return None
        since, until = period(asked, replay.at, ask.clock.now())
    except ValueError:
        return None
    return _bar(asked, replay, since, until)


def _bar(asked: Asked, replay: Replay, since: datetime, until: datetime) -> Part:
    speech = asked.speech
    words = {key: speech(key, **{name: f"{{{name}}}" for name in ("names", "n")}) for key in SPOKEN}
    data: dict[str, Any] = {
        "data-moment": str(milliseconds(replay.at)),
        "data-since": str(milliseconds(since)),
        "data-until": str(milliseconds(until)),
        "data-words": json.dumps(words),
    }
    return html.Section(
        [
            html.B([html.I(className="rewound"), speech("replaying")], className="sign"),
            html.Time(speech.full(replay.at), id="replay-moment"),
            html.Nav(
                [_picture(asked, one, replay.picture) for one in Picture], className="pictures", **labelled(speech("picture"))
            ),
            html.Div(
                [
                    _button("replay-before", "⏮", speech("alarm_before")),
                    _button("replay-back", "⏪", speech("step_back")),
                    _button("replay-play", "▶", speech("play"), **stated("pressed", False)),
                    _button("replay-on", "⏩", speech("step_on")),
                    _button("replay-next", "⏭", speech("alarm_next")),
                    html.Select(
                        [html.Option(f"{one}×", value=str(one), selected=one == speed(asked)) for one in SPEEDS],
                        id="replay-speed",
                        **labelled(speech("speed")),
                    ),
                    html.Button(
                        ["↻ ", speech("loop")],
                        id="replay-loop",
                        type="button",
                        **stated("pressed", bool(asked.get("loop"))),
                    ),
                ],
                className="player",
            ),
            html.Span(id="replay-note", role="status"),
            html.A(speech("back_to_now"), href=asked.with_(**dict.fromkeys(PAST)), className="now"),
            html.Div(
                id="replay-line",
                tabIndex=0,
                role="slider",
                title=speech("timeline_hint"),
                **labelled(speech("timeline")),
                **stated("valuetext", speech.full(replay.at)),
                **stated("valuenow", 0),
                **stated("valuemin", 0),
                **stated("valuemax", 100),
            ),
        ],
        id="replay",
        className="past-bar",
        **labelled(speech("replaying")),
        **data,
    )


def speed(asked: Asked) -> int:
    """How fast the address says to play."""
    said = asked.get("speed")
    return int(said) if said.isdecimal() and int(said) in SPEEDS else USUAL_SPEED


def _picture(asked: Asked, one: Picture, chosen: Picture) -> Part:
    speech, current = asked.speech, stated("current", True) if one is chosen else {}
    href = asked.with_(picture=one if one is Picture.CORRECTED else None)
    return html.A(
        speech(f"picture_{one}"), href=href, title=speech(f"picture_{one}_hint"), className="here" if current else "", **current
    )


def _button(id: str, sign: str, words: str, **more: Any) -> Part:
    return html.Button(html.Span(sign, **stated("hidden", True)), id=id, type="button", title=words, **labelled(words), **more)
