"""Files for taking away.

A few are made at a time, and each gives its place back however it ends.
"""

from collections.abc import Iterator
from threading import BoundedSemaphore

import pytest

from dashboard.query.connection import UnreachableError
from dashboard.request.workers import BusyError
from dashboard.server.exports import AT_A_TIME, whole


def file(*, fails: bool = False) -> Iterator[bytes]:
    yield b"head"
    if fails:
        raise UnreachableError("gone")
    yield b"rows"


def test_one_more_file_than_may_be_is_refused_until_one_has_ended() -> None:
    places = BoundedSemaphore(AT_A_TIME)
    being_made = [whole(file(), places) for _ in range(AT_A_TIME)]
    assert [next(one) for one in being_made] == [b"head"] * AT_A_TIME
    with pytest.raises(BusyError):
        next(whole(file(), places))
    assert list(being_made[0]) == [b"rows"]
    assert list(whole(file(), places)) == [b"head", b"rows"]


@pytest.mark.parametrize("end", ["broken off", "given up", "forgotten"])
def test_a_place_comes_back_however_a_file_ends(end: str) -> None:
    places = BoundedSemaphore(1)
    for _ in range(3):
        one = whole(file(fails=end == "broken off"), places)
        assert next(one) == b"head"
        if end == "broken off":
            with pytest.raises(UnreachableError):
                next(one)
        elif end == "given up":
            one.close()
        del one
    assert list(whole(file(), places)) == [b"head", b"rows"]
