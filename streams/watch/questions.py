"""The measures of alarm rules: named queries that return observations at a moment.

A query looks as far back as its rule says, and returns every subject beyond the clear threshold:
for any other subject, the alarm condition is over. Suspended filings are not overdue; events dated
after the moment do not count yet. All raise clickhouse-driver's errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from schemas import reference
from schemas.clickhouse import sql
from schemas.clickhouse.sql import moment
from schemas.declared import whole
from schemas.events.codes import DocumentStatus, FeedbackStatus, Priority
from schemas.figures import BY_CODE
from schemas.figures.questions import QueryMoment, ask
from schemas.reference import Rule
from schemas.sources.freshness import Source, SourceState
from streams.watch.clusters import MIN_NEIGHBOURS, ReportPoint, clusters, named
from streams.watch.context import MeasureContext
from streams.watch.engine import Observation

USUAL_DAYS = 14
"""Days from which the usual amount of something is computed."""
NOBODY = timedelta(hours=1)
"""Working time without any event after which the path, not a single agency, is silent."""
MIN_RATE = 0.001
"""Lower bound of the usual share of overdue filings."""


def report_bursts(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Count recent field reports by commune and category, compared with what is usual there."""
    recent = context.rows(
        "SELECT commune, category, sum(received) AS recent, "
        "minIf(window_start, received > 0) FROM windows_feedback FINAL "
        f"WHERE window_start > {moment('since')} AND window_start <= {moment('now')} "
        f"GROUP BY commune, category HAVING recent >= %(least)s",
        since=_span(rule),
        least=rule.clear_at,
    )
    if not recent:  # Nearly always: the two weeks before need not be read.
        return []
    usual = {
        (commune, category): received * (_span(rule) / timedelta(days=USUAL_DAYS))
        for commune, category, received in context.rows(
            f"SELECT commune, category, sum(received) FROM windows_feedback FINAL "
            f"WHERE window_start > {moment('since')} AND window_start <= {moment('until')} "
            "AND (commune, category) IN %(which)s GROUP BY commune, category",
            since=timedelta(days=USUAL_DAYS),
            until=_span(rule),
            which=[row[:2] for row in recent],
        )
    }
    return [
        Observation(
            key=f"{category}/{commune}",
            value=count,
            usual=usual.get((commune, category), 0.0),
            subject=category,
            since=since,
            count=count,
            communes=(commune,) if commune else (),
        )
        for commune, category, count, since in recent
    ]


def report_clusters(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Find recent reports of a category close together, compared with what is usual in that area.

    Clusters may extend over several communes.
    """
    found: dict[str, list[ReportPoint]] = {}
    of = f"status = {sql.codes(FeedbackStatus.RECEIVED)} AND lat IS NOT NULL AND lon IS NOT NULL"
    for category, lat, lon, commune, at in context.rows(
        "SELECT category, assumeNotNull(lat), assumeNotNull(lon), commune, occurred_at "
        f"FROM events_feedback FINAL WHERE toStartOfMinute(occurred_at) >= {moment('since')} "
        f"AND occurred_at <= {moment('now')} AND {of} "
        f"ORDER BY occurred_at DESC LIMIT 5000",
        since=_span(rule),
    ):
        found.setdefault(category, []).append(ReportPoint(lat, lon, commune, at))
    least = max(rule.clear_at, MIN_NEIGHBOURS)
    near = [
        one
        for category, points in sorted(found.items())
        for one in clusters(category, points, least)
    ]
    observed = []
    for key, cluster in named(near, [one for one in context.known if one.rule == rule.code]):
        ((before,),) = context.rows(
            f"SELECT uniqExact(identity) FROM events_feedback "
            f"WHERE toStartOfMinute(occurred_at) >= {moment('since')} "
            f"AND occurred_at <= {moment('until')} AND {of} "
            "AND category = %(category)s AND greatCircleDistance("
            "assumeNotNull(lon), assumeNotNull(lat), %(lon)s, %(lat)s) <= %(radius)s",
            since=timedelta(days=USUAL_DAYS),
            until=_span(rule),
            category=cluster.category,
            lat=cluster.lat,
            lon=cluster.lon,
            radius=cluster.radius,
        )
        count = len(cluster.points)
        observed.append(
            Observation(
                key=key,
                value=count,
                usual=before * (_span(rule) / timedelta(days=USUAL_DAYS)),
                subject=cluster.category,
                since=cluster.since,
                count=count,
                communes=cluster.communes,
                lat=round(cluster.lat, 5),
                lon=round(cluster.lon, 5),
                radius=round(cluster.radius),
            )
        )
    return observed


def overdue_by_commune(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Count overdue filings by commune, compared with the usual share in the province."""
    return _overdue(context, "commune", lambda code: {"communes": (code,) if code else ()})


def overdue_by_agency(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Count overdue filings by agency, to notice a slow one while few filings are overdue."""
    return _overdue(
        context,
        "agency",
        lambda code: {
            "agencies": (code,) if code else (),
            "communes": context.province.communes_of(code),
        },
    )


def _overdue(
    context: MeasureContext, by: str, places: Callable[[str], dict[str, Any]]
) -> list[Observation]:
    overdue, known = BY_CODE["filing.overdue"], BY_CODE["filing.registered"]
    working = reference.calendar(context.province.code)
    now = ask(
        context.figures,
        (overdue, known),
        QueryMoment.of(context.at, working),
        (by,),
        units="today",
    )
    before = ask(
        context.figures,
        (overdue,),
        QueryMoment.of(context.at - timedelta(days=1), working),
        (by,),
        past=True,
        units="today",
    )
    counts = {
        code: (found[overdue.code].value or 0, found[known.code].value or 0)
        for (code,), found in sorted(now.items())
    }
    rates = [late / filings for late, filings in counts.values() if filings]
    if not rates:
        return []
    usual = max(median(rates), MIN_RATE)
    then = {code: found[overdue.code].value or 0 for (code,), found in before.items()}
    return [
        Observation(
            key=code,
            value=late,
            usual=usual * filings,
            count=round(late),
            change=round(late - then.get(code, 0)),
            **places(code),
        )
        for code, (late, filings) in counts.items()
        if late
    ]


def waiting_flash_documents(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Measure for how many minutes the oldest flash document has waited at each receiver."""
    rows = context.rows(
        f"""SELECT to_organ, any(commune), count(), min(started_at) AS sent
        FROM current_document FINAL
        WHERE status = {DocumentStatus.ARRIVED:d} AND priority >= {Priority.FLASH:d}
        AND started_at < {moment("before")}
        GROUP BY to_organ""",
        before=timedelta(minutes=rule.clear_at),
    )
    return [
        Observation(
            key=receiver,
            value=(context.at - since) / timedelta(minutes=1),
            since=since,
            count=documents,
            communes=(commune,) if commune else (),
            agencies=(receiver,),
        )
        for receiver, commune, documents, since in rows
    ]


def _feed(one: Source, value: float, since: datetime | None) -> Observation:
    communes = (one.commune,) if one.commune else ()
    return Observation(
        f"{one.kind}/{one.agency}",
        value,
        subject=one.kind,
        since=since,
        communes=communes,
        agencies=(one.agency,),
    )


def silent_feeds(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Measure for how many of its agreed intervals each silent feed has sent nothing.

    If nothing at all arrived for an hour of working time, that is one alarm, and nothing is known
    about single feeds.
    """
    silent = [
        _feed(one, one.missed, one.received_at)
        for one in context.sources
        if one.state is SourceState.SILENT
    ]
    newest = max((one.received_at for one in context.sources if one.received_at), default=None)
    if newest is None or len(silent) < 2:
        return silent
    unheard = reference.calendar(context.province.code).working_time(newest, context.at)
    if unheard <= NOBODY:
        return silent
    return [
        Observation("*", unheard / NOBODY, subject="all", since=newest),
        *(replace(one, value=None) for one in silent),
    ]


def malformed_feeds(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Measure feeds whose input is all refused, in the unit of `silent_feeds`; at least 1."""
    return [
        _feed(one, max(1.0, one.missed), one.received_at)
        for one in context.sources
        if one.state is SourceState.MALFORMED
    ]


def clocks_ahead(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Measure by how many seconds the clock of a source is ahead; its events lie in the future."""
    return [
        _feed(one, one.ahead.total_seconds(), one.ahead_since)
        for one in context.sources
        if one.ahead
    ]


def refusals(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Count the recent refusals of each agency's events, compared with what is usual."""
    rows = context.rows(
        f"SELECT agency, sumIf(r.count, r.until > {moment('recent')}) AS recent, "
        f"sumIf(r.count, r.until <= {moment('recent')}) AS before, "
        f"minIf(r.since, r.until > {moment('recent')}), "
        f"topKWeightedIf(1)(r.category, r.count, r.until > {moment('recent')}) "
        f"FROM refusal_rows AS r FINAL WHERE r.until > {moment('since')} "
        f"AND r.until <= {moment('now')} AND agency != '' "
        "GROUP BY agency HAVING recent >= %(least)s",
        recent=_span(rule),
        since=timedelta(days=USUAL_DAYS),
        least=rule.clear_at,
    )
    return [
        Observation(
            key=agency,
            value=recent,
            usual=before * (_span(rule) / timedelta(days=USUAL_DAYS)),
            subject=worst[0] if worst else "",
            since=since,
            count=recent,
            communes=context.province.communes_of(agency),
            agencies=(agency,),
        )
        for agency, recent, before, since, worst in rows
    ]


def dead_letters(context: MeasureContext, rule: Rule) -> list[Observation]:
    """Count recent dead letters, compared with what is usual; the subject is the main category."""
    ((recent, before, since, worst),) = context.rows(
        f"""SELECT countIf(received_at > {moment("recent")}),
            countIf(received_at <= {moment("recent")}),
            minIf(received_at, received_at > {moment("recent")}),
            topKIf(1)(category, received_at > {moment("recent")})
        FROM dead_letter_rows FINAL
        WHERE received_at > {moment("since")} AND received_at <= {moment("now")}""",
        recent=_span(rule),
        since=timedelta(days=USUAL_DAYS),
    )
    if not recent:
        return []
    usual = before * (_span(rule) / timedelta(days=USUAL_DAYS))
    return [Observation("", recent, usual=usual, subject=worst[0], since=since, count=recent)]


Question = Callable[[MeasureContext, Rule], Sequence[Observation]]


JOB_SECONDS: Mapping[str, float] = {
    "reports": 1.0,
    "documents": 5.0,
    "sources": 5.0,
    "filings": 10.0,
}
"""Periods of the jobs that run measures, by job; the measures of a job share its queries."""


@dataclass(frozen=True, kw_only=True)
class AlarmMeasure:
    """A measure that rules may name: the query that observes it, and the job that runs it."""

    code: str
    question: Question
    job: str
    """The job that runs it, one of `JOB_SECONDS`."""

    def __post_init__(self) -> None:
        """Check that the declaration is complete.

        Raises:
            IncompleteDeclarationError: If its code is missing or its job is unknown.
        """
        whole(
            f"alarm measure {self.code or '?'}",
            (bool(self.code), "code"),
            (self.job in JOB_SECONDS, "job"),
        )


MEASURES: tuple[AlarmMeasure, ...] = (
    AlarmMeasure(code="feedback.burst", question=report_bursts, job="reports"),
    AlarmMeasure(code="feedback.cluster", question=report_clusters, job="reports"),
    AlarmMeasure(
        code="document.flash_waiting",
        question=waiting_flash_documents,
        job="documents",
    ),
    AlarmMeasure(code="source.silence", question=silent_feeds, job="sources"),
    AlarmMeasure(code="source.malformed", question=malformed_feeds, job="sources"),
    AlarmMeasure(code="source.ahead", question=clocks_ahead, job="sources"),
    AlarmMeasure(code="source.refused", question=refusals, job="sources"),
    AlarmMeasure(code="letters.dead", question=dead_letters, job="sources"),
    AlarmMeasure(code="filing.pile", question=overdue_by_commune, job="filings"),
    AlarmMeasure(code="filing.slow", question=overdue_by_agency, job="filings"),
)
QUESTIONS: Mapping[str, Question] = {one.code: one.question for one in MEASURES}
"""Measure of a rule → its query; any other measure is the code of a figure."""


def _span(rule: Rule) -> timedelta:
    return timedelta(minutes=rule.span_minutes)
