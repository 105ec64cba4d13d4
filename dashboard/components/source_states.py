"""States of sources on pages: label, chip, order, colour, counts, and a day of them as a strip."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from dash import html

from dashboard.components.parts import Part, chip, labelled
from dashboard.i18n.translator import Translator
from schemas.sources.freshness import Source, SourceState
from schemas.sources.timeliness import Span

CHIPS = {
    SourceState.LIVE: "good",
    SourceState.LATE: "p2",
    SourceState.SILENT: "p3",
    SourceState.MALFORMED: "p2",
    SourceState.QUIET: "quiet",
    SourceState.NEVER: "unknown",
}
GRAVITY = (
    SourceState.SILENT,
    SourceState.MALFORMED,
    SourceState.LATE,
    SourceState.NEVER,
    SourceState.LIVE,
    SourceState.QUIET,
)
HISTORY = timedelta(hours=24)
SHADES = {
    SourceState.LIVE: "var(--s2)",
    SourceState.QUIET: "var(--land)",
    SourceState.LATE: "var(--p2)",
    SourceState.SILENT: "var(--p3)",
    SourceState.MALFORMED: "var(--p1)",
    SourceState.NEVER: "var(--hatch-b)",
}


def state_word(state: SourceState, translator: Translator) -> str:
    """Name a state."""
    return translator(f"state_{state.value}")


def state_counts(sources: Iterable[Source], translator: Translator, *more: html.Li) -> html.Ul:
    """Count sources by state, most severe first; `more` are further items of the list."""
    counts = Counter(one.state for one in sources)
    return html.Ul(
        [
            *(
                html.Li(
                    [
                        chip(state_word(one, translator), CHIPS[one] if counts[one] else "quiet"),
                        html.B(translator.number(counts[one])),
                    ]
                )
                for one in GRAVITY
            ),
            *more,
        ],
        className="counts",
    )


def strip(spans: Sequence[Span], translator: Translator) -> Part:
    """Draw the states of a day as a strip, oldest first; each part names its state and times."""
    if not spans:
        return ""
    whole = (spans[-1].end - spans[0].start) / timedelta(seconds=1) or 1.0
    parts = [
        html.I(
            title=f"{state_word(one.state, translator)}: "
            f"{translator.time(one.start)} – {translator.time(one.end)}",
            className=f"span-{one.state.value}",
            style={
                "width": f"{100 * (one.length / timedelta(seconds=1)) / whole:.3f}%",
                "background": SHADES[one.state],
            },
        )
        for one in spans
    ]
    silent = [one for one in spans if one.state in (SourceState.SILENT, SourceState.MALFORMED)]
    label = "; ".join(
        f"{state_word(one.state, translator)} "
        f"{translator.time(one.start)}–{translator.time(one.end)}"
        for one in silent
    )
    return html.Div(
        parts, className="strip", role="img", **labelled(label or translator("no_silence"))
    )
