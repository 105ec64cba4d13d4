"""Who reported.

Sealed and opened, found in records of any state, and the keys and the log around it.
"""

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from ingest.simulator.feedback import FAMILY, GIVEN, _invented_reporter
from schemas.__main__ import cli
from schemas.documents import example
from schemas.events.envelope import Reader, RefusalCategory, RefusalError, body
from schemas.events.kinds import FEEDBACK, FILING
from schemas.seal import (
    DecryptionError,
    Sealer,
    SealError,
    is_sealed,
    masked,
    opened,
    read_sealed,
    sealed,
    sealed_remains,
    sealer,
)
from schemas.seal.keys import rotate
from schemas.settings import Settings
from tests.sealing import SEALER, SOMEBODY

pytestmark = pytest.mark.slow

EVENT = msgspec.json.decode(example(FEEDBACK))
ESCAPED = json.dumps(SOMEBODY)[1:-1]
TRACES = ("Nguyễn Văn Thử", "Thử", ESCAPED[:16], "0000 123 456")
"""What must be nowhere, as text and as JSON escapes it."""


def report(reporter: Any = SOMEBODY, ascii: bool = False, **data: Any) -> bytes:
    event = EVENT | {"data": EVENT["data"] | {"reporter": reporter} | data}
    return json.dumps(event, ensure_ascii=ascii).encode()


def names_nobody(record: bytes) -> bool:
    return not any(trace.encode() in record for trace in TRACES)


@given(st.text())
def test_what_is_sealed_opens_and_is_the_same_each_time(text: str) -> None:
    closed = SEALER.seal(text)
    assert closed == SEALER.seal(text) == SEALER.seal(closed)
    assert closed == "" if not text else is_sealed(closed) and SEALER.open(closed) == text


def test_only_the_whole_form_counts_as_sealed() -> None:
    for text in (
        "sealed:0a1b2c",
        "sealed:1:",
        "sealed:1:abc",
        f"sealed:1:{SOMEBODY}",
        f"{SEALER.seal(SOMEBODY)} {SOMEBODY}",
    ):
        assert not is_sealed(text)
        assert SEALER.open(SEALER.seal(text)).endswith(text.split()[-1]), (
            "what only looks like it is sealed again, and opens to all"
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-2],
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B") * 2,
        str.lower,
    ],
)
def test_a_changed_text_does_not_open(change: Any) -> None:
    with pytest.raises(DecryptionError):
        SEALER.open(change(SEALER.seal(SOMEBODY)))
    with pytest.raises(DecryptionError):
        SEALER.open(SOMEBODY)


def test_the_first_key_seals_and_all_open() -> None:
    old, new = bytes(range(64)), bytes(range(64, 128))
    before = Sealer([old]).seal(SOMEBODY)
    both = Sealer([new, old])
    assert both.seal(SOMEBODY) == Sealer([new]).seal(SOMEBODY) != before
    assert both.open(before) == both.open(both.seal(SOMEBODY)) == SOMEBODY
    with pytest.raises(DecryptionError, match="None of the 1 keys"):
        Sealer([new]).open(before)
    for keys in ([], [b"short"]):
        with pytest.raises(ValueError):
            Sealer(keys)


@pytest.mark.parametrize("ascii", [False, True])
def test_in_a_valid_record_only_the_identity_changes(ascii: bool) -> None:
    record = report(ascii=ascii, description='says "reporter": "me" and \\ ')
    read, closed = read_sealed(record, Reader(), SEALER)
    assert names_nobody(closed)
    assert closed == record.replace(
        (ESCAPED if ascii else SOMEBODY).encode(), SEALER.seal(SOMEBODY).encode()
    )
    assert SEALER.open(read.data.reporter) == SOMEBODY
    assert read_sealed(closed, Reader(), SEALER)[1] is closed, "sealed already, it is not touched"


def test_the_name_may_be_escaped_and_be_there_more_than_once() -> None:
    once = report().replace(b'"reporter"', b'"rep\\u006frt\\u0065r"')
    again = report(SEALER.seal("x")).replace(
        b'"reporter"', f'"reporter" : "{SOMEBODY}", "reporter"'.encode()
    )
    for record in (once, again):
        closed = sealed(record, SEALER)
        assert is_sealed(Reader().read(closed).data.reporter) and names_nobody(closed)
    assert is_sealed(read_sealed(once, Reader(), SEALER)[0].data.reporter)
    with pytest.raises(RefusalError, match="`reporter` stands twice"):
        read_sealed(again, Reader(), SEALER)


def test_other_kinds_and_nobody_are_left_alone() -> None:
    for record in (example(FILING), example(FEEDBACK), report(""), report(SEALER.seal("x"))):
        assert read_sealed(record, Reader(), SEALER)[1] is record
        assert sealed(record, SEALER) is record


def test_what_would_be_too_large_once_it_is_sealed_is_refused_before() -> None:
    record = report()
    with pytest.raises(RefusalError) as refused:
        read_sealed(record, Reader(len(record)), SEALER)
    assert refused.value.category is RefusalCategory.TOO_LARGE
    with pytest.raises(RefusalError, match="4096"):
        read_sealed(report("ử" * 2000), Reader(), SEALER)


BROKEN = {
    "cut in the midst of it": lambda: report()[: report().index("Thử".encode()) + 4],
    "cut after it": lambda: report()[:-1],
    "more after its end": lambda: report() + b"{}",
    "a quote is missing": lambda: report(rating=3).replace(b'456", ', b"456, "),
    "a number": lambda: report().replace(f'"{SOMEBODY}"'.encode(), b"0000123456"),
    "an object": lambda: report({"name": SOMEBODY, "at": ["]", {"telephone": "0000 123 456"}]}),
    "a list": lambda: report([SOMEBODY]),
    "a list that does not end": lambda: report([SOMEBODY])[:-3],
    "no quotes": lambda: report().replace(f'"{SOMEBODY}"'.encode(), SOMEBODY.encode()),
    "no UTF-8": lambda: report().replace("Thử".encode(), b"Th\xff\xfe"),
    "an escape that is none": lambda: report().replace("Thử".encode(), b"Th\\x"),
    "an escaped quote": lambda: report(f'"{SOMEBODY}" \\'),
    "JSON within a text": lambda: json.dumps(
        EVENT | {"data": report().decode()}, ensure_ascii=False
    ).encode(),
    "JSON within a text within a text": lambda: json.dumps(
        {"data": json.dumps({"data": report().decode()})}
    ).encode(),
    "somebody's print of it": lambda: str({"type": "x", "reporter": SOMEBODY, "id": 1}).encode(),
    "at the wrong place": lambda: json.dumps(EVENT | {"reporter": SOMEBODY}).encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_in_a_broken_record_it_is_found_all_the_same(name: str) -> None:
    record = BROKEN[name]()
    closed = sealed_remains(record, SEALER)
    assert names_nobody(closed) and b"0000123456" not in closed, closed
    assert sealed_remains(closed, SEALER) == closed
    assert names_nobody(masked(closed)) and b"sealed:1:" not in masked(closed)
    notes: list[str] = []
    shown = opened(closed, SEALER, notes.append)
    assert len(notes) == 1 and is_sealed(notes[0])
    assert b"0000" in shown or name == "cut in the midst of it"


@given(st.binary(), st.binary())
def test_no_bytes_are_too_broken(before: bytes, after: bytes) -> None:
    for record in (
        before,
        before + b'"reporter":' + after,
        before + b'\\"reporter\\":\\"' + after,
        before + b"'reporter':'" + after,
    ):
        closed = sealed_remains(record, SEALER)
        masked(closed)
        opened(closed, SEALER, lambda _: None)


@pytest.mark.parametrize(
    "unit",
    [
        "\\",
        " ",
        "\n,",
        '"',
        "'",
        "{",
        '"reporter":',
        '\\"reporter\\":\\"',
        "'reporter':'",
        '"reporter":x ',
        "sealed:1:",
    ],
)
@pytest.mark.parametrize(
    "start", ["", '"reporter":', '"reporter": x', '\\"reporter\\":\\"', "'reporter':'", '"\\u0072']
)
def test_a_megabyte_of_anything_takes_no_longer_than_it_is_long(start: str, unit: str) -> None:
    record = (start + unit * (1_000_000 // len(unit))).encode()
    began = time.process_time()
    masked(sealed_remains(record, SEALER))
    assert time.process_time() - began < 5


@given(st.text(), st.booleans(), st.text())
def test_whoever_it_is_a_valid_record_stays_one_and_says_the_same(
    who: str, ascii: bool, words: str
) -> None:
    record = report(who, ascii, description=words[:4000])
    try:
        Reader().read(record)
    except RefusalError:  # lone surrogates
        return
    read, closed = read_sealed(record, Reader(), SEALER)
    assert (
        SEALER.open(read.data.reporter) == who
        if who and not is_sealed(who)
        else read.data.reporter == who
    )
    assert (
        msgspec.json.decode(closed)["data"] | {"reporter": who}
        == msgspec.json.decode(record)["data"]
    )


def test_a_resend_says_the_same_under_any_key_but_not_without_a_reporter() -> None:
    other = Sealer([bytes(64)])
    said = {
        body(read_sealed(report(who), Reader(), seals)[0])
        for who in (SOMEBODY, "Ai")
        for seals in (SEALER, other)
    }
    assert len(said) == 1
    assert said != {body(Reader().read(report("")))}
    assert said != {body(read_sealed(report(rating=3), Reader(), SEALER)[0])}
    assert list(FEEDBACK.event.__struct_fields__)[-1] == "reporter", "body cuts off the last member"


def test_no_reason_quotes_what_may_be_a_persons() -> None:
    for field in ("status", "urgency"):
        with pytest.raises(RefusalError) as refused:
            Reader().read(report(**cast(Any, {field: SOMEBODY})))
        assert (
            names_nobody(refused.value.reason.encode())
            and f"$.data.{field}" in refused.value.reason
        )
    with pytest.raises(RefusalError, match="'lost'"):
        Reader().read(report(status="lost"))


def test_the_invented_reporters_are_many_and_nobodys() -> None:
    assert _invented_reporter(0) == f"{FAMILY[0]} Văn {GIVEN[0]}, 0000 000 000"
    assert len({_invented_reporter(number * 1_000_003) for number in range(1000)}) == 1000


def settings_at(home: Path, **more: Any) -> Settings:
    return Settings(home=home, **more)


def test_the_key_is_made_once_for_its_owner_only_and_by_one_of_many(tmp_path: Path) -> None:
    home = tmp_path / "new"
    start = threading.Barrier(16)

    def one(_: int) -> str:
        start.wait()
        return sealer(settings_at(home)).seal(SOMEBODY)

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(one, range(16)))) == 1
    assert [path.name for path in home.iterdir()] == ["seal.key"]
    assert stat.S_IMODE((home / "seal.key").stat().st_mode) == 0o600


def test_the_key_may_lie_elsewhere(tmp_path: Path) -> None:
    sealer(settings_at(tmp_path / "home", seal_key_file=tmp_path / "safe" / "key"))
    assert (tmp_path / "safe" / "key").exists() and not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"# none\n", b"abc\n", b"\xff\xfe", b"A" * 85 + b"\n", b"A" * 86 + b"==\nrest\n"],
)
def test_a_file_that_is_no_key_is_told_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "seal.key").write_bytes(content)
    with pytest.raises(SealError, match=r"seal\.key") as refused:
        sealer(settings_at(tmp_path))
    assert "AAA" not in str(refused.value)
    assert (tmp_path / "seal.key").read_bytes() == content


def test_a_key_that_cannot_be_made_or_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "seal.key").mkdir()
    (tmp_path / "file").write_text("")
    for home in (tmp_path, tmp_path / "file"):
        with pytest.raises(SealError, match="IOC_SEAL_KEY_FILE"):
            sealer(settings_at(home))


def test_after_a_rotation_the_old_texts_open(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    before = sealer(settings).seal(SOMEBODY)
    assert rotate(settings) == 2
    assert sealer(settings).seal(SOMEBODY) != before
    assert sealer(settings).open(before) == SOMEBODY
    assert stat.S_IMODE((tmp_path / "seal.key").stat().st_mode) == 0o600


def seal_command(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["seal", *arguments], env={"IOC_HOME": str(home)})


def test_opening_is_written_down_without_what_was_opened(tmp_path: Path) -> None:
    closed = sealer(settings_at(tmp_path)).seal(SOMEBODY)
    assert seal_command(tmp_path, "open", closed).exit_code, "a reason is needed"
    assert seal_command(tmp_path, "open", closed, "--reason", " ").exit_code
    assert not (tmp_path / "unmask.log").exists()
    for _ in range(2):
        done = seal_command(
            tmp_path, "open", closed, "--reason", "Gọi lại người dân", "--entity", "PA-1"
        )
        assert (done.exit_code, done.output) == (0, SOMEBODY + "\n")
    lines = [json.loads(line) for line in (tmp_path / "unmask.log").read_text().splitlines()]
    assert [(line["reason"], line["entity"]) for line in lines] == [
        ("Gọi lại người dân", "PA-1")
    ] * 2
    assert lines[0]["sealed"] == lines[1]["sealed"] and lines[0]["user"] and lines[0]["at"]
    assert (
        names_nobody((tmp_path / "unmask.log").read_bytes())
        and closed not in (tmp_path / "unmask.log").read_text()
    )
    wrong = seal_command(tmp_path, "open", closed[:-3], "--reason", "x")
    assert wrong.exit_code == 1 and wrong.output.startswith("schemas seal:")


def test_what_cannot_be_written_down_is_not_opened(tmp_path: Path) -> None:
    closed = sealer(settings_at(tmp_path)).seal(SOMEBODY)
    (tmp_path / "unmask.log").mkdir()
    done = seal_command(tmp_path, "open", closed, "--reason", "x")
    assert (
        done.exit_code == 1
        and names_nobody(done.output.encode())
        and "not decrypted" in done.output
    )
