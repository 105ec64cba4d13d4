"""How long lists of a million filings take.

Pages in every order, the last ones, narrowed, searched, choices, and files of them.

The filings are those of 28 simulated days, laid some dozen times behind one another inside
ClickHouse, where all but the newest are closed; one part of the table is large and some are small,
as merges leave them.
"""

import time
import urllib.request
from datetime import UTC, datetime
from functools import partial
from typing import Any

from clickhouse_driver import Client

from dashboard.components.list_fields import FIELDS, choices
from dashboard.query.clock import Live
from dashboard.query.connection import Connection
from dashboard.query.lists import ListStore, Order, Sought
from dashboard.query.lives import LifeStore
from schemas.clickhouse.columns import MOMENT
from schemas.clickhouse.lives import FAR, current_table
from schemas.events.kinds import FILING
from schemas.figures import BY_CODE
from schemas.reference import DAY_HOURS, calendar
from streams.lives import Lives
from tests.bench.figures import DAYS, PROVINCE, quantile, simulate, times, told
from tests.bench.ground import Ground, Installation
from tests.bench.results import Details, Report, Result, met
from tests.running import Running

AIM = 500.0
WANTED = 1_000_000
SIZE = 50
ROUNDS = 7
WORKING_DAYS = DAYS // 7 * 5


def measure(bench: Ground, report: Report) -> None:
    """Lay down the filings, ask for pages in every way, take all of it along."""
    installation = bench.installation()
    simulate(
        bench, installation, datetime.now(UTC).replace(minute=0, second=0, microsecond=0), DAYS
    )
    client = installation.client()
    Lives(client, PROVINCE).catch_up()
    filings = _repeat(client, WANTED // 10 if bench.quick else WANTED)
    connection = Connection(installation.settings.clickhouse_url)
    task = bench.screen.add_task("asking", total=None)
    pages, others = _pages(ListStore(LifeStore(connection, calendar(PROVINCE))), filings)
    rows = [(what, *told(taken)) for what, taken in (pages | others).items()]
    connection.close()
    bench.screen.remove_task(task)
    files = _files(bench, installation)
    client.disconnect()
    installation.drop()
    p95 = quantile([one for taken in pages.values() for one in taken], 0.95)
    aim = f"≤ {AIM:.0f} ms"
    what = (
        f"a page of a list of {filings:,} filings, in any order, the first, the last, narrowed or "
        "searched, p95"
    )
    report.results.append(Result(what, "-", f"{p95:.0f} ms", aim, met(p95, AIM, most=True)))
    report.details.append(
        Details(
            f"Lists of {filings:,} filings",
            ("asked", "p50, ms", "p95, ms", "most, ms"),
            tuple(rows),
        )
    )
    heads = (
        "file of all filings",
        "size, MB",
        "seconds",
        "rows/s",
        "memory before, MB",
        "most, MB",
    )
    report.details.append(Details("Files", heads, tuple(files)))


def _repeat(client: Client, wanted: int) -> int:
    """Return the same filings once more, 28 days earlier, and so on; of those that are open one in
    twenty.

    Gives how many there are.
    """
    table = current_table(FILING)
    moments = [
        column.name for column in table.columns if MOMENT in column.type and column.name != "until"
    ]
    ((own,),) = client.execute(f"SELECT count() FROM {table.name} FINAL")
    client.execute(f"CREATE TABLE first AS {table.name}")
    client.execute(f"INSERT INTO first SELECT * FROM {table.name} FINAL")
    found, number = own, 0
    while found < wanted:
        number += 1
        changed = {name: f"{name} - INTERVAL {DAYS * number} DAY" for name in moments}
        back = number * WORKING_DAYS * DAY_HOURS * 3_600_000
        changed |= {
            "entity_id": f"concat(entity_id, '-{number}')",
            "at": f"at - {back:.0f}",
            "due": f"due - {back:.0f}",
        }
        replaced = ", ".join(f"{expression} AS {name}" for name, expression in changed.items())
        client.execute(
            f"INSERT INTO {table.name} SELECT * REPLACE ({replaced}) FROM (SELECT * FROM first "
            f"WHERE until = {FAR} AND (standing = 'closed' OR cityHash64(entity_id) % 20 = 0))"
        )
        ((found,),) = client.execute(f"SELECT count() FROM {table.name} FINAL")
    client.execute("DROP TABLE first")
    return int(found)


def _pages(lists: ListStore, total: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return milliseconds of pages, and of what else a page asks."""
    clock, whole = Live(), Sought(FILING)
    usual = [name for one in FIELDS[FILING] if one.usual for name in (one.name, *one.needs)]

    def page(sought: Sought, order: Order, skip: int = 0) -> list[float]:
        return times(
            partial(
                lists.page,
                clock,
                sought,
                usual,
                order,
                limit=SIZE,
                skip=skip,
                total=total if skip else 0,
            ),
            rounds=ROUNDS,
        )

    last = (total - 1) // SIZE * SIZE
    found: dict[str, list[float]] = {}
    for one in FIELDS[FILING]:
        if one.sort:
            found[f"first page by {one.name}"] = page(whole, Order(one.name, one.down))
            found[f"last page by {one.name}"] = page(whole, Order(one.name, one.down), last)
    narrowed = (("agency", ("H57.CA", "H57.HCC")), ("channel", ("2",)), ("status", ("4", "9")))
    found["narrowed by three fields"] = page(Sought(FILING, narrowed), Order())
    found["behind a figure"] = page(
        Sought(FILING, figure=BY_CODE["filing.overdue"]), Order("left", False)
    )
    found["searched by a part of the number"] = page(Sought(FILING, text="261"), Order())
    names = [one.name for one in choices(FILING)]
    others: dict[str, list[float]] = {
        "page in the middle": page(whole, Order(), last // 2 // SIZE * SIZE)
    }
    asked: dict[str, Any] = {
        "how many": partial(lists.total, clock, whole),
        f"choices of {len(names)} fields": partial(lists.choices, clock, whole, names),
        "choices, narrowed by three fields": partial(
            lists.choices, clock, Sought(FILING, narrowed), names
        ),
    }
    return found, others | {what: times(ask, rounds=ROUNDS) for what, ask in asked.items()}


def _files(bench: Ground, installation: Installation) -> list[tuple[str, ...]]:
    """Return all filings as files of a dashboard of their own."""
    address = f"http://127.0.0.1:{installation.settings.dashboard_port}"
    environment = installation.environment | {"IOC_DASHBOARD_TICK_SECONDS": "60"}
    found: list[tuple[str, ...]] = []
    with Running(
        "dashboard",
        "serve",
        environment=environment,
        log=bench.folder("dashboard") / "log",
        ready=f"{address}/readyz",
    ) as running:
        for form in ("csv", "xlsx"):
            before, size, began = running.megabytes()[0], 0, time.monotonic()
            task = bench.screen.add_task(f"{form} of all filings", total=None)
            with urllib.request.urlopen(
                f"{address}/export/records/filing.{form}", timeout=120
            ) as answer:
                rows = 0
                while block := answer.read(1 << 20):
                    size += len(block)
                    rows += block.count(b"\n") if form == "csv" else 0
            seconds = time.monotonic() - began
            bench.screen.remove_task(task)
            rate = f"{rows / seconds:,.0f}" if rows else "-"
            found.append(
                (
                    form,
                    f"{size / 1e6:.0f}",
                    f"{seconds:.0f}",
                    rate,
                    f"{before:.0f}",
                    f"{running.megabytes()[1]:.0f}",
                )
            )
    return found
