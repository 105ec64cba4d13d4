"""Where Kafka and ClickHouse are fetched to.

A cache folder that several checkouts and processes share.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from stack import StackError, fetch, parts
from stack.fetch import FetchedPart


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IOC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a recipe of a part of its own."""
    file = tmp_path / "recipe.xml"
    file.write_text("version 1")
    monkeypatch.setitem(parts.NAMES, file, "thing")
    return file


def part(recipe: Path, write: str = "jar") -> FetchedPart:
    def get(folder: Path) -> None:
        assert not list(folder.iterdir()), "it is filled from scratch"
        (folder / "some.jar").write_text(write)

    return FetchedPart("A thing", recipe, lambda: None, get)


def fail(folder: Path) -> None:
    (folder / "half.jar").touch()
    raise StackError("the network is away")


def test_the_cache_folder_is_the_setting_else_among_the_users_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IOC_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parts.cache_folder() == tmp_path / ".cache" / "province-ioc"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert parts.cache_folder() == tmp_path / ".cache" / "province-ioc", (
        "the XDG specification has a relative path ignored"
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert parts.cache_folder() == tmp_path / "xdg" / "province-ioc"
    monkeypatch.setenv("IOC_CACHE", "~/parts")
    assert parts.cache_folder() == tmp_path / "parts"


def test_another_version_is_kept_in_another_folder(cache: Path, recipe: Path) -> None:
    part(recipe).fill()
    first = parts.part_folder(recipe)
    recipe.write_text("version 2")
    assert not part(recipe).complete
    part(recipe, "newer jar").fill()
    assert parts.part_folder(recipe) != first
    assert (first / "some.jar").read_text() == "jar", "what runs by the older version goes on"


def test_the_folders_of_the_two_parts_are_in_the_cache_and_nowhere_in_the_package(
    cache: Path,
) -> None:
    assert {parts.part_folder(one.recipe).parent for one in fetch.PARTS} == {cache}
    assert parts.npm_packages().is_relative_to(cache) and parts.class_archive().is_relative_to(
        cache
    )
    with pytest.raises(StackError, match=r"^Kafka is not fetched: run `ioc stack fetch`, or .*\.$"):
        parts.jars()
    with pytest.raises(StackError, match="run `ioc stack fetch`, or "):
        parts.library()


def test_two_that_fetch_at_once_fetch_once_and_both_find_it_whole(
    cache: Path, recipe: Path
) -> None:
    both, fetched = threading.Barrier(2), []

    def get(folder: Path) -> None:
        fetched.append(folder)
        time.sleep(0.2)
        (folder / "some.jar").touch()

    def one(_: int) -> bool:
        own = FetchedPart("A thing", recipe, lambda: None, get)
        both.wait(10)
        own.fill()
        return (parts.part_folder(recipe) / "some.jar").exists()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, range(2))) == [True, True]
    assert len(fetched) == 1


def test_what_was_fetched_in_part_is_never_used_and_fetched_anew(cache: Path, recipe: Path) -> None:
    broken = FetchedPart("A thing", recipe, lambda: None, fail)
    with pytest.raises(StackError, match="the network is away"):
        broken.fill()
    assert not broken.complete and not parts.part_folder(recipe).exists()
    part(recipe).fill()
    assert part(recipe).complete
    assert {file.name for file in parts.part_folder(recipe).iterdir()} == {"some.jar", ".complete"}


def test_a_part_whose_last_step_was_cut_short_is_not_fetched_again(
    cache: Path, recipe: Path
) -> None:
    def cut() -> None:
        raise StackError("killed")

    with pytest.raises(StackError):
        FetchedPart(
            "A thing", recipe, lambda: None, lambda folder: (folder / "some.jar").touch(), cut
        ).fill()
    finished: list[bool] = []
    FetchedPart("A thing", recipe, lambda: None, fail, lambda: finished.append(True)).fill()
    assert finished and part(recipe).complete


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").touch()  # a folder without the right to write does not stop root
    monkeypatch.delenv("IOC_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fetch, "PARTS", (part(recipe),))
    with pytest.raises(StackError) as told:
        fetch.fetch(Console(quiet=True))
    assert str(told.value) == (
        f"Kafka and ClickHouse cannot be fetched to {tmp_path}/home/.cache/province-ioc (Not a "
        "directory): "
        "set IOC_CACHE to a folder that can be written."
    )


def test_what_is_fetched_needs_no_right_to_write(
    cache: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part(recipe).fill()
    monkeypatch.setattr(fetch, "PARTS", (part(recipe),))
    monkeypatch.setattr(fetch, "_make_cache", lambda: pytest.fail("it wanted to write"))
    assert fetch.fetch(Console(quiet=True)) is False
