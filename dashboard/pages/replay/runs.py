"""Replay runs on `/replay`: their states, a form to start one, and how one differs from live."""

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
from dashboard.components.table import TableColumn, TableState, table
from dashboard.i18n.translator import Translator
from dashboard.request.address import VIEWER, PageRequest, format_moment
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


def runs(context: PageContext, request: PageRequest) -> Part:
    """Build the section: the runs and the form."""
    translator, problem = request.translator, request.get("run_problem")
    text = (
        [html.P(translator(f"run_problem_{problem}"), role="alert", className="problem")]
        if problem in PROBLEMS
        else []
    )
    return section(
        translator("runs"),
        html.P(translator("runs_hint"), className="hint"),
        *text,
        _form(context, request),
        html.Div([standing(context, request)]),
        id="runs",
    )


def standing(context: PageContext, request: PageRequest) -> Part:
    """List the runs with their states; the page's script refreshes it while one is running."""
    found, translator = context.runs(), request.translator
    goes_on = any(one.goes_on for one in found)
    content = _table(request, found) if found else nothing(translator("no_runs"))
    return html.Div([content], id="runs-standing", **(marked("goes-on") if goes_on else {}))


def _table(request: PageRequest, found: list[ReplayRun]) -> Part:
    translator = request.translator
    columns = [
        TableColumn(
            "name",
            translator("run_name"),
            lambda row: link(request, row["run"].name, "/replay", run=row["run"].name),
        ),
        TableColumn(
            "period", translator("run_period"), lambda row: _period(row["run"], translator)
        ),
        TableColumn(
            "speed", translator("speed"), lambda row: _speed(row["run"], translator), short=True
        ),
        TableColumn("state", translator("state"), lambda row: _state(row["run"], translator)),
        TableColumn(
            "events",
            translator("run_events"),
            lambda row: _progress(row["run"], translator),
            number=True,
        ),
        TableColumn(
            "differing",
            translator("run_differing"),
            lambda row: _differing(row["run"], translator),
            number=True,
        ),
        TableColumn("end", translator("run_end"), lambda row: _end(request, row["run"])),
    ]
    return table(
        request,
        columns,
        [{"run": one} for one in found],
        TableState(),
        paging=False,
        label=translator("runs"),
    )


def _period(run: ReplayRun, translator: Translator) -> str:
    return f"{translator.full(run.since)} – {translator.full(run.until)}"


def _speed(run: ReplayRun, translator: Translator) -> str:
    return f"{translator.number(run.speed)}×" if run.speed else translator("run_speed_max")


def _state(run: ReplayRun, translator: Translator) -> Part:
    mark = [f" · {translator('exercise')}"] if run.mark is RunMark.EXERCISE else []
    text = translator("run_killed") if run.said == KILLED else run.said
    return [
        chip(translator(f"run_state_{run.state}"), CHIPS[run.state]),
        *mark,
        *([html.Small(f" {text}")] if text else []),
    ]


def _progress(run: ReplayRun, translator: Translator) -> Part:
    if run.state is not RunState.RUNNING:
        return translator.number(run.counted)
    left = _left(run)
    label = f"{translator.number(run.counted)} / {translator.number(run.total)}"
    bar = html.Progress(value=str(run.counted), max=str(max(run.total, 1)), **labelled(label))
    return [
        bar,
        html.Div(
            label
            if left is None
            else f"{label} · {translator('run_left', span=translator.span(left))}"
        ),
    ]


def _left(run: ReplayRun) -> timedelta | None:
    """Estimate the time left: from the clock of a run at a speed, else from the events done."""
    if run.source == "others":
        return None
    if run.speed:
        return max(run.until - run.moment, timedelta(0)) / run.speed
    # Where events were sent twice, more are counted than happened.
    return (
        (run.at - run.begun_at) / run.counted * max(run.total - run.counted, 0)
        if run.counted
        else None
    )


def _differing(run: ReplayRun, translator: Translator) -> str:
    return translator("none") if run.differing is None else translator.number(run.differing)


def _end(request: PageRequest, run: ReplayRun) -> Part:
    """Build the form that stops a running run or removes another."""
    what = "stop" if run.goes_on else "remove"
    words = request.translator(f"run_{what}")
    button = html.Button(
        words, type="submit", title=f"{words} {run.name}", **labelled(f"{words} {run.name}")
    )
    return html.Form(
        [*kept(request, VIEWER), button], action=f"/replay/runs/{run.name}/{what}", method="POST"
    )


def _form(context: PageContext, request: PageRequest) -> Part:
    translator, hour = (
        request.translator,
        context.clock.now().replace(minute=0, second=0, microsecond=0),
    )
    moments = {"since": hour - timedelta(days=1), "until": hour}
    choices = {
        "speed": {
            one: translator("run_speed_max") if one == "max" else f"{one}×" for one in SPEEDS
        },
        "source": {one: translator(f"run_source_{one}") for one in SOURCES},
        "when": {one: translator(f"run_when_{one}") for one in WHEN},
        "arrival": {one: translator(f"run_arrival_{one}") for one in ARRIVAL},
        "mark": {
            str(one): translator("exercise" if one is RunMark.EXERCISE else "replaying")
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
                id=f"run-{name}", name=name, value=format_moment(at)[:16], required=True, **PICKER
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
                    translator("speed" if name == "speed" else f"run_{name}"), htmlFor=f"run-{name}"
                ),
                part,
            ]
        )
        for name, part in fields.items()
    ]
    return html.Form(
        [*kept(request, VIEWER), *parts, html.Button(translator("run_start"), type="submit")],
        action="/replay/runs",
        method="POST",
        className="chooser run",
    )


def one_run(context: PageContext, request: PageRequest, run: ReplayRun) -> Part:
    """Show one run: its state, links to its screens, and its differences from live by measure."""
    translator = request.translator
    moment = (
        None
        if run.state is RunState.RUNNING
        else format_moment(min(run.moment, context.clock.now()))
    )  # follow a running one
    seen = [
        link(
            request,
            translator(words),
            path.format(province=context.place.code),
            run=run.name,
            moment=moment,
            picture="corrected",
        )
        for words, path in LOOK.items()
    ]
    facts = [
        (translator("run_period"), _period(run, translator)),
        (translator("speed"), _speed(run, translator)),
        (translator("run_source"), translator(f"run_source_{run.source}")),
        (translator("run_arrival"), translator(f"run_arrival_{ARRIVAL[run.on_time]}")),
        (translator("state"), _state(run, translator)),
        (translator("run_events"), _progress(run, translator)),
        (translator("run_moment"), translator.full(run.moment)),
    ]
    label = html.Dl([part for words, value in facts for part in (html.Dt(words), html.Dd(value))])
    return [
        html.H1(f"{translator('run')} {run.name}"),
        html.P([translator("seen_on"), ": ", *listed(seen, " · ")], className="seen-on"),
        html.Div(
            [section(translator("run_standing"), label), _differences(context, request, run)],
            className="columns",
        ),
    ]


def _differences(context: PageContext, request: PageRequest, run: ReplayRun) -> Part:
    translator = request.translator
    title = translator("run_against_live")
    if run.live:
        return section(title, nothing(translator("run_not_compared")))
    found = context.cached(
        ("differences of a run", run.name, run.begun_at),
        lambda: context.replays.differences(run),
        seconds=10.0,
    )
    differing, windows = (
        sum(getattr(one, name) for one in found.values()) for name in ("differing", "windows")
    )
    label = translator(
        "run_differs", n=translator.number(differing), all=translator.number(windows)
    )
    if differing:
        late = context.replays.happened(run.since, run.until, run.begun_at)
        label += f" · {translator('run_late', n=translator.number(late))}"
    rows = [
        {"kind": kind.label(request.language), "measure": measure, "live": live, "run": its}
        for kind, one in found.items()
        for measure, (live, its) in zip(kind.measures, one.sums, strict=True)
        if live or its
    ]
    columns = [
        TableColumn("kind", translator("run_kind"), lambda row: row["kind"]),
        TableColumn(
            "measure",
            translator("run_measure"),
            lambda row: html.Span(
                row["measure"].label(request.language), title=row["measure"].name
            ),
        ),
        TableColumn(
            "live", translator("run_live"), lambda row: translator.number(row["live"]), number=True
        ),
        TableColumn(
            "run", translator("run"), lambda row: translator.number(row["run"]), number=True
        ),
        TableColumn(
            "difference",
            translator("difference"),
            lambda row: (
                translator.change(row["run"] - row["live"], 0) if row["run"] != row["live"] else "="
            ),
            number=True,
        ),
    ]
    return section(
        title, html.P(label), table(request, columns, rows, TableState(), paging=False, label=title)
    )
