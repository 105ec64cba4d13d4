"""List of alarms: at most five, most severe first, with shape, place, sentence and age."""

from dash import html

from dashboard.components.unit_refs import commune_name
from dashboard.i18n.translator import Translator
from dashboard.query.alarm_causes import cause_of
from dashboard.query.alarm_groups import StoredAlarm
from dashboard.query.snapshot import ProvinceContext, Snapshot
from schemas import reference

MAX_ALARMS = 5


def where(alarm: StoredAlarm, place: ProvinceContext, translator: Translator) -> str:
    """Name the place of an alarm."""
    stands_for = cause_of(alarm.cause).place
    if stands_for:
        return translator(stands_for)
    names = [
        place.names.get(code) or commune_name(code, place, translator) for code in alarm.communes
    ]
    if not names:
        names = [place.agency(code).label(translator.language) for code in alarm.agencies]
    if len(names) > 2:
        return translator("and_others", names=names[0], n=len(names) - 1)
    return ", ".join(names) or translator("whole_province")


def sentence(alarm: StoredAlarm, translator: Translator) -> str:
    """Say in one sentence what an alarm is about."""
    rule, cause = reference.alarm_rule(alarm.rule), cause_of(alarm.cause)
    of_alarms = cause.many_of == "alarms"
    several = (alarm.merged_count if of_alarms else alarm.units) > 1
    text = translator(
        cause.many if several else cause.one,
        target=reference.target_label(alarm.subject.partition(".")[2], translator.language),
        n=translator.number(alarm.merged_count if several and of_alarms else alarm.count),
        change=translator.change(alarm.change),
        category=reference.category_label(alarm.subject, translator.language).lower()
        if cause.subject == "category"
        else alarm.subject,
        minutes=int(rule.span_minutes) if rule else 0,
        rule=rule.label(translator.language) if rule else alarm.rule,
        value=translator.number(alarm.value, 0 if alarm.value == round(alarm.value) else 1),
        feed=_feed(alarm, translator),
        span=translator.span(alarm.span),
        reason=alarm.subject,
        units=translator.number(alarm.units),
    )
    return (
        translator("within", text=text, radius=translator.number(round(alarm.radius, -1)))
        if alarm.radius
        else text
    )


def _feed(alarm: StoredAlarm, translator: Translator) -> str:
    """Name the feed of an alarm as it stands in the sentence."""
    subject = cause_of(alarm.cause).subject
    if subject not in ("feed", "feed_first"):
        return ""
    word = translator(f"feed_{alarm.subject}")
    return word if subject == "feed_first" else word.lower()


def rows(snapshot: Snapshot, place: ProvinceContext, translator: Translator) -> list[html.Article]:
    """Build the alarms as list items."""
    if not snapshot.watched.alive:
        # An open alarm may have ended, and others may have begun: show none as current.
        old = [
            _row(alarm, snapshot, place, translator) for alarm in snapshot.alarms[: MAX_ALARMS - 1]
        ]
        return [_blind(snapshot, translator), *old]
    if not snapshot.alarms:
        return [html.Article(translator("no_alarms"), className="calm")]
    return [_row(alarm, snapshot, place, translator) for alarm in snapshot.alarms[:MAX_ALARMS]]


def _blind(snapshot: Snapshot, translator: Translator) -> html.Article:
    until = snapshot.watched.until
    text = (
        translator("blind_since", time=translator.moment(until, snapshot.at))
        if until
        else translator("blind")
    )
    return html.Article(
        [html.H3([html.I(className="shape hatch"), html.B(text)])],
        className="alarm old",
        key="blind",
    )


def _row(
    alarm: StoredAlarm, snapshot: Snapshot, place: ProvinceContext, translator: Translator
) -> html.Article:
    mark = f"p{alarm.priority}" if snapshot.watched.alive else "hatch"
    since = (
        translator("since", time=translator.moment(alarm.since, snapshot.at)) if alarm.since else ""
    )
    return html.Article(
        [
            html.H3(
                [
                    html.I(className=f"shape {mark}"),
                    html.B(where(alarm, place, translator)),
                    html.Span(since, className="since"),
                ]
            ),
            html.P(
                [
                    html.Span(translator(f"priority_{alarm.priority}") + ": ", className="word"),
                    sentence(alarm, translator),
                ]
            ),
        ],
        className=f"alarm {mark}" if snapshot.watched.alive else "alarm old",
        key=alarm.id,
    )
