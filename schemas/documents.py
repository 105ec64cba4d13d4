"""What outsiders read, derived from the vocabulary: JSON Schema files, the data dictionary, and the README's generated parts.

`python -m schemas generate` writes them; a test fails when one of them is out of date.
"""

import json
import typing
from pathlib import Path
from typing import Any

import msgspec

from schemas import catalogue, codes, tables
from schemas import figures as figures_module
from schemas import lives as lives_module
from schemas.codes import NumberedCode, WordedCode
from schemas.envelope import CLOCK_TOLERANCE
from schemas.events import Envelope
from schemas.figures import FIGURES, Piece
from schemas.figures.questions import dimensions
from schemas.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, REFUSALS, Kind
from schemas.lives import LIVES
from schemas.places import restate
from schemas.reference import statuses
from schemas.settings import Settings

HERE = Path(__file__).parent
README = HERE.parent / "README.md"


def json_schema(kind: Kind) -> dict[str, Any]:
    """JSON Schema (2020-12) of a kind's CloudEvents record."""
    data = msgspec.json.schema(kind.event)
    envelope = msgspec.json.schema(Envelope)["$defs"]["Envelope"]
    fixed = {"specversion": {"const": "1.0"}, "type": {"const": kind.type}, "data": {"$ref": data["$ref"]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{kind.type}",
        "title": kind.en,
        "description": (kind.event.__doc__ or "").strip(),
        "type": "object",
        "required": [*envelope["required"], "type", "data"],
        "properties": _or_date(envelope["properties"]) | fixed,
        "$defs": _or_date(data["$defs"]),
    }


def _or_date(schema: Any) -> Any:
    """A JSON Schema whose moments may be dates, too: then they are known to the day."""
    if isinstance(schema, list):
        return [part for one in schema for part in ([one, _DATE] if one == _MOMENT else [_or_date(one)])]
    if not isinstance(schema, dict):
        return schema
    if _MOMENT.items() <= schema.items():
        rest = {name: value for name, value in schema.items() if name not in _MOMENT}
        return rest | {"anyOf": [_MOMENT, _DATE]}
    return {name: _or_date(value) for name, value in schema.items()}


_MOMENT, _DATE = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}


def example(kind: Kind) -> bytes:
    """A valid event of a kind, as it may be sent."""
    return (HERE / "examples" / f"{kind.name}.json").read_bytes()


def dictionary() -> str:
    """The data dictionary: every field, measure, code, criterion, target, table and view, in Markdown."""
    lines = ["# Data dictionary", "", "Generated from the vocabulary in `schemas/` by `make generate`; do not edit.", ""]
    for kind in KINDS:
        lines += [*_kind(kind), ""]
    lines += [*_figures(), *_lives(), "# Codes", ""]
    for name, enum in vars(codes).items():
        if isinstance(enum, type) and issubclass(enum, NumberedCode | WordedCode) and enum not in (NumberedCode, WordedCode):
            lines += [f"## {name}", "", (enum.__doc__ or "").strip(), "", "| code | Vietnamese | English |", "|---|---|---|"]
            lines += [f"| `{code.value}` | {code.vi} | {code.en} |" for code in enum] + [""]
    lines += [*catalogue.criteria(), *catalogue.scoreboard(), ""]
    lines += ["# Read views in ClickHouse", "", "Stable for Grafana, Superset or any SQL client.", ""]
    for view in tables.views(""):
        lines.append(f"- `{view}`: {_VIEWS[view]}")
    lines += ["", _AHEAD, "", _UNITS, "", _REPORTER]
    return "\n".join(lines).rstrip() + "\n"


_AHEAD = f"""`events` and the current states have `ahead_seconds`: by how much an event's own time was ahead of its arrival, from {
    CLOCK_TOLERANCE.total_seconds() / 60:.0f} minutes on, else 0. Such an event comes from a clock that is wrong. It is kept, and
counts in the window of the time that it claims; what it dates in the future is in no figure up to now. An entity's
steps are ordered by when they happened, which is never after they arrived, so what is reported later is shown later."""
_UNITS = f"""A commune's code means the unit of the event's own day, and communes of today reuse codes of former ones. Two
expressions tell them apart, here for the filings of `events` (for windows, `window_start` is the moment):

```sql
-- figures restated to the units of today
SELECT {restate.today_sql("commune", "before")} AS unit, count(), countIf({restate.divided_sql("commune", "before")}) AS uncertain
FROM (SELECT commune, {restate.before_sql("occurred_at")} AS before FROM events WHERE kind = 'filing') GROUP BY unit;
-- figures by the units of the day
SELECT commune, {restate.former_sql("commune", "before")} AS is_former, count()
FROM (SELECT commune, {restate.before_sql("occurred_at")} AS before FROM events WHERE kind = 'filing') GROUP BY commune, is_former;
```

`uncertain` counts what was restated from divided units to their default successor, though some of it may belong to another.
What a row means whose code and day do not fit (a late report under an old code) is told in `schemas/places/restate.py`."""
_REPORTER = """`reporter` in `events` and `feedback` is a sealed text, `sealed:1:…`: it tells that somebody is named, and by being
equal that two reports come from one reporter, but not who. Only `python -m schemas seal open` shows that, to staff who hold the
key, and writes down who asked and why. `dead_letters` shows `***` in its place."""
_VIEWS = {
    "events": "one row per event, repeats gone: where it came from, when, and the fields of all kinds.",
    **{kind.plural: f"current state, one row per entity ({kind.en.lower()})." for kind in KINDS},
    "windows": "counts per minute, ready to sum: `sum(measures['registered'])`, by `dimensions['channel']`.",
    "source_freshness": "when each agency was last heard of, per kind.",
    "dead_letters": "records that could not be counted, with the reason.",
    "refusals": "what gateways refused: of which source and agency, why, how many in some seconds; never the event itself.",
    "alarms": "what called for people, from `raised_at` to `cleared_at` (NULL while it is open); its cause began at `since`.",
    "units": "provinces, districts and communes of all days, with the days on which they are in force.",
    "unit_successors": "the communes of today that each former commune became; `is_default` marks the one figures are restated to.",
}


def _figures() -> list[str]:
    """Every figure with its definition, as SQL over the lives."""
    lines = ["# Figures", "", (figures_module.__doc__ or "").partition("\n")[0], ""]
    lines += [
        "Each is asked for a moment, and for the period that ends with it where it tells of one (30 days unless said otherwise);",
        "as a whole, by any dimension of its kind, and as a series over 5 minutes, hours, days or months. A share is in percent.",
        "`{passed}` says that the deadline has passed, `{position}` is the moment on the entity's clock.",
    ]
    for life in LIVES:
        by = ", ".join(f"`{name}`" for name in dimensions(life.kind))
        lines += ["", f"## {life.kind.en}", "", f"By {by}.", ""]
        lines += ["| figure | Vietnamese | English | unit | what it says | counted | of |", "|---|---|---|---|---|---|---|"]
        for figure in FIGURES:
            if figure.kind is life.kind:
                part, whole = ("<br>".join(f"`{_piece(piece)}`" for piece in side) for side in (figure.part, figure.whole))
                names = f"`{figure.code}` | {figure.vi} | {figure.en} | {figure.unit.value}"
                lines.append(f"| {names} | {figure.sentence} | {part} | {whole} |")
    return [*lines, ""]


def _piece(piece: Piece) -> str:
    written = piece.aggregate.replace("{where}", piece.where)
    return (f"{written} by {piece.when}" if piece.when else written).replace("|", "\\|")


def _lives() -> list[str]:
    """The tables of the lives, with the rules of their derivation."""
    lines = ["# Lives", "", *(lives_module.__doc__ or "").strip().splitlines()]
    for life in LIVES:
        name = life.kind.name
        lines += [
            "",
            f"## {life.kind.en}: `life_{name}`, `current_{name}`",
            "",
            "| column | ClickHouse | what it says |",
            "|---|---|---|",
        ]
        lines += [f"| `{column.name}` | `{column.type}` | {column.comment} |" for column in life.columns]
        lines += ["", "| status | clock | may be followed by |", "|---|---|---|"]
        for one in statuses(name):
            lines.append(f"| `{one.status}` | {one.standing} | {', '.join(one.followers) or 'nothing'} |")
    return [*lines, ""]


def _kind(kind: Kind) -> list[str]:
    lines = [f"# {kind.en} ({kind.vi})", "", (kind.event.__doc__ or "").strip(), ""]
    lines += [f"CloudEvents type `{kind.type}`, topic `{kind.name}` after the prefix, keyed by {' + '.join(kind.key)}.", ""]
    lines += ["| field | type | ClickHouse | what it says |", "|---|---|---|---|"]
    for name, annotation in tables.annotations(kind).items():
        kind_of = tables.clickhouse_type(annotation)
        lines.append(f"| `{name}` | {_type_name(annotation)} | `{kind_of}` | {tables.sentence(annotation)} |")
    lines += [
        "",
        f"Windows of one minute by {', '.join(kind.dimensions)}:",
        "",
        "| measure | Vietnamese | what it counts | as SQL |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{one.name}` | {one.vi} | {one.sentence} | `{one.sql()}` |" for one in kind.measures]
    return lines


def _type_name(annotation: Any) -> str:
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    parts = typing.get_args(annotation) or (annotation,)
    return " or ".join("nothing" if part is type(None) else getattr(part, "__name__", str(part)) for part in parts)


def settings_table() -> str:
    """The settings as a Markdown table."""
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{Settings.variable(name)}` | `{field.default}` | {field.description} |")
    return "\n".join(lines)


def picture() -> str:
    """The data's way as a Mermaid flow chart, from the kinds, topics and tables."""
    lines = ["```mermaid", "flowchart LR", "    agencies([agencies' systems]) -->|CloudEvents over HTTP| gateway[ingest gateway]"]
    lines += ["    files([CSV, XLSX, NDJSON]) --> importer[ingest import]", "    simulator[ingest simulate]", "    subgraph Kafka"]
    for kind in KINDS:
        lines.append(f'        {kind.name}[("{kind.name} × {Settings.model_fields["partitions"].default}")]')
    lines += [f'        dead[("{DEAD_LETTERS}")]', f'        refused[("{REFUSALS}")]', f'        beat[("{HEARTBEATS}")]', "    end"]
    lines += [
        "    gateway --> Kafka",
        "    importer --> Kafka",
        "    simulator --> Kafka",
        "    Kafka --> worker[streams worker, Faust]",
    ]
    lines += ["    worker -.->|what cannot be counted| dead", "    subgraph ClickHouse"]
    lines += ['        raw[("events_*")] --> state[("state_*")]', '        raw --> arrivals[("arrival_minutes, freshness")]']
    lines += [
        '        windows[("windows_*")]',
        '        letters[("dead_letter_rows, refusal_rows")]',
        '        beats[("heartbeats")]',
    ]
    lines += ['        lives[("life_*, current_*")]', '        alarms[("alarm_rows")]', "    end"]
    lines += ["    worker -->|1 raw rows| raw", "    worker -->|2 window values + checkpoint| windows"]
    lines += ["    ClickHouse -->|questions| watch[streams watch]", "    watch -->|lives, deadlines| lives"]
    lines += ["    watch -->|raised, cleared| alarms"]
    lines += ["    ClickHouse --> dashboard[dashboard serve, Dash]", "    dashboard -->|WebSocket| wall([video wall])"]
    lines += ["    dashboard --> desk([operators' desk])", "```"]
    return "\n".join(lines)


def files() -> dict[Path, str]:
    """Every derived file with its content; the README with its generated parts renewed."""
    found = {HERE / "dictionary.md": dictionary()}
    for kind in KINDS:
        schema = json.dumps(json_schema(kind), ensure_ascii=False, indent=2) + "\n"
        found[HERE / "json" / f"{kind.name}.json"] = schema
    if README.exists():
        text = README.read_text()
        for name, content in {"settings": settings_table(), "picture": picture()}.items():
            start, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
            before, found_start, rest = text.partition(start)
            _, found_end, after = rest.partition(end)
            if found_start and found_end:
                text = f"{before}{start}{content}\n{end}{after}"
        found[README] = text
    return found
