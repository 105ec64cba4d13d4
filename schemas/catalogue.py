"""Write the criteria sets and targets of a province as Markdown for the data dictionary."""

from schemas.reference import (
    CriteriaSet,
    Criterion,
    criteria_sets,
    indicator,
    provinces_with_targets,
    targets,
)
from schemas.reference.agencies import Body
from schemas.reference.table import rows

_YES_NO = {True: "yes", False: "no"}


def criteria() -> list[str]:
    """Return every set of criteria with its groups, items, points, rules and verification."""
    lines = [
        "# Sets of criteria",
        "",
        "Rows of `criteria_sets.csv`, `criteria_groups.csv`, `criteria.csv` and `grades.csv` in",
    ]
    lines += [
        "`schemas/reference/data/`; a new set is rows, no code. A figure that is missing, silent "
        "or impossible takes its points"
    ]
    lines += ["out of the coverage, and nothing replaces them.", ""]
    for one in criteria_sets():
        lines += [f"## {one.en} (`{one.code}`)", "", one.vi + ".", "", *_about(one), ""]
        lines += [
            "| group | item | points | reads | rule | verified |",
            "|---|---|---|---|---|---|",
        ]
        for group in one.groups:
            reads = f"published as `{group.reported}`" if group.reported else ""
            lines.append(
                f"| **{group.en}** ({group.vi}) | | {group.points:g} | {reads} | | "
                f"{_YES_NO[group.verified]} |"
            )
            lines += [
                f"| | {item.en} ({item.vi}) | {item.points:g} | `{item.reads}` | {rule(item)} | "
                f"{_verification(item.verified, item.note)} |"
                for item in group.items
            ]
        lines += [
            "",
            "Grades: "
            + ", ".join(f"{grade.en} ({grade.vi}) from {grade.least:g}" for grade in one.grades),
        ]
        lines[-1] += "." if all(grade.verified for grade in one.grades) else "; not verified."
        lines.append("")
    return lines


def _about(one: CriteriaSet) -> list[str]:
    least = (
        f"A total and a grade are given when inputs of at least {one.coverage:g} % of the points "
        "are known and fresh."
    )
    if one.coverage < 100:
        least += " What is not known is then left out of both sides."
    total = f" Published totals come in as `{one.reported}`." if one.reported else ""
    return [f"Source: {one.source}{'' if one.verified else ', not verified'}. {least}{total}"]


def rule(item: Criterion) -> str:
    """Return a rule in words."""
    match item.rule:
        case "share":
            return (
                "share of the points"
                if item.direction == "up"
                else "share of the points that is left of 100 %"
            )
        case "linear":
            return f"none at {item.zero:g}, all at {item.full:g}"
        case "steps":
            relation = "from" if item.direction == "up" else "up to"
            return ", ".join(f"{points:g} {relation} {level:g}" for level, points in item.levels)
        case "reported":
            return "points as reported"


def scoreboard() -> list[str]:
    """Return the targets of all provinces and of each province that has its own."""
    lines = [
        "# Targets",
        "",
        "Rows of `targets.csv`; their labels and units are those of `indicators.csv`.",
        "",
    ]
    lines += [
        "| indicator | what | target | due | for | reported by | rhythm | source | verified |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    seen = set()
    for province in ("", *provinces_with_targets()):
        for target in targets(province):
            of = indicator(target.indicator)
            if of is None or target.code in seen:
                continue
            seen.add(target.code)
            sign = "≥" if target.direction == "up" else "≤"
            lines.append(
                f"| `{of.code}` | {of.en} ({of.vi}) | {sign} {target.value:,.10g} "
                f"{of.measure_unit} | {target.due} | "
                f"{target.province or 'all'} | {_reporter(of.body)} | {of.rhythm} | "
                f"{target.source} | "
                f"{_verification(target.verified, target.note)} |"
            )
    return lines


def _verification(verified: bool, note: str) -> str:
    return f"{_YES_NO[verified]}; {note}" if note else _YES_NO[verified]


def _reporter(body: str) -> str:
    return next(
        (one.en.replace(" of {of_en}", "") for one in rows("bodies", Body) if one.suffix == body),
        body,
    )
