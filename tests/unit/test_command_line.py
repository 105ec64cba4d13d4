"""`ioc`: one program for all commands, each defined once by the package that it is of."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stack.cli import ALL, ENTRIES, Entry, app

GROUPS = [entry for entry in ENTRIES if not entry.command]
SHORT = [entry for entry in ENTRIES if entry.command]
SLOW = {
    "aiokafka",
    "clickhouse_driver",
    "cryptography",
    "dash",
    "fastapi",
    "faust",
    "kafka",
    "pandas",
    "pydantic",
}


def ioc(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    code = "from stack.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_installed_program_is_this_one() -> None:
    (program,) = metadata.entry_points(group="console_scripts", name="ioc")
    assert program.value == "stack.cli:main"


def test_the_overview_names_every_command_and_loads_none_of_them() -> None:
    code = (
        f"import sys\nfrom stack.cli import main\ntry: main()\nfinally: print(*sorted({SLOW} & "
        "set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")
    lines = [line.strip("│ ") for line in done.stdout.splitlines()]
    for entry in ENTRIES:
        assert any(line.split()[:1] == [entry.name] and entry.help in line for line in lines), (
            entry.name
        )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_command_runs_that_of_its_package_under_its_own_name(
    entry: Entry, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.run(["--help"])
    assert ended.value.code == 0
    assert f"Usage: ioc {entry.name} " in capsys.readouterr().out


def test_every_command_of_every_package_can_be_reached() -> None:
    whole = {entry.app for entry in GROUPS}
    for app_of in {entry.app for entry in ENTRIES} - whole:
        short = {entry.command for entry in SHORT if entry.app == app_of}
        assert set(Entry("all", app_of, "", ALL).group().commands) == short, (
            f"{app_of} has a command without a short name"
        )
    assert {entry.app.partition(".")[0] for entry in ENTRIES} == {
        "stack",
        "ingest",
        "streams",
        "dashboard",
        "schemas",
    }


def test_a_short_name_does_not_skip_the_set_up_of_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up: list[str] = []
    monkeypatch.setattr("streams.__main__.configure", set_up.append)
    monkeypatch.setenv("IOC_CLICKHOUSE_URL", "clickhouse://127.0.0.1:1/ioc")
    with pytest.raises(SystemExit):
        next(entry for entry in ENTRIES if entry.name == "watch").run(["--check"])
    assert set_up == ["streams.watch"]


def test_arguments_reach_the_command_as_they_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(Entry, "run", lambda self, arguments: given.append([self.name, *arguments]))
    for arguments in (
        ["import", "--", "-a.csv", "--check"],
        ["replay", "list"],
        ["verify", "--help"],
        ["worker", "--loglevel", "debug"],
    ):
        assert CliRunner().invoke(app, arguments).exit_code == 0
        assert given.pop() == arguments


def test_help_is_in_plain_sentences_that_fit_a_line() -> None:
    for entry in ENTRIES:
        assert entry.help.endswith(".") and entry.help[0].isupper() and len(entry.help) <= 75, (
            entry.name
        )


@pytest.mark.slow
def test_an_expected_error_stays_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "seal.key").write_text("no key\n")
    for arguments, environment, said in (
        (
            ["stack", "up"],
            {"JAVA_HOME": "/nowhere", "IOC_HOME": str(tmp_path)},
            "Kafka needs Java 17 or later",
        ),
        (["gateway"], {"IOC_HOME": str(tmp_path)}, f"ingest: {tmp_path}/seal.key"),
    ):
        done = ioc(*arguments, **environment)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert done.stderr.startswith(said)


def test_an_unknown_command_is_answered_by_the_nearest_one() -> None:
    done = ioc("wrker")
    assert done.returncode == 2 and "worker" in done.stderr
