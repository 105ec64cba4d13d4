"""How long the figures of a province take to answer with a year of data.

Every figure, alone and as screens ask, by every unit.

The year is 28 simulated days, laid thirteen times behind one another inside ClickHouse: weekdays
and hours stay what they are.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from clickhouse_driver import Client

from ingest.producer import Producer
from ingest.simulator import World
from ingest.simulator.clock import DAY
from ingest.simulator.run import SimulationRun
from schemas.clickhouse.columns import MOMENT
from schemas.clickhouse.lives import LIVES
from schemas.clickhouse.tables import events_table
from schemas.events.kinds import KINDS, Kind
from schemas.figures import FIGURES
from schemas.figures.questions import QueryMoment, ask, question
from schemas.figures.series import SeriesStep, series
from schemas.moments import milliseconds
from schemas.reference import calendar
from streams.lives import Lives
from tests.bench.ground import Ground, Installation
from tests.bench.peers import starts
from tests.bench.results import Details, Report, Result, met
from tests.queries import live
from tests.running import wait_for

AIM = 150.0
PROVINCE = "46"
DAYS, TIMES = 28, 13
ROUNDS = 15


def measure(bench: Ground, report: Report) -> None:
    """Lay down the year, compute its lives, then ask everything again and again."""
    installation = bench.installation()
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    client = installation.client()
    events, with_lives, computing = a_year(bench, installation, end)
    working = calendar(PROVINCE)
    rows, all_of_it = [], list[float]()
    task = bench.screen.add_task("asking", total=None)
    moment = QueryMoment.of(end, working)
    for life in LIVES:
        figures = [figure for figure in FIGURES if figure.kind is life.kind]
        for by in ((), ("commune",), ("agency",)):
            asked = question(figures, moment, by).live
            taken = times(lambda asked=asked: client.execute(asked))  # type: ignore[misc]
            all_of_it += taken
            rows.append((f"{life.kind.name}, its {len(figures)} figures {_by(by)}", *told(taken)))
    whole = times(lambda: ask(live(client), FIGURES, moment))
    alone = [
        one
        for figure in FIGURES
        for one in times(partial(client.execute, question([figure], moment).live), 5)
    ]
    rows.append((f"each of the {len(FIGURES)} figures alone", *told(alone)))
    rows.append((f"all {len(FIGURES)} figures one after another", *told(whole)))
    filings = [
        figure
        for figure in FIGURES
        if figure.code in ("filing.overdue", "filing.on_time", "filing.registered")
    ]
    for step, days in (
        (SeriesStep.MINUTES, 1),
        (SeriesStep.HOUR, 7),
        (SeriesStep.DAY, 30),
        (SeriesStep.MONTH, 364),
    ):
        _, questions = series(filings, step, end - timedelta(days=days), end, working)
        taken = times(lambda q=questions: [client.execute(one.live) for one in q], 5)  # type: ignore[misc]
        rows.append((f"three figures of filings over {days} days, by {step.value}", *told(taken)))
    bench.screen.remove_task(task)
    client.disconnect()
    installation.drop()
    p95 = quantile(all_of_it, 0.95)
    report.results.append(
        Result(
            f"all figures of a kind, of a province with a year of data ({events:,} events), p95",
            "-",
            f"{p95:.0f} ms",
            f"≤ {AIM:.0f} ms",
            met(p95, AIM, most=True),
        )
    )
    note = f"The lives of {with_lives:,} events were computed in {computing:.0f} s."
    report.details.append(
        Details(
            "Figures of a year", ("asked", "p50, ms", "p95, ms", "most, ms"), tuple(rows), (note,)
        )
    )


def a_year(
    bench: Ground, installation: Installation, end: datetime, *, whole: bool = False
) -> tuple[int, int, float]:
    """Return a year of a province until `end`, with its lives.

    How many events, how many of them in lives, the seconds these took. `whole` simulates all of it,
    which takes five times as long, and repeats nothing.
    """
    times = 2 if bench.quick else TIMES
    simulate(bench, installation, end, DAYS * times if whole else DAYS)
    client = installation.client()
    if not whole:
        for kind in KINDS:
            _repeat(client, kind, times)
    events = sum(
        client.execute(f"SELECT count() FROM {events_table(kind).name}")[0][0] for kind in KINDS
    )
    began = time.monotonic()
    with_lives = Lives(client, PROVINCE).catch_up()
    client.disconnect()
    return events, with_lives, time.monotonic() - began


def simulate(bench: Ground, installation: Installation, end: datetime, days: int) -> None:
    """Send some days of a province until `end` through Kafka and a worker until all is counted."""
    start = end - timedelta(days=days)
    world = World(PROVINCE, 7, beginning=milliseconds(start) - 4 * DAY)
    task = bench.screen.add_task(f"simulating {days} days", total=days)

    class Watcher:
        def progress(self, came: datetime, sent: int) -> None:
            bench.screen.update(task, completed=(came - start) / timedelta(days=1))

        def trouble(self, sentence: str) -> None:
            raise RuntimeError(sentence)

    run = SimulationRun(
        world, start, lambda: Producer(installation.settings), Watcher(), lambda world, came: None
    )
    client = installation.client()
    with starts.worker_of(bench, installation):
        run.backfill(end)
        run.close()
        topics = len(KINDS) * installation.settings.partitions.largest
        ends = (
            "SELECT sum(end - least(end, written)), count() FROM progress FINAL HAVING count() = "
            f"{topics}"
        )
        wait_for(lambda: client.execute(ends)[0][0] == 0, 300, "lag 0")
    client.disconnect()
    bench.screen.remove_task(task)


def _repeat(client: Client, kind: Kind, times: int) -> None:
    """Copy the events, 28 days earlier, and so on, about other entities."""
    table = events_table(kind)
    moments = [column.name for column in table.columns if MOMENT in column.type]
    # Without gaps, as Kafka's are: lives are taken in by slices of offsets.
    ((span,),) = client.execute(f"SELECT max(offset) + 1 FROM {table.name}")
    for number in range(1, times):
        changed = {name: f"{name} - INTERVAL {DAYS * number} DAY" for name in moments}
        changed |= {
            "event_id": f"concat(event_id, '-{number}')",
            "entity_id": f"concat(entity_id, '-{number}')",
            "identity": "xxh3(concat(event_id, '-', toString(identity)))",
            "offset": f"offset + {number * span}",
        }
        replaced = ", ".join(f"{expression} AS {name}" for name, expression in changed.items())
        client.execute(
            # From a subquery: outside of it `offset` is the new one.
            f"INSERT INTO {table.name} SELECT * REPLACE ({replaced}) FROM (SELECT * FROM "
            f"{table.name} WHERE offset < {span})",
            settings={"max_partitions_per_insert_block": 0},
        )
    client.execute(
        f"INSERT INTO windows_{kind.name} (window_start, partition, last_offset) "
        f"SELECT toDateTime(0), partition, max(offset) FROM {table.name} GROUP BY partition"
    )


def times(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return milliseconds of each of some rounds, after one that does not count."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def told(taken: list[float]) -> tuple[str, str, str]:
    """Median, 95 % and the most, in milliseconds."""
    return (f"{quantile(taken, 0.5):.0f}", f"{quantile(taken, 0.95):.0f}", f"{max(taken):.0f}")


def quantile(taken: Iterable[float], level: float) -> float:
    """Return the value that so much of the rest does not exceed."""
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(level * len(ordered)))]


def _by(by: tuple[str, ...]) -> str:
    return f"by {by[0]}" if by else "of the province"
