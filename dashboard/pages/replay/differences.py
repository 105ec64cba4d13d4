"""What was known at a moment beside what is known of it by now: figure by figure, with the records whose late events made it."""

from collections.abc import Mapping, Sequence
from functools import partial

from dash import html

from dashboard.components.measured import named, read
from dashboard.components.parts import Part, nothing, section
from dashboard.components.record_rows import record_link, short
from dashboard.components.table import TableColumn, Wish, table
from dashboard.history.arrivals import PastStore
from dashboard.i18n.speech import Translator
from dashboard.query.clock import Picture
from dashboard.query.store import Row
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import Kind
from schemas.figures import FIGURES, Figure, Reading
from schemas.figures.questions import by_kind

MAX_JUDGED, MAX_SHOWN, MAX_NAMED = 1_000, 3, 40
"""Late records of a kind that are looked at, links in a cell, numbers in its hint."""


def differences(ask: PageContext, asked: PageRequest) -> Part:
    """The figures of the province that are written otherwise by now."""
    speech, pictures = asked.speech, _pictures(ask, asked)
    known, corrected = (_figures(one) for one in pictures)
    written = [
        one
        for one in FIGURES
        if len({read(one.code, said[one.code], speech) for said in (known, corrected)}) > 1
    ]
    if not written:
        return section(speech("differences"), nothing(speech("no_differences")))
    made, is_cut = _made_by(PastStore(ask.base(asked).connection), *pictures, written)
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
            speech("figure_head"),
            lambda row: named(row["figure"].code, speech),
            short=True,
        ),
        TableColumn(
            "known",
            speech("picture_known"),
            lambda row: read(row["figure"].code, row["known"], speech),
            number=True,
        ),
        TableColumn(
            "corrected",
            speech("picture_corrected"),
            lambda row: read(row["figure"].code, row["corrected"], speech),
            number=True,
        ),
        TableColumn(
            "difference", speech("difference"), lambda row: _difference(row, speech), number=True
        ),
        TableColumn(
            "made", speech("made_by"), lambda row: _made(asked, row["figure"], row["made"], is_cut)
        ),
    ]
    cut = (
        [html.P(speech("made_by_cut", n=speech.number(MAX_JUDGED)), className="quiet")]
        if is_cut
        else []
    )
    shown = table(asked, columns, found, Wish(), paging=False, label=speech("differences"))
    return section(speech("differences"), shown, *cut)


def _made_by(
    past: PastStore, known: PageContext, corrected: PageContext, figures: Sequence[Figure]
) -> tuple[dict[str, list[str]], bool]:
    """By the code of each figure the records of which something came late, and which add something else to it by now; and whether
    there are more than were looked at."""

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
        # Only the names are remembered: what each adds would be many MB a moment.
        made, more = corrected.once(
            ("made by", *(one.code for one in ones)), partial(compared, ones)
        )
        found |= made
        is_cut |= more
    return found, is_cut


def _pictures(ask: PageContext, asked: PageRequest) -> tuple[PageContext, PageContext]:
    kept = tuple((name, asked.get(name)) for name in ("moment", "run") if asked.get(name))
    known, corrected = (
        PageRequest(asked.path, (*kept, ("picture", one)), asked.spoken)
        for one in (Picture.KNOWN, Picture.CORRECTED)
    )
    return ask.of(known), ask.of(corrected)


def _figures(ask: PageContext) -> Mapping[str, Reading]:
    return ask.once("figures of the province", lambda: ask.figures.now(ask.clock).get((), {}))


def _adds(figure: Figure, said: Mapping[str, Reading] | None) -> tuple[float, float, float]:
    one = said[figure.code] if said else Reading(None)
    return (one.value or 0.0, one.part or 0.0, one.whole or 0.0)


def _made(asked: PageRequest, figure: Figure, made: Sequence[str], is_cut: bool) -> Part:
    speech = asked.speech
    if not made:
        why = (
            speech("made_by_cut", n=speech.number(MAX_JUDGED)) if is_cut else speech("made_by_none")
        )
        return html.Span(speech("none"), className="quiet", title=why)
    links: list[Part] = []
    for entity in made[:MAX_SHOWN]:
        links += [late_link(asked, figure.kind, entity), " "]
    if (more := len(made) - MAX_SHOWN) > 0:
        names = ", ".join(
            short(figure.kind, entity) for entity in made[MAX_SHOWN : MAX_SHOWN + MAX_NAMED]
        )
        links.append(html.Span(f"+{speech.number(more)}", title=names))
    return html.Span(links, className="made-by")


def late_link(asked: PageRequest, kind: Kind, entity: str) -> Part:
    """A link to a record of which something came late: as it is known by now, as nothing may have been known of it then."""
    return record_link(asked, kind, entity, picture=Picture.CORRECTED)


def _difference(row: Row, speech: Translator) -> str:
    before, after = row["known"].value, row["corrected"].value
    if before is None or after is None:
        return speech("none")
    digits = 0 if float(after - before).is_integer() else 1
    return speech.change(
        round(after, digits) - round(before, digits), digits
    )  # of what is written beside it
