"""A large file as offices write them, of odd encodings, with repeats and dates without hours, is
stored as pandas counts it.
"""

import random
import unicodedata
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from clickhouse_driver import Client

from ingest.importer.refused import encodable
from schemas.settings import Settings
from streams.admin.migrate import migrate
from tests.running import command, worker

pytestmark = pytest.mark.stack
ROWS = 62_000
MAPPING = """
kind = "filing"
source = "urn:test:office"
times = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
delimiter = ";"
encoding = "{encoding}"

[fields]
filing_id = {{ column = "Số hồ sơ" }}
procedure = {{ column = "Mã TTHC" }}
agency = {{ column = "Nơi nhận", lookup = {{ "Thuận Hóa" = "H57.19774", "Phú Xuân" = "H57.19753", \
"Sở Y tế" = "H57.SYT" }} }}
channel = {{ constant = 1 }}
registered_at = {{ column = "Ngày tiếp nhận", as = "time" }}
due_at = {{ column = "Ngày hẹn trả", as = "time" }}

[[step]]
id = "{{Số hồ sơ}}/2"
time = "Ngày tiếp nhận"
fields = {{ status = 2 }}

[[skip]]
when = [{{ column = "Số hồ sơ", starts_with = ["Tổng"] }}]
"""
COLUMNS = ["Số hồ sơ", "Mã TTHC", "Nơi nhận", "Ngày tiếp nhận", "Ngày hẹn trả", "Ghi chú"]
AGENCIES = {"Thuận Hóa": "H57.19774", "Phú Xuân": "H57.19753", "Sở Y tế": "H57.SYT"}


def office(count: int, seed: int, encoding: str) -> list[list[str]]:
    """Return rows of a one-stop office.

    With and without hours, decomposed, spaced, quoted, repeated, contradicted and impossible.
    """
    chance = random.Random(seed)
    rows: list[list[str]] = []
    for number in range(count):
        day = f"{chance.randint(1, 30):02}/11/2026"
        row = [
            f"{encoding}-{number}",
            chance.choice(["1.005129", "1.004873", "2.000815"]),
            chance.choice(list(AGENCIES)),
            day
            if chance.random() < 0.4
            else f"{day} {chance.randint(7, 17):02}:{chance.randint(0, 59):02}",
            f"{chance.randint(1, 28):02}/12/2026",
            chance.choice(["", "Bổ sung\ngiấy tờ; chờ", 'Quán "Bà Ba"', "Lê Lợi"]),
        ]
        if chance.random() < 0.02:
            row[2] = chance.choice(
                [f" {row[2]}", f"{row[2]}\u00a0", unicodedata.normalize("NFD", row[2])]
            )
        if chance.random() < 0.001:
            row[4] = "31/02/2026"
        rows.append(row)
        if chance.random() < 0.003:
            rows.append(list(chance.choice(rows)))
        if chance.random() < 0.001:
            rows.append([*rows[chance.randrange(len(rows))][:4], "29/12/2026", ""])
        if chance.random() < 0.001:
            rows.append(["Tổng cộng", str(number), "", "", "", ""])
    return rows


def write(rows: list[list[str]], path: Path, encoding: str) -> None:
    """Write the rows as a CSV file, quoted as the standard has it."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & set('";\n') else text

    text = "".join(";".join(map(cell, row)) + "\r\n" for row in [COLUMNS, *rows])
    path.write_bytes(encodable(text, encoding).encode(encoding))


def right(path: Path, encoding: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows that are stored, one for each filing, and how many are what, as pandas reads
    the file.
    """
    table = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, encoding=encoding)
    table = table.map(
        lambda text: unicodedata.normalize("NFC", text).replace("\u00a0", " ").strip()
    )
    table.columns = pd.Index([unicodedata.normalize("NFC", name) for name in table.columns])
    rows = table[table["Số hồ sơ"] != "Tổng cộng"]
    possible = rows[rows["Ngày hẹn trả"] != "31/02/2026"]
    first = possible.drop_duplicates("Số hồ sơ")
    says = [name for name in COLUMNS if name != "Ghi chú"]
    distinct = possible.drop_duplicates(says)
    counts = {
        "rows": len(rows),
        "accepted": len(first),
        "repeats": len(possible)
        - len(distinct)
        + (len(distinct) - len(first) - _contradicting(possible, says)),
        "refused": len(rows) - len(possible) + _contradicting(possible, says),
        "skipped": len(table) - len(rows),
    }
    return first, counts


def _contradicting(possible: pd.DataFrame, says: list[str]) -> int:
    """Return rows that say otherwise than the first of their filing."""
    first = possible.drop_duplicates("Số hồ sơ").set_index("Số hồ sơ")[says[1:]]
    before = first.loc[possible["Số hồ sơ"]].to_numpy()
    return int((before != possible[says[1:]].to_numpy()).any(axis=1).sum())


def test_files_of_62000_rows_are_stored_as_pandas_counts_them(
    environment: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    migrate(settings)
    expected: Counter[tuple[str, str, str]] = Counter()
    with (
        worker(environment, tmp_path / "worker.log"),
        Client.from_url(settings.clickhouse_url) as database,
    ):
        for seed, (encoding, count) in enumerate(
            {"utf-8-sig": ROWS - 20_000, "cp1258": 10_000, "utf-16": 10_000}.items()
        ):
            path, mapping = tmp_path / f"{encoding}.csv", tmp_path / f"{encoding}.toml"
            write(office(count, seed, encoding), path, encoding)
            mapping.write_text(MAPPING.format(encoding=encoding))
            stored, counts = right(path, encoding)
            done = command(
                environment,
                *("ingest", "import", str(path), "--mapping", str(mapping), "--wait", "90"),
                *("--refused", str(tmp_path / f"{encoding}.refused.csv")),
            )
            said = (done.stdout + done.stderr).decode()
            assert done.returncode == 3, said
            assert (
                f"{counts['rows']} rows, {counts['accepted']} accepted ({counts['accepted']} "
                "events), "
                f"{counts['repeats']} repeats, {counts['refused']} refused" in said
            ), (counts, said)
            assert (
                f"{counts['skipped']} skipped by the mapping" in said
                and "not accounted for" not in said
            )
            days = pd.to_datetime(stored["Ngày tiếp nhận"].str[:10], format="%d/%m/%Y").dt.strftime(
                "%Y-%m-%d"
            )
            exact = stored["Ngày tiếp nhận"].str.len().map({10: "day", 16: "minute"})
            expected.update(zip(stored["Nơi nhận"].map(AGENCIES), days, exact, strict=True))
        found = database.execute(
            "SELECT toString(agency), toString(toDate(occurred_at, 'Asia/Ho_Chi_Minh')), "
            "if(has(precision, 'time:day'), 'day', 'minute'), count() FROM events_filing GROUP BY "
            "ALL"
        )
    assert {(agency, day, exact): count for agency, day, exact, count in found} == dict(expected)
