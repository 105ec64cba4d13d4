"""What the watch does, how often: rules that are cheap to look at and call within seconds, and those that can wait."""

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
from streams.watch import book
from streams.watch.engine import Observed, ended, evaluate
from streams.watch.questions import MEASURES, QUESTIONS, AlarmMeasure, Look, WatchedProvince
from streams.watch.readings import TARGETS, observed, readings
from streams.watch.snapshots import Snapshots
from streams.worker.store import WorkerStore


@dataclass(frozen=True)
class Task:
    """What a job is given: its own connection, and the aligned moment that it is done for."""

    settings: Settings
    store: WorkerStore
    at: datetime


@dataclass(frozen=True)
class WatchJob:
    """Something that is done again and again. Several watches may do it at once: it must converge, whoever writes last."""

    name: str
    period: float
    """Seconds from one aligned moment to the next."""
    run: Callable[[Task], None]


def _rules(at: datetime) -> tuple[Rule, ...]:
    return alarm_rules(at.astimezone(ZONE).date())


def alarms_of(*measures: str) -> Callable[[Task], None]:
    """The work of a job: look at the rules of some measures."""

    def run(task: Task) -> None:
        rules = [rule for rule in _rules(task.at) if rule.measure in measures]
        look = Look(
            task.store,
            task.at,
            WatchedProvince(task.settings.province),
            book.known(task.store, task.at),
        )
        seen: dict[str, Sequence[Observed] | None] = {
            rule.code: QUESTIONS[rule.measure](look, rule) for rule in rules
        }
        book.write(task.store, evaluate(rules, seen, task.at, look.known))

    return run


def figures(task: Task) -> None:
    """Look at the rules of figures."""
    rules = [rule for rule in _rules(task.at) if rule.measure not in QUESTIONS]
    seen: dict[str, Sequence[Observed] | None] = {}
    look = Look(
        task.store,
        task.at,
        WatchedProvince(task.settings.province),
        book.known(task.store, task.at),
    )
    for rule in rules:
        scope = rule.scope if rule.scope in ("commune", "agency") else "province"
        now = readings(look, (rule.measure,), scope)
        span = timedelta(minutes=rule.span_minutes)
        before = readings(look, (rule.measure,), scope, span) if rule.comparison == "rate" else {}
        seen[rule.code] = observed(rule, now, before)
    book.write(task.store, evaluate(rules, seen, task.at, look.known))


class Living:
    """Keeps the lives of entities up with what workers count: all that figures, and alarms on them, are asked of. And records what
    they show, and lets go of what is kept no longer, while they stand still."""

    MAX_ENTITIES = 200_000
    """Events that are taken in before it is told that this goes on."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[Client, Lives, Snapshots, Retention]] = {}

    def __call__(self, task: Task) -> None:
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
            lives.catch_up(self.MAX_ENTITIES)
            snapshots.look()
            retention.run_if_due()
        except BaseException:
            # What was marked is known again when it is loaded anew.
            del self._of[url]
            client.disconnect()
            raise


def tidy(task: Task) -> None:
    """Clear what is open of rules that are no longer in force."""
    book.write(task.store, ended(_rules(task.at), task.at, book.known(task.store, task.at)))


def alarm_jobs(measures: Sequence[AlarmMeasure]) -> tuple[WatchJob, ...]:
    """Return the jobs that ask all the measures, so that none is declared and never asked.

    Raises:
        IncompleteDeclarationError: if measures of a job are to be asked at different times.
    """
    of_job: dict[str, list[AlarmMeasure]] = {}
    for one in measures:
        of_job.setdefault(one.job, []).append(one)
    whole(
        "alarm measures",
        *(
            (len({one.every_seconds for one in ones}) == 1, f"one period of the job {name}")
            for name, ones in of_job.items()
        ),
    )
    return tuple(
        WatchJob(name, ones[0].every_seconds, alarms_of(*(one.code for one in ones)))
        for name, ones in of_job.items()
    )


def check_rules(rules: Iterable[Rule], measures: Sequence[AlarmMeasure]) -> None:
    """Check that every rule measures something and every measure has a rule.

    Raises:
        IncompleteDeclarationError: names each rule whose measure is neither declared nor a figure, and each measure without a rule.
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


check_rules(alarm_rules(), MEASURES)
JOBS: tuple[WatchJob, ...] = (
    WatchJob("lives", 0.25, Living()),
    *alarm_jobs(MEASURES),
    WatchJob("figures", 30.0, figures),
    WatchJob("ended", 60.0, tidy),
)
