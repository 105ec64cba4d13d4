"""How long the questions of a whole page take at any moment of a year.

Every page whose past is looked at, moments by chance.

The year is simulated whole: that of the figures' bench repeats a month, and with it all that is
open at its end, ten times as much as a province has. Nobody looked at these moments before, so no
answer is there already. What a dashboard makes ahead once somebody looks back
(`dashboard.history.slices`) has been made; how long that took is told. A second look at once asks
nothing, as answers are remembered for a while: so long the server draws, which is told beside.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dashboard.pages.map import page as operators_map
from dashboard.query.clock import Live, Picture
from dashboard.query.connection import Connection
from dashboard.query.snapshot import ProvinceContext
from dashboard.request.address import PageRequest, format_moment
from dashboard.request.context import PageContext
from dashboard.server.app import freeze_gc
from dashboard.server.pages import page_of
from dashboard.server.replay_routes import frame
from tests.bench.figures import DAYS, PROVINCE, TIMES, a_year, quantile, told
from tests.bench.ground import Ground
from tests.bench.results import Details, Report, Result, met
from tests.running import wait_for

AIM = 300.0
MOMENTS, SEED = 5, 7
PAGES = ("/unit/46", "/unit/19753", "/unit/H57.SYT", "/sources", "/targets", "/records/filing")
STALE_AFTER = 10.0
STEP = timedelta(minutes=10)


def measure(bench: Ground, report: Report) -> None:
    """Lay down the year, then look at each page at some moments of it, in both pictures."""
    installation = bench.installation()
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    events, *_ = a_year(bench, installation, end, whole=True)
    connection, place = Connection(installation.settings.clickhouse_url), ProvinceContext(PROVINCE)
    ask = PageContext(connection, Live(), place, STALE_AFTER)

    def wall(asked: PageRequest) -> object:
        overview = PageRequest(
            asked.path, (*asked.parameters, ("scene", "overview")), asked.language
        )
        return frame(
            ask.of(asked),
            overview,
            installation.settings.partitions,
            installation.settings.wall_rotate,
        )

    def parts(asked: PageRequest) -> object:
        return operators_map.parts(ask.of(asked), asked)

    def desk(asked: PageRequest) -> object:
        return page_of(asked.path).content(ask.of(asked), asked)

    looks: dict[str, Callable[[PageRequest], object]] = {
        "/wall": wall,
        "/map": parts,
        **dict.fromkeys(PAGES, desk),
    }
    chance = random.Random(SEED)
    freeze_gc()
    began = time.perf_counter()
    with bench.screen.console.status("making ahead what the dashboard sets apart"):
        ask.look_back()
        ask._slices.settle()
    ahead = time.perf_counter() - began
    with bench.screen.console.status(
        "waiting until ClickHouse has put in order what was laid down"
    ):
        wait_for(
            lambda: connection.tuples("SELECT count() FROM system.merges") == [(0,)],
            600,
            "an end of its merges",
        )
    ((tables, size),) = connection.tuples(
        "SELECT uniqExact(table), sum(bytes_on_disk) FROM system.parts WHERE active AND database = "
        "currentDatabase() "
        "AND match(table, '^(scene|versions)_')"
    )
    laid = DAYS * (2 if bench.quick else TIMES)
    days = laid - DAYS  # the figures of a moment look back on a month
    task = bench.screen.add_task("looking back", total=len(looks) * len(Picture))
    rows, asked_all, all_of_it, soon_after = [], list[float](), list[float](), list[float]()

    def took(look: Callable[[PageRequest], object], asked: PageRequest) -> float:
        began = time.perf_counter()
        look(asked)
        return 1000 * (time.perf_counter() - began)

    for path, look in looks.items():
        for picture in Picture:
            taken, drawn, again = [], [], []
            for _ in range(2 if bench.quick else MOMENTS):
                moment = end - timedelta(days=chance.uniform(0, days))
                first, later = (
                    PageRequest(path, (("moment", format_moment(at)), ("picture", picture)), "vi")
                    for at in (moment, moment + STEP)
                )
                taken.append(took(look, first))
                drawn.append(took(look, first))
                again.append(took(look, later))
            questions = [whole - drawing for whole, drawing in zip(taken, drawn, strict=True)]
            asked_all += questions
            all_of_it += taken
            soon_after += again
            rows.append((path, str(picture), *told(questions), *told(taken)[:2], *told(again)[:2]))
            bench.screen.advance(task)
    bench.screen.remove_task(task)
    ask.close()
    connection.close()
    installation.drop()
    p95 = quantile(all_of_it, 0.95)
    report.results.append(
        Result(
            f"a page at a random moment of {laid} days with {events:,} events: all its queries "
            "and its rendering, p95",
            "-",
            f"{p95:.0f} ms",
            f"≤ {AIM:.0f} ms",
            met(p95, AIM, most=True),
        )
    )
    report.results.append(
        Result(
            "the same without what it takes to draw it once more: p50, p95",
            "-",
            f"{quantile(asked_all, 0.5):.0f} ms, {quantile(asked_all, 0.95):.0f} ms",
            "report",
            None,
        )
    )
    report.results.append(
        Result(
            "the same page ten minutes later in that past, as a replay goes on: p50, p95",
            "-",
            f"{quantile(soon_after, 0.5):.0f} ms, {quantile(soon_after, 0.95):.0f} ms",
            "report",
            None,
        )
    )
    heads = (
        "page",
        "picture",
        "questions p50, ms",
        "p95, ms",
        "most, ms",
        "with drawing p50, ms",
        "p95, ms",
        "ten minutes later p50, ms",
        "p95, ms",
    )
    note = f"Before it {tables} tables of {size / 1e6:,.0f} MB were made ahead in {ahead:.0f} s."
    report.details.append(Details(f"Any moment of {laid} days", heads, tuple(rows), (note,)))
