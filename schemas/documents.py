"""What outsiders read, derived from the vocabulary: JSON Schema files, the data dictionary, and the README's generated parts.

`python -m schemas generate` writes them; a test fails when one of them is out of date.
"""

import json
import typing
from pathlib import Path
from typing import Any

import msgspec

from schemas import codes, tables
from schemas.codes import NumberedCode, WordedCode
from schemas.envelope import CLOCK_TOLERANCE
from schemas.events import Envelope
from schemas.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, Kind
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
        "properties": envelope["properties"] | fixed,
        "$defs": data["$defs"],
    }


def example(kind: Kind) -> bytes:
    """A valid event of a kind, as it may be sent."""
    return (HERE / "examples" / f"{kind.name}.json").read_bytes()


def dictionary() -> str:
    """The data dictionary: every field, measure, code, table and view, in Markdown."""
    lines = ["# Data dictionary", "", "Generated from the vocabulary in `schemas/` by `make generate`; do not edit.", ""]
    for kind in KINDS:
        lines += [*_kind(kind), ""]
    lines += ["# Codes", ""]
    for name, enum in vars(codes).items():
        if isinstance(enum, type) and issubclass(enum, NumberedCode | WordedCode) and enum not in (NumberedCode, WordedCode):
            lines += [f"## {name}", "", (enum.__doc__ or "").strip(), "", "| code | Vietnamese | English |", "|---|---|---|"]
            lines += [f"| `{code.value}` | {code.vi} | {code.en} |" for code in enum] + [""]
    lines += ["# Read views in ClickHouse", "", "Stable for Grafana, Superset or any SQL client.", ""]
    for view in tables.views(""):
        lines.append(f"- `{view}`: {_VIEWS[view]}")
    lines += ["", _AHEAD, "", _REPORTER]
    return "\n".join(lines).rstrip() + "\n"


_AHEAD = f"""`events` and the current states have `ahead_seconds`: by how much an event's own time was ahead of its arrival, from {
    CLOCK_TOLERANCE.total_seconds() / 60:.0f} minutes on, else 0. Such an event comes from a clock that is wrong. It is kept, and
counts in the window of the time that it claims, so in no figure up to now; an entity's steps are ordered by when they happened,
which is never after they arrived, so what is reported later is shown later."""
_REPORTER = """`reporter` in `events` and `feedback` is a sealed text, `sealed:1:…`: it tells that somebody is named, and by being
equal that two reports come from one reporter, but not who. Only `python -m schemas seal open` shows that, to staff who hold the
key, and writes down who asked and why. `dead_letters` shows `***` in its place."""
_VIEWS = {
    "events": "one row per event, repeats gone: where it came from, when, and the fields of all kinds.",
    **{kind.plural: f"current state, one row per entity ({kind.en.lower()})." for kind in KINDS},
    "windows": "counts per minute, ready to sum: `sum(measures['registered'])`, by `dimensions['channel']`.",
    "source_freshness": "when each agency was last heard of, per kind.",
    "dead_letters": "records that could not be counted, with the reason.",
}


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
        "| measure | what it counts | as SQL |",
        "|---|---|---|",
    ]
    lines += [f"| `{measure.name}` | {measure.sentence} | `{measure.sql()}` |" for measure in kind.measures]
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
        lines.append(f"| `IOC_{name.upper()}` | `{field.default}` | {field.description} |")
    return "\n".join(lines)


def picture() -> str:
    """The data's way as a Mermaid flow chart, from the kinds, topics and tables."""
    lines = ["```mermaid", "flowchart LR", "    agencies([agencies' systems]) -->|CloudEvents over HTTP| gateway[ingest gateway]"]
    lines += ["    files([CSV, NDJSON]) --> importer[ingest import]", "    simulator[ingest simulate]", "    subgraph Kafka"]
    for kind in KINDS:
        lines.append(f'        {kind.name}[("{kind.name} × {Settings.model_fields["partitions"].default}")]')
    lines += [f'        dead[("{DEAD_LETTERS}")]', f'        beat[("{HEARTBEATS}")]', "    end"]
    lines += [
        "    gateway --> Kafka",
        "    importer --> Kafka",
        "    simulator --> Kafka",
        "    Kafka --> worker[streams worker, Faust]",
    ]
    lines += ["    worker -.->|what cannot be counted| dead", "    subgraph ClickHouse"]
    lines += ['        raw[("events_*")] --> state[("state_*")]', '        raw --> freshness[("freshness")]']
    lines += ['        windows[("windows_*")]', '        letters[("dead_letter_rows")]', '        beats[("heartbeats")]', "    end"]
    lines += ["    worker -->|1 raw rows| raw", "    worker -->|2 window values + checkpoint| windows"]
    lines += ["    ClickHouse --> dashboard[dashboard serve, Dash]", "    dashboard -->|WebSocket| wall([video wall])", "```"]
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
