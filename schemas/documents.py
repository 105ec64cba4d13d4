"""Generate the files for readers outside: JSON Schema files and the generated pages of the docs.

`python -m schemas generate` writes them; a test fails if one of them is out of date.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from schemas.dictionary import EDITED, dictionary
from schemas.events.kinds import DEAD_LETTERS, HEARTBEATS, KINDS, REFUSALS, REPEATS, Kind
from schemas.events.payloads import Envelope
from schemas.events.topics import DAY_MS, topics
from schemas.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parent
REFERENCE = ROOT / "docs" / "reference"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"


def json_schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind's CloudEvents record."""
    data = msgspec.json.schema(kind.event)
    envelope = msgspec.json.schema(Envelope)["$defs"]["Envelope"]
    fixed = {
        "specversion": {"const": "1.0"},
        "type": {"const": kind.type},
        "data": {"$ref": data["$ref"]},
    }
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
    """Return a JSON Schema whose moments may be dates, too; those are known to the day."""
    if isinstance(schema, list):
        return [
            part for one in schema for part in ([one, _DATE] if one == _MOMENT else [_or_date(one)])
        ]
    if not isinstance(schema, dict):
        return schema
    if _MOMENT.items() <= schema.items():
        rest = {name: value for name, value in schema.items() if name not in _MOMENT}
        return rest | {"anyOf": [_MOMENT, _DATE]}
    return {name: _or_date(value) for name, value in schema.items()}


_MOMENT, _DATE = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}


def example(kind: Kind) -> bytes:
    """Return a valid event of a kind, as it may be sent."""
    return (HERE / "examples" / f"{kind.name}.json").read_bytes()


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{Settings.variable(name)}` | `{field.default}` | {field.description} |")
    return "\n".join(lines)


def picture() -> str:
    """Return the data flow as a Mermaid flow chart, from the kinds, topics and tables."""
    lines = [
        "```mermaid",
        "flowchart LR",
        "    agencies([agencies' systems]) -->|CloudEvents over HTTP| gateway[ingest gateway]",
    ]
    lines += [
        "    files([CSV, XLSX, NDJSON]) --> importer[ingest import]",
        "    simulator[ingest simulate]",
        "    subgraph Kafka",
    ]
    for kind in KINDS:
        lines.append(
            f'        {kind.name}[("{kind.name} × {Settings.model_fields["partitions"].default}")]'
        )
    lines += [
        f'        dead[("{DEAD_LETTERS}")]',
        f'        refused[("{REFUSALS}")]',
        f'        beat[("{HEARTBEATS}")]',
        f'        again[("{REPEATS}")]',
        "    end",
    ]
    lines += [
        "    gateway --> Kafka",
        "    importer --> Kafka",
        "    simulator --> Kafka",
        "    Kafka --> worker[streams worker, Faust]",
    ]
    lines += [
        "    worker -.->|what cannot be counted| dead",
        "    worker -.->|what was counted before| again",
        "    subgraph ClickHouse",
    ]
    lines += [
        '        raw[("events_*")] --> state[("state_*")]',
        '        raw --> arrivals[("arrival_minutes, freshness")]',
    ]
    lines += [
        '        windows[("windows_*")]',
        '        letters[("dead_letter_rows, refusal_rows")]',
        '        beats[("heartbeats")]',
    ]
    lines += ['        lives[("life_*, current_*")]', '        alarms[("alarm_rows")]', "    end"]
    lines += [
        "    worker -->|1 raw rows| raw",
        "    worker -->|2 window values + checkpoint| windows",
    ]
    lines += ["    ClickHouse -->|queries| watch[streams watch]", "    watch -->|histories| lives"]
    lines += ["    watch -->|alarms| alarms"]
    lines += [
        "    ClickHouse --> dashboard[dashboard serve, Dash]",
        "    dashboard -->|WebSocket| wall([video wall])",
    ]
    lines += ["    dashboard --> desk([operators' desk])", "```"]
    return "\n".join(lines)


def settings_page() -> str:
    """Return the page of the docs that lists the settings."""
    lines = ["# Settings", "", f"Every setting is an environment variable. {EDITED}", ""]
    lines += [
        (
            "Several installations can run side by side: give each its own `IOC_HOME`, topic "
            "prefix and database."
        ),
        "",
    ]
    return "\n".join([*lines, settings_table()]) + "\n"


def topics_page() -> str:
    """Return the page of the docs that lists the Kafka topics."""
    settings = Settings.model_construct()  # the defaults, whatever the environment says
    shown = {
        DEAD_LETTERS: _LETTERS,
        REFUSALS: _REFUSALS,
        HEARTBEATS: _HEARTBEATS,
        REPEATS: _REPEATS,
    }
    shown |= {
        kind.name: f"{kind.en} events (`{kind.type}`), keyed by {' + '.join(kind.key)}."
        for kind in KINDS
    }
    lines = [
        "# Topics",
        "",
        f"The Kafka topics of an installation with default settings. {EDITED}",
        "",
    ]
    lines += ["| topic | partitions | kept, days | content |", "|---|---|---|---|"]
    for topic in topics(settings):
        days = int(topic.config["retention.ms"]) // DAY_MS
        sentence = shown[topic.name.removeprefix(settings.topic_prefix)]
        lines.append(f"| `{topic.name}` | {topic.partitions} | {days} | {sentence} |")
    return "\n".join([*lines, "", _TOPICS]) + "\n"


_LETTERS = "Records that cannot be counted, with the reason; the record itself is kept."
_REFUSALS = "Counts of what gateways refused, by source, agency and reason; never the event itself."
_HEARTBEATS = "One heartbeat per partition and tick, to tell a silent path from a silent source."
_REPEATS = (
    "Records that a worker dropped because their events were counted before; an import reads "
    "them for its summary."
)
_TOPICS = """They follow from the [settings](settings.md) `IOC_TOPIC_PREFIX`, `IOC_PARTITIONS`,
`IOC_TOPIC_RETENTION_DAYS` and `IOC_TOPIC_REPLICAS`. `python -m streams migrate` and
`python -m ingest topics` create missing topics. A record's time is the broker's
(`LogAppendTime`)."""


def pages() -> dict[Path, str]:
    """Return every generated page of the docs with its content.

    The drawing of the data flow is a part of ARCHITECTURE.md.
    """
    found = {
        REFERENCE / "dictionary.md": dictionary(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "topics.md": topics_page(),
    }
    if ARCHITECTURE.exists():
        found[ARCHITECTURE] = renewed(ARCHITECTURE.read_text(), "picture", picture())
    return found


def renewed(text: str, name: str, content: str) -> str:
    """Return a text with the part between the markers of `name` replaced by `content`.

    Raises:
        ValueError: The text has no such markers.
    """
    start, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
    before, found_start, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise ValueError(f"no markers of {name}")
    return f"{before}{start}{content}\n{end}{after}"


def files() -> dict[Path, str]:
    """Return every derived file with its content, without docs in an installed package."""
    found = pages() if REFERENCE.exists() else {}
    for kind in KINDS:
        schema = json.dumps(json_schema(kind), ensure_ascii=False, indent=2) + "\n"
        found[HERE / "json" / f"{kind.name}.json"] = schema
    return found
