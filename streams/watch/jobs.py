"""What the watch does, how often: rules that are cheap to look at and call within seconds, and those that can wait."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clickhouse_driver import Client

from schemas.reference import ZONE, Rule, alarm_rules
from schemas.settings import Settings
from streams.admin.retain import Retention
from streams.lives import Lives
from streams.watch import book
from streams.watch.engine import Observed, ended, evaluate
from streams.watch.questions import QUESTIONS, Look, WatchedProvince
from streams.watch.readings import observed, readings
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


JOBS: tuple[WatchJob, ...] = (
    WatchJob("lives", 0.25, Living()),
    WatchJob("reports", 1.0, alarms_of("feedback.burst", "feedback.cluster")),
    WatchJob("documents", 5.0, alarms_of("document.flash_waiting")),
    WatchJob(
        "sources",
        5.0,
        alarms_of(
            "source.silence", "source.malformed", "source.ahead", "source.refused", "letters.dead"
        ),
    ),
    WatchJob("filings", 10.0, alarms_of("filing.pile", "filing.slow")),
    WatchJob("figures", 30.0, figures),
    WatchJob("ended", 60.0, tidy),
)
