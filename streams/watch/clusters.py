"""Points of one category that lie close together: clusters as DBSCAN finds them. Pure and exact; distances in metres."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from math import cos, hypot, radians
from typing import NamedTuple

from streams.watch.engine import Alarm

REACH = 500.0
"""Metres within which reports are neighbours."""
CORE = 5
"""A report with so many neighbours, itself among them, is the core of a cluster; the others near it belong to it."""
DEGREE = 111_320.0
"""Metres of a degree of latitude."""


class ReportPoint(NamedTuple):
    """A report."""

    lat: float
    lon: float
    commune: str
    at: datetime


@dataclass(frozen=True)
class Cluster:
    """Reports of a category that lie close together."""

    category: str
    points: tuple[ReportPoint, ...]

    @property
    def lat(self) -> float:
        return sum(one.lat for one in self.points) / len(self.points)

    @property
    def lon(self) -> float:
        return sum(one.lon for one in self.points) / len(self.points)

    @property
    def radius(self) -> float:
        """From the middle to the outermost report, in metres."""
        return max(metres(self.lat, self.lon, one.lat, one.lon) for one in self.points)

    @property
    def since(self) -> datetime:
        return min(one.at for one in self.points)

    @property
    def communes(self) -> tuple[str, ...]:
        """The communes that it lies in, that with most of it first."""
        codes = [one.commune for one in self.points if one.commune]
        return tuple(sorted(set(codes), key=lambda code: (-codes.count(code), code)))


def metres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """The distance of two points that lie no further apart than a province is wide."""
    north = (lat - other_lat) * DEGREE
    return hypot(north, (lon - other_lon) * DEGREE * cos(radians((lat + other_lat) / 2)))


def clusters(category: str, points: Sequence[ReportPoint], least: float) -> list[Cluster]:
    """Clusters of at least `least` points, the largest first; the same whatever the order of the points."""
    ordered = sorted(points)
    near = _neighbours(ordered)
    core = {index for index, found in near.items() if len(found) >= CORE}
    taken: set[int] = set()
    found: list[Cluster] = []
    for start in sorted(core):
        if start in taken:
            continue
        members, open_ends = {start}, [start]
        while open_ends:
            # A report at the rim of two clusters belongs to the first.
            fresh = near[open_ends.pop()] - members - taken
            members |= fresh
            open_ends += fresh & core
        taken |= members
        if len(members) >= least:
            found.append(Cluster(category, tuple(ordered[index] for index in sorted(members))))
    return sorted(found, key=lambda one: (-len(one.points), one.points))


def _neighbours(points: Sequence[ReportPoint]) -> Mapping[int, set[int]]:
    """Index of a point → those within reach, itself too; looked for in the squares around its own only."""
    squares: dict[tuple[int, int], list[int]] = {}
    narrow = cos(radians(max((abs(one.lat) for one in points), default=0.0)))
    place = {
        index: (int(one.lat * DEGREE // REACH), int(one.lon * DEGREE * narrow // REACH))
        for index, one in enumerate(points)
    }
    for index, square in place.items():
        squares.setdefault(square, []).append(index)
    near: dict[int, set[int]] = {}
    for index, (row, column) in place.items():
        around = (
            other
            for dy, dx in product((-1, 0, 1), repeat=2)
            for other in squares.get((row + dy, column + dx), ())
        )
        near[index] = {
            other
            for other in around
            if metres(points[index].lat, points[index].lon, points[other].lat, points[other].lon)
            <= REACH
        }
    return near


def named(found: Iterable[Cluster], known: Iterable[Alarm]) -> list[tuple[str, Cluster]]:
    """Clusters with the keys of their alarms: one that overlaps an open alarm of its category is that one, grown or moved."""
    free = [
        one
        for one in known
        if one.lat is not None and one.lon is not None and one.cleared_at is None
    ]
    keyed: list[tuple[str, Cluster]] = []
    for cluster in found:
        same = [
            (distance, one.began_at, one)
            for one in free
            if one.subject == cluster.category
            and one.lat is not None
            and one.lon is not None
            and (distance := metres(cluster.lat, cluster.lon, one.lat, one.lon))
            <= cluster.radius + one.radius + REACH
        ]
        if same:
            alarm = min(same, key=lambda pair: pair[:2])[2]
            free.remove(alarm)
            keyed.append((alarm.key, cluster))
        else:
            first = min(cluster.points, key=lambda one: (one.at, one))
            key, taken = (
                f"{cluster.category}@{first.lat:.3f},{first.lon:.3f}",
                {name for name, _ in keyed},
            )
            while key in taken:
                key += "'"
            keyed.append((key, cluster))
    return keyed
