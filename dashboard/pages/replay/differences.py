"""Figures as known at a moment beside what is known now, with the late records that differ."""

from collections.abc import Mapping, Sequence
from functools import partial

from dash import html

from dashboard.components.measured import named, read
from dashboard.components.parts import Part, nothing, section
from dashboard.components.record_rows import record_link, short
from dashboard.components.table import TableColumn, TableState, table
from dashboard.history.arrivals import PastStore
from dashboard.i18n.translator import Translator
from dashboard.query.clock import Picture
from dashboard.query.store import Row
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import Kind
from schemas.figures import FIGURES, Figure, Reading
from schemas.figures.questions import by_kind

MAX_JUDGED, MAX_SHOWN, MAX_NAMED = 1_000, 3, 40
"""Most late records of a kind that are compared, links in a cell, numbers in its tooltip."""


def differences(context: PageContext, request: PageRequest) -> Part:
    """Show the figures of the province that have another value by now."""
    translator, pictures = request.translator, _pictures(context, request)
    known, corrected = (_figures(one) for one in pictures)
    written = [
        one
        for one in FIGURES
        if len({read(one.code, readings[one.code], translator) for readings in (known, corrected)})
        > 1
    ]
    if not written:
        return section(translator("differences"), nothing(translator("no_differences")))
    made, is_cut = _made_by(PastStore(context.base(request).connection), *pictures, written)
    found: Sequence[Row] = [
        {
            "figure": one,
            "known": known[one.code],
            "corrected": corrected[one.code],
            "made": made[one.code],
        }
        for one in written
    ]
    columns = [
        TableColumn(
            "figure",
            translator("figure_head"),
            lambda row: named(row["figure"].code, translator),
            short=True,
        ),
        TableColumn(
            "known",
            translator("picture_known"),
            lambda row: read(row["figure"].code, row["known"], translator),
            number=True,
        ),
        TableColumn(
            "corrected",
            translator("picture_corrected"),
            lambda row: read(row["figure"].code, row["corrected"], translator),
            number=True,
        ),
        TableColumn(
            "difference",
            translator("difference"),
            lambda row: _difference(row, translator),
            number=True,
        ),
        TableColumn(
            "made",
            translator("made_by"),
            lambda row: _made(request, row["figure"], row["made"], is_cut),
        ),
    ]
    cut = (
        [html.P(translator("made_by_cut", n=translator.number(MAX_JUDGED)), className="quiet")]
        if is_cut
        else []
    )
    shown = table(
        request, columns, found, TableState(), paging=False, label=translator("differences")
    )
    return section(translator("differences"), shown, *cut)


def _made_by(
    past: PastStore, known: PageContext, corrected: PageContext, figures: Sequence[Figure]
) -> tuple[dict[str, list[str]], bool]:
    """Find the late records that changed each figure.

    Returns:
        Records by figure code, and whether there are more late records than were compared.
    """

    def compared(ones: Sequence[Figure]) -> tuple[dict[str, list[str]], bool]:
        late = past.late_entities(known.clock.now(), ones[0].kind, MAX_JUDGED + 1)
        looked = late[:MAX_JUDGED]
        then, by_now = (of.figures.each(of.clock, ones, looked) for of in (known, corrected))
        made = {
            one.code: [
                entity
                for entity in looked
                if _adds(one, then.get(entity)) != _adds(one, by_now.get(entity))
            ]
            for one in ones
        }
        return made, len(late) > MAX_JUDGED

    found, is_cut = dict[str, list[str]](), False
    for ones in by_kind(figures):
        # Only the numbers are cached: what each record adds would take many MB per moment.
        made, more = corrected.cached(
            ("made by", *(one.code for one in ones)), partial(compared, ones)
        )
        found |= made
        is_cut |= more
    return found, is_cut


def _pictures(context: PageContext, request: PageRequest) -> tuple[PageContext, PageContext]:
    kept = tuple((name, request.get(name)) for name in ("moment", "run") if request.get(name))
    known, corrected = (
        PageRequest(request.path, (*kept, ("picture", one)), request.language)
        for one in (Picture.KNOWN, Picture.CORRECTED)
    )
    return context.of(known), context.of(corrected)


def _figures(context: PageContext) -> Mapping[str, Reading]:
    return context.cached(
        "figures of the province", lambda: context.figures.now(context.clock).get((), {})
    )


def _adds(figure: Figure, readings: Mapping[str, Reading] | None) -> tuple[float, float, float]:
    one = readings[figure.code] if readings else Reading(None)
    return (one.value or 0.0, one.part or 0.0, one.whole or 0.0)


def _made(request: PageRequest, figure: Figure, made: Sequence[str], is_cut: bool) -> Part:
    translator = request.translator
    if not made:
        why = (
            translator("made_by_cut", n=translator.number(MAX_JUDGED))
            if is_cut
            else translator("made_by_none")
        )
        return html.Span(translator("none"), className="quiet", title=why)
    links: list[Part] = []
    for entity in made[:MAX_SHOWN]:
        links += [late_link(request, figure.kind, entity), " "]
    if (more := len(made) - MAX_SHOWN) > 0:
        names = ", ".join(
            short(figure.kind, entity) for entity in made[MAX_SHOWN : MAX_SHOWN + MAX_NAMED]
        )
        links.append(html.Span(f"+{translator.number(more)}", title=names))
    return html.Span(links, className="made-by")


def late_link(request: PageRequest, kind: Kind, entity: str) -> Part:
    """Link a late record as it is known now: it may have been unknown then."""
    return record_link(request, kind, entity, picture=Picture.CORRECTED)


def _difference(row: Row, translator: Translator) -> str:
    before, after = row["known"].value, row["corrected"].value
    if before is None or after is None:
        return translator("none")
    digits = 0 if float(after - before).is_integer() else 1
    return translator.change(
        round(after, digits) - round(before, digits), digits
    )  # as the columns show them
