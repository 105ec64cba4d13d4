"""Find, correct and send again the records that could not be counted.

A letter is named by its Kafka position: `topic/partition/offset`. A letter that is sent again goes
through Kafka, so it is validated, deduplicated and counted like any event; the letter is then
marked as resent.

The reporter's identity is stored encrypted in the payload and sent again encrypted. The view
`dead_letters` does not show even that, so letters are read from the table; one that an older
release stored unencrypted is encrypted as it is read.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from msgspec.structs import replace

from schemas.events.envelope import Read, Reader, RefusalCategory, RefusalError, body
from schemas.seal import Sealer, read_sealed, sealed_remains
from schemas.settings import Settings
from streams.worker.store import WorkerStore
from streams.worker.table_rows import LETTER_ROWS, OPEN, RESENT, DeadLetter
from streams.worker.topics import ensure_topics


def find(
    store: WorkerStore,
    sealer: Sealer,
    names: Iterable[str] = (),
    category: str | None = None,
    state: str | None = OPEN,
    limit: int = 100,
) -> list[DeadLetter]:
    """Return letters, newest first, by name or by category and state.

    Args:
        store: A connection to ClickHouse.
        sealer: Encrypts identities in payloads that were stored unencrypted.
        names: The letters to return; if empty, `category` and `state` choose.
        category: Only letters of this category; None for all.
        state: `open` or `resent`; None for both.
        limit: The number of letters to return at most.

    Raises:
        ValueError: If a name is not of the form `topic/partition/offset`.
    """
    where, values = ["1"], dict[str, Any]()
    chosen = [_position(name) for name in names]
    if chosen:
        where, values = ["(topic, partition, offset) IN %(chosen)s"], {"chosen": chosen}
    else:
        for column, value in (("category", category), ("state", state)):
            if value is not None:
                where.append(f"{column} = %({column})s")
                values[column] = value
    rows = store.execute(
        f"SELECT {LETTER_ROWS.read_names} FROM {LETTER_ROWS.table.name} FINAL "
        f"WHERE {' AND '.join(where)} "
        f"ORDER BY received_at DESC, partition DESC, offset DESC LIMIT {limit}",
        values,
    )
    found = map(LETTER_ROWS.read, rows)
    return [replace(one, payload=sealed_remains(one.payload, sealer)) for one in found]


def _position(name: str) -> tuple[str, int, int]:
    topic, _, rest = name.rpartition("/")[0].rpartition("/")
    offset = name.rpartition("/")[2]
    if not (topic and rest.isdecimal() and offset.isdecimal()):
        raise ValueError(f"{name!r} is not the name of a dead letter; write ioc.filing/0/1234")
    return topic, int(rest), int(offset)


def prepare(
    letter: DeadLetter, replacement: bytes | None, reader: Reader, sealer: Sealer
) -> tuple[bytes, bytes, str]:
    """Return the (key, record, topic without prefix) to send for a letter.

    Args:
        letter: The letter to send again.
        replacement: The corrected event; None to send the letter's own payload.
        reader: Validates the event.
        sealer: Encrypts a reporter's identity that is not encrypted yet.

    Raises:
        RefusalError: If the event still cannot be counted.
    """
    read, record = read_sealed(
        letter.payload if replacement is None else replacement, reader, sealer
    )
    if letter.category == RefusalCategory.CONFLICT and _is_unchanged(letter, read, reader):
        raise RefusalError(RefusalCategory.CONFLICT, letter.reason)
    return read.kind.entity_id(read.data).encode(), record, read.kind.name


def _is_unchanged(letter: DeadLetter, read: Read, reader: Reader) -> bool:
    """Return whether an event has the identity and the body of the refused one.

    If so, it still contradicts what was counted under its identity.
    """
    refused = reader.read(letter.payload)
    return (read.event_id, body(read)) == (refused.event_id, body(refused))


async def resend(
    settings: Settings,
    store: WorkerStore,
    sealer: Sealer,
    letters: Sequence[DeadLetter],
    replacement: bytes | None = None,
) -> list[tuple[DeadLetter, str]]:
    """Send again those of the letters that can be counted now, and mark them as resent.

    Args:
        settings: The installation's settings.
        store: A connection to ClickHouse.
        sealer: Encrypts identities that are not encrypted yet.
        letters: The letters to send.
        replacement: The corrected event to send in place of their payload, if any.

    Returns:
        Each letter with an empty text, or the reason why it could not be sent.

    Raises:
        aiokafka.errors.KafkaError: If Kafka cannot be used.
    """
    await ensure_topics(settings)
    reader = Reader(settings.event_max_bytes)
    outcomes: list[tuple[DeadLetter, str]] = []
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_servers,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
    )
    await producer.start()
    try:
        for letter in letters:
            try:
                key, record, topic = prepare(letter, replacement, reader, sealer)
            except RefusalError as refusal:
                outcomes.append((letter, refusal.reason))
                continue
            partition = settings.partitions.of(murmur2(key), record)
            await producer.send_and_wait(settings.topic_prefix + topic, record, key, partition)
            outcomes.append((letter, ""))
    finally:
        await producer.stop()
    now = datetime.now(UTC)
    sent = [letter for letter, problem in outcomes if not problem]
    store.write_dead_letters([replace(one, state=RESENT, changed_at=now) for one in sent])
    return outcomes
