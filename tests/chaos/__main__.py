"""Commands: python -m tests.chaos [NAME…] [--quick] [--seed N]."""

import sys
import time
from typing import Annotated

import typer
from rich.console import Console

from tests.chaos import report
from tests.chaos.scenarios import SCENARIOS, Result, run

cli = typer.Typer()


@cli.command()
def chaos(
    names: Annotated[
        list[str] | None,
        typer.Argument(help=f"Which to run: {', '.join(SCENARIOS)}; all by default."),
    ] = None,
    quick: Annotated[bool, typer.Option(help="A few minutes of it.")] = False,
    seed: Annotated[
        int, typer.Option(envvar="IOC_CHAOS_SEED", help="Chooses victims and moments.")
    ] = 1,
) -> None:
    """Run scenarios, each on a system of its own, and compare each with its ledger.

    A whole run writes its page in the docs.
    """
    console = Console(highlight=False)
    began = time.monotonic()
    results: list[Result] = []
    if unknown := set(names or ()) - SCENARIOS.keys():
        sys.exit(
            f"There is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}."
        )
    for name in names or SCENARIOS:
        console.print(f"{name}: {SCENARIOS[name].title} (seed {seed})", style="bold")

        def say(line: str, name: str = name) -> None:
            console.print(
                f"  {time.monotonic() - began:5.0f} s  {name}: {line}", markup=False, soft_wrap=True
            )

        result = run(name, seed, quick, say)
        results.append(result)
        if result.settled is None:
            again = f"python -m tests.chaos {name} --seed {seed}{' --quick' if quick else ''}"
            console.print(
                f"FAILED: {name} with seed {seed}; again: {again}\n{result.failure}",
                style="red",
                markup=False,
            )
        else:
            console.print(
                f"  {result.done}; {report.figures(result)}",
                markup=False,
                soft_wrap=True,
                style="green",
            )
    seconds = time.monotonic() - began
    console.print(
        f"{sum(result.settled is not None for result in results)} of {len(results)} passed in "
        f"{seconds:.0f} s, seed {seed}"
    )
    if not names and not quick:
        console.print(f"written: {report.write(results, seed, seconds)}")
    sys.exit(any(result.settled is None for result in results))


if __name__ == "__main__":
    cli()
