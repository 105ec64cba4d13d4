"""Find reports of one category that lie close together, as DBSCAN does; pure and exact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from math import cos, hypot, radians
from typing import NamedTuple

from streams.watch.engine import Alarm

REACH_METRES = 500.0
"""Metres within which reports are neighbours (DBSCAN's epsilon)."""
MIN_NEIGHBOURS = 5
"""Neighbours, itself included, that make a report the core of a cluster (DBSCAN: minPts)."""
METRES_PER_DEGREE = 111_320.0
"""Metres per degree of latitude."""


class ReportPoint(NamedTuple):
    """A report's position, commune and time."""

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
        """Return the latitude of the centre."""
        return sum(one.lat for one in self.points) / len(self.points)

    @property
    def lon(self) -> float:
        """Return the longitude of the centre."""
        return sum(one.lon for one in self.points) / len(self.points)

    @property
    def radius(self) -> float:
        """Return the distance from the centre to the outermost report, in metres."""
        return max(metres(self.lat, self.lon, one.lat, one.lon) for one in self.points)

    @property
    def since(self) -> datetime:
        """Return the time of the first report."""
        return min(one.at for one in self.points)

    @property
    def communes(self) -> tuple[str, ...]:
        """Return the communes of the reports, the one with most reports first."""
        codes = [one.commune for one in self.points if one.commune]
        return tuple(sorted(set(codes), key=lambda code: (-codes.count(code), code)))


def metres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the distance of two points in metres, exact enough within a province."""
    north = (lat - other_lat) * METRES_PER_DEGREE
    return hypot(north, (lon - other_lon) * METRES_PER_DEGREE * cos(radians((lat + other_lat) / 2)))


def clusters(category: str, points: Sequence[ReportPoint], least: float) -> list[Cluster]:
    """Find the clusters of at least `least` points, largest first.

    The result does not depend on the order of the points.

    Args:
        category: The category of the reports.
        points: The reports.
        least: The number of reports that make a cluster worth returning.
    """
    ordered = sorted(points)
    near = _neighbours(ordered)
    core = {index for index, found in near.items() if len(found) >= MIN_NEIGHBOURS}
    taken: set[int] = set()
    found: list[Cluster] = []
    for start in sorted(core):
        if start in taken:
            continue
        members, open_ends = {start}, [start]
        while open_ends:
            # A report at the edge of two clusters belongs to the first.
            fresh = near[open_ends.pop()] - members - taken
            members |= fresh
            open_ends += fresh & core
        taken |= members
        if len(members) >= least:
            found.append(Cluster(category, tuple(ordered[index] for index in sorted(members))))
    return sorted(found, key=lambda one: (-len(one.points), one.points))


def _neighbours(points: Sequence[ReportPoint]) -> Mapping[int, set[int]]:
    """Return, by a point's index, those within reach, itself included.

    Only the grid squares around a point's own are searched.
    """
    squares: dict[tuple[int, int], list[int]] = {}
    narrow = cos(radians(max((abs(one.lat) for one in points), default=0.0)))
    square_of = {
        index: (
            int(one.lat * METRES_PER_DEGREE // REACH_METRES),
            int(one.lon * METRES_PER_DEGREE * narrow // REACH_METRES),
        )
        for index, one in enumerate(points)
    }
    for index, square in square_of.items():
        squares.setdefault(square, []).append(index)
    near: dict[int, set[int]] = {}
    for index, (row, column) in square_of.items():
        around = (
            other
            for dy, dx in product((-1, 0, 1), repeat=2)
            for other in squares.get((row + dy, column + dx), ())
        )
        near[index] = {
            other
            for other in around
            if metres(points[index].lat, points[index].lon, points[other].lat, points[other].lon)
            <= REACH_METRES
        }
    return near


def named(found: Iterable[Cluster], known: Iterable[Alarm]) -> list[tuple[str, Cluster]]:
    """Return clusters with the keys of their alarms.

    A cluster that overlaps an open alarm of its category is the same alarm, grown or moved.
    """
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
            <= cluster.radius + one.radius + REACH_METRES
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
