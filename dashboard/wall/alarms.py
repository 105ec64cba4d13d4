"""The list of alarms: at most five, the gravest first, each with shape, place, sentence and since when."""

from dash import html

from dashboard.alarms import Alarm
from dashboard.snapshot import Place, Snapshot
from dashboard.speech import Speech
from dashboard.store import BURST
from schemas import reference

MOST = 5


def where(alarm: Alarm, place: Place, speech: Speech) -> str:
    """The place of an alarm in words."""
    if alarm.cause == "dead_letters":
        return speech("dead_letters_place")
    names = [place.names.get(code, code) for code in alarm.communes]
    if not names:
        names = [reference.agency(code).words(speech.language) for code in alarm.agencies]
    if len(names) > 2:
        return speech("and_others", names=names[0], n=len(names) - 1)
    return ", ".join(names) or speech("whole_province")


def sentence(alarm: Alarm, speech: Speech) -> str:
    """What is the matter, in one sentence."""
    subject = reference.category_words(alarm.subject, speech.language).lower() if alarm.cause == "burst" else alarm.subject
    return speech(
        f"{alarm.cause}_many" if alarm.units > 1 and alarm.cause != "dead_letters" else alarm.cause,
        n=speech.number(alarm.count),
        change=speech.change(alarm.change),
        category=subject,
        minutes=int(BURST.total_seconds() // 60),
        feed=_feed(alarm, speech),
        span=speech.span(alarm.span),
        reason=alarm.subject,
        units=speech.number(alarm.units),
    )


def _feed(alarm: Alarm, speech: Speech) -> str:
    """The feed that an alarm is about, as it stands in the sentence."""
    if alarm.cause not in ("silent", "ahead"):
        return ""
    word = speech(f"feed_{alarm.subject}")
    return word.lower() if alarm.cause == "silent" else word


def rows(snapshot: Snapshot, place: Place, speech: Speech) -> list[html.Article]:
    """The alarms as list items."""
    if not snapshot.alarms:
        return [html.Article(speech("no_alarms"), className="calm")]
    return [_row(alarm, snapshot, place, speech) for alarm in snapshot.alarms[:MOST]]


def _row(alarm: Alarm, snapshot: Snapshot, place: Place, speech: Speech) -> html.Article:
    since = speech("since", time=speech.moment(alarm.since, snapshot.at)) if alarm.since else ""
    return html.Article(
        [
            html.H3(
                [
                    html.I(className=f"shape p{alarm.priority}"),
                    html.B(where(alarm, place, speech)),
                    html.Span(since, className="since"),
                ]
            ),
            html.P([html.Span(speech(f"priority_{alarm.priority}") + ": ", className="word"), sentence(alarm, speech)]),
        ],
        className=f"alarm p{alarm.priority}",
        key=alarm.id,
    )
