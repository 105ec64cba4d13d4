"""Define the gateway's routes and the status codes of their answers."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cached_property

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import ClientDisconnect

from ingest.gateway import bodies, description, messages
from ingest.gateway.bodies import UnusableBodyError
from ingest.gateway.intake import Answer, Intake
from ingest.gateway.link import ACK_SECONDS, KafkaLink
from ingest.gateway.metrics import GatewayMetrics
from ingest.gateway.notices import load
from ingest.gateway.recent import RecentEvents
from ingest.gateway.refusals import RefusalCounter
from ingest.gateway.scheduler import FairScheduler
from ingest.producer import PENDING_BYTES, KafkaUnavailableError
from schemas.clickhouse.retention import RetentionCheck
from schemas.events.envelope import Reader, RefusalCategory
from schemas.events.refusals import StatedSender
from schemas.http.hosts import AllowedHosts
from schemas.http.limits import Limits
from schemas.http.middleware import protect
from schemas.http.server import run
from schemas.seal import Sealer, sealer
from schemas.settings import Settings

RETRY_SECONDS = 2
LIMITS = Limits(body_bytes=None)
"""Limits of the server; that of a body is a setting instead, reported in the sender's language."""


def serve(settings: Settings) -> None:
    """Run the gateway until it is told to end."""
    app = protect(create(settings), AllowedHosts(settings.hosts, settings.host))
    run(app, host=settings.host, port=settings.gateway_port, limits=LIMITS)


def create(settings: Settings) -> FastAPI:
    """Return the gateway as an ASGI application.

    It connects to Kafka when it is started, and runs without Kafka, too.
    """
    gateway = Gateway(settings)
    app = FastAPI(
        title="IOC gateway",
        version="1",
        description=description.INTRODUCTION,
        docs_url=None,
        redoc_url=None,
        lifespan=gateway.lifespan,
    )
    app.add_api_route("/v1/events", gateway.take, methods=["POST"], **description.events())
    app.add_api_route("/healthz", gateway.healthz, methods=["GET"], **description.HEALTHZ)
    app.add_api_route("/readyz", gateway.readyz, methods=["GET"], **description.READYZ)
    app.add_api_route("/metrics", gateway.show_metrics, methods=["GET"], **description.METRICS)
    description.complete(app)
    return app


class Gateway:
    """One gateway process: its connection to Kafka, its memory of resends, its counters."""

    def __init__(self, settings: Settings) -> None:
        """Set up all parts; nothing connects before `lifespan`."""
        self._settings = settings
        self._reader = Reader(settings.event_max_bytes)
        self._recent = RecentEvents()
        name = f"{settings.host}:{settings.gateway_port}"
        self._refused = RefusalCounter(name)
        self._link = KafkaLink(settings, name, self._refused)
        self._metrics = GatewayMetrics(self._link.beat_age, self._recent.__len__)
        self._scheduler = FairScheduler()

    @cached_property
    def _sealer(self) -> Sealer:
        return sealer(self._settings)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Load the reference data, start the threads, and stop them at the end."""
        load()
        # What a request allocates is freed by reference counts; searching it for cycles again and
        # again costs a tenth of the time.
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        self._link.start()
        self._scheduler.start()
        yield
        await asyncio.to_thread(self._link.stop)
        self._scheduler.stop()

    async def take(self, request: Request) -> Response:
        """Accept one event, a batch or lines; answer for each once Kafka has it."""
        language = messages.preferred_language(
            request.headers.get("accept-language", ""), self._settings.language
        )
        try:
            status, answer = await self._take(request, language)
        except UnusableBodyError as problem:
            reason = messages.text(problem.reason, language, *problem.parts)
            # The reason quotes the client, such as its content type: the category says enough.
            self._refused.note(StatedSender(), problem.category, "")
            status, answer = problem.status, _nothing(problem.category, reason)
        except KafkaUnavailableError as error:
            status, answer = (
                503,
                _nothing(
                    "unavailable", f"{messages.text(messages.UNAVAILABLE, language)}. ({error})"
                ),
            )
        except ClientDisconnect:
            status, answer = 400, _nothing("disconnected", "")
        self._metrics.requests.labels(str(status)).inc()
        response = _json(answer, status)
        if status == 413:
            response.headers["Connection"] = "close"  # the rest of the body is not read
        return response

    async def _take(self, request: Request, language: str) -> tuple[int, Answer]:
        headers = request.headers
        media = bodies.media_type(
            headers.get("content-type", ""), headers.get("content-encoding", "")
        )
        body = await bodies.read_body(
            request.stream(), headers.get("content-length"), self._settings.gateway_max_bytes
        )
        arrived_ms = time.time_ns() // 1_000_000
        self._metrics.bytes.inc(len(body))
        producer = self._link.producer()
        if producer.pending_bytes + len(body) > PENDING_BYTES:
            raise KafkaUnavailableError("Too much is waiting for Kafka's acknowledgement.")
        prefix, keeping = self._settings.topic_prefix, RetentionCheck.by(self._settings)
        intake = Intake(
            self._reader, self._sealer, self._recent, prefix, language, self._refused, keeping
        )

        def steps() -> Iterator[None]:
            records = bodies.split_events(media, body)
            yield
            yield from intake.steps(records, producer, arrived_ms)

        await self._scheduler.run(request.client.host if request.client else "", steps(), len(body))
        seconds = await intake.acknowledged(ACK_SECONDS + 1)
        answer = intake.answer()
        self._metrics.observe(intake, seconds)
        return _status(answer, media), answer

    async def healthz(self) -> Response:
        """Return whether the process is alive."""
        return _json({"status": "alive"})

    async def readyz(self) -> Response:
        """Return whether Kafka acknowledges, so that events can be accepted."""
        problem = self._link.problem()
        if problem is not None:
            return _json({"status": "unavailable", "reason": problem}, 503)
        return _json({"status": "ready", "heartbeat_age_seconds": round(self._link.beat_age(), 3)})

    async def show_metrics(self) -> Response:
        """Return the counters, for Prometheus."""
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _status(answer: Answer, media: str) -> int:
    if answer.unacknowledged:
        return 503
    if not answer.refused:
        return 200
    if answer.refused < len(answer.events):
        return 207
    unreadable = media == bodies.EVENT and answer.events[0].category in (
        RefusalCategory.BAD_JSON.value,
        RefusalCategory.BAD_UTF8.value,
    )
    return 400 if unreadable else 422


def _nothing(category: str, reason: str) -> Answer:
    """Return the answer to a request from which no event was read."""
    return Answer(accepted=0, duplicates=0, refused=0, category=category, reason=reason, events=[])


def _json(content: object, status: int = 200) -> Response:
    response = Response(msgspec.json.encode(content), status, media_type="application/json")
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
