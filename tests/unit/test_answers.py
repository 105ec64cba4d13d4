"""Answers to the scripts of the desk: their status says whose mistake it was."""

import asyncio
import json

import pytest
from fastapi import Request, Response

from dashboard.request.answers import answer
from dashboard.request.workers import PageWorkers
from schemas.places import UnknownUnitError

SCOPE = {"type": "http", "method": "GET", "path": "/map/data", "query_string": b"", "headers": []}


def answered(error: Exception) -> Response:
    """Return the answer to a request whose page raises `error`."""

    def make() -> str:
        raise error

    workers = PageWorkers(5.0)
    try:
        return asyncio.run(answer(Request(SCOPE), workers, make))
    finally:
        workers.close()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (UnknownUnitError("commune", "1"), "unknown commune code '1'"),
        (LookupError("no record"), "no record"),
        (ValueError("no moment"), "no moment"),
    ],
)
def test_a_request_for_what_is_missing_is_answered_with_the_reason(
    error: Exception, why: str
) -> None:
    found = answered(error)
    assert found.status_code == 422 and json.loads(bytes(found.body)) == {"problem": why}
    assert found.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("error", [KeyError("code"), IndexError("0")])
def test_a_defect_of_the_program_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        answered(error)
