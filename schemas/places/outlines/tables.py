"""Derive the tables in data/ from vietnamadminunits; build time only.

They are provinces, communes, the former units and the mapping between them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.places.outlines import sources
from schemas.places.units import REFORM as REFORM_DAY

REFORM = REFORM_DAY.isoformat()
SOURCE = "vau"
"""Id in data/sources.csv of the origin of these rows."""
MUNICIPALITIES_SINCE = {"75": ("2026-04-30", "notice")}
"""Provinces that became municipalities after the package's edition: {code: (day, source id)}."""

UNIT = ("code", "type", "name", "lat", "lon")
DATED = ("valid_from", "valid_to", "source", "verified")
Row = tuple[Any, ...]


def write(folder: Path) -> None:
    """Write every derived table into `folder`, sorted by code.

    Raises:
        sources.MissingSourceError: A source package is missing.
    """
    now, former = sources.rows("admin_units"), sources.rows("admin_units_legacy")
    save(folder / "provinces.csv", (*UNIT, *DATED), provinces(now))
    save(folder / "communes.csv", (*UNIT, "province", "area_km2", *DATED), communes(now))
    save(folder / "former_provinces.csv", (*UNIT, *DATED), former_provinces(former))
    save(folder / "former_districts.csv", (*UNIT, "province", *DATED), former_districts(former))
    save(folder / "former_communes.csv", (*UNIT, "district", *DATED), former_communes(former))
    save(
        folder / "successors.csv",
        ("former", "code", "default"),
        successors(now, former, sources.converter()),
    )


def save(path: Path, columns: Iterable[str], lines: Iterable[Row]) -> None:
    """Write a table as CSV with a header and LF line ends, sorted.

    The same rows give the same bytes.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(sorted(lines))


def provinces(now: list[dict[str, Any]]) -> Iterable[Row]:
    """Return today's provinces, one row for each period of validity."""
    for row in {row["provinceCode"]: row for row in now}.values():
        unit = (
            row["provinceCode"],
            kind(row["province"], row["provinceShort"]),
            row["provinceShort"],
        )
        centre = (row["provinceLat"], row["provinceLon"])
        day, source = MUNICIPALITIES_SINCE.get(row["provinceCode"], ("", ""))
        yield (*unit, *centre, REFORM, day, SOURCE, 1)
        if day:
            yield (unit[0], "thành phố", unit[2], *centre, day, "", source, 0)


def communes(now: list[dict[str, Any]]) -> Iterable[Row]:
    """Return today's communes; an area that the package lacks (or gives as 0) stays empty."""
    for row in now:
        area = row["wardAreaKm2"] or ""
        yield (*_ward(row), row["provinceCode"], area, REFORM, "", SOURCE, 1)


def former_provinces(former: list[dict[str, Any]]) -> Iterable[Row]:
    """Return the 63 provinces as they were on 2025-06-30."""
    for row in {row["provinceCode"]: row for row in former}.values():
        unit = (
            row["provinceCode"],
            kind(row["province"], row["provinceShort"]),
            row["provinceShort"],
        )
        yield (*unit, row["provinceLat"], row["provinceLon"], "", REFORM, SOURCE, 1)


def former_districts(former: list[dict[str, Any]]) -> Iterable[Row]:
    """Return the districts as they were on 2025-06-30."""
    for row in {row["districtCode"]: row for row in former}.values():
        unit = (row["districtCode"], row["districtType"].lower(), row["districtShort"])
        yield (
            *unit,
            row["districtLat"],
            row["districtLon"],
            row["provinceCode"],
            "",
            REFORM,
            SOURCE,
            1,
        )


def former_communes(former: list[dict[str, Any]]) -> Iterable[Row]:
    """Return the wards, communes and townships as they were on 2025-06-30.

    Five island districts had none.
    """
    for row in former:
        if row["wardCode"]:
            yield (*_ward(row), row["districtCode"], "", REFORM, SOURCE, 1)


def _ward(row: dict[str, Any]) -> Row:
    return (
        row["wardCode"],
        row["wardType"].lower(),
        row["wardShort"],
        row["wardLat"],
        row["wardLon"],
    )


def successors(
    now: list[dict[str, Any]], former: list[dict[str, Any]], mapping: dict[str, Any]
) -> Iterable[Row]:
    """Return (former code, code of today, 1 if that part is the default).

    An island district without wards maps by its own code.
    """
    new_code = {(row["provinceKey"], row["wardKey"]): row["wardCode"] for row in now}
    old_code = {
        f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}": row["wardCode"]
        or row["districtCode"]
        for row in former
    }
    for province, whole in mapping["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for key, olds in whole.items():
            yield from ((old_code[old], new_code[province, key], 1) for old in olds)
    for province, divided in mapping["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old, parts in divided.items():
            for part in parts:
                yield (
                    old_code[old],
                    new_code[province, part["newWardKey"]],
                    int(part["isDefaultNewWard"]),
                )


def kind(full: str, short: str) -> str:
    """Return the type in front of a full name: `thành phố` of `Thành phố Huế`."""
    return full.removesuffix(short).strip().lower()
