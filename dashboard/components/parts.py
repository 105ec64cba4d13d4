"""Parts of desk pages in one look: sections, readings, chips, sparklines, empty states."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from dash import dcc, html

from dashboard.i18n.translator import Translator
from dashboard.request.address import PageRequest
from schemas.figures import Figure, MeasureUnit, Reading
from schemas.moments import milliseconds

Part = Any
"""A Dash component, a text, or a list of them."""
PICKER: dict[str, Any] = {"type": "datetime-local"}
"""A field for day and time; Dash passes on a type that it does not know."""


def labelled(words: str) -> dict[str, Any]:
    """Return the label of a component for screen readers, to be passed with `**`."""
    return {"aria-label": words}


def stated(name: str, value: object) -> dict[str, Any]:
    """Return a state of a component for screen readers (`aria-<name>`), to be passed with `**`."""
    return {f"aria-{name}": str(value).lower()}


def marked(name: str) -> dict[str, Any]:
    """Return a mark (`data-<name>`) for the page's own scripts, to be passed with `**`."""
    return {f"data-{name}": "true"}


def section(
    title: str, *content: Part, id: str = "", aside: Part = None, grow: bool = False
) -> html.Section:
    """Build a section with its heading; `aside` is placed at the end of the heading's line."""
    named: dict[str, Any] = {"id": id} if id else {}
    head = html.Header(
        [html.H2(title), *([html.Div(aside, className="aside")] if aside is not None else [])]
    )
    return html.Section([head, *content], className="part grow" if grow else "part", **named)


def link(request: PageRequest, text: Part, path: str, **parameters: str | None) -> dcc.Link:
    """Link a page of the desk for the same viewer."""
    return dcc.Link(text, href=request.link(path, **parameters), refresh=False)


def listed(parts: Iterable[Part], between: str = ", ") -> list[Part]:
    """Join parts with commas, or with `between`."""
    return [one for part in parts for one in (between, part)][1:]


def kept(request: PageRequest, names: Iterable[str]) -> list[Part]:
    """Return hidden fields that keep parameters of the address in a form."""
    return [
        dcc.Input(type="hidden", name=name, value=request.get(name))
        for name in names
        if request.get(name)
    ]


def crumbs(steps: Sequence[Part], label: str) -> html.Nav:
    """Build the breadcrumbs of a page, the widest unit first."""
    return html.Nav([html.Span(one) for one in steps], className="crumbs", **labelled(label))


def age(at: datetime | None) -> html.Span:
    """Show an age, which the page itself updates."""
    stamp: dict[str, Any] = {"data-at": str(milliseconds(at))} if at else {}
    return html.Span(className="age", **stamp)


def lost(found: Reading, translator: Translator) -> Part:
    """Say how many sources of a figure are missing, and whether it is stale; None if neither."""
    if not (found.stale or found.silent):
        return None
    words = (
        translator("stale_lost" if found.stale else "lost", n=translator.number(found.silent))
        if found.silent
        else translator("stale")
    )
    return html.Span([html.I(className="shape hatch"), " ", words], className="lost")


def chip(word: str, state: str) -> html.Span:
    """Show a state as shape and word: p1, p2, p3, good, unknown or quiet."""
    shape = {"p1": "p1", "p2": "p2", "p3": "p3", "unknown": "hatch"}.get(state)
    return html.Span(
        [*([html.I(className=f"shape {shape}")] if shape else []), word], className=f"chip {state}"
    )


def value(reading: Reading, figure: Figure, translator: Translator) -> str:
    """Format a reading: a count, a share, hours; a dash if unknown."""
    if reading.value is None:
        return translator("none")
    if figure.unit is MeasureUnit.PERCENT:
        return f"{translator.number(reading.value, 1)}%"
    if figure.unit is MeasureUnit.HOURS:
        return translator(
            "hours", n=translator.number(reading.value, 1 if reading.value < 100 else 0)
        )
    return translator.number(reading.value)


def share_text(found: Reading, translator: Translator) -> str:
    """Format the numbers behind a share: how many of how many."""
    return translator(
        "of_whole",
        part=translator.number(found.part or 0),
        whole=translator.number(found.whole or 0),
    )


def reading(
    figure: Figure,
    found: Reading,
    translator: Translator,
    *,
    call: int = 0,
    detail: Part = None,
) -> html.Article:
    """Build a figure's card: name, value, explanation, age; stale ones are hatched and say so."""
    known = share_text(found, translator) if found.whole else ""
    state = " stale" if found.stale else f" call-{call}" if call else ""
    return html.Article(
        [
            html.H3(figure.label(translator.language)),
            html.P(
                [html.B(value(found, figure, translator)), age(found.as_of)], className="reading"
            ),
            html.P(
                [lost(found, translator) or known, *([detail] if detail is not None else [])],
                className="detail",
            ),
        ],
        className=f"card{state}",
        title=figure.sentence if translator.language == "en" else figure.vi,
    )


def sparkline(
    values: Sequence[float | None], label: str, width: int = 120, height: int = 28
) -> html.Img:
    """Draw values over time, oldest first; unknown ones are gaps, `label` is for screen readers."""
    known = [one for one in values if one is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    spread = (high - low) or 1.0
    step = width / max(len(values) - 1, 1)
    runs: list[list[str]] = [[]]
    for number, one in enumerate(values):
        if one is None:
            runs.append([])
        else:
            runs[-1].append(
                f"{number * step:.1f},{2 + (height - 4) * (1 - (one - low) / spread):.1f}"
            )
    lines = "".join(
        f"<polyline points='{' '.join(run)}' fill='none' stroke='%23687580' stroke-width='2'/>"
        for run in runs
        if run
    )
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'>{lines}</svg>"
    return html.Img(
        src=f"data:image/svg+xml,{svg}",
        alt=label,
        className="sparkline",
        width=width,
        height=height,
    )


def no_rights(translator: Translator) -> html.Div:
    """Say that the viewer may not see a page and what to do; nothing of the page is revealed."""
    return html.Div(
        [
            html.I(className="shape lock"),
            html.H1(translator("no_rights")),
            html.P(translator("no_rights_hint")),
        ],
        className="nothing no-rights",
        role="status",
    )


def nothing(words: str, hint: str = "") -> html.Div:
    """Show an empty state: what is missing, and what to do about it."""
    return html.Div(
        [html.B(words), *([html.P(hint)] if hint else [])], className="nothing", role="status"
    )
