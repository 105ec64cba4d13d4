"""What is derived and committed is what the code says now; what is documented exists."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from schemas.documents import REFERENCE, files
from schemas.settings import Settings
from tests.architecture import __main__ as whole
from tests.architecture.rooms import chart, cycles, reduced, room

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def tracked() -> list[str]:
    """Return the files of the repository that exist."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [name for name in listed if (ROOT / name).exists()]


PAGES = [name for name in tracked() if name.endswith(".md")]


def test_derived_files_are_up_to_date() -> None:
    derived = [*files().items(), *whole.files().items()]
    late = [
        str(path.relative_to(ROOT))
        for path, content in derived
        if not path.exists() or path.read_text() != content
    ]
    assert not late, f"run `make generate`: {late}"


def test_every_setting_is_documented() -> None:
    text = (REFERENCE / "settings.md").read_text()
    assert all(f"`{Settings.variable(name)}`" in text for name in Settings.model_fields)


def test_the_readme_is_short_and_names_the_commands() -> None:
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    for command in (
        "make demo",
        "make test",
        "make check",
        "make docs",
        "make chaos",
        "make bench",
        "docker compose",
    ):
        assert command in text


def test_every_command_of_the_makefile_is_in_the_readme_or_the_guide() -> None:
    commands = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = README.read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    assert not [
        command
        for command in commands
        if f"make {command}" not in text and command not in ("help", "clean")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_points_at_files_that_exist(name: str) -> None:
    prose = re.sub(r"^```.*?^```", "", (ROOT / name).read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)", prose)
    assert not [target for target in targets if not ((ROOT / name).parent / target).exists()]


def test_the_top_level_holds_only_the_agreed_folders() -> None:
    top = {name.partition("/")[0] for name in tracked() if not name.startswith(".")}
    allowed = {
        *("ingest", "streams", "dashboard", "schemas", "stack", "tests", "docs"),
        *("Makefile", "docker-compose.yml", "mkdocs.yml", "pyproject.toml"),
        *("package.json", "package-lock.json", "eslint.config.js"),  # checks of dashboard/client
        *(
            "README.md",
            "LICENSE",
            "ARCHITECTURE.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
        ),
    }
    assert top <= allowed


def test_the_hooks_before_a_commit_fetch_nothing_and_are_part_of_the_check() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [one["repo"] for one in repositories] == ["local"]
    check = (ROOT / "Makefile").read_text().replace("$(BIN)", ".venv/bin")
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].removesuffix(" --force-exclude").removesuffix(" --check") in check


def test_the_changelog_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def test_files_stay_small() -> None:
    long = {
        path.name: count
        for path in ROOT.glob("[!.]*/**/*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_a_module_stands_in_the_room_of_its_package() -> None:
    modules = ("parts", "parts.__main__", "parts.one", "parts.inner", "parts.inner.two")
    assert [room(module, modules) for module in modules] == [
        "parts",
        "parts.__main__",
        "parts",
        "parts.inner",
        "parts.inner",
    ]


def test_a_chart_leaves_out_arrows_that_follow_from_others() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert reduced(arrows) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert [line.strip() for line in chart(arrows) if "-->" in line] == [
        "r_a --> r_b",
        "r_b --> r_c",
    ]


def test_what_leads_into_a_cycle_stays_drawn() -> None:
    assert reduced({"a": {"b", "c"}, "b": {"c"}, "c": {"b"}}) == {
        "a": {"c"},
        "b": {"c"},
        "c": {"b"},
    }


def test_rooms_that_import_one_another_are_a_cycle() -> None:
    assert cycles({"a": {"b"}, "b": {"a"}, "c": {"a"}}) == {frozenset("ab")}
    assert not cycles({"a": {"b"}, "b": set()})
