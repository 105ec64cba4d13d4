"""Bar of a screen that shows the past: the moment, as known or corrected, the timeline, the player.

All of it is in the address. client/player draws the player and the timeline from
`dashboard.server.replay_routes`.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard.components.parts import Part, labelled, marked, stated
from dashboard.i18n.translator import Translator
from dashboard.query.clock import Picture, Replay
from dashboard.request.address import PAST, PageRequest
from dashboard.request.context import PageContext
from schemas.clickhouse.replays import ReplayRun, RunMark, RunState
from schemas.moments import milliseconds

SPEEDS = (1, 10, 60, 600, 3600)
USUAL_SPEED = 600
PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
USUAL_PERIOD = PERIODS["week"]
BAR_KEYS = (
    *(
        "play",
        "pause",
        "no_alarm_next",
        "alarms_cut",
        "line_failed",
        "frame_failed",
        "drawing",
        "silent_feeds",
        "only_counts",
    ),
    *("came_known", "came_corrected", "came_alarms", "marked_moment", "marks_full"),
)
"""Messages that the script shows."""
MIN_LINE = timedelta(minutes=1)
MAX_MARKS = 12
"""Most moments that may be marked, to be pictured in a package of the period."""


def period(request: PageRequest, at: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the period of the timeline: the address's, else some days around the moment.

    It always contains the moment; without one, it ends now.

    Raises:
        ValueError: an end of the period is malformed.
    """
    until = min(request.moment("until") or (at or now) + USUAL_PERIOD / 7, now)
    until = max(until, at) if at else until
    since = request.moment("since") or until - USUAL_PERIOD
    return min(since, (at or until) - MIN_LINE), until


def line_period(context: PageContext, request: PageRequest) -> tuple[datetime, datetime]:
    """Return the timeline's period for a request; by default that of its replay run, if any."""
    now, replay, run = context.clock.now(), context.replay(request), context.run(request)
    at = replay.at if replay else None
    if run and not request.get("since") and not request.get("until"):
        return min(run.since, at or now), max(min(run.until, now), at or now)
    return period(request, at, now)


def bar(context: PageContext, request: PageRequest) -> Part | None:
    """Build the bar; None if the present is shown.

    Raises:
        ValueError: the moment cannot be shown.
    """
    replay = context.replay(request)
    return (
        None
        if replay is None
        else _bar(request, replay, context.run(request), *line_period(context, request))
    )


def _bar(
    request: PageRequest, replay: Replay, run: ReplayRun | None, since: datetime, until: datetime
) -> Part:
    translator = request.translator
    return html.Section(
        [
            html.B([html.I(className="rewound"), _sign(translator, run)], className="sign"),
            html.Time(translator.full(replay.at), id="replay-moment"),
            html.Nav(
                [_picture(request, one, replay.picture) for one in Picture],
                className="pictures",
                **labelled(translator("picture")),
            ),
            html.Div(
                [
                    _button("replay-before", "⏮", translator("alarm_before")),
                    _button("replay-back", "⏪", translator("step_back")),
                    _button("replay-play", "▶", translator("play"), **stated("pressed", False)),
                    _button("replay-on", "⏩", translator("step_on")),
                    _button("replay-next", "⏭", translator("alarm_next")),
                    _button(
                        "replay-mark", "⚑", translator("mark_moment"), **stated("pressed", False)
                    ),
                    html.Select(
                        [
                            html.Option(f"{one}×", value=str(one), selected=one == speed(request))
                            for one in SPEEDS
                        ],
                        id="replay-speed",
                        **labelled(translator("speed")),
                    ),
                    html.Button(
                        ["↻ ", translator("loop")],
                        id="replay-loop",
                        type="button",
                        **stated("pressed", bool(request.get("loop"))),
                    ),
                    _periods(request, since, until),
                ],
                className="player",
            ),
            html.Span(id="replay-note", role="status"),
            html.A(
                translator("back_to_now"),
                href=request.with_(**dict.fromkeys(PAST)),
                className="now",
            ),
            _timeline(translator, replay.at),
        ],
        id="replay",
        className="past-bar",
        **labelled(translator("replaying")),
        **_script_data(translator, replay.at, since, until, marks(request))
        | (marked("follows") if follows(request, run) else {}),
    )


def marks(request: PageRequest) -> list[datetime]:
    """Return the marked moments; none if the address holds a malformed one."""
    try:
        return request.moments("marked")[:MAX_MARKS]
    except ValueError:
        return []


def follows(request: PageRequest, run: ReplayRun | None) -> bool:
    """Tell whether a page follows a run in progress."""
    return run is not None and run.state is RunState.RUNNING and not request.get("moment")


def chooser(context: PageContext, request: PageRequest) -> Part:
    """Build a timeline to choose a moment from, where none is shown yet.

    Raises:
        ValueError: the period is malformed.
    """
    translator, now = request.translator, context.clock.now()
    since, until = line_period(context, request)
    return html.Section(
        [
            html.Div(
                [
                    html.Time(translator.full(now), id="replay-moment"),
                    _periods(request, since, until),
                    html.Span(id="replay-note"),
                ]
            ),
            _timeline(translator, now),
        ],
        id="replay",
        className="past-bar chooses",
        **labelled(translator("timeline")),
        **_script_data(translator, now, since, until) | marked("choosing"),
    )


def _sign(translator: Translator, run: ReplayRun | None) -> str:
    if run is None:
        return translator("replaying")
    return f"{translator('exercise' if run.mark is RunMark.EXERCISE else 'replaying')} · {run.name}"


def _script_data(
    translator: Translator,
    at: datetime,
    since: datetime,
    until: datetime,
    moments: Sequence[datetime] = (),
) -> dict[str, Any]:
    """Return the data of the script."""
    words = {
        key: translator(key, **{name: f"{{{name}}}" for name in ("names", "n", "since")})
        for key in BAR_KEYS
    }
    times = {"moment": at, "since": since, "until": until}
    its = json.dumps([milliseconds(one) for one in moments])
    more = {"data-words": json.dumps(words), "data-marked": its, "data-most-marked": str(MAX_MARKS)}
    return {f"data-{name}": str(milliseconds(time)) for name, time in times.items()} | more


def _timeline(translator: Translator, at: datetime) -> Part:
    return html.Div(
        id="replay-line",
        tabIndex=0,
        role="slider",
        title=translator("timeline_hint"),
        **labelled(translator("timeline")),
        **stated("valuetext", translator.full(at)),
        **stated("valuenow", 0),
        **stated("valuemin", 0),
        **stated("valuemax", 100),
    )


def _periods(request: PageRequest, since: datetime, until: datetime) -> Part:
    """Build the choice of the timeline's length; a length drawn by hand is not among them."""
    translator, span = request.translator, until - since
    near = [name for name, one in PERIODS.items() if abs(span - one) < timedelta(minutes=1)]
    options = [
        html.Option(
            translator(f"line_span_{name}"),
            value=str(one // timedelta(milliseconds=1)),
            selected=name in near,
        )
        for name, one in PERIODS.items()
    ]
    own = [] if near else [html.Option(translator("line_span_own"), value="0", selected=True)]
    return html.Select([*own, *options], id="replay-period", **labelled(translator("line_span")))


def speed(request: PageRequest) -> int:
    """Return the playing speed in the address."""
    text = request.get("speed")
    return int(text) if text.isdecimal() and int(text) in SPEEDS else USUAL_SPEED


def _picture(request: PageRequest, one: Picture, chosen: Picture) -> Part:
    translator, current = request.translator, stated("current", True) if one is chosen else {}
    href = request.with_(picture=one if one is Picture.CORRECTED else None)
    return html.A(
        translator(f"picture_{one}"),
        href=href,
        title=translator(f"picture_{one}_hint"),
        className="here" if current else "",
        **current,
    )


def _button(id: str, sign: str, words: str, **more: Any) -> Part:
    return html.Button(
        html.Span(sign, **stated("hidden", True)),
        id=id,
        type="button",
        title=words,
        **labelled(words),
        **more,
    )
