"""Describe the gateway by OpenAPI: bodies, answers and examples, derived from the vocabulary."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ingest.gateway.bodies import BATCH, EVENT, LINES, MAX_EVENTS
from ingest.gateway.intake import Answer
from schemas.documents import example, json_schema
from schemas.events.envelope import RefusalCategory
from schemas.events.kinds import KINDS

INTRODUCTION = f"""Agencies send their events here: CloudEvents 1.0 in structured JSON, one event, \
a batch or lines (NDJSON).

Every event is answered once the broker has acknowledged it: `accepted`, `duplicate` (already
received; nothing to do), `refused` (with a category and a reason; correct it before sending again)
or `unacknowledged` (send it again; it will count once). An accepted event may carry a `warning`:
its time is ahead of its arrival, so the clock of its source is wrong; it has codes that no list
contains, so that its figures count for no unit; or a commune's code was corrected by restoring its
leading zero. An object with the same member twice is refused. A byte order mark before the body is
ignored. Identity is `source` + `id`: send again as often as needed. One request holds at most
{MAX_EVENTS} events. Reasons are in Vietnamese or English, by `Accept-Language`.

A request beyond the limits of the server is answered by one sentence of plain text: 400 no HTTP,
408 headers or body too slow, 414 address too long, 421 a name that the gateway does not have, 431
headers too large, 503 too much at once.

Categories of refusals: {", ".join(f"`{category.value}`" for category in RefusalCategory)}.
"""

_REF = "#/components/schemas/"
_ONE = {"$ref": f"{_REF}CloudEvent"}


def _answer(sentence: str, **headers: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"{_REF}Answer"}}}
    return {"description": sentence, "content": content} | ({"headers": headers} if headers else {})


def _sentence(sentence: str) -> dict[str, Any]:
    return {"description": sentence, "content": {"text/plain": {"schema": {"type": "string"}}}}


_RETRY = {"description": "Seconds after which to send again.", "schema": {"type": "integer"}}


def events() -> dict[str, Any]:
    """Return the description of `POST /v1/events`, with an example of each kind."""
    examples = {kind.name: msgspec.json.decode(example(kind)) for kind in KINDS}
    body = {
        "schema": _ONE,
        "examples": {
            kind.name: {"summary": kind.en, "value": examples[kind.name]} for kind in KINDS
        },
    }
    lines = "".join(msgspec.json.encode(event).decode() + "\n" for event in examples.values())
    return {
        "summary": "Push events",
        "operation_id": "push_events",
        "responses": {
            200: _answer("Every event is accepted, or was received before."),
            207: _answer("Some events are refused; the others are accepted."),
            400: _answer("The body is empty or not what its content type says."),
            408: _sentence("The headers or the body came too slowly."),
            413: _answer("The body is too large or holds too many events; nothing was accepted."),
            415: _answer(
                "The content type or encoding is not supported; the reason lists those that are."
            ),
            421: _sentence(
                "The `Host` is no name of this gateway; an administrator can add it to `IOC_HOSTS`."
            ),
            422: _answer("Every event is refused."),
            431: _sentence("The headers are too large or too many."),
            503: _answer(
                "Kafka does not acknowledge at the moment. `events` says which were accepted "
                "anyway; send the others again.",
                **{"Retry-After": _RETRY},
            ),
        },
        "openapi_extra": {
            "parameters": [
                {
                    "name": "Accept-Language",
                    "in": "header",
                    "required": False,
                    "description": "Language of the reasons: vi or en.",
                    "schema": {"type": "string"},
                }
            ],
            "requestBody": {
                "required": True,
                "content": {
                    EVENT: body,
                    "application/json": body,
                    BATCH: {
                        "schema": {"type": "array", "items": _ONE, "maxItems": MAX_EVENTS},
                        "example": list(examples.values()),
                    },
                    LINES: {
                        "schema": {"type": "string", "description": "One CloudEvent per line."},
                        "example": lines,
                    },
                },
            },
        },
    }


def _status(sentence: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string"}, "reason": {"type": "string"}},
    }
    return {"description": sentence, "content": {"application/json": {"schema": schema}}}


HEALTHZ: dict[str, Any] = {
    "summary": "Alive?",
    "operation_id": "healthz",
    "responses": {200: _status("The process is alive.")},
}
READYZ: dict[str, Any] = {
    "summary": "Ready?",
    "operation_id": "readyz",
    "responses": {
        200: _status("Kafka acknowledges."),
        503: _status("Kafka is unavailable; `reason` says more.")
        | {"headers": {"Retry-After": _RETRY}},
    },
}
METRICS: dict[str, Any] = {
    "summary": "Counters for Prometheus",
    "operation_id": "metrics",
    "responses": {
        200: {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
}


def complete(app: FastAPI) -> None:
    """Make the application describe itself with the schemas of the vocabulary."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            described.setdefault("components", {})["schemas"] = _schemas()
            for path in described["paths"].values():
                for operation in path.values():
                    for response in operation["responses"].values():
                        if "text/plain" in response["content"]:
                            response["content"].pop("application/json", None)
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _schemas() -> dict[str, Any]:
    _, found = msgspec.json.schema_components(
        [Answer, *(kind.event for kind in KINDS)], ref_template=_REF + "{name}"
    )
    schemas: dict[str, Any] = dict(found)
    for kind in KINDS:
        record = json_schema(kind)
        properties = record["properties"] | {"data": {"$ref": f"{_REF}{kind.event.__name__}"}}
        schemas[f"CloudEvent.{kind.name}"] = {
            "title": kind.en,
            "description": record["description"],
            "type": "object",
            "required": record["required"],
            "properties": properties,
        }
    schemas["CloudEvent"] = {
        "oneOf": [{"$ref": f"{_REF}CloudEvent.{kind.name}"} for kind in KINDS],
        "discriminator": {
            "propertyName": "type",
            "mapping": {kind.type: f"{_REF}CloudEvent.{kind.name}" for kind in KINDS},
        },
    }
    return schemas
