"""Every way in which a record can be wrong, on the real parts.

It is kept with its category and a reason to act on, what is good around it is counted, and mended
it counts exactly once.
"""

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from aiokafka import AIOKafkaConsumer
from clickhouse_driver import Client

from ingest.producer import Producer
from schemas.events.codes import FeedbackStatus
from schemas.events.envelope import RefusalCategory, write
from schemas.events.kinds import DEAD_LETTERS, FEEDBACK
from schemas.events.payloads import Feedback
from schemas.seal import sealed_remains, sealer
from schemas.settings import Settings
from streams.admin.dead_letters import find, resend
from streams.admin.verify import verify
from streams.worker.store import WorkerStore
from streams.worker.table_rows import DeadLetter
from tests.running import command, wait_for, worker
from tests.sealing import SOMEBODY

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)


def good(number: int, rating: int | None = None) -> bytes:
    event = Feedback(
        agency="H57.IOC",
        commune="19660",
        report_id="R1",
        category="traffic",
        status=FeedbackStatus.RECEIVED,
        reported_at=NOW,
        lat=16.4,
        lon=107.6,
        rating=rating,
        reporter=SOMEBODY,
    )
    return write(FEEDBACK, event, id=str(number), source="/test", time=NOW)


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(record: bytes) -> bytes:
        assert old in record
        return record.replace(old, new)

    return change


@dataclass(frozen=True)
class Bad:
    """A way to spoil a good record.

    What it becomes, under which category it is kept, a word that its reason must hold.
    """

    category: RefusalCategory
    says: str
    spoil: Callable[[bytes], bytes]
    key: bytes | None = b"R1"


BAD = {
    "bytes that are no UTF-8": Bad(
        RefusalCategory.BAD_UTF8, "UTF-8", replaced(b"traffic", b"tr\xff\xfeffic")
    ),
    "truncated": Bad(
        RefusalCategory.BAD_JSON, "truncated", lambda record: record[: len(record) // 2]
    ),
    "empty": Bad(RefusalCategory.BAD_JSON, "truncated", lambda record: b""),
    "no JSON": Bad(RefusalCategory.BAD_JSON, "malformed", lambda record: b"\x00\x01 hello"),
    "more after its end": Bad(RefusalCategory.BAD_JSON, "trailing", lambda record: record + b"{}"),
    "NaN": Bad(RefusalCategory.BAD_JSON, "malformed", replaced(b'"lat":16.4', b'"lat":NaN')),
    "Infinity": Bad(
        RefusalCategory.BAD_JSON, "malformed", replaced(b'"lat":16.4', b'"lat":-Infinity')
    ),
    "a number beyond all": Bad(
        RefusalCategory.IMPOSSIBLE_POINT, "out of range", replaced(b'"lat":16.4', b'"lat":1e999')
    ),
    "too deep": Bad(
        RefusalCategory.TOO_DEEP,
        "nested",
        replaced(b'"data":{', b'"data":{"x":' + b"[" * 9999 + b"]" * 9999 + b","),
    ),
    "too large": Bad(
        RefusalCategory.TOO_LARGE,
        "262144",
        replaced(b'"address":""', b'"address":"' + b"x" * 700_000 + b'"'),
    ),
    "a field is missing": Bad(
        RefusalCategory.MISSING_FIELD, "report_id", replaced(b'"report_id":"R1",', b"")
    ),
    "the envelope lacks its id": Bad(
        RefusalCategory.MISSING_FIELD, "`id`", replaced(b'"id":', b'"no":')
    ),
    "a wrong type": Bad(
        RefusalCategory.WRONG_TYPE, "$.data.category", replaced(b'"traffic"', b"7")
    ),
    "a list for an event": Bad(
        RefusalCategory.WRONG_TYPE, "object", lambda record: b"[" + record + b"]"
    ),
    "an unknown status": Bad(
        RefusalCategory.WRONG_VALUE, "$.data.status", replaced(b'"received"', b'"lost"')
    ),
    "six stars": Bad(
        RefusalCategory.WRONG_VALUE, "$.data.rating", replaced(b'"rating":3', b'"rating":6')
    ),
    "another specversion": Bad(
        RefusalCategory.WRONG_VALUE, "specversion", replaced(b'"1.0"', b'"0.3"')
    ),
    "another content type": Bad(
        RefusalCategory.WRONG_VALUE, "datacontenttype", replaced(b"application/json", b"text/xml")
    ),
    "an unknown kind": Bad(
        RefusalCategory.UNKNOWN_KIND,
        "vn.ioc.weather.v1",
        replaced(b"vn.ioc.feedback.v1", b"vn.ioc.weather.v1"),
    ),
    "an unknown version": Bad(
        RefusalCategory.UNKNOWN_KIND,
        "vn.ioc.feedback.v2",
        replaced(b"vn.ioc.feedback.v1", b"vn.ioc.feedback.v2"),
    ),
    "a date that does not exist": Bad(
        RefusalCategory.IMPOSSIBLE_DATE,
        "$.data.reported_at",
        replaced(f'"reported_at":"{NOW:%Y-%m-%d}'.encode(), b'"reported_at":"2026-02-30'),
    ),
    "a time before all": Bad(
        RefusalCategory.IMPOSSIBLE_DATE,
        "1990",
        replaced(f'"reported_at":"{NOW:%Y}'.encode(), b'"reported_at":"0026'),
    ),
    "a time without zone": Bad(
        RefusalCategory.IMPOSSIBLE_DATE, "timezone", replaced(b'Z","due_at"', b'","due_at"')
    ),
    "a point off the globe": Bad(
        RefusalCategory.IMPOSSIBLE_POINT, "lat", replaced(b'"lat":16.4', b'"lat":91')
    ),
    "half a point": Bad(
        RefusalCategory.IMPOSSIBLE_POINT, "together", replaced(b'"lat":16.4', b'"lat":null')
    ),
    "the key of another entity": Bad(
        RefusalCategory.WRONG_KEY, "'R1'", lambda record: record, key=b"R2"
    ),
    "no key": Bad(RefusalCategory.WRONG_KEY, "'R1'", lambda record: record, key=None),
    "another body under an identity that was counted": Bad(
        RefusalCategory.CONFLICT, "/test#0", replaced(b"traffic", b"water")
    ),
}


def test_every_category_is_among_them() -> None:
    # What is too old depends on how long an installation keeps events: test_retention.
    assert {bad.category for bad in BAD.values()} == set(RefusalCategory) - {
        RefusalCategory.TOO_OLD
    }


def counted(database: Client) -> int:
    return int(database.execute("SELECT count() FROM events")[0][0])


def test_each_is_kept_with_a_reason_and_mended_counts_once(
    settings: Settings, environment: dict[str, str], database: Client, tmp_path: Path
) -> None:
    """The bad are sent between good events of the same partition, listed, tried again as they are,
    mended, and mended again.
    """
    store, seals = WorkerStore(settings.clickhouse_url), sealer(settings)
    topic = settings.topic_prefix + FEEDBACK.name
    sent = {
        name: bad.spoil(good(0 if bad.category is RefusalCategory.CONFLICT else 1000 + n, 3))
        for n, (name, bad) in enumerate(BAD.items())
    }
    with Producer(settings) as producer, worker(environment, tmp_path / "worker.log"):
        producer.put(topic, b"R1", good(0), partition=0)
        for number, (name, record) in enumerate(sent.items(), 1):
            producer.put(topic, BAD[name].key, record, partition=0)  # type: ignore[arg-type]
            producer.put(topic, b"R1", good(number), partition=0)
        producer.flush()
        wait_for(lambda: counted(database) == 1 + len(BAD))

        letters = dict(zip(BAD, reversed(find(store, seals, limit=1000)), strict=True))
        for name, letter in letters.items():
            assert (letter.category, letter.payload) == (
                BAD[name].category,
                sealed_remains(sent[name], seals),
            ), name
            assert BAD[name].says in letter.reason, (name, letter.reason)
        copies = wait_for(
            lambda: (found := asyncio.run(copied(settings))) and len(found) == len(BAD) and found
        )
        assert max(map(len, copies)) < 400_000, "what is too large is cut in the copy"
        the_commands_filter_and_keep_what_is_personal(environment, letters)

        keyed = {name for name, bad in BAD.items() if bad.category is RefusalCategory.WRONG_KEY}
        outcomes = asyncio.run(resend(settings, store, seals, list(letters.values())))
        assert {letter.name for letter, problem in outcomes if not problem} == {
            letters[name].name for name in keyed
        }
        assert all(
            BAD[name].says in problem
            for name, (_, problem) in zip(letters, outcomes, strict=True)
            if name not in keyed
        )
        wait_for(lambda: counted(database) == 1 + len(BAD) + len(keyed))
        for _ in range(2):
            for number, letter in enumerate(letters.values(), 1000):
                assert asyncio.run(resend(settings, store, seals, [letter], good(number, 3))) == [
                    (letter, "")
                ]
        wait_for(lambda: counted(database) == 1 + 2 * len(BAD))
        wait_for(lambda: not any(report.pending for report in verify(settings)))
    assert not find(store, seals), (
        "all were mended, and nothing became a letter by being sent again"
    )
    assert counted(database) == 1 + 2 * len(BAD)
    assert database.execute("SELECT sum(measures['steps']) FROM windows") == [(1 + 2 * len(BAD),)]
    assert not [line for report in verify(settings) for line in report.differences]
    the_package_tells_who_mended_what_and_who_opened_what(environment, letters)


def the_commands_filter_and_keep_what_is_personal(
    environment: dict[str, str], letters: dict[str, DeadLetter]
) -> None:
    def said(*arguments: str) -> str:
        done = command(environment, "streams", "dead-letters", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(errors="replace")

    listed = said("list", "--limit", "1000")
    assert all(letter.name in listed for letter in letters.values())
    assert SOMEBODY not in listed
    newest = said("list", "--limit", "3")
    assert sum(f"{letter.name} " in newest for letter in letters.values()) == 3
    only = said("list", "--category", "conflict")
    of_these = [letter.name for letter in letters.values() if f"{letter.name} " in only]
    assert of_these == [letter.name for letter in letters.values() if letter.category == "conflict"]
    assert "No dead letters" in said("list", "--state", "resent")
    stars = letters["six stars"].name
    assert "sealed:1:" in (shown := said("show", stars)) and SOMEBODY not in shown, (
        "whom mends it need not know who reported"
    )
    assert (
        command(environment, "streams", "dead-letters", "show", stars, "--unmask").returncode == 1
    ), "a reason is needed"
    assert SOMEBODY in said("show", stars, "--unmask", "--reason", "gọi lại")
    noted = (Path(environment["IOC_HOME"]) / "unmask.log").read_text()
    assert stars in noted and "gọi lại" in noted and SOMEBODY not in noted
    again = command(environment, "streams", "dead-letters", "retry", "--category", "wrong-value")
    assert again.returncode == 1 and b"$.data.rating" in again.stdout
    assert Counter(letter.category for letter in letters.values())[
        "wrong-value"
    ] == again.stdout.count(b": ")


def the_package_tells_who_mended_what_and_who_opened_what(
    environment: dict[str, str], letters: dict[str, DeadLetter]
) -> None:
    file = Path(environment["IOC_HOME"]) / "package.zip"
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    done = command(
        environment, "dashboard", "package", "--from", since, "--no-pictures", "--out", str(file)
    )
    assert done.returncode == 0, done.stderr
    with ZipFile(file) as package:
        actions, openings = (
            list(
                csv.DictReader(io.StringIO(package.read(f"tables/{name}.csv").decode("utf-8-sig")))
            )
            for name in ("actions", "openings")
        )
    mended = Counter(row["which"] for row in actions if row["what"] == "dead letter resent")
    assert mended == Counter(letter.name for letter in letters.values())
    assert [(row["reason"], row["entity"]) for row in openings] == [
        ("gọi lại", letters["six stars"].name)
    ]


async def copied(settings: Settings) -> list[bytes]:
    """Return what other readers of the dead letters' topic get."""
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + DEAD_LETTERS,
        bootstrap_servers=settings.kafka_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        (partition,) = consumer.assignment()
        end = (await consumer.end_offsets([partition]))[partition]
        return [(await consumer.getone()).value for _ in range(end)]
    finally:
        await consumer.stop()
