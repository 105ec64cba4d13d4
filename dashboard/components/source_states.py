"""The states of sources as pages show them: their words, chips, order and colours, and a day of them as a strip."""

from collections.abc import Sequence
from datetime import timedelta

from dash import html

from dashboard.components.parts import Part, labelled
from dashboard.i18n.speech import Speech
from schemas.sources.freshness import State
from schemas.sources.timeliness import Span

CHIPS = {
    State.LIVE: "good",
    State.LATE: "p2",
    State.SILENT: "p3",
    State.MALFORMED: "p2",
    State.QUIET: "quiet",
    State.NEVER: "unknown",
}
GRAVITY = (State.SILENT, State.MALFORMED, State.LATE, State.NEVER, State.LIVE, State.QUIET)
HISTORY = timedelta(hours=24)
SHADES = {
    State.LIVE: "var(--s2)",
    State.QUIET: "var(--land)",
    State.LATE: "var(--p2)",
    State.SILENT: "var(--p3)",
    State.MALFORMED: "var(--p1)",
    State.NEVER: "var(--hatch-b)",
}


def state_word(state: State, speech: Speech) -> str:
    """A state in words."""
    return speech(f"state_{state.value}")


def strip(spans: Sequence[Span], speech: Speech) -> Part:
    """The states of a day as a strip, oldest first; each part says what it is and from when to when."""
    if not spans:
        return ""
    whole = (spans[-1].end - spans[0].start) / timedelta(seconds=1) or 1.0
    parts = [
        html.I(
            title=f"{state_word(one.state, speech)}: {speech.time(one.start)} – {speech.time(one.end)}",
            className=f"span-{one.state.value}",
            style={"width": f"{100 * (one.length / timedelta(seconds=1)) / whole:.3f}%", "background": SHADES[one.state]},
        )
        for one in spans
    ]
    silent = [one for one in spans if one.state in (State.SILENT, State.MALFORMED)]
    told = "; ".join(f"{state_word(one.state, speech)} {speech.time(one.start)}–{speech.time(one.end)}" for one in silent)
    return html.Div(parts, className="strip", role="img", **labelled(told or speech("no_silence")))
