"""What a measurement comes to, on the screen and in the document that a run leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

NOT_MEASURED = "not measured: "
MOST_SAID = 300
"""Characters of an error that a line says."""


class NotMeasuredError(Exception):
    """What a bench is after cannot be measured here, for the reason that it says.

    Nothing is broken.
    """


@dataclass(frozen=True)
class Result:
    """A line of the table of ratios.

    `met` is None where there is no aim, only a report, and where nothing was measured.
    """

    what: str
    against: str
    measured: str
    aim: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """Return whether the aim is met, in words."""
        if self.measured.startswith(NOT_MEASURED):
            return "not measured"
        return "" if self.met is None else "met" if self.met else "not met"


@dataclass(frozen=True)
class Details:
    """A table behind the results: what was measured of each run."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass
class Report:
    """All of a run."""

    command: str
    machine: str
    versions: dict[str, str]
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    results: list[Result] = field(default_factory=list)
    details: list[Details] = field(default_factory=list)

    def tables(self) -> list[Table]:
        """For the screen."""
        shown = []
        for one in self.details:
            table = Table(
                *one.columns,
                title=one.title,
                caption="\n".join(one.notes) or None,
                title_justify="left",
            )
            for row in one.rows:
                table.add_row(*row)
            shown.append(table)
        table = Table(
            "what", "against", "measured", "aim", "", title="Results", title_justify="left"
        )
        for result in self.results:
            style = {None: "", True: "green", False: "red"}[result.met]
            table.add_row(
                result.what,
                result.against,
                result.measured,
                result.aim,
                f"[{style}]{result.verdict}[/]" if style else "",
            )
        return [*shown, table]

    def write(self, path: Path) -> None:
        """Write the results as a Markdown document."""
        lines = [
            "# Measured",
            "",
            f"Written by `{self.command}`, {self.began:%Y-%m-%d %H:%M} UTC, in "
            f"{self.seconds / 60:.0f} minutes, on {self.machine}.",
            "",
            "Versions: "
            + ", ".join(f"{name} {version}" for name, version in self.versions.items())
            + ".",
            "",
            *_markdown(
                ("what", "against", "measured", "aim", ""),
                [
                    (one.what, one.against, one.measured, one.aim, one.verdict)
                    for one in self.results
                ],
            ),
        ]
        for one in self.details:
            lines += ["", f"## {one.title}", "", *_markdown(one.columns, one.rows)]
            for note in one.notes:
                lines += ["", note]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")


def _markdown(
    columns: tuple[str, ...], rows: list[tuple[str, ...]] | tuple[tuple[str, ...], ...]
) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (columns, ("---",) * len(columns), *rows)]


def measure_each(
    benches: Mapping[str, Callable[[Report], None]], report: Report, say: Callable[[str], None]
) -> list[str]:
    """Run benches one after the other.

    One that raises ends only itself, and its line says why there is no figure.

    Returns the names of those that failed; one that only could not be measured here has not.
    """
    failed = []
    for name, measure in benches.items():
        known = len(report.results)
        try:
            measure(report)
        except Exception as error:
            if not isinstance(error, NotMeasuredError):
                failed.append(name)
            reason = " ".join(str(error).split()) or type(error).__name__
            report.results.append(
                Result(name, "-", f"{NOT_MEASURED}{reason[:MOST_SAID]}", "-", None)
            )
        for one in report.results[
            known:
        ]:  # so that a run that is ended early has told what it knows
            say(f"{one.what}: {one.measured} (aim {one.aim})")
    return failed


def met(value: float, aim: float, *, most: bool = False) -> bool:
    """Return whether a value reaches an aim, or with `most` stays within it."""
    return value <= aim if most else value >= aim
