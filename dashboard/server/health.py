"""Routes for probes and Prometheus: alive, ready, how fast; and the outlines of the map."""

import gzip
import hashlib
from dataclasses import replace
from functools import cache

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dashboard.components.outlines import outlines, outlines_address
from dashboard.server.push import Board
from schemas import places
from schemas.places import restate


def add_routes(server: FastAPI, board: Board) -> None:
    """Add the routes, before Dash's own ones, which match every path."""

    @server.get("/", include_in_schema=False)
    async def home(request: Request) -> RedirectResponse:
        return _on(request, "/wall")

    @server.get("/records", include_in_schema=False)
    async def records(request: Request) -> RedirectResponse:
        return _on(request, "/records/filing")

    @server.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @server.get("/readyz")
    async def ready() -> JSONResponse:
        if board.ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse(
            {"status": "not ready", "reason": "ClickHouse does not answer"}, status_code=503
        )

    @server.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(board.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    country, place = _Compressed(places.province_outlines()), board.painter.place
    days = {outlines_address(one): one for one in (place, replace(place, on=restate.EVE))}

    @cache  # outlines of before the reform are seldom requested
    def compressed(address: str) -> _Compressed:
        return _Compressed(outlines(days[address]))

    compressed(outlines_address(place))

    @server.get("/outlines/country.json")
    async def country_outlines(request: Request) -> Response:
        return country.response(request)

    @server.get("/outlines/{name}")
    async def province_outlines(request: Request, name: str) -> Response:
        address = f"/outlines/{name}"
        return (
            compressed(address).response(request) if address in days else Response(status_code=404)
        )


def _on(request: Request, path: str) -> RedirectResponse:
    """Redirect to a page, keeping the parameters of the address."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{path}{query}")


class _Compressed:
    """A document that is compressed once and revalidated by browsers."""

    def __init__(self, document: object) -> None:
        self._body = gzip.compress(msgspec.json.encode(document), mtime=0)
        self._tag = f'"{hashlib.sha256(self._body).hexdigest()[:16]}"'

    def response(self, request: Request) -> Response:
        headers = {
            "ETag": self._tag,
            "Cache-Control": "no-cache",
            "Content-Encoding": "gzip",
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == self._tag:
            return Response(status_code=304, headers={"ETag": self._tag})
        return Response(self._body, media_type="application/geo+json", headers=headers)
