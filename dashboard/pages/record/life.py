"""Life of a record: its deadline in words and as a bar, its steps as a timeline."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import html

from dashboard.components.parts import Part, chip, labelled
from dashboard.components.record_fields import to_the_day
from dashboard.components.record_rows import status_label, what_label
from dashboard.components.table import Row
from dashboard.components.unit_refs import unit_link
from dashboard.i18n.translator import Translator
from dashboard.pages.record.deadline import Bar, Deadline
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas.events.kinds import Kind

Step = dict[str, Any]


def headline(
    context: PageContext,
    kind: Kind,
    steps: list[Step],
    state: Row,
    found: Deadline,
    request: PageRequest,
    now: datetime,
) -> list[Part]:
    """Show subject, status, time left or overdue, irregular steps, and the current holder."""
    translator, last = request.translator, steps[-1]
    marks: list[Part] = [
        html.Span(status_label(kind, last, request.language), className="status"),
        _left(found, bool(last["late"]), translator),
    ]
    if last["impossible"]:
        marks.append(
            chip(translator("steps_out_of_order", n=translator.number(last["impossible"])), "p3")
        )
    if last["reopened"]:
        marks.append(
            chip(translator("reopened_times", n=translator.number(last["reopened"])), "quiet")
        )
    lines: list[Part] = [
        html.P(what_label(kind, {**last, **state}, request.language), className="what"),
        html.Div(marks, className="marks"),
    ]
    if found.standing != "closed":
        lines.append(html.P(_holder(context, last, request, now), className="holder"))
    return [html.Div(lines, className="headline")]


def _holder(context: PageContext, last: Step, request: PageRequest, now: datetime) -> list[Part]:
    """Show who holds the record, since when, and their telephone."""
    translator, of = request.translator, context.place.agency(last["agency"])
    parts: list[Part] = [
        translator("holder"),
        " ",
        unit_link(request, context.place, last["agency"]),
        " ",
    ]
    parts.append(translator("since", time=translator.moment(last["held_since"], now)))
    return [*parts, f" · {of.owner}: {of.telephone}"] if of.owner else parts


def _left(found: Deadline, late: bool, translator: Translator) -> Part:
    if found.left is None:
        return chip(translator("no_deadline"), "quiet")
    words = translator.clock_span(abs(found.left), found.around)
    if found.standing == "closed":
        return (
            chip(translator("closed_late", span=words), "p2")
            if late
            else chip(translator("closed_in_time", span=words), "good")
        )
    if found.overdue:
        return chip(translator("overdue_by", span=words), "p2")
    if found.standing == "paused":
        return chip(translator("clock_stands", span=words), "quiet")
    return chip(translator("time_left", span=words), "good")


def clock(found: Deadline, shape: Bar, steps: list[Step], request: PageRequest) -> html.Div:
    """Show since when the clock runs, when the record is due, and the pauses, also as a bar."""
    translator = request.translator
    facts = [
        (translator("began"), translator.known(steps[0]["started_at"])),
        (
            translator("due"),
            translator.due(found.due)
            if found.due
            else translator("due_moves" if found.standing == "paused" else "no_deadline"),
        ),
        (
            translator("stood_still"),
            translator.clock_span(found.paused, found.around)
            if found.paused
            else translator("none"),
        ),
        (translator("clock_kind"), translator("clock_around" if found.around else "clock_working")),
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
    label = "; ".join(f"{name}: {words}" for name, words in facts)
    return html.Div(
        [
            html.Div([*pieces, *mark], className="clock-bar", role="img", **labelled(label)),
            html.Div(
                [
                    html.Span([html.I(className="key open"), translator("clock_runs")]),
                    html.Span([html.I(className="key paused"), translator("clock_paused")]),
                    html.Span([html.I(className="key beyond"), translator("clock_beyond")]),
                    html.Span([html.I(className="key due"), translator("due")]),
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
    context: PageContext,
    kind: Kind,
    steps: list[Step],
    events: Sequence[Row],
    request: PageRequest,
    now: datetime,
) -> html.Ol:
    """List the steps, oldest first, and flag those that may not follow the one before.

    Args:
        context: of the request.
        kind: of the record.
        steps: rows of `life_K`: time, status, holder, duration on the clock.
        events: those that brought the steps; they say how exactly their times are known.
        request: the page's address.
        now: the moment shown.
    """
    days = {(event["partition"], event["offset"]) for event in events if to_the_day("time", event)}
    return html.Ol(
        [_step(context, kind, number, steps, days, request, now) for number in range(len(steps))],
        className="timeline",
    )


def _step(
    context: PageContext,
    kind: Kind,
    number: int,
    steps: list[Step],
    days: Collection[tuple[int, int]],
    request: PageRequest,
    now: datetime,
) -> html.Li:
    translator, step = request.translator, steps[number]
    is_day = (step["partition"], step["offset"]) in days
    last = number == len(steps) - 1
    changed = number == 0 or steps[number - 1]["agency"] != step["agency"]
    span = _lasted(step, context, now)
    closed = step["standing"] == "closed"
    parts: list[Part] = [html.B(status_label(kind, step, request.language))]
    if step["standing"] == "paused":
        parts.append(chip(translator("clock_paused"), "quiet"))
    if not step["possible"]:
        parts.append(chip(translator("out_of_order"), "p3"))
    if step["late"] and step["turned"]:
        parts.append(chip(translator("late"), "p2"))
    if (delay := step["received_at"] - step["since"]) > timedelta(minutes=30):
        parts.append(html.Small(translator("told_later", span=translator.span(delay))))
    # The holder is named where it changes.
    held = (
        [
            unit_link(request, context.place, step["agency"]),
            html.Small(translator(f"level_{step['level']}")),
        ]
        if changed
        else []
    )
    words = translator.clock_span(span, bool(step["around"])) if span is not None else ""
    lasted = "" if closed else translator("until_now", span=words) if last else words
    return html.Li(
        [
            html.Time(translator.known(step["since"], to_the_day=is_day)),
            html.Div([html.Div(parts, className="said"), html.Div(held, className="holder")]),
            html.Span(lasted, className="lasted number"),
        ],
        className=f"{step['standing']}{' last' if last else ''}"
        f"{'' if step['possible'] else ' wrong'}",
    )


def _lasted(step: Step, context: PageContext, now: datetime) -> timedelta | None:
    if step["hours"] is not None:
        return timedelta(hours=step["hours"])
    since: datetime = step["since"]
    passed = now - since if step["around"] else context.place.calendar.working_time(since, now)
    return max(passed, timedelta(0))
