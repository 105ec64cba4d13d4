"""Scenes of the wall: each has at most seven figures, and a map or a board."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.components.parts import Part, share_text
from dashboard.components.score_bars import grade_label, total_label
from dashboard.components.target_board import CHIPS, counts
from dashboard.i18n.translator import Translator
from dashboard.pages.wall import boards, theme_figures
from dashboard.pages.wall.backdrop import Backdrop
from dashboard.pages.wall.cards import FigureCard
from dashboard.pages.wall.figures import figures as overview
from dashboard.query.snapshot import ProvinceContext, Snapshot
from dashboard.request.view import Measure, Scene
from schemas.figures.aging import timely
from schemas.sources.freshness import SourceState


@dataclass(frozen=True)
class Stage:
    """What a scene is rendered from: snapshot, backdrop, province and language."""

    snapshot: Snapshot
    backdrop: Backdrop
    place: ProvinceContext
    translator: Translator


@dataclass(frozen=True)
class Drawn:
    """A scene: its figures, most important first, and a measure for the map or a board of rows.

    `kind` is the subject of its map, which shows alarms of that kind only (empty: all of them);
    `dots` shows open field reports.
    """

    figures: Callable[[Stage], list[FigureCard]]
    measure: Measure | None = None
    board: Callable[[Stage], list[Part]] | None = None
    kind: str = ""
    dots: bool = False


def _theme(name: str) -> Callable[[Stage], list[FigureCard]]:
    return lambda stage: theme_figures.figures(name, stage.snapshot, stage.place, stage.translator)


def _targets(stage: Stage) -> list[FigureCard]:
    """Count the targets by status, most urgent first."""
    whole, translator = stage.backdrop.targets, stage.translator
    if whole is None:
        return []
    return [
        FigureCard(
            f"target-{status}",
            status.label(translator.language),
            translator.number(count),
            call={"p2": 2, "p3": 3}.get(CHIPS[status], 0) if count else 0,
            at=whole.at,
        )
        for status, count in counts(whole)
    ]


def _index(stage: Stage) -> list[FigureCard]:
    """Show the computed total with its coverage, then the published total and rank."""
    score, other, translator = stage.backdrop.score, stage.backdrop.published, stage.translator
    if score is None:
        return []
    aim = stage.place.aim("service.index")
    total = FigureCard(
        "index-total",
        translator("index_total"),
        total_label(score, translator),
        target=translator("target", target=translator.number(aim.value)) if aim else "",
        detail=grade_label(score, translator)
        or translator("index_least", least=translator.number(score.points, 1)),
        call=2 if aim and score.total is not None and not aim.met(score.total) else 0,
        words=score.total is None,
        at=stage.snapshot.at,
    )
    found = [
        total,
        FigureCard(
            "index-coverage",
            translator("index_coverage"),
            translator.percent(round(score.coverage, 1)),
            target=translator("target", target=translator.percent(score.criteria.coverage)),
            call=0 if score.complete else 3,
            at=stage.snapshot.at,
        ),
    ]
    if other is None or other.score.reported is None or other.score.reported.value is None:
        return found
    reported = other.score.reported
    value = translator.exact(reported.value)[:-1]  # type: ignore[index]
    found.append(
        FigureCard("index-published", translator("index_published"), value, at=reported.as_of)
    )
    if other.rank.value is not None and other.ranked.value is not None:
        place, count = translator.number(other.rank.value), translator.number(other.ranked.value)
        mean = (
            ""
            if other.mean.value is None
            else translator("rank_mean", mean=translator.number(other.mean.value, 1))
        )
        rank = translator("rank_of", place=place, count=count)
        found.append(
            FigureCard(
                "index-rank", translator("index_rank"), rank, target=mean, at=other.rank.as_of
            )
        )
    return found


def _sources(stage: Stage) -> list[FigureCard]:
    """Show the share of feeds that are as agreed, and how many are not."""
    translator, sources, at = stage.translator, stage.snapshot.sources, stage.snapshot.at
    share, aim = timely(sources), stage.place.target("source.timely")
    below = share.value is not None and aim is not None and share.value < aim
    states = [one.state for one in sources]
    first = FigureCard(
        "source-timely",
        translator("source_timely"),
        translator.exact(share.value) or translator("none"),
        target=translator("below_target" if below else "target", target=translator.percent(aim))
        if aim
        else "",
        detail=share_text(share, translator),
        call=2 if below else 0,
        at=share.as_of,
    )
    called = {
        SourceState.SILENT: 3,
        SourceState.MALFORMED: 3,
        SourceState.LATE: 0,
        SourceState.LIVE: 0,
        SourceState.QUIET: 0,
    }
    counted = [
        FigureCard(
            f"source-{state}",
            _capital(translator(f"state_{state}")),
            translator.number(states.count(state)),
            call=call * (state in states),
            at=at,
        )
        for state, call in called.items()
    ]
    ahead = sum(bool(one.ahead) for one in sources)
    return [
        first,
        *counted,
        FigureCard(
            "source-ahead",
            translator("source_ahead"),
            translator.number(ahead),
            call=3 * bool(ahead),
            at=at,
        ),
    ]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


DRAWN: dict[Scene, Drawn] = {
    "overview": Drawn(
        lambda stage: overview(stage.snapshot, stage.place, stage.translator),
        "overdue_rate",
        dots=True,
    ),
    "filings": Drawn(_theme("filings"), "overdue", kind="filing"),
    "feedback": Drawn(_theme("feedback"), "feedback", kind="feedback", dots=True),
    "documents": Drawn(_theme("documents"), "documents", kind="document"),
    "meetings": Drawn(
        _theme("meetings"),
        board=lambda stage: boards.meetings(
            stage.backdrop, stage.snapshot, stage.place, stage.translator
        ),
    ),
    "targets": Drawn(
        _targets, board=lambda stage: boards.targets(stage.backdrop, stage.translator)
    ),
    "index": Drawn(_index, board=lambda stage: boards.index(stage.backdrop, stage.translator)),
    "sources": Drawn(
        _sources, board=lambda stage: boards.sources(stage.snapshot, stage.place, stage.translator)
    ),
}
"""The scenes by name."""
