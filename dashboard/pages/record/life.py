"""The life of a record to look at: its deadline in words and as a bar, its steps as a timeline."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard.components.parts import Part, chip, labelled
from dashboard.components.record_fields import to_the_day
from dashboard.components.record_rows import status_words, what_words
from dashboard.components.table import Row
from dashboard.components.unit_refs import unit_link
from dashboard.i18n.speech import Translator
from dashboard.pages.record.deadline import Bar, Deadline
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import Kind

Step = dict[str, Any]


def headline(
    ask: PageContext,
    kind: Kind,
    steps: list[Step],
    state: Row,
    found: Deadline,
    asked: PageRequest,
    now: datetime,
) -> list[Part]:
    """What it is and where it stands: status, time left or by how much it is overdue, late, out of order; whom to call."""
    speech, last = asked.speech, steps[-1]
    marks: list[Part] = [
        html.Span(status_words(kind, last, asked.spoken), className="status"),
        _left(found, bool(last["late"]), speech),
    ]
    if last["impossible"]:
        marks.append(chip(speech("steps_out_of_order", n=speech.number(last["impossible"])), "p3"))
    if last["reopened"]:
        marks.append(chip(speech("reopened_times", n=speech.number(last["reopened"])), "quiet"))
    lines: list[Part] = [
        html.P(what_words(kind, {**last, **state}, asked.spoken), className="what"),
        html.Div(marks, className="marks"),
    ]
    if found.standing != "closed":
        lines.append(html.P(_holder(ask, last, asked, now), className="holder"))
    return [html.Div(lines, className="headline")]


def _holder(ask: PageContext, last: Step, asked: PageRequest, now: datetime) -> list[Part]:
    """Who holds it since when, and their telephone."""
    speech, of = asked.speech, ask.place.agency(last["agency"])
    said: list[Part] = [speech("holder"), " ", unit_link(asked, ask.place, last["agency"]), " "]
    said.append(speech("since", time=speech.moment(last["held_since"], now)))
    return [*said, f" · {of.owner}: {of.telephone}"] if of.owner else said


def _left(found: Deadline, late: bool, speech: Translator) -> Part:
    if found.left is None:
        return chip(speech("no_deadline"), "quiet")
    words = speech.clock_span(abs(found.left), found.around)
    if found.standing == "closed":
        return (
            chip(speech("closed_late", span=words), "p2")
            if late
            else chip(speech("closed_in_time", span=words), "good")
        )
    if found.overdue:
        return chip(speech("overdue_by", span=words), "p2")
    if found.standing == "paused":
        return chip(speech("clock_stands", span=words), "quiet")
    return chip(speech("time_left", span=words), "good")


def clock(
    found: Deadline, shape: Bar, steps: list[Step], asked: PageRequest, now: datetime
) -> html.Div:
    """The deadline's clock: since when it runs, when it is due, for how long it stood still; and all of that as a bar."""
    speech = asked.speech
    facts = [
        (speech("began"), speech.known(steps[0]["started_at"])),
        (
            speech("due"),
            speech.due(found.due)
            if found.due
            else speech("due_moves" if found.standing == "paused" else "no_deadline"),
        ),
        (
            speech("stood_still"),
            speech.clock_span(found.paused, found.around) if found.paused else speech("none"),
        ),
        (speech("clock_kind"), speech("clock_around" if found.around else "clock_working")),
    ]
    pieces = [
        html.I(
            className=f"{one.standing}{' beyond' if one.beyond else ''}",
            style={"left": f"{100 * one.start:.2f}%", "width": f"{100 * one.length:.2f}%"},
        )
        for one in shape.pieces
    ]
    mark = (
        [html.B(className="due", style={"left": f"{100 * shape.due:.2f}%"})]
        if shape.due is not None
        else []
    )
    told = "; ".join(f"{name}: {words}" for name, words in facts)
    return html.Div(
        [
            html.Div([*pieces, *mark], className="clock-bar", role="img", **labelled(told)),
            html.Div(
                [
                    html.Span([html.I(className="key open"), speech("clock_runs")]),
                    html.Span([html.I(className="key paused"), speech("clock_paused")]),
                    html.Span([html.I(className="key beyond"), speech("clock_beyond")]),
                    html.Span([html.I(className="key due"), speech("due")]),
                ],
                className="legend",
            ),
            html.Dl(
                [part for name, words in facts for part in (html.Dt(name), html.Dd(words))],
                className="facts-of",
            ),
        ]
    )


def timeline(
    ask: PageContext,
    kind: Kind,
    steps: list[Step],
    events: Sequence[Row],
    asked: PageRequest,
    now: datetime,
) -> html.Ol:
    """The steps, oldest first: when, which status, who held it, for how long on its clock; what may not follow is flagged.

    `events` are those that brought the steps, which say how exactly their times are known.
    """
    days = {(event["partition"], event["offset"]) for event in events if to_the_day("time", event)}
    return html.Ol(
        [_step(ask, kind, number, steps, days, asked, now) for number in range(len(steps))],
        className="timeline",
    )


def _step(
    ask: PageContext,
    kind: Kind,
    number: int,
    steps: list[Step],
    days: Collection[tuple[int, int]],
    asked: PageRequest,
    now: datetime,
) -> html.Li:
    speech, step = asked.speech, steps[number]
    is_day = (step["partition"], step["offset"]) in days
    last = number == len(steps) - 1
    changed = number == 0 or steps[number - 1]["agency"] != step["agency"]
    span = _lasted(step, ask, now)
    closed = step["standing"] == "closed"
    said: list[Part] = [html.B(status_words(kind, step, asked.spoken))]
    if step["standing"] == "paused":
        said.append(chip(speech("clock_paused"), "quiet"))
    if not step["possible"]:
        said.append(chip(speech("out_of_order"), "p3"))
    if step["late"] and step["turned"]:
        said.append(chip(speech("late"), "p2"))
    if (delay := step["received_at"] - step["since"]) > timedelta(minutes=30):
        said.append(html.Small(speech("told_later", span=speech.span(delay))))
    # Who held it is said where it changes.
    held = (
        [unit_link(asked, ask.place, step["agency"]), html.Small(speech(f"level_{step['level']}"))]
        if changed
        else []
    )
    words = speech.clock_span(span, bool(step["around"])) if span is not None else ""
    lasted = "" if closed else speech("until_now", span=words) if last else words
    return html.Li(
        [
            html.Time(speech.known(step["since"], to_the_day=is_day)),
            html.Div([html.Div(said, className="said"), html.Div(held, className="holder")]),
            html.Span(lasted, className="lasted number"),
        ],
        className=f"{step['standing']}{' last' if last else ''}{'' if step['possible'] else ' wrong'}",
    )


def _lasted(step: Step, ask: PageContext, now: datetime) -> timedelta | None:
    if step["hours"] is not None:
        return timedelta(hours=step["hours"])
    since: datetime = step["since"]
    passed = now - since if step["around"] else ask.place.calendar.working_time(since, now)
    return max(passed, timedelta(0))
