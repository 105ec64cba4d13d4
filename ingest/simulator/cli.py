"""Define `python -m ingest simulate`, which sends a simulated province to Kafka."""

import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ingest import topics
from ingest.producer import Producer
from ingest.simulator import staging, state
from ingest.simulator.clock import REFORMED, ZONE, local_day
from ingest.simulator.run import SimulationRun, format_moment
from ingest.simulator.scenes import FOREVER, Faster, Scene, Silence, Storm, Stuck
from ingest.simulator.screen import ProgressScreen
from ingest.simulator.world import World
from schemas import places
from schemas.clickhouse.replays import sandbox
from schemas.logs import configure
from schemas.moments import milliseconds
from schemas.places import restate
from schemas.reference import agency
from schemas.settings import Settings

LOOK_BACK = timedelta(days=4)
"""Entities that are open when a backfill begins were created at most that long before."""
KAFKA_TIMEOUT_SECONDS = 15.0
"""Seconds until a Kafka that does not acknowledge counts as unavailable."""


def simulate(
    province: Annotated[
        str | None, typer.Option(help="Code of the province.  [env: IOC_PROVINCE]")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(help="Seed of all chance; the same seed gives the same events."),
    ] = 7,
    days: Annotated[
        int,
        typer.Option(
            min=0, max=800, help="Days of history to send first, up to now; only in the first run."
        ),
    ] = 30,
    live: Annotated[
        bool,
        typer.Option(
            "--live/--no-live", help="Continue with events as they happen, until stopped."
        ),
    ] = False,
    speed: Annotated[
        int,
        typer.Option(
            min=1, max=200, help="Live: multiply the event rate by this factor; event times stay."
        ),
    ] = 1,
    since: Annotated[
        datetime | None,
        typer.Option("--from", help="Send what arrived from then on, until --to; keeps no state."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", help="End of --from, by default now; Vietnamese time."),
    ] = None,
    kafka_servers: Annotated[
        str | None, typer.Option(help="Kafka bootstrap servers.  [env: IOC_KAFKA_SERVERS]")
    ] = None,
    topic_prefix: Annotated[
        str | None, typer.Option(help="Prefix of topic names.  [env: IOC_TOPIC_PREFIX]")
    ] = None,
    scene: Annotated[
        list[staging.Scenario],
        typer.Option(
            help="Stage this from the start of --live or --from, for an exercise: a storm, an "
            "agency that falls silent, a flood of filings before Tết; may be repeated."
        ),
    ] = [],  # noqa: B006
    into: Annotated[
        str | None,
        typer.Option(
            help="Send to the exercise that `python -m streams replay open NAME` keeps open; "
            "keeps no state."
        ),
    ] = None,
) -> None:
    """Send a simulated province: days of history as fast as Kafka takes them, then live.

    Before 2025-07-01 it is the province of that time, with its districts and former communes;
    entities that are open on that day continue at the successor agency. A province that became part
    of another on that day can be sent with --from before it.

    A second run continues where the first stopped: it fills the gap and continues open entities
    (`simulator.json` in IOC_HOME). Ctrl-C or SIGTERM ends it without loss. While Kafka is
    unavailable it waits.
    """
    given = {"province": province, "kafka_servers": kafka_servers, "topic_prefix": topic_prefix}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    now = datetime.now(UTC)
    if into is not None:
        try:
            settings = sandbox(settings, into)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--into") from None
    if problem := province_problem(settings.province, now if since is None else _vietnamese(since)):
        raise typer.BadParameter(problem, param_hint="--province")
    if since is not None:
        start, end = _vietnamese(since), min(_vietnamese(until) if until else now, now)
        if live or start >= end:
            raise typer.BadParameter(
                "needs a time before --to and before now, and goes without --live",
                param_hint="--from",
            )
        world = World(settings.province, seed)
        world = world.staging(
            *staging.past(world, milliseconds(end)), *_scenario(world, scene, start, end)
        )
        run(settings, world, start, end, live=False, remember=_keep_nothing)
        return
    if scene and not live:
        raise typer.BadParameter("needs --live or --from", param_hint="--scene")
    if until is not None:
        raise typer.BadParameter("needs --from", param_hint="--to")
    try:
        kept = state.load(settings.home) if into is None else None
    except state.StateError as error:
        raise typer.BadParameter(str(error), param_hint="IOC_HOME") from None
    if kept and (kept.province, kept.seed) != (settings.province, seed):
        raise typer.BadParameter(
            f"{settings.home} holds a run of province {kept.province} with seed {kept.seed}; "
            f"continue with those, choose another IOC_HOME, or remove {settings.home / state.FILE} "
            "and its data",
            param_hint="--province, --seed",
        )
    if kept:
        world, start = kept.world, kept.sent_until
    else:
        start = now - timedelta(days=days)
        world = World(settings.province, seed, beginning=milliseconds(start - LOOK_BACK))
        world = world.staging(*staging.past(world, milliseconds(now)))
    if live:
        world = world.staging(
            *staging.live(world, milliseconds(now), milliseconds(start), speed),
            *_scenario(world, scene, now),
        )

    def remember(world: World, sent_until: datetime) -> None:
        if into is None:
            state.SimulatorState.of(world, sent_until).save(settings.home)

    run(settings, world, start, now, live=live, remember=remember)


def run(
    settings: Settings,
    world: World,
    start: datetime,
    end: datetime,
    *,
    live: bool,
    remember: Callable[[World, datetime], None],
) -> None:
    """Send a world from `start` to `end`, and on from there when `live`, until a signal ends it.

    Args:
        settings: of the installation.
        world: what to send.
        start: moment of the first arrival.
        end: end of the backfill.
        live: continue with what happens from then on.
        remember: is called with the world and how far it is sent.
    """

    def connect() -> Producer:
        topics.ensure(settings)
        return Producer(settings, timeout_seconds=KAFKA_TIMEOUT_SECONDS)

    configure("ingest.simulator")
    with ProgressScreen(start, end) as screen:
        sending = SimulationRun(world, start, connect, screen, remember)

        def stop(signum: int, _frame: object) -> None:
            # A second signal ends the process at once.
            signal.signal(signum, signal.SIG_DFL)
            sending.stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        here = world.of(milliseconds(start)) or world
        screen.say(
            f"{here.place.full_name} ({world.province}), seed {world.seed}, "
            f"from {format_moment(start)}"
        )
        for line in _staged(world, end):
            screen.say(f"  {line}")
        try:
            sending.backfill(end)
            if live and not sending.stop.is_set():
                screen.say("live; Ctrl-C ends it")
                sending.live()
        finally:
            sending.close()
        remember(world, sending.sent_until)
        screen.say(f"{sending.sent:,} records sent, up to {format_moment(sending.sent_until)}")


def _scenario(
    world: World, scenes: Sequence[staging.Scenario], start: datetime, end: datetime | None = None
) -> Iterator[Scene]:
    """Yield the scenes of an exercise from one moment until another, or until the run ends."""
    here = world.of(milliseconds(start)) or world
    for one in dict.fromkeys(scenes):
        yield from staging.exercise(
            here, one, milliseconds(start), milliseconds(end) if end else FOREVER
        )


def province_problem(code: str, at: datetime) -> str:
    """Return why a province cannot be sent from then on, and which to choose; empty if it can."""
    try:
        heir = places.province(restate.province_today(code))
    except places.UnknownUnitError as error:
        return str(error)
    if heir.code == code or milliseconds(at) < REFORMED:
        return ""
    former = places.former(code)
    return (
        f"{former.full_name} ({code}) is part of {heir.full_name} ({heir.code}) "
        f"since {places.REFORM:%d/%m/%Y}; "
        f"choose --province {heir.code}, or --from a day before that"
    )


def _keep_nothing(world: World, sent_until: datetime) -> None:
    """Keep no state: the run is between two given times."""


def _staged(world: World, end: datetime) -> list[str]:
    """Return what is staged, as lines to print."""
    lines, now = [], milliseconds(end)
    for scene in world.scenes:
        if isinstance(scene, Storm) and scene.every == FOREVER:
            lines.append(f"{_at(scene.since)}: storm with {scene.reports} field reports")
        elif isinstance(scene, Storm) and scene.until > now:
            minutes = scene.every // 60_000
            lines.append(
                f"{_at(scene.since)} and every {minutes} min: "
                f"burst of {scene.reports} field reports"
            )
        elif isinstance(scene, Silence):
            until = "the end" if scene.until == FOREVER else _at(scene.until)
            lines.append(f"{_at(scene.since)} to {until}: nothing from {_words(scene)}")
        elif isinstance(scene, Faster) and scene.kind:
            lines.append(f"{_at(scene.since)}: {scene.factor} times as many of kind {scene.kind}")
        elif isinstance(scene, Stuck):
            lines.append(f"{_at(scene.since)}: flash document not received by {_words(scene)}")
    here = world.of(now - 1) or world.before
    lines.append(f"slow: {', '.join(sorted(here.slow))}")
    return lines


def _words(scene: Silence | Stuck) -> str:
    return f"{agency(scene.agency, local_day(scene.since)).vi} ({scene.agency})"


def _at(ms: int) -> str:
    return format_moment(datetime.fromtimestamp(ms / 1000, UTC))


def _vietnamese(at: datetime) -> datetime:
    return at.replace(tzinfo=ZONE) if at.tzinfo is None else at
