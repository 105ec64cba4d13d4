"""What the rules measure, asked of ClickHouse: named questions, each for a moment, that give what was observed.

A question looks as far back as its rule says, and tells of everything that is beyond the clearing level: what it does not tell is
over. Suspended filings are not overdue; what is dated after the moment has not happened yet. All raise clickhouse-driver's errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any

from schemas import reference
from schemas.clickhouse import sql
from schemas.clickhouse.sql import moment
from schemas.declared import whole
from schemas.events.codes import DocumentStatus, FeedbackStatus, Priority
from schemas.figures import BY_CODE
from schemas.figures.questions import AskedMoment, ask
from schemas.moments import milliseconds
from schemas.reference import Rule
from schemas.sources.freshness import Source, SourceState, judge
from streams.watch.clusters import CORE, ReportPoint, clusters, named
from streams.watch.engine import Alarm, Observed
from streams.worker.store import WorkerStore

USUAL_DAYS = 14
"""Days that say how much of something is usual."""
REFUSED_DAYS = 60
NOBODY = timedelta(hours=1)
"""Without an event from anybody for that much working time it is not the agencies that are silent."""
MIN_RATE = 0.001
"""A share of overdue filings that is usual even where there is none."""


@dataclass(frozen=True)
class WatchedProvince:
    """Whose sources are watched; a code that the reference data do not know has no promised feeds."""

    code: str

    @cached_property
    def agencies(self) -> tuple[reference.Agency, ...]:
        try:
            return reference.agencies(self.code)
        except KeyError:
            return ()

    @cached_property
    def communes(self) -> Mapping[str, str]:
        """Agency → commune, of the agencies of communes."""
        return {one.code: one.commune for one in self.agencies if one.commune}

    def places(self, agency: str) -> tuple[str, ...]:
        return (self.communes[agency],) if agency in self.communes else ()


@dataclass
class Look:
    """One look at everything that some rules measure, at a moment: what several of them need is asked once."""

    store: WorkerStore
    at: datetime
    province: WatchedProvince
    known: Sequence[Alarm] = field(default_factory=tuple)

    def rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        """Ask for a moment: `now` and any other moments are datetimes, spans before `at` are timedeltas."""
        values: dict[str, Any] = {"now": milliseconds(self.at)}
        for name, value in given.items():
            when = self.at - value if isinstance(value, timedelta) else value
            values[name] = milliseconds(when) if isinstance(when, datetime) else when
        return list(self.store.execute(query, values))

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """The feeds as they stand."""
        heard = [
            {"agency": a, "kind": k, "received_at": at} for a, k, at, _ in self.rows(sql.HEARD)
        ]
        ahead = [
            {"agency": a, "kind": k, "seconds": seconds, "since": since}
            for a, k, seconds, since in self.rows(sql.AHEAD, hour_ago=timedelta(hours=1))
        ]
        refused = [
            {"agency": a, "kind": k, "refused_at": at}
            for a, k, at in self.rows(
                sql.REFUSED_LAST, start=timedelta(days=REFUSED_DAYS), end=self.at
            )
        ]
        return judge(
            self.province.agencies,
            heard,
            self.at,
            reference.calendar(self.province.code),
            ahead,
            refused,
        )


def bursts(look: Look, rule: Rule) -> list[Observed]:
    """Field reports received lately, per commune and category, against what is usual there."""
    recent = look.rows(
        f"SELECT commune, category, sum(received) AS recent, minIf(window_start, received > 0) FROM windows_feedback FINAL "
        f"WHERE window_start > {moment('since')} AND window_start <= {moment('now')} "
        f"GROUP BY commune, category HAVING recent >= %(least)s",
        since=_span(rule),
        least=rule.clear_at,
    )
    if not recent:  # Nearly always: the two weeks before need not be read.
        return []
    usual = {
        (commune, category): received * (_span(rule) / timedelta(days=USUAL_DAYS))
        for commune, category, received in look.rows(
            f"SELECT commune, category, sum(received) FROM windows_feedback FINAL "
            f"WHERE window_start > {moment('since')} AND window_start <= {moment('until')} "
            "AND (commune, category) IN %(which)s GROUP BY commune, category",
            since=timedelta(days=USUAL_DAYS),
            until=_span(rule),
            which=[row[:2] for row in recent],
        )
    }
    return [
        Observed(
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


def places(look: Look, rule: Rule) -> list[Observed]:
    """Field reports of a category that lie close together, whatever the communes, against what is usual in that place."""
    found: dict[str, list[ReportPoint]] = {}
    of = f"status = {sql.codes(FeedbackStatus.RECEIVED)} AND lat IS NOT NULL AND lon IS NOT NULL"
    for category, lat, lon, commune, at in look.rows(
        f"SELECT category, assumeNotNull(lat), assumeNotNull(lon), commune, occurred_at FROM events_feedback FINAL "
        f"WHERE toStartOfMinute(occurred_at) >= {moment('since')} AND occurred_at <= {moment('now')} AND {of} "
        f"ORDER BY occurred_at DESC LIMIT 5000",
        since=_span(rule),
    ):
        found.setdefault(category, []).append(ReportPoint(lat, lon, commune, at))
    least = max(rule.clear_at, CORE)
    near = [
        one
        for category, points in sorted(found.items())
        for one in clusters(category, points, least)
    ]
    observed = []
    for key, cluster in named(near, [one for one in look.known if one.rule == rule.code]):
        ((before,),) = look.rows(
            f"SELECT uniqExact(identity) FROM events_feedback "
            f"WHERE toStartOfMinute(occurred_at) >= {moment('since')} AND occurred_at <= {moment('until')} AND {of} "
            "AND category = %(category)s "
            "AND greatCircleDistance(assumeNotNull(lon), assumeNotNull(lat), %(lon)s, %(lat)s) <= %(radius)s",
            since=timedelta(days=USUAL_DAYS),
            until=_span(rule),
            category=cluster.category,
            lat=cluster.lat,
            lon=cluster.lon,
            radius=cluster.radius,
        )
        count = len(cluster.points)
        observed.append(
            Observed(
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


def piles(look: Look, rule: Rule) -> list[Observed]:
    """Overdue filings per commune, against the usual share of overdue ones in the province."""
    return _overdue(look, "commune", lambda code: {"communes": (code,) if code else ()})


def slow(look: Look, rule: Rule) -> list[Observed]:
    """The same per agency: one that is slow is seen while it is a matter of few filings yet."""
    return _overdue(
        look,
        "agency",
        lambda code: {"agencies": (code,) if code else (), "communes": look.province.places(code)},
    )


def _overdue(look: Look, by: str, places: Callable[[str], dict[str, Any]]) -> list[Observed]:
    overdue, known = BY_CODE["filing.overdue"], BY_CODE["filing.registered"]
    working = reference.calendar(look.province.code)
    now = ask(
        look.store.execute, (overdue, known), AskedMoment.of(look.at, working), (by,), units="today"
    )
    before = ask(
        look.store.execute,
        (overdue,),
        AskedMoment.of(look.at - timedelta(days=1), working),
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
        Observed(
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


def flashes(look: Look, rule: Rule) -> list[Observed]:
    """Flash documents that nobody received, per receiver: for how many minutes the oldest has waited."""
    rows = look.rows(
        f"""SELECT to_organ, any(commune), count(), min(started_at) AS sent FROM current_document FINAL
        WHERE status = {DocumentStatus.ARRIVED:d} AND priority >= {Priority.FLASH:d} AND started_at < {moment("before")}
        GROUP BY to_organ""",
        before=timedelta(minutes=rule.clear_at),
    )
    return [
        Observed(
            key=receiver,
            value=(look.at - since) / timedelta(minutes=1),
            since=since,
            count=documents,
            communes=(commune,) if commune else (),
            agencies=(receiver,),
        )
        for receiver, commune, documents, since in rows
    ]


def _feed(one: Source, value: float, since: datetime | None) -> Observed:
    communes = (one.commune,) if one.commune else ()
    return Observed(
        f"{one.kind}/{one.agency}",
        value,
        subject=one.kind,
        since=since,
        communes=communes,
        agencies=(one.agency,),
    )


def silences(look: Look, rule: Rule) -> list[Observed]:
    """Feeds that are silent: how many times the time that was promised has passed without a word.

    Where nothing at all came for an hour of work, that is one matter, and of no single feed anything can be told.
    """
    silent = [
        _feed(one, one.missed, one.received_at)
        for one in look.sources
        if one.state is SourceState.SILENT
    ]
    newest = max((one.received_at for one in look.sources if one.received_at), default=None)
    if newest is None or len(silent) < 2:
        return silent
    unheard = reference.calendar(look.province.code).working_time(newest, look.at)
    if unheard <= NOBODY:
        return silent
    return [
        Observed("*", unheard / NOBODY, subject="all", since=newest),
        *(replace(one, value=None) for one in silent),
    ]


def malformed(look: Look, rule: Rule) -> list[Observed]:
    """Feeds that would be late or silent although they send, as all of it is refused; as `silences`, at least 1."""
    return [
        _feed(one, max(1.0, one.missed), one.received_at)
        for one in look.sources
        if one.state is SourceState.MALFORMED
    ]


def clocks(look: Look, rule: Rule) -> list[Observed]:
    """Sources whose clock is ahead, by how many seconds: what they tell lies in the future until it is mended."""
    return [
        _feed(one, one.ahead.total_seconds(), one.ahead_since) for one in look.sources if one.ahead
    ]


def refused(look: Look, rule: Rule) -> list[Observed]:
    """What gateways refused lately of each agency, against what is usual."""
    rows = look.rows(
        f"SELECT agency, sumIf(r.count, r.until > {moment('recent')}) AS recent, "
        f"sumIf(r.count, r.until <= {moment('recent')}) AS before, minIf(r.since, r.until > {moment('recent')}), "
        f"topKWeightedIf(1)(r.category, r.count, r.until > {moment('recent')}) "
        f"FROM refusal_rows AS r FINAL WHERE r.until > {moment('since')} AND r.until <= {moment('now')} AND agency != '' "
        "GROUP BY agency HAVING recent >= %(least)s",
        recent=_span(rule),
        since=timedelta(days=USUAL_DAYS),
        least=rule.clear_at,
    )
    return [
        Observed(
            key=agency,
            value=recent,
            usual=before * (_span(rule) / timedelta(days=USUAL_DAYS)),
            subject=worst[0] if worst else "",
            since=since,
            count=recent,
            communes=look.province.places(agency),
            agencies=(agency,),
        )
        for agency, recent, before, since, worst in rows
    ]


def dead_letters(look: Look, rule: Rule) -> list[Observed]:
    """Records that could not be counted lately, against what is usual; the subject is what is wrong most often."""
    ((recent, before, since, worst),) = look.rows(
        f"""SELECT countIf(received_at > {moment("recent")}), countIf(received_at <= {moment("recent")}),
            minIf(received_at, received_at > {moment("recent")}), topKIf(1)(category, received_at > {moment("recent")})
        FROM dead_letter_rows FINAL WHERE received_at > {moment("since")} AND received_at <= {moment("now")}""",
        recent=_span(rule),
        since=timedelta(days=USUAL_DAYS),
    )
    if not recent:
        return []
    usual = before * (_span(rule) / timedelta(days=USUAL_DAYS))
    return [Observed("", recent, usual=usual, subject=worst[0], since=since, count=recent)]


Question = Callable[[Look, Rule], Sequence[Observed]]


@dataclass(frozen=True, kw_only=True)
class AlarmMeasure:
    """What rules may measure by name: the question that observes it, and how often it is asked.

    Raises:
        IncompleteDeclarationError: if it lacks its code, or how often it is asked.
    """

    code: str
    question: Question
    job: str
    """The job that asks it: measures that are asked equally often, of the same tables, share what they need."""
    every_seconds: float
    """The period of that job; all measures of a job name the same."""

    def __post_init__(self) -> None:
        whole(
            f"alarm measure {self.code or '?'}",
            (bool(self.code), "code"),
            (bool(self.job), "job"),
            (self.every_seconds > 0, "every_seconds"),
        )


MEASURES: tuple[AlarmMeasure, ...] = (
    AlarmMeasure(code="feedback.burst", question=bursts, job="reports", every_seconds=1.0),
    AlarmMeasure(code="feedback.cluster", question=places, job="reports", every_seconds=1.0),
    AlarmMeasure(
        code="document.flash_waiting", question=flashes, job="documents", every_seconds=5.0
    ),
    AlarmMeasure(code="source.silence", question=silences, job="sources", every_seconds=5.0),
    AlarmMeasure(code="source.malformed", question=malformed, job="sources", every_seconds=5.0),
    AlarmMeasure(code="source.ahead", question=clocks, job="sources", every_seconds=5.0),
    AlarmMeasure(code="source.refused", question=refused, job="sources", every_seconds=5.0),
    AlarmMeasure(code="letters.dead", question=dead_letters, job="sources", every_seconds=5.0),
    AlarmMeasure(code="filing.pile", question=piles, job="filings", every_seconds=10.0),
    AlarmMeasure(code="filing.slow", question=slow, job="filings", every_seconds=10.0),
)
QUESTIONS: Mapping[str, Question] = {one.code: one.question for one in MEASURES}
"""Measure of a rule → its question; any other measure is the code of a figure."""


def _span(rule: Rule) -> timedelta:
    return timedelta(minutes=rule.span_minutes)
