"""Runs of the stream on `/replay`: which there are and how they stand, a form for another, and what one differs in from live."""

from datetime import timedelta

from dash import dcc, html

from dashboard.components.parts import (
    PICKER,
    Part,
    chip,
    kept,
    labelled,
    link,
    listed,
    marked,
    nothing,
    section,
)
from dashboard.components.table import TableColumn, Wish, table
from dashboard.i18n.speech import Translator
from dashboard.request.address import VIEWER, PageRequest, written
from dashboard.request.context import PageContext
from schemas.clickhouse.replays import KILLED, SOURCES, ReplayRun, RunMark, RunState

WHEN = ("past", "today")
ARRIVAL = ("received", "on_time")
SPEEDS = ("max", "3600", "600", "60")
LOOK = {
    "nav_wall": "/wall",
    "nav_map": "/map",
    "nav_unit": "/unit/{province}",
    "nav_records": "/records",
}
CHIPS = {
    RunState.QUEUED: "quiet",
    RunState.RUNNING: "p3",
    RunState.FINISHED: "good",
    RunState.FAILED: "p1",
    RunState.STOPPED: "quiet",
}
PROBLEMS = (
    "name",
    "period",
    "arrival",
    "taken",
    "empty",
    "kept",
    "failed",
    "gone",
    "running",
    "queue",
    "disk",
)


def runs(ask: PageContext, asked: PageRequest) -> Part:
    """The section: what is there, and the form for another."""
    speech, problem = asked.speech, asked.get("run_problem")
    said = (
        [html.P(speech(f"run_problem_{problem}"), role="alert", className="problem")]
        if problem in PROBLEMS
        else []
    )
    return section(
        speech("runs"),
        html.P(speech("runs_hint"), className="hint"),
        *said,
        _form(ask, asked),
        html.Div([standing(ask, asked)]),
        id="runs",
    )


def standing(ask: PageContext, asked: PageRequest) -> Part:
    """The runs as they stand; renewed by the page's script while one goes on."""
    found, speech = ask.runs(), asked.speech
    goes_on = any(one.goes_on for one in found)
    content = _table(asked, found) if found else nothing(speech("no_runs"))
    return html.Div([content], id="runs-standing", **(marked("goes-on") if goes_on else {}))


def _table(asked: PageRequest, found: list[ReplayRun]) -> Part:
    speech = asked.speech
    columns = [
        TableColumn(
            "name",
            speech("run_name"),
            lambda row: link(asked, row["run"].name, "/replay", run=row["run"].name),
        ),
        TableColumn("period", speech("run_period"), lambda row: _period(row["run"], speech)),
        TableColumn("speed", speech("speed"), lambda row: _speed(row["run"], speech), short=True),
        TableColumn("state", speech("state"), lambda row: _state(row["run"], speech)),
        TableColumn(
            "events", speech("run_events"), lambda row: _progress(row["run"], speech), number=True
        ),
        TableColumn(
            "differing",
            speech("run_differing"),
            lambda row: _differing(row["run"], speech),
            number=True,
        ),
        TableColumn("end", speech("run_end"), lambda row: _end(asked, row["run"])),
    ]
    return table(
        asked, columns, [{"run": one} for one in found], Wish(), paging=False, label=speech("runs")
    )


def _period(run: ReplayRun, speech: Translator) -> str:
    return f"{speech.full(run.since)} – {speech.full(run.until)}"


def _speed(run: ReplayRun, speech: Translator) -> str:
    return f"{speech.number(run.speed)}×" if run.speed else speech("run_speed_max")


def _state(run: ReplayRun, speech: Translator) -> Part:
    mark = [f" · {speech('exercise')}"] if run.mark is RunMark.EXERCISE else []
    said = speech("run_killed") if run.said == KILLED else run.said
    return [
        chip(speech(f"run_state_{run.state}"), CHIPS[run.state]),
        *mark,
        *([html.Small(f" {said}")] if said else []),
    ]


def _progress(run: ReplayRun, speech: Translator) -> Part:
    if run.state is not RunState.RUNNING:
        return speech.number(run.counted)
    left = _left(run)
    told = f"{speech.number(run.counted)} / {speech.number(run.total)}"
    bar = html.Progress(value=str(run.counted), max=str(max(run.total, 1)), **labelled(told))
    return [
        bar,
        html.Div(
            told if left is None else f"{told} · {speech('run_left', span=speech.span(left))}"
        ),
    ]


def _left(run: ReplayRun) -> timedelta | None:
    """How long a run will still take: at a speed by its clock, else by how many events are done."""
    if run.source == "others":
        return None
    if run.speed:
        return max(run.until - run.moment, timedelta(0)) / run.speed
    # Of a Kafka that was sent things twice more is counted than happened.
    return (
        (run.at - run.begun_at) / run.counted * max(run.total - run.counted, 0)
        if run.counted
        else None
    )


def _differing(run: ReplayRun, speech: Translator) -> str:
    return speech("none") if run.differing is None else speech.number(run.differing)


def _end(asked: PageRequest, run: ReplayRun) -> Part:
    """What may be done to it: stopped while it goes on, else taken away."""
    what = "stop" if run.goes_on else "remove"
    words = asked.speech(f"run_{what}")
    button = html.Button(
        words, type="submit", title=f"{words} {run.name}", **labelled(f"{words} {run.name}")
    )
    return html.Form(
        [*kept(asked, VIEWER), button], action=f"/replay/runs/{run.name}/{what}", method="POST"
    )


def _form(ask: PageContext, asked: PageRequest) -> Part:
    speech, hour = asked.speech, ask.clock.now().replace(minute=0, second=0, microsecond=0)
    moments = {"since": hour - timedelta(days=1), "until": hour}
    choices = {
        "speed": {one: speech("run_speed_max") if one == "max" else f"{one}×" for one in SPEEDS},
        "source": {one: speech(f"run_source_{one}") for one in SOURCES},
        "when": {one: speech(f"run_when_{one}") for one in WHEN},
        "arrival": {one: speech(f"run_arrival_{one}") for one in ARRIVAL},
        "mark": {
            str(one): speech("exercise" if one is RunMark.EXERCISE else "replaying")
            for one in RunMark
        },
    }
    fields: dict[str, Part] = {
        "name": dcc.Input(
            id="run-name",
            name="name",
            required=True,
            maxLength=32,
            pattern="[a-z][a-z0-9_]*",
            placeholder="tuan_47",
        ),
        **{
            name: dcc.Input(
                id=f"run-{name}", name=name, value=written(at)[:16], required=True, **PICKER
            )
            for name, at in moments.items()
        },
        **{
            name: html.Select(
                [html.Option(words, value=value) for value, words in options.items()],
                id=f"run-{name}",
                name=name,
            )
            for name, options in choices.items()
        },
    }
    parts = [
        html.Span(
            [
                html.Label(
                    speech("speed" if name == "speed" else f"run_{name}"), htmlFor=f"run-{name}"
                ),
                part,
            ]
        )
        for name, part in fields.items()
    ]
    return html.Form(
        [*kept(asked, VIEWER), *parts, html.Button(speech("run_start"), type="submit")],
        action="/replay/runs",
        method="POST",
        className="chooser run",
    )


def one_run(ask: PageContext, asked: PageRequest, run: ReplayRun) -> Part:
    """A run: how it stands, where it may be looked at, what it differs in from live, measure by measure."""
    speech = asked.speech
    moment = (
        None if run.state is RunState.RUNNING else written(min(run.moment, ask.clock.now()))
    )  # one that goes on is followed
    seen = [
        link(
            asked,
            speech(words),
            path.format(province=ask.place.code),
            run=run.name,
            moment=moment,
            picture="corrected",
        )
        for words, path in LOOK.items()
    ]
    facts = [
        (speech("run_period"), _period(run, speech)),
        (speech("speed"), _speed(run, speech)),
        (speech("run_source"), speech(f"run_source_{run.source}")),
        (speech("run_arrival"), speech(f"run_arrival_{ARRIVAL[run.on_time]}")),
        (speech("state"), _state(run, speech)),
        (speech("run_events"), _progress(run, speech)),
        (speech("run_moment"), speech.full(run.moment)),
    ]
    told = html.Dl([part for words, value in facts for part in (html.Dt(words), html.Dd(value))])
    return [
        html.H1(f"{speech('run')} {run.name}"),
        html.P([speech("seen_on"), ": ", *listed(seen, " · ")], className="seen-on"),
        html.Div(
            [section(speech("run_standing"), told), _differences(ask, asked, run)],
            className="columns",
        ),
    ]


def _differences(ask: PageContext, asked: PageRequest, run: ReplayRun) -> Part:
    speech = asked.speech
    title = speech("run_against_live")
    if run.live:
        return section(title, nothing(speech("run_not_compared")))
    found = ask.once(
        ("differences of a run", run.name, run.begun_at),
        lambda: ask.replays.differences(run),
        seconds=10.0,
    )
    differing, windows = (
        sum(getattr(one, name) for one in found.values()) for name in ("differing", "windows")
    )
    told = speech("run_differs", n=speech.number(differing), all=speech.number(windows))
    if differing:
        late = ask.replays.happened(run.since, run.until, run.begun_at)
        told += f" · {speech('run_late', n=speech.number(late))}"
    rows = [
        {"kind": kind.words(asked.spoken), "measure": measure, "live": live, "run": its}
        for kind, one in found.items()
        for measure, (live, its) in zip(kind.measures, one.sums, strict=True)
        if live or its
    ]
    columns = [
        TableColumn("kind", speech("run_kind"), lambda row: row["kind"]),
        TableColumn(
            "measure",
            speech("run_measure"),
            lambda row: html.Span(row["measure"].words(asked.spoken), title=row["measure"].name),
        ),
        TableColumn(
            "live", speech("run_live"), lambda row: speech.number(row["live"]), number=True
        ),
        TableColumn("run", speech("run"), lambda row: speech.number(row["run"]), number=True),
        TableColumn(
            "difference",
            speech("difference"),
            lambda row: (
                speech.change(row["run"] - row["live"], 0) if row["run"] != row["live"] else "="
            ),
            number=True,
        ),
    ]
    return section(
        title, html.P(told), table(asked, columns, rows, Wish(), paging=False, label=title)
    )
