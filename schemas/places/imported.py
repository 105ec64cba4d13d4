"""Store and read places that an administrator imports.

They are official outlines of known communes, or a place of another country with its units. There is
one GeoJSON file per province under `<home>/places/`, named by the province's code. A file of an
additional place also carries its `province` member; its communes are made from the features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from schemas.places import geojson
from schemas.places.units import Commune, Province

LISTED = 20
"""Number of wrong features that an error names; the others are counted."""
LARGE_BYTES = 4 << 20
"""Size of a province's outlines from which they load noticeably slowly on a screen."""

Geometry = dict[str, Any]


class ImportRefusedError(ValueError):
    """Raised if a file cannot be imported; nothing was written.

    Each problem is one sentence that names the features.
    """

    def __init__(self, *problems: str) -> None:
        """Keep the problems, and join them to the message."""
        super().__init__("\n".join(problems))
        self.problems = problems


class ImportedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one imported file: outlines by commune code.

    `province` is set if it is an additional place.
    """

    source: str
    outlines: dict[str, Geometry]
    province: Province | None = None
    communes: tuple[Commune, ...] = ()


class Imported(msgspec.Struct, frozen=True):
    """The result of an import.

    It has {province code: number of outlines}, and warnings for the administrator.
    """

    written: dict[str, int]
    warnings: tuple[str, ...]


def read_all(folder: Path) -> dict[str, ImportedPlace]:
    """Return {province code: its imported place} of every file in the folder.

    None without a folder.
    """
    return {path.stem: read(path) for path in sorted(folder.glob("*.json"))}


def read(path: Path) -> ImportedPlace:
    """Read one imported file.

    Raises:
        ImportRefusedError: The file is not what `import_outlines` writes; the message names it.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ImportedPlace)
    except msgspec.DecodeError as error:
        raise ImportRefusedError(
            f"{path}: {error}; import its source again or remove it"
        ) from error


def import_outlines(
    file: Path,
    folder: Path,
    known: Mapping[str, str],
    *,
    code_property: str,
    name_property: str | None = None,
    province: Province | None = None,
    only: str | None = None,
) -> Imported:
    """Check a GeoJSON file and store its outlines in `folder`, one file per province.

    An earlier import of a province is replaced.

    Args:
        file: The GeoJSON file.
        folder: The folder of imported places.
        known: {commune code: province code}.
        code_property: The property of a feature that holds its commune code.
        name_property: With `province`, the property that holds the name.
        province: An additional place, whose communes are the features; without it, each feature
            must be a known commune.
        only: The only province whose communes are accepted.

    Raises:
        ImportRefusedError: The file is not imported; the message lists its problems.
    """
    features = load(file)
    codes = [code_of(feature, code_property, known) for feature in features]
    problems = [
        *named(
            "no property " + repr(code_property),
            (f"feature {n}" for n, code in enumerate(codes, 1) if not code),
        ),
        *named(
            "more than one feature for",
            (code for code, count in Counter(codes).items() if code and count > 1),
        ),
    ]
    if province is None:
        problems += named("unknown code", (code for code in codes if code and code not in known))
        if only is not None:
            problems += named(
                f"not in province {only}", (code for code in codes if known.get(code, only) != only)
            )
    else:
        foreign = (code for code in codes if known.get(code, province.code) != province.code)
        problems += named("the code belongs to another place", foreign)
    for code, feature in zip(codes, features, strict=True):
        if fault := geojson.check(feature.get("geometry")):
            problems.append(f"{code or 'a feature without code'} {fault}")
    if problems:
        raise ImportRefusedError(
            *problems[:LISTED],
            *([f"and {len(problems) - LISTED} more"] if len(problems) > LISTED else []),
        )
    outlines = dict(zip(codes, (feature["geometry"] for feature in features), strict=True))
    if province is not None:
        names = {
            code: text(feature, name_property) or code
            for code, feature in zip(codes, features, strict=True)
        }
        communes = tuple(
            commune(code, names[code], province.code, outlines[code], file.name)
            for code in sorted(outlines)
        )
        whole = sum(one.area_km2 or 0 for one in communes)
        lat, lon = (
            round(sum(getattr(one, axis) * (one.area_km2 or 0) for one in communes) / whole, 5)
            for axis in ("lat", "lon")
        )
        placed = msgspec.structs.replace(province, lat=lat, lon=lon)
        places = {
            province.code: ImportedPlace(
                source=file.name, outlines=outlines, province=placed, communes=communes
            )
        }
    else:
        places = {
            owner: ImportedPlace(
                source=file.name,
                outlines={code: outlines[code] for code in codes if known[code] == owner},
            )
            for owner in sorted({known[code] for code in codes})
        }
    warnings = [line for owner, place in places.items() for line in store(folder, owner, place)]
    if province is None:
        missing = sorted(
            code for code, owner in known.items() if owner in places and code not in outlines
        )
        warnings += named("the file has no outline (the schematic one stays) for", missing)
    return Imported(
        {owner: len(place.outlines) for owner, place in places.items()}, tuple(warnings)
    )


def load(file: Path) -> list[dict[str, Any]]:
    """Return the features of a GeoJSON FeatureCollection.

    Raises:
        ImportRefusedError: The file is not one.
    """
    try:
        loaded = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise ImportRefusedError(f"{file.name} cannot be read as GeoJSON: {error}") from error
    features = loaded.get("features") if isinstance(loaded, dict) else None
    if (
        not isinstance(features, list)
        or not features
        or not all(isinstance(feature, dict) for feature in features)
    ):
        raise ImportRefusedError(f"{file.name} is not a GeoJSON FeatureCollection with features")
    return features


def code_of(feature: dict[str, Any], code_property: str, known: Mapping[str, str]) -> str:
    """Return the feature's code as text, "" if it has none.

    Leading zeros that a spreadsheet removed are restored.
    """
    value = (feature.get("properties") or {}).get(code_property)
    code = (
        ""
        if value is None or (isinstance(value, float) and not value.is_integer())
        else str(int(value) if isinstance(value, float) else value).strip()
    )
    return (
        code.zfill(5) if code.isdigit() and code not in known and code.zfill(5) in known else code
    )


def text(feature: dict[str, Any], name: str | None) -> str:
    """Return a property of a feature as text, "" if it has none; 19753.0 is read as 19753."""
    value = (feature.get("properties") or {}).get(name)
    return (
        ""
        if value is None
        else str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    )


def named(problem: str, what: Iterable[str]) -> list[str]:
    """Return one sentence that names up to `LISTED` things with a problem and counts the rest.

    Returns:
        A list of that sentence; an empty one if nothing has the problem.
    """
    names = list(what)
    if not names:
        return []
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return [f"{problem}: {', '.join(names[:LISTED])}{more}"]


def commune(code: str, name: str, province: str, outline: Geometry, source: str) -> Commune:
    """Return a commune of an additional place, its centre and area taken from its outline."""
    lat, lon = geojson.centre(outline)
    area = round(sum(geojson.area_km2(part) for part in geojson.polygons(outline)), 2)
    return Commune(
        code=code,
        name=name,
        type="",
        lat=lat,
        lon=lon,
        province=province,
        area_km2=area,
        source=source,
    )


def store(folder: Path, owner: str, place: ImportedPlace) -> list[str]:
    """Write one file atomically, so that a reader never sees half of it; return warnings."""
    folder.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.encode(place)
    unfinished = folder / f"{owner}.json.tmp"
    unfinished.write_bytes(content)
    unfinished.replace(folder / f"{owner}.json")
    if len(content) > LARGE_BYTES:
        return [
            f"{owner}: {len(content) / 1e6:.1f} MB of outlines load slowly on a screen; "
            "simplify the file's lines"
        ]
    return []
