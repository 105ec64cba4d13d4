"""Count how a tree of the product is built: python -m tests.architecture.counts [FOLDER …].

The counts compare two states of the code. Several folders give a column each:

    git worktree add ../before 97abd69
    python -m tests.architecture.counts ../before .
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.architecture import rooms
from tests.architecture.parts import PARTS

VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())
"""The base forms that a docstring of this code may begin with."""


def sources(folder: Path) -> Iterator[Path]:
    """Yield the modules of the product below `folder`."""
    for part in PARTS:
        yield from sorted((folder / part).rglob("*.py"))


def docstrings(folder: Path) -> list[str]:
    """Return the docstrings of all functions and methods of the product."""
    return [
        text
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (text := ast.get_docstring(node))
    ]


def begins_with_a_verb(docstring: str) -> bool:
    """Whether the first word of `docstring` is the base form of a verb."""
    return docstring.split(maxsplit=1)[0].strip("`.,:;").lower() in VERBS


def classes(folder: Path) -> Iterator[tuple[Path, ast.ClassDef]]:
    """Yield every class of the product with its module."""
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path, node


def repeated_classes(folder: Path) -> list[str]:
    """Return the class names that stand in two modules or more."""
    modules: dict[str, set[Path]] = {}
    for path, node in classes(folder):
        modules.setdefault(node.name, set()).add(path)
    return sorted(name for name, paths in modules.items() if len(paths) > 1)


def floors(arrows: rooms.Arrows) -> int:
    """Return the number of rooms on the longest way along imports; a cycle counts once."""
    heights: dict[str, int] = {}

    def height(one: str, above: tuple[str, ...]) -> int:
        if one not in heights:
            lower = [height(other, (*above, one)) for other in arrows[one] if other not in above]
            heights[one] = 1 + max(lower, default=0)
        return heights[one]

    return max((height(one, ()) for one in arrows), default=0)


def counts(folder: Path) -> dict[str, str]:
    """Return each count with its name; imports are those of the packages on `sys.path`."""
    modules = rooms.imports()
    arrows = rooms.between_rooms(modules)
    result = {}
    for part in ("schemas", "streams", "dashboard"):
        inside = rooms.within(part, arrows)
        result[f"`{part}`: rooms, arrows, floors"] = (
            f"{len(inside)}, {sum(map(len, inside.values()))}, {floors(inside)}"
        )
    result["cycles of modules"] = str(len(rooms.cycles(modules)))
    repeated = repeated_classes(folder)
    result["class names in two modules or more"] = str(len(repeated))
    texts = docstrings(folder)
    share = sum(map(begins_with_a_verb, texts)) / len(texts)
    result["docstrings of functions that begin with a verb"] = f"{share:.0%}"
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in sources(folder)]
    result["modules"] = str(len(lengths))
    result["lines of a module: median, longest"] = f"{median(lengths):.0f}, {max(lengths)}"
    long = sum(
        len(line) > 100
        for path in sources(folder)
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    result["lines over 100 columns"] = f"{long:,}"
    return result


def first_words(folder: Path) -> Counter[str]:
    """Count the words other than verbs that docstrings of functions begin with."""
    return Counter(
        one.split(maxsplit=1)[0] for one in docstrings(folder) if not begins_with_a_verb(one)
    )


def main(folders: list[str]) -> None:
    """Print a table with a column for each folder."""
    if len(folders) == 1:
        sys.path.insert(0, folders[0])
        for name, count in counts(Path(folders[0])).items():
            print(f"{name}\t{count}")
        return
    columns = []
    for folder in folders:  # each in a process of its own: packages of one name
        command = [sys.executable, "-m", "tests.architecture.counts", folder]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        columns.append(dict(line.split("\t") for line in lines.splitlines()))
    print(f"| count | {' | '.join(folders)} |")
    print("|---|" + "---|" * len(folders))
    for name in columns[-1]:
        print(f"| {name} | {' | '.join(column[name] for column in columns)} |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["."])
