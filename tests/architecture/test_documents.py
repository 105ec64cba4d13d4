"""What is derived and committed is what the code says now; what is documented exists."""

from pathlib import Path

from schemas.documents import README, files
from schemas.settings import Settings

ROOT = Path(__file__).parents[2]


def test_derived_files_are_up_to_date() -> None:
    late = [str(path.relative_to(ROOT)) for path, content in files().items() if not path.exists() or path.read_text() != content]
    assert not late, f"run `make generate`: {late}"


def test_the_readme_names_every_setting_and_command() -> None:
    text = README.read_text()
    assert all(f"`{Settings.variable(name)}`" in text for name in Settings.model_fields)
    for command in ("make demo", "make test", "make check", "make chaos", "make bench", "docker compose"):
        assert command in text


def test_the_readme_points_at_files_that_exist() -> None:
    import re

    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_the_top_level_holds_only_the_agreed_folders() -> None:
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    top = {name.partition("/")[0] for name in listed if not name.startswith(".")}
    allowed = {
        "docker-compose.yml",
        "ingest",
        "streams",
        "dashboard",
        "schemas",
        "tests",
        "pyproject.toml",
        "README.md",
        "Makefile",
        "stack",
    }
    assert top <= allowed


def test_files_stay_small() -> None:
    long = {path.name: count for path in ROOT.glob("[!.]*/**/*.py") if (count := len(path.read_text().splitlines())) > 400}
    assert not long
