"""Points that lie close together are found whatever their order, and a cluster keeps its name while
it grows and moves.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from streams.watch.clusters import (
    METRES_PER_DEGREE,
    MIN_NEIGHBOURS,
    REACH_METRES,
    Cluster,
    ReportPoint,
    clusters,
    metres,
    named,
)
from streams.watch.engine import Alarm

NOW = datetime(2026, 11, 17, 8, tzinfo=UTC)
EMPTY = Alarm(
    id="cluster:x",
    began_at=NOW,
    rule="cluster",
    cause="burst",
    subject="water",
    priority=2,
    since=NOW,
    raised_at=NOW,
    evaluated_at=NOW,
)


def points(*places: tuple[float, float], commune: str = "1") -> list[ReportPoint]:
    """Return points some metres north and east of a place in Huế."""
    narrow = metres(16.46, 107.59, 16.46, 107.59 + 1)
    return [
        ReportPoint(16.46 + north / METRES_PER_DEGREE, 107.59 + east / narrow, commune, NOW)
        for north, east in places
    ]


def test_a_cluster_has_its_middle_and_reaches_to_its_outermost() -> None:
    (found,) = clusters("water", points((0, 0), (0, 300), (0, -300), (300, 0), (-300, 0)), 5)
    assert abs(metres(found.lat, found.lon, 16.46, 107.59)) < 1
    assert 299 < found.radius < 301


def test_two_places_are_two_and_what_lies_alone_is_none() -> None:
    west, east = [(10.0 * n, 0.0) for n in range(6)], [(10.0 * n, 3000.0) for n in range(8)]
    found = clusters("water", points(*west, *east, (9000, 9000), (0, 1500)), 5)
    assert [len(one.points) for one in found] == [8, 6]
    assert clusters("water", points(*west), 7) == []
    assert clusters("water", points(*west[: MIN_NEIGHBOURS - 1]), 1) == [], (
        "no point has enough neighbours"
    )
    assert clusters("water", [], 1) == []


def test_communes_are_told_with_most_first() -> None:
    (found,) = clusters(
        "water",
        [
            *points((0, 0), (1, 1), commune="2"),
            *points((2, 2), (3, 3), (4, 4)),
            *points((5, 5), commune=""),
        ],
        5,
    )
    assert found.communes == ("1", "2")


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4000)), max_size=60), st.randoms())
def test_it_is_what_dbscan_says_in_any_order(places: list[tuple[int, int]], random: object) -> None:
    found = points(*places)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    given_ = clusters("water", found, 1)
    assert given_ == clusters("water", shuffled, 1)
    near = {
        a: [b for b in found if metres(a.lat, a.lon, b.lat, b.lon) <= REACH_METRES] for a in found
    }
    core = {a for a in found if len(near[a]) >= MIN_NEIGHBOURS}
    held = [one for cluster in given_ for one in cluster.points]
    assert set(held) == {b for a in core for b in near[a]}, (
        "every neighbour of a core is in a cluster, nothing else"
    )
    for one, other in combinations(given_, 2):
        assert not any(
            b in near[a] for a in set(one.points) & core for b in set(other.points) & core
        ), "cores that touch are one"


def test_a_cluster_that_grows_or_moves_is_the_same_and_another_one_is_not() -> None:
    (first,) = clusters("water", points(*((10.0 * n, 0.0) for n in range(6))), 5)
    ((key, _),) = named([first], [])
    known = replace(EMPTY, id=f"cluster:{key}", lat=first.lat, lon=first.lon, radius=first.radius)
    (moved,) = clusters("water", points(*((400 + 10.0 * n, 200.0) for n in range(9))), 5)
    far = Cluster("water", tuple(points((5000, 5000))))
    other = replace(moved, category="roads")
    assert named([moved], [known]) == [(key, moved)]
    assert key not in {found for found, _ in named([far, other], [known])}
    assert [found for found, _ in named([moved, first], [known])].count(key) == 1, (
        "one alarm is one cluster"
    )
    assert named([first], [replace(known, cleared_at=NOW + timedelta(seconds=1))])[0][0] == key, (
        "the same place has the same name"
    )
