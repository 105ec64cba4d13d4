"""The jobs of the watch and their periods, from cheap rules each second to expensive ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clickhouse_driver import Client

from schemas.declared import whole
from schemas.figures import BY_CODE
from schemas.figures.aging import TIMELY
from schemas.reference import ZONE, Rule, alarm_rules
from schemas.settings import Settings
from streams.admin.retain import Retention
from streams.lives import Lives
from streams.watch import alarm_store
from streams.watch.context import MeasureContext, WatchedProvince
from streams.watch.engine import Observation, clear_retired, evaluate
from streams.watch.questions import JOB_SECONDS, MEASURES, QUESTIONS, AlarmMeasure
from streams.watch.readings import TARGETS, observed, readings
from streams.watch.snapshots import Snapshots
from streams.worker.store import WorkerStore


@dataclass(frozen=True)
class Task:
    """The input of a job: a connection of its own, and the aligned moment to run for."""

    settings: Settings
    store: WorkerStore
    at: datetime


@dataclass(frozen=True)
class WatchJob:
    """A periodic job; several watches may run it at once, so its writes must converge."""

    name: str
    period: float
    """Seconds from one aligned moment to the next."""
    run: Callable[[Task], None]


def _rules(at: datetime) -> tuple[Rule, ...]:
    return alarm_rules(at.astimezone(ZONE).date())


def _context(task: Task) -> MeasureContext:
    return MeasureContext(
        task.store,
        task.at,
        WatchedProvince(task.settings.province),
        alarm_store.read(task.store, task.at),
    )


def alarms_of(*measures: str) -> Callable[[Task], None]:
    """Return a job's function that evaluates the rules of some measures."""

    def run(task: Task) -> None:
        rules = [rule for rule in _rules(task.at) if rule.measure in measures]
        context = _context(task)
        seen: dict[str, Sequence[Observation] | None] = {
            rule.code: QUESTIONS[rule.measure](context, rule) for rule in rules
        }
        alarm_store.write(task.store, evaluate(rules, seen, task.at, context.known))

    return run


def figures(task: Task) -> None:
    """Evaluate the rules on figures."""
    rules = [rule for rule in _rules(task.at) if rule.measure not in QUESTIONS]
    seen: dict[str, Sequence[Observation] | None] = {}
    context = _context(task)
    for rule in rules:
        scope = rule.scope if rule.scope in ("commune", "agency") else "province"
        now = readings(context, (rule.measure,), scope)
        span = timedelta(minutes=rule.span_minutes)
        before = (
            readings(context, (rule.measure,), scope, span) if rule.comparison == "rate" else {}
        )
        seen[rule.code] = observed(rule, now, before)
    alarm_store.write(task.store, evaluate(rules, seen, task.at, context.known))


class UpdateLives:
    """Updates the lives of entities, records snapshots and applies retention, in this order.

    Figures, and alarms on figures, are computed from lives. Snapshots and retention run here
    because lives must not change meanwhile.
    """

    MAX_EVENTS = 200_000
    """Events processed per run, so that the job reports often enough while it catches up."""

    def __init__(self) -> None:
        """Connect to a database when the job first runs for it."""
        self._of: dict[str, tuple[Client, Lives, Snapshots, Retention]] = {}

    def __call__(self, task: Task) -> None:
        """Run the job.

        Raises:
            clickhouse_driver.errors.Error: If ClickHouse cannot be used.
        """
        url = task.settings.clickhouse_url
        if url not in self._of:
            client = Client.from_url(url)
            lives = Lives(client, task.settings.province)
            self._of[url] = (
                client,
                lives,
                Snapshots(client, task.settings.province, lives),
                Retention(client, task.settings),
            )
        client, lives, snapshots, retention = self._of[url]
        try:
            lives.catch_up(self.MAX_EVENTS)
            snapshots.run_if_due()
            retention.run_if_due()
        except BaseException:
            # Progress in memory may be ahead of what was written: load it again.
            del self._of[url]
            client.disconnect()
            raise


def tidy(task: Task) -> None:
    """Clear open alarms whose rule is no longer in force."""
    alarm_store.write(
        task.store, clear_retired(_rules(task.at), task.at, alarm_store.read(task.store, task.at))
    )


def alarm_jobs(measures: Sequence[AlarmMeasure]) -> tuple[WatchJob, ...]:
    """Return the jobs that evaluate the measures, so that no declared measure is left out."""
    return tuple(
        WatchJob(name, seconds, alarms_of(*(one.code for one in measures if one.job == name)))
        for name, seconds in JOB_SECONDS.items()
    )


def check_rules(rules: Iterable[Rule], measures: Sequence[AlarmMeasure]) -> None:
    """Check that every rule has a measure and every measure has a rule.

    Raises:
        IncompleteDeclarationError: If not; the message names each rule whose measure is neither
            declared nor a figure, and each measure without a rule.
    """
    declared, known = {one.code for one in measures}, list(rules)
    whole(
        "the rules of alarms",
        *(
            (
                rule.measure in declared | BY_CODE.keys() | {TIMELY}
                or rule.measure.startswith(TARGETS),
                f"no measure and no figure {rule.measure} for the rule {rule.code}",
            )
            for rule in known
        ),
        *(
            (any(rule.measure == code for rule in known), f"no rule for the measure {code}")
            for code in sorted(declared)
        ),
    )


JOBS: tuple[WatchJob, ...] = (
    WatchJob("lives", 0.25, UpdateLives()),
    *alarm_jobs(MEASURES),
    WatchJob("figures", 30.0, figures),
    WatchJob("ended", 60.0, tidy),
)
