"""Somebody's identity goes through the real parts on every way in, in good events and in wrong
ones: afterwards it is nowhere.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from ingest.producer import Producer
from schemas.documents import example
from schemas.events.kinds import DEAD_LETTERS, FEEDBACK, FILING
from schemas.seal import is_sealed, sealer
from schemas.settings import Settings
from streams.admin.verify import verify
from tests.running import Running, command, wait_for, worker
from tests.sealing import SOMEBODY

pytestmark = pytest.mark.stack
EVENT = msgspec.json.decode(example(FEEDBACK))
ASCII = json.dumps(SOMEBODY)[1:-1]
TRACES = [
    trace.encode()
    for trace in (
        "Văn Thử",
        ASCII[6:30],
        ASCII.replace("\\", "\\\\")[6:30],
        "0000 123 456",
        "0000123456",
    )
]
MISPLACED = "Lê Thị Nào"
"""Somebody in a field where nobody belongs.

The record keeps it to be mended, but no reason quotes it.
"""
MAPPING = """
kind = "feedback"
source = "/file"

[fields]
report_id = { column = "number" }
agency = { constant = "H57.IOC" }
category = { column = "what", lookup = { giao = "traffic" } }
reported_at = { column = "day", as = "time" }
reporter = { template = "{who}, {telephone}", needs = ["who"] }

[[step]]
id = "{number}/received"
time = "day"
fields = { status = "received" }
"""


def report(id: str, ascii: bool = False, reporter: Any = SOMEBODY, **data: Any) -> bytes:
    data = EVENT["data"] | {"report_id": id, "reporter": reporter} | data
    return json.dumps(
        EVENT | {"id": id, "source": "/seal", "data": data}, ensure_ascii=ascii
    ).encode()


WRONG: dict[str, bytes] = {
    "a status with a name in it": report("R", status=MISPLACED),
    "six stars": report("R", rating=6),
    "cut in the midst": report("R")[: report("R").index("Thử".encode()) + 4],
    "cut at its end": report("R")[:-1],
    "an object": report("R", reporter={"name": SOMEBODY, "telephone": "0000 123 456"}),
    "a number": report("R", reporter=123456).replace(b"123456", b"0000123456"),
    "no quotes": report("R").replace(f'"{SOMEBODY}"'.encode(), SOMEBODY.encode()),
    "JSON within a text": json.dumps(EVENT | {"data": report("R").decode()}).encode(),
    "no UTF-8": report("R").replace(b'"R"', b'"\xff"'),
    "too large": report("R", address="x" * 300_000),
    "a filing's type": report("R").replace(b"vn.ioc.feedback", b"vn.ioc.filing"),
}


def push(
    gateway: httpx.Client, body: bytes, media: str = "application/cloudevents+json"
) -> httpx.Response:
    return gateway.post(
        "/v1/events", content=body, headers={"content-type": media, "accept-language": "en"}
    )


def everything_in(settings: Settings, name: str) -> bytes:
    """Return all keys, values and headers of a topic."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    topic = settings.topic_prefix + name
    partitions = [
        TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
    ]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends, found = consumer.end_offsets(partitions), list[bytes]()
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for records in consumer.poll(500).values():
            found += [
                part
                for record in records
                for part in (record.key or b"", record.value or b"", str(record.headers).encode())
            ]
    consumer.close()
    return b"\n".join(found)


def copies_in(settings: Settings) -> bytes:
    """Return the dead letters' topic, its base64 read."""
    letters = [
        line for line in everything_in(settings, DEAD_LETTERS).splitlines() if line.startswith(b"{")
    ]
    decoded = [msgspec.json.decode(line, type=dict[str, Any]) for line in letters]
    return b"\n".join(
        msgspec.convert(one["payload"], bytes) + one["reason"].encode() for one in decoded
    )


def everything_kept(database: Client) -> Iterator[tuple[str, bytes]]:
    """Yield every table and view with all that is in it."""
    for (name,) in database.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    ):
        rows = database.execute(f"SELECT * FROM `{name}`", settings={"strings_as_bytes": True})
        yield (
            name,
            b"\n".join(
                part if isinstance(part, bytes) else str(part).encode()
                for row in rows
                for part in row
            ),
        )


def naming(found: Iterator[tuple[str, bytes]]) -> list[str]:
    return [
        f"{name}: {text[max(0, text.index(t) - 80) :][:200]!r}"
        for name, text in found
        for t in TRACES
        if t in text
    ]


def test_an_identity_is_nowhere_whichever_way_it_came(
    settings: Settings, environment: dict[str, str], database: Client, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    address, log = f"http://127.0.0.1:{settings.gateway_port}", work / "gateway.log"
    said: dict[str, bytes] = {}
    with (
        worker(environment, work / "worker.log"),
        Running("ingest", "gateway", environment=environment, log=log, ready=f"{address}/readyz"),
        httpx.Client(base_url=address, timeout=30) as gateway,
    ):
        # Through the gateway: good, sent again, sealed already, and every wrong one.
        good = [
            report("G1"),
            report("G2", ascii=True),
            report("G3").replace(b'"reporter"', b'"rep\\u006frter"'),
        ]
        for record in good:
            assert push(gateway, record).json()["accepted"] == 1
            assert push(gateway, record).json()["duplicates"] == 1
        assert (
            push(gateway, report("G1", reporter=sealer(settings).seal(SOMEBODY))).json()[
                "duplicates"
            ]
            == 1
        )
        for name, record in WRONG.items():
            answer = push(gateway, record)
            assert answer.json()["refused"] == 1, name
            said[f"answer to {name}"] = answer.content
        batch = b"[" + b",".join([report("G4"), WRONG["six stars"]]) + b"]"
        said["answer to a batch"] = push(
            gateway, batch, "application/cloudevents-batch+json"
        ).content
        said["answer to half a batch"] = push(
            gateway, batch[:-9], "application/cloudevents-batch+json"
        ).content
        said["metrics of the gateway"] = gateway.get("/metrics").content

        # From files: with a mapping, some rows wrong, one of them for its commas; then CloudEvents.
        (work / "map.toml").write_text(MAPPING)
        who, telephone = SOMEBODY.split(", ")
        rows = [
            ["I1", "giao", "2026-11-20", who, telephone],
            ["I2", "khác", "2026-11-20", who, telephone],
            ["I3", "giao", "2026-11-20", who, "", telephone],
        ]
        with (work / "rows.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["number", "what", "day", "who", "telephone"], *rows])
        (work / "lines.ndjson").write_bytes(
            b"\n".join([report("I4"), WRONG["six stars"], WRONG["cut in the midst"]])
        )
        for name, more in (
            ("rows.csv", ["--mapping", str(work / "map.toml")]),
            ("lines.ndjson", []),
        ):
            done = command(
                environment,
                "ingest",
                "import",
                str(work / name),
                "--refused",
                str(work / f"{name}.out"),
                *more,
            )
            assert done.returncode == 3, done.stderr
            said[f"import of {name}"] = done.stdout + done.stderr
            said[f"refused of {name}"] = (work / f"{name}.out").read_bytes()
        # Mended, the row that could be split is imported with the reporter that was sealed in it.
        header, second, _ = (work / "rows.csv.out").read_text().splitlines()
        (work / "mended.csv").write_text(f"{header}\n{second.replace('khác', 'giao')}\n")
        done = command(
            environment,
            "ingest",
            "import",
            str(work / "mended.csv"),
            "--mapping",
            str(work / "map.toml"),
        )
        assert done.returncode == 0, done.stderr

        in_topics = {name: everything_in(settings, name) for name in (FEEDBACK.name, FILING.name)}
        assert in_topics[FEEDBACK.name].count(b"sealed:1:") >= 6

        # Straight into Kafka by somebody else's producer: the topic has it then, but nothing after
        # it.
        with Producer(settings) as producer:
            topic = FEEDBACK.topic(settings.topic_prefix)
            for record in (report("K1"), report("K2", ascii=True)):
                producer.put(topic, json.loads(record)["data"]["report_id"].encode(), record)
            for record in WRONG.values():
                producer.put(topic, b"R", record)
        wait_for(lambda: database.execute("SELECT uniqExact(entity_id) FROM events") == [(9,)])
        wait_for(lambda: database.execute("SELECT count() FROM dead_letters") == [(len(WRONG),)])
        wait_for(lambda: not any(one.pending for one in verify(settings)))
        said["metrics of the worker"] = httpx.get(
            f"http://127.0.0.1:{settings.worker_port}/metrics"
        ).content
        said["copies of dead letters"] = copies_in(settings)
        for arguments in (["list", "--limit", "1000"], ["retry", "--category", "wrong-value"]):
            done = command(environment, "streams", "dead-letters", *arguments)
            said[" ".join(arguments)] = done.stdout + done.stderr
        for (name,) in database.execute(
            "SELECT concat(topic, '/', toString(partition), '/', toString(offset)) FROM "
            "dead_letters"
        ):
            done = command(environment, "streams", "dead-letters", "show", name)
            assert done.returncode == 0
            said[f"show {name}"] = done.stdout + done.stderr

        # What only its form made wrong is right now that it is sealed.
        done = command(environment, "streams", "dead-letters", "retry", "--category", "wrong-type")
        said["retry wrong-type"] = done.stdout + done.stderr
        wait_for(
            lambda: database.execute("SELECT count() FROM events WHERE entity_id = 'R'") == [(1,)]
        )

    kept = dict(everything_kept(database))
    logs = {name: (work / name).read_bytes() for name in ("worker.log", "gateway.log")}
    assert naming(iter((kept | said | logs | in_topics).items())) == []
    told = {
        name: text
        for name, text in (said | logs).items()
        if not name.startswith(("show", "copies"))
    }
    assert [name for name, text in told.items() if MISPLACED.encode() in text] == []
    assert logs["worker.log"].count(b"arrived unencrypted") == 1, "it is told once"
    opened = [
        line
        for line in said["metrics of the worker"].splitlines()
        if line.startswith(b"ioc_worker_open_identities_total{")
    ]
    assert opened == [b'ioc_worker_open_identities_total{kind="feedback"} 13.0']
    sealed = {reporter for (reporter,) in database.execute("SELECT reporter FROM feedback")}
    assert all(map(is_sealed, sealed))
    inside = {sealer(settings).open(one) for one in sealed}
    assert SOMEBODY in inside and all("0000" in one for one in inside), (
        "those who may can still open it"
    )
    assert (
        b"sealed:1:" in kept["dead_letter_rows"]
        and b"sealed:1:" not in kept["dead_letters"] + said["copies of dead letters"]
    )
    assert b'"***"' in kept["dead_letters"] and b'"***"' in said["copies of dead letters"]
    assert not [line for one in verify(settings) for line in one.differences]


def test_what_an_older_release_kept_in_the_open_is_not_shown(
    environment: dict[str, str], database: Client
) -> None:
    values = [(0, report("R", rating=6)), (1, json.dumps({"data": report("R").decode()}).encode())]
    database.execute(
        "INSERT INTO dead_letter_rows (topic, offset, payload, state) VALUES",
        [("t", *value, "open") for value in values],
    )
    assert naming(found for found in everything_kept(database) if found[0] == "dead_letters") == []
    shown = {
        f"{offset}": command(environment, "streams", "dead-letters", "show", f"t/0/{offset}").stdout
        for offset, _ in values
    }
    assert naming(iter(shown.items())) == []
    assert all(b"sealed:1:" in text for text in shown.values())


@pytest.mark.parametrize(
    "process",
    [("ingest", "gateway"), ("streams", "worker"), ("streams", "dead-letters", "list")],
    ids=" ".join,
)
def test_without_its_key_a_process_ends_with_a_sentence(
    environment: dict[str, str], tmp_path: Path, process: tuple[str, ...]
) -> None:
    (tmp_path / "seal.key").write_text("lost\n")
    done = command(environment, *process)
    assert done.returncode == 1
    assert b"seal.key, line 1 is no key" in done.stderr and b"Traceback" not in done.stderr
